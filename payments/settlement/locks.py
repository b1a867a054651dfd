"""Row locks, and events in the same transaction, for what happens to a payment request. One lock order: order, request,
payment, refund.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from orders import events
from orders.event_data import EventData
from orders.models import Event, Order
from payments.live import snapshot as live
from payments.mail import outbox as mail
from payments.models import Payment, PaymentRequest, Refund
from payments.settlement import rules
from payments.settlement.event_data import DeclinedData, DisputeData, PaymentData, RefundData, RequestData, ThankedData
from payments.share import codes

_REQUEST_DATA: dict[str, type[RequestData]] = {
    "payment_request.declined": DeclinedData,
    "payment_request.thanked": ThankedData,
}


def lock_order(order_id: int) -> tuple[Order, PaymentRequest | None]:
    """The order and its open request, locked."""
    order = Order.objects.select_for_update(of=("self",), no_key=True).select_related("merchant").get(pk=order_id)
    request = (
        PaymentRequest.objects.select_for_update(no_key=True)
        .filter(order=order, status=PaymentRequest.Status.OPEN)
        .first()
    )
    if request:
        request.order, request.merchant = order, order.merchant
    return order, request


def lock_request(request_id: int) -> tuple[Order, PaymentRequest]:
    """A request and its order, locked, whatever their state."""
    order = (
        Order.objects.select_for_update(of=("self",), no_key=True)
        .select_related("merchant")
        .get(payment_requests=request_id)
    )
    request = PaymentRequest.objects.select_for_update(no_key=True).get(pk=request_id)
    request.order, request.merchant = order, order.merchant
    return order, request


def lock_payment(payment_id: int) -> tuple[Order, PaymentRequest, Payment]:
    """A payment, its request and its order, locked."""
    request_id = Payment.objects.values_list("request_id", flat=True).get(pk=payment_id)
    order, request = lock_request(request_id)
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    payment.request = request
    return order, request, payment


def lock_refund(refund_id: int) -> tuple[Order, PaymentRequest, Payment, Refund]:
    """A refund and all above it, locked."""
    payment_id = Refund.objects.values_list("payment_id", flat=True).get(pk=refund_id)
    order, request, payment = lock_payment(payment_id)
    refund = Refund.objects.select_for_update(no_key=True).get(pk=refund_id)
    refund.payment = payment
    return order, request, payment, refund


def new_request(
    order: Order, now: datetime, actor: str, expires_in: timedelta | None = None, **more: Any
) -> PaymentRequest:
    """A request for all of a locked order, noted. The caller saves it afterwards."""
    request = PaymentRequest.objects.create(
        merchant=order.merchant,
        order=order,
        currency=order.currency,
        amount=order.amount,
        code=codes.new(),
        created_at=now,
        expires_at=rules.ends(order, now, expires_in),
        **more,
    )
    note(request, "payment_request.created", actor)
    return request


def note(request: PaymentRequest, type: str, actor: str, about: Payment | Refund | None = None, **more: Any) -> None:
    """Say what happened, numbered under the request's lock. The caller saves the request afterwards.

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
    )
    mail.owe(event, request, about)


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


def save(request: PaymentRequest, *fields: str) -> None:
    """Write the request with its new `seq`, and show it to whoever is looking once it is committed."""
    request.save(update_fields=["seq", *fields])
    transaction.on_commit(lambda: live.push(request))
