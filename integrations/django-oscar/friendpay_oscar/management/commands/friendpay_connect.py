"""Have friendpay tell this shop what happens."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from friendpay_client import FriendpayError

from friendpay_oscar import api

EVENTS = [
    "order.paid",
    "order.expired",
    "order.cancelled",
    "payment_request.expired",
    "payment_request.cancelled",
    "refund.succeeded",
    "refund.failed",
    "refund.external",
    "refund.returned_elsewhere",
]


class Command(BaseCommand):
    help = "Register this shop's webhook at friendpay; prints the line for its settings, which is shown once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address", help="of the shop, as friendpay reaches it: https://shop.example")

    def handle(self, *_args: Any, address: str, **_options: Any) -> None:
        """Repeated, it gives a new secret; the one before signs too, for a day."""
        url = address.rstrip("/") + reverse("friendpay:webhook")
        try:
            made: Any = api.client().create_webhook_endpoint(url=url, events=EVENTS)
            if not made.get("secret"):
                made = api.client().rotate_webhook_secret(made["id"])
        except FriendpayError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f'FRIENDPAY_WEBHOOK_SECRET = "{made["secret"]}"')
