"""What is done to many requests or payments in one statement each, whatever their number: for the sweeps.

Each takes its locks in the one order there is, and passes over what somebody else holds. Changes no status: that is
`lifecycle`'s.
"""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from friendpay.kit import clock
from friendpay.kit.background import enqueue
from friendpay.kit.keys import among
from orders import events
from orders.models import Order
from payments.live import snapshot
from payments.mail import outbox
from payments.models import Payment, PaymentRequest
from payments.settlement.event_data import PAYMENT_SQL, REQUEST_SQL

_REQUESTS = f"""
    SELECT request.merchant_id, "order".live, request.order_id, request.public_id, request.seq, request.public_id,
        {REQUEST_SQL}
    FROM payments_paymentrequest AS request JOIN orders_order AS "order" ON "order".id = request.order_id
    WHERE request.id = ANY(%s) ORDER BY request.id
"""
_PAYMENTS = f"""
    SELECT payment.merchant_id, "order".live, request.order_id, request.public_id,
        request.seq + row_number() OVER (PARTITION BY request.id ORDER BY payment.id), payment.public_id, {PAYMENT_SQL}
    FROM payments_payment AS payment
        JOIN payments_paymentrequest AS request ON request.id = payment.request_id
        JOIN orders_order AS "order" ON "order".id = request.order_id
    WHERE payment.id = ANY(%s) ORDER BY payment.id
"""
_FREE = """
    UPDATE payments_paymentrequest AS request
    SET amount_held = amount_held - freed.amount, seq = seq + freed.number
    FROM (
        SELECT request_id, sum(amount) AS amount, count(*) AS number
        FROM payments_payment WHERE id = ANY(%s) GROUP BY request_id
    ) AS freed
    WHERE request.id = freed.request_id
"""


def lock_stale(now: datetime, limit: int, but: Collection[int]) -> list[int]:
    """Up to `limit` open requests whose time is over and that are plain, locked; none of `but`.

    Rows that somebody else works on are passed over, so nothing waits here while it holds a lock, and the order's lock
    is not needed.
    """
    due = _plain(now).exclude(pk__in=but).order_by("expires_at")
    return _still_plain(_lock(due[:limit]), now)


def lock_stale_orders(now: datetime, limit: int, but: Collection[int]) -> tuple[list[int], list[int]]:
    """Up to `limit` orders whose time is over, with no open request but a plain one, and those requests: both locked,
    the order first.
    """
    going_on = PaymentRequest.objects.filter(order=OuterRef("pk"), status=PaymentRequest.Status.OPEN)
    due = Order.objects.filter(status=Order.Status.AWAITING_PAYMENT, expires_at__lte=now).exclude(pk__in=but)
    due = due.filter(~Exists(going_on.exclude(pk__in=_plain(now).values("pk"))))
    orders = _lock(due.order_by("expires_at")[:limit])
    return orders, _still_plain(_lock(_plain(now).filter(order__in=among(orders))), now)


def without_open_request(order_ids: list[int]) -> list[int]:
    """Those orders, of which the caller holds the locks, that no open request keeps."""
    kept = PaymentRequest.objects.filter(order__in=among(order_ids), status=PaymentRequest.Status.OPEN)
    kept_ids = set(kept.values_list("order", flat=True))
    return [order_id for order_id in order_ids if order_id not in kept_ids]


def _plain(now: datetime) -> QuerySet[PaymentRequest]:
    """Stale requests of which nothing has to go back, nor to be closed at a wallet."""
    undecided = Payment.objects.undecided().filter(request=OuterRef("pk"))
    return PaymentRequest.objects.due_for_expiry(now).filter(~Exists(undecided), amount_paid=0)


def _still_plain(request_ids: list[int], now: datetime) -> list[int]:
    """A statement sees other tables as they were when it began: they are looked at again under the requests' locks."""
    return list(_plain(now).filter(pk__in=among(request_ids)).values_list("pk", flat=True))


def _lock(rows: QuerySet[Any]) -> list[int]:
    return list(rows.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True))


def note_ended(request_ids: list[int], type: str) -> None:
    """Say that these have just ended, with all that an event brings: shops are told, mail is queued, reminders are
    dropped, and whoever is looking is shown it after the commit.
    """
    outbox.add_mail_of_many(type, request_ids, events.record_all(type, "system", _REQUESTS, request_ids))
    transaction.on_commit(lambda: snapshot.push_all(request_ids))


@transaction.atomic
def let_go_lapsed(before: datetime, limit: int, but: Collection[int] = ()) -> int:
    """`lifecycle.let_go` for up to `limit` attempts whose hold ended before then, in a few statements however many they
    are; says how many. None of `but`; what somebody else works on is passed over.
    """
    lapsed = Payment.objects.held_beyond(before).exclude(pk__in=but).order_by("held_until")
    request_ids = _lock(PaymentRequest.objects.filter(pk__in=lapsed.values("request")[:limit]))
    payment_ids = _lock(lapsed.filter(request__in=among(request_ids)))
    if not payment_ids:
        return 0
    events.record_all("payment.released", "system", _PAYMENTS, payment_ids)
    with connection.cursor() as cursor:
        cursor.execute(_FREE, [payment_ids])
    payments = Payment.objects.filter(pk__in=among(payment_ids))
    payments.update(held_until=None, closing=True, next_attempt_at=clock.now(), attempts=0)
    transaction.on_commit(partial(enqueue, "payments.sweep_payments"))
    transaction.on_commit(lambda: snapshot.push_all(request_ids))
    return len(payment_ids)
