"""Bring held orders up to date, whatever became of the webhooks. For cron, every few minutes."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone
from friendpay_client import FriendpayError
from oscar.core.loading import get_model

from friendpay_oscar import orders, statuses
from friendpay_oscar.checkout import HOLD_SECONDS


class Command(BaseCommand):
    help = "Ask friendpay about every order that waits for a friend, and give up those whose time is over."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """One that cannot be asked about holds up no other. What a friend has paid is confirmed, however late."""
        hold = timedelta(seconds=getattr(settings, "FRIENDPAY_HOLD_SECONDS", HOLD_SECONDS))
        for order in get_model("order", "Order").objects.filter(status=statuses.WAITING):
            try:
                over = order.date_placed + hold < timezone.now()
                (orders.give_up if over else orders.sync)(order)
                self.stdout.write(f"{order.number}: {order.status}")
            except FriendpayError as error:
                self.stderr.write(f"{order.number}: {error}")
