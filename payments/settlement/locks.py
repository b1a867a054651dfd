"""Row locks, and events in the same transaction, for what happens to a payment request. One lock order: order, request,
payment, refund.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL

from friendpay.kit import clock, prepared
from friendpay.kit.compiled import Compiled, Given
from friendpay.kit.writes import Writes
from orders import events
from orders.event_data import EventData
from orders.models import Event, Order
from payments.live import snapshot
from payments.mail import outbox
from payments.models import Payment, PaymentRequest, Refund
from payments.settlement import rules, turns
from payments.settlement.event_data import (
    DeclinedData,
    DisputeData,
    PaymentData,
    RefundData,
    ReportedData,
    RequestData,
    ThankedData,
)
from payments.share import codes

_REQUEST_DATA: dict[str, type[RequestData]] = {
    "payment_request.declined": DeclinedData,
    "payment_request.reported": ReportedData,
    "payment_request.thanked": ThankedData,
}


def either(*ways: Q) -> QuerySet[Payment]:
    """The payments that one of these finds, each by its own index. PostgreSQL, given all of them with OR before it has
    counted the rows of a young database, would read every payment there is.
    """
    first, *others = (Payment.objects.filter(way).order_by().values("pk") for way in ways)
    return Payment.objects.filter(pk__in=first.union(*others, all=True))


def _own(field: str) -> Subquery:
    """Of the payment that is given."""
    return Subquery(Payment.objects.filter(pk=Given("payment")).values(field))


_ORDER = Compiled(
    lambda: (
        Order.objects.select_for_update(of=("self",), no_key=True)
        .select_related("merchant")
        .filter(pk=Given("order"))
        .order_by()
    )
)
_OPEN = Compiled(
    lambda: (
        PaymentRequest.objects.select_for_update(no_key=True)
        .filter(order=Given("order"), status=PaymentRequest.Status.OPEN)
        .order_by()
    )
)
# PostgreSQL locks a row of each table in the order in which they are named here.
_REQUEST = Compiled(
    lambda: (
        PaymentRequest.objects.select_for_update(of=("order", "self"), no_key=True)
        .select_related("order__merchant")
        .filter(pk=Given("request"))
        .order_by()
    )
)


def _payment(*, nowait: bool) -> Compiled[Payment]:
    return Compiled(
        lambda: (
            Payment.objects.select_for_update(of=("request__order", "request", "self"), no_key=True, nowait=nowait)
            .select_related("request__order__merchant", "account")
            .filter(pk=Given("payment"))
            .order_by()
        )
    )


_PAYMENT, _PAYMENT_IF_FREE = _payment(nowait=False), _payment(nowait=True)
# The second is for the index, which holds no empty ones: PostgreSQL, planning for whatever number is given, could not
# know that it may be used, and would read all payments of the account.
NUMBERED = Q(provider_ref=Given("provider_ref")) & ~Q(provider_ref=RawSQL("''", ()))
_BESIDE: Compiled[Payment] = Compiled(
    lambda: (
        either(
            Q(pk=Given("payment")),
            Q(request=_own("request"), status__in=rules.UNDECIDED),
            Q(account=_own("account")) & NUMBERED,
        )
        .annotate(now=clock.Now())
        .order_by("id")
    )
)
_REFUND = Compiled(
    lambda: (
        Refund.objects.select_for_update(
            of=("payment__request__order", "payment__request", "payment", "self"), no_key=True
        )
        .select_related("payment__request__order__merchant", "payment__account")
        .filter(pk=Given("refund"))
        .order_by()
    )
)


def lock_order(order_id: int) -> tuple[Order, PaymentRequest | None, datetime]:
    """The order and its open request, locked, and what time it is then, by one round trip: the request is looked for
    once the order is locked.
    """
    with prepared.together():
        found, opened, now = _ORDER.ask(order=order_id), _OPEN.ask(order=order_id), clock.ask()
    order, request = next(iter(found()), None), next(iter(opened()), None)
    if order is None:
        raise Order.DoesNotExist
    if request:
        request.order, request.merchant = order, order.merchant
    return order, request, now()


def lock_request(request_id: int) -> tuple[Order, PaymentRequest]:
    """A request and its order, locked, whatever their state."""
    return _locked(_REQUEST.ask(request=request_id))


def lock_begun(request_id: int, visitor: str, network: str) -> tuple[PaymentRequest, turns.Begun]:
    """The same, and what was begun on the request (`turns.begun`), by one round trip: it is looked for once the locks
    are held.
    """
    with prepared.together():
        locked, begun = _REQUEST.ask(request=request_id), turns.ask(request_id, visitor, network)
    _order, request = _locked(locked)
    return request, begun(request)


def _locked(found: Callable[[], list[PaymentRequest]]) -> tuple[Order, PaymentRequest]:
    request = next(iter(found()), None)
    if request is None:
        raise PaymentRequest.DoesNotExist
    request.merchant = request.order.merchant
    return request.order, request


def lock_payment(payment_id: int) -> tuple[Order, PaymentRequest, Payment]:
    """A payment, its request and its order, locked."""
    return _with_all(_PAYMENT.ask(payment=payment_id))


Met = tuple[datetime, Payment | None, list[Payment]]


def lock_paid(payment_id: int, provider_ref: str, *, wait: bool = True) -> tuple[Order, PaymentRequest, Payment, Met]:
    """The same, and what the payment meets, by one round trip: the time; the payment that has this transaction of its
    account, if one has; and all others of its request that are undecided, the earliest first. These are looked for once
    the locks are held. Raises OperationalError where somebody else holds one, and nobody is to `wait`.
    """
    with prepared.together():
        locked = (_PAYMENT if wait else _PAYMENT_IF_FREE).ask(payment=payment_id)
        beside = _BESIDE.ask(payment=payment_id, provider_ref=provider_ref)
    order, request, payment = _with_all(locked)
    found = beside()
    transaction_of = (payment.account_id, provider_ref)
    known = next((it for it in found if (it.account_id, it.provider_ref) == transaction_of), None)
    others = [it for it in found if it.request_id == payment.request_id and it.pk != payment.pk and it.is_undecided]
    return order, request, payment, (clock.told(vars(found[0])["now"]), known, others)


def _with_all(found: Callable[[], list[Payment]]) -> tuple[Order, PaymentRequest, Payment]:
    payment = next(iter(found()), None)
    if payment is None:
        raise Payment.DoesNotExist
    request = payment.request
    request.merchant = request.order.merchant
    return request.order, request, payment


def lock_refund(refund_id: int) -> tuple[Order, PaymentRequest, Payment, Refund]:
    """A refund and all above it, locked."""
    refund = _REFUND.one(refund=refund_id)
    payment, request = refund.payment, refund.payment.request
    request.merchant = request.order.merchant
    return request.order, request, payment, refund


def new_request(
    order: Order,
    now: datetime,
    actor: str,
    expires_in: timedelta | None = None,
    writes: Writes | None = None,
    **more: Any,
) -> PaymentRequest:
    """A request for all of a locked order, noted; the caller saves it afterwards. Of an order that is new itself, it is
    written with the order's own `writes`.
    """
    request = PaymentRequest(
        merchant=order.merchant,
        order=order,
        currency=order.currency,
        amount=order.amount,
        code=codes.new(),
        created_at=now,
        expires_at=rules.ends(order, now, expires_in),
        **more,
    )
    request.writes = writes or request.writes
    request.writes.insert(request)
    note(request, "payment_request.created", actor)
    return request


def note(request: PaymentRequest, type: str, actor: str, about: Payment | Refund | None = None, **more: Any) -> None:
    """Say what happened, numbered under the request's lock. The caller saves the request afterwards, and the event is
    written with it.

    `more` are the fields that this type of event has besides those of the request.
    """
    request.seq += 1
    subject = about or request
    if isinstance(about, Payment):
        data: EventData = (DisputeData if more else PaymentData).of(about, request, **more)
    elif isinstance(about, Refund):
        data = RefundData.of(about, about.payment, request)
    else:
        data = _REQUEST_DATA.get(type, RequestData).of(request, **more)
    event = events.record(
        type,
        order=request.order,
        request=request.public_id,
        seq=request.seq,
        object_id=subject.public_id,
        actor=actor,
        data=data.stored(),
        writes=request.writes,
    )
    request.told.append((event, about))


def note_end(order: Order, event: Event | None, ended: PaymentRequest | None) -> None:
    """An order's end, where its last request had ended before (`ended` is one that ends with it): a change of that
    request too, so that whoever has a page of it open sees the order's end.
    """
    request = None if ended else PaymentRequest.objects.select_for_update(no_key=True).filter(order=order).first()
    if event and request:
        request.seq += 1
        event.request, event.seq = request.public_id, request.seq
        event.save(update_fields=["request", "seq"])
        save(request)


def save(
    request: PaymentRequest,
    *fields: str,
    now: datetime | None = None,
    held: list[Payment] | None = None,
) -> None:
    """Write the request with its new `seq` and all that was noted and gathered for it, by one statement; queue the mail
    that people asked for; and show it to whoever is looking once it is committed, as it is `now` with what is `held`,
    where these are known.
    """
    told, request.told = request.told, []
    outbox.add_mail(told, request)
    request.writes.update(request, "seq", *fields)
    request.writes.run()
    transaction.on_commit(lambda: snapshot.push(request, now=now, held=held))
