"""Expiry of requests and orders. No wallet is asked for it: no wallet's silence holds it up."""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet

from friendpay.kit import clock
from orders.models import Order
from payments.models import Payment, PaymentRequest
from payments.settlement import lifecycle

logger = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=2)
"""How long past its end a hold is kept while its provider cannot say whether it was paid: money is counted before
expiry.
"""

BATCH = 500


def sweep() -> None:
    """Free the holds whose wallet has not said in time whether it was paid; then end the orders whose time is over,
    with their requests; then the requests whose own time is: in batches where nobody ever came, one by one where parts
    go back. One that cannot be ended holds up no other.
    """
    _each(lifecycle.let_go, Payment.objects.held_beyond(clock.now() - PATIENCE).values_list("pk", flat=True))
    _each(lifecycle.expire_order, _orders_due().values_list("pk", flat=True))
    try:
        while lifecycle.expire_plain(BATCH):
            pass
    except Exception:  # one of a batch spoils all of it: they are ended one by one
        logger.exception("a batch of requests could not be ended")
    due = PaymentRequest.objects.due_for_expiry(clock.now()).order_by("expires_at")
    _each(lifecycle.expire_request, due.values_list("pk", flat=True))


def _orders_due() -> QuerySet[Order]:
    """Those that can end now: money on its way is counted first."""
    paying = PaymentRequest.objects.filter(order=OuterRef("pk"), status=PaymentRequest.Status.OPEN, amount_held__gt=0)
    due = Order.objects.filter(status=Order.Status.AWAITING_PAYMENT, expires_at__lte=clock.now())
    return due.filter(~Exists(paying)).order_by("expires_at")


def _each(end: Callable[[int], object], keys: Iterable[int]) -> None:
    for key in keys:
        try:
            end(key)
        except Exception:
            logger.exception("%s %s", end.__name__, key)
