"""Expiry of requests and orders. No wallet is asked for it: no wallet's silence holds it up."""

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from friendpay.kit import clock, limits
from orders.models import Order
from payments.models import Payment, PaymentRequest
from payments.settlement import batches, lifecycle

logger = logging.getLogger(__name__)


_at_work = threading.Lock()


def sweep() -> None:
    """Free the holds whose wallet has not said in time whether it was paid; then end the orders whose time is over,
    with their requests; then the requests whose own time is.

    In batches where nobody's money and no undecided attempt is concerned, one by one where parts go back or an attempt
    has to be closed. One that cannot be ended holds up no other. One thread of a process does it: the others of its
    lane are there for other work.
    """
    if _at_work.acquire(blocking=False):
        try:
            _sweep_all()
        finally:
            _at_work.release()


def _sweep_all() -> None:
    before = clock.now() - limits.HOLD_PATIENCE
    _sweep(partial(batches.let_go_lapsed, before), lifecycle.let_go, Payment.objects.held_beyond(before))
    _sweep(lifecycle.expire_plain_orders, lifecycle.expire_order, _orders_due())
    requests = PaymentRequest.objects.due_for_expiry(clock.now()).order_by("expires_at")
    _sweep(lifecycle.expire_plain, lifecycle.expire_request, requests)


def _orders_due() -> QuerySet[Order]:
    """Those that can end now: money on its way is counted first."""
    paying = PaymentRequest.objects.filter(order=OuterRef("pk"), amount_held__gt=0)
    due = Order.objects.filter(status=Order.Status.AWAITING_PAYMENT, expires_at__lte=clock.now())
    return due.filter(~Exists(paying)).order_by("expires_at")


def _sweep(together: Callable[[int, list[int]], int], one: Callable[[int], object], due: QuerySet[Any]) -> None:
    """`together` ends as many as it is told, but for some, and says how many; `one` ends what is left, one by one.

    Where one of a batch spoils all of it, they are ended one by one too, and what fails even so is left out.
    """
    failed: list[int] = []
    while True:
        try:
            if not together(limits.EXPIRY_BATCH_ROWS, failed):
                break
        except Exception:
            logger.exception("a batch could not be ended")
            batch = list(due.exclude(pk__in=failed).values_list("pk", flat=True)[: limits.EXPIRY_BATCH_ROWS])
            failed += _each(one, batch)
            if not batch:
                break
    _each(one, list(due.exclude(pk__in=failed).values_list("pk", flat=True)))


def _each(end: Callable[[int], object], keys: list[int]) -> list[int]:
    """Says which could not be ended."""
    failed = []
    for key in keys:
        try:
            end(key)
        except Exception:
            logger.exception("%s %s", end.__name__, key)
            failed.append(key)
    return failed
