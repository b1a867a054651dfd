"""Where pretix calls the plugin."""

import logging
from typing import Any

from django.dispatch import receiver
from django.utils.timezone import now
from django_scopes import scope, scopes_disabled
from friendpay_client import FriendpayError
from pretix.base.models import Event, Order, OrderPayment, OrderRefund
from pretix.base.payment import PaymentException
from pretix.base.signals import order_expired, periodic_task, register_payment_providers

from pretix_friendpay import settling
from pretix_friendpay.provider import FriendpayProvider

logger = logging.getLogger(__name__)


@receiver(register_payment_providers, dispatch_uid="friendpay_provider")
def provide(sender: Event, **_kwargs: Any) -> type[FriendpayProvider]:
    return FriendpayProvider


@receiver(order_expired, dispatch_uid="friendpay_expired")
def end_with_the_order(sender: Event, order: Order, **_kwargs: Any) -> None:
    """An organiser may expire an order by hand: then its friend can pay no more. One who has paid has the order."""
    for payment in order.payments.filter(provider=FriendpayProvider.identifier, state__in=settling.OPEN):
        _end(FriendpayProvider(sender), payment)


@receiver(periodic_task, dispatch_uid="friendpay_periodic")
@scopes_disabled()
def catch_up(sender: Any, **_kwargs: Any) -> None:
    """Whatever no message told: open payments and refunds are asked about, and what is past its time is ended."""
    payments = OrderPayment.objects.filter(provider=FriendpayProvider.identifier, state__in=settling.OPEN)
    for payment in payments.select_related("order__event__organizer"):
        event = payment.order.event
        with scope(organizer=event.organizer):
            until = settling.until(payment)
            if until is None:  # the buyer has not come so far as to ask
                continue
            if until <= now() or payment.order.status in (Order.STATUS_PAID, Order.STATUS_CANCELED):
                _end(FriendpayProvider(event), payment)
            else:
                _try(settling.settle, FriendpayProvider(event), payment)
    refunds = OrderRefund.objects.filter(
        provider=FriendpayProvider.identifier,
        state__in=(OrderRefund.REFUND_STATE_CREATED, OrderRefund.REFUND_STATE_TRANSIT),
    )
    for refund in refunds.select_related("order__event__organizer", "payment"):
        with scope(organizer=refund.order.event.organizer):
            try:
                FriendpayProvider(refund.order.event).execute_refund(refund)
            except PaymentException as error:
                settling.fail(refund, str(error))


def _end(provider: FriendpayProvider, payment: OrderPayment) -> None:
    if not _try(settling.end, provider, payment) and payment.order.status == Order.STATUS_PENDING:
        settling.hold(payment)


def _try(step: Any, provider: FriendpayProvider, payment: OrderPayment) -> bool:
    """Whether friendpay answered. One payment that cannot be asked about stops no other."""
    try:
        step(provider, payment)
    except FriendpayError as error:
        logger.warning("friendpay could not be asked about %s: %s", payment.global_id, error)
        return False
    return True
