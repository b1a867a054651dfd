"""API routes of requests, payments and refunds: find what the key may see, call one function, show the result."""

from datetime import datetime, timedelta

from django.shortcuts import get_object_or_404
from ninja import Router, Status

from friendpay.kit import clock
from friendpay.kit.paging import newest_first
from orders.api.auth import REFUND_KEY, Call
from orders.api.idempotency import not_kept
from orders.api.routes import order_of
from orders.api.schemas import Limit, Nothing, OrderId
from orders.models import ApiKey
from payments.api.schemas import (
    ExtendIn,
    PaymentId,
    PaymentOut,
    PaymentRequestIn,
    PaymentRequestOut,
    PaymentRequestPage,
    RefundId,
    RefundIn,
    RefundOut,
    RefundsOut,
    RequestId,
    SimulateIn,
)
from payments.api.screens import ON_DESKTOP, Screen
from payments.models import Payment, PaymentRequest, Refund
from payments.models.request import PaymentRequestQuerySet
from payments.settlement import asking, lifecycle, refunds, requests, simulation

router = Router()


def requests_of(key: ApiKey) -> PaymentRequestQuerySet:
    """All that the key may see, with what is shown of them."""
    requests = PaymentRequest.objects.filter(merchant=key.merchant_id, order__live=key.live)
    return requests.select_related("order", "merchant").prefetch_related("payments__refunds")


def _request_of(key: ApiKey, public_id: str) -> PaymentRequest:
    return get_object_or_404(requests_of(key), public_id=public_id)


def _payment_of(key: ApiKey, public_id: str) -> Payment:
    payments = Payment.objects.select_related("request__order").prefetch_related("refunds")
    return get_object_or_404(payments, merchant=key.merchant_id, request__order__live=key.live, public_id=public_id)


def _shown(key: ApiKey, public_id: str, now: datetime | None = None) -> PaymentRequestOut:
    return PaymentRequestOut.as_of(_request_of(key, public_id), now or clock.now())


# Payment requests


@router.post(
    "/orders/{order_id}/payment-requests",
    response={201: PaymentRequestOut},
    tags=["Payment requests"],
    operation_id="create_payment_request",
)
def create_request(
    request: Call,
    order_id: OrderId,
    data: PaymentRequestIn = PaymentRequestIn(),  # noqa: B008
    screen: Screen = ON_DESKTOP,
) -> Status[PaymentRequestOut]:
    """Ask a friend to pay

    One request of an order can be open; while there is one, this is refused with `request_open`. Where your rules
    withhold asking a friend, it is refused with `method_not_offered`; the order's offers say why. `screen` is where the
    buyer is.
    """
    order = order_of(request.auth, order_id)
    opened = asking.ask_by_shop(
        order,
        screen.surface,
        request.now,
        message=data.message or "",
        expires_in=data.life(),
        split=data.split_of(),
        metadata=data.metadata,
    )
    return Status(201, PaymentRequestOut.as_of(opened, opened.created_at, payments=()))


@router.get(
    "/orders/{order_id}/payment-requests",
    response=PaymentRequestPage,
    tags=["Payment requests"],
    operation_id="list_payment_requests",
)
def list_requests(
    request: Call, order_id: OrderId, limit: Limit = 20, after: RequestId | None = None, before: RequestId | None = None
) -> PaymentRequestPage:
    """List the payment requests of an order

    Newest first, with their payments; the buyer's own payment is on one of them too.
    """
    rows = requests_of(request.auth).filter(order=order_of(request.auth, order_id))
    found, has_more = newest_first(rows, after=after, before=before, limit=limit)
    return PaymentRequestPage.of((PaymentRequestOut.as_of(row, request.now) for row in found), has_more)


@router.get(
    "/payment-requests/{request_id}",
    response=PaymentRequestOut,
    tags=["Payment requests"],
    operation_id="get_payment_request",
)
def get_request(request: Call, request_id: RequestId) -> PaymentRequestOut:
    """Get a payment request"""
    return _shown(request.auth, request_id, request.now)


@router.post(
    "/payment-requests/{request_id}/cancel",
    response=PaymentRequestOut,
    tags=["Payment requests"],
    operation_id="cancel_payment_request",
)
def cancel_request(request: Call, request_id: RequestId, data: Nothing = Nothing()) -> PaymentRequestOut:  # noqa: B008
    """Cancel a payment request

    Nobody may pay any more, and parts that were paid go back. Repeating it changes nothing.
    """
    lifecycle.cancel_request(_request_of(request.auth, request_id).pk, actor="merchant")
    return _shown(request.auth, request_id)


@router.post(
    "/payment-requests/{request_id}/extend",
    response=PaymentRequestOut,
    tags=["Payment requests"],
    operation_id="extend_payment_request",
)
def extend_request(request: Call, request_id: RequestId, data: ExtendIn) -> PaymentRequestOut:
    """Give a payment request more time

    Counted from now, and never beyond the end of its order. It never ends earlier than it would have.
    """
    pk = _request_of(request.auth, request_id).pk
    requests.extend_request(pk, timedelta(seconds=data.expires_in), actor="merchant")
    return _shown(request.auth, request_id)


@router.post(
    "/payment-requests/{request_id}/simulate",
    response=PaymentRequestOut,
    tags=["Payment requests"],
    operation_id="simulate_payment_request",
)
@not_kept
def simulate(request: Call, request_id: RequestId, data: SimulateIn = SimulateIn()) -> PaymentRequestOut:  # noqa: B008
    """Simulate what a friend and her wallet do

    With a test key alone: the request lives through `outcome` as by a tap on its page and the sandbox wallet, so every
    event there is can be driven without a browser. Without one a friend pays, and what follows goes by the amount. What
    a wallet tells later - a dispute, a refund - comes some seconds after the answer. Each call is one more try.
    """
    wanted = _request_of(request.auth, request_id)
    simulation.simulate(wanted, data.outcome, amount=data.amount, payer_name=data.payer_name or "")
    return _shown(request.auth, request_id)


# Payments and refunds


@router.get("/payments/{payment_id}", response=PaymentOut, tags=["Payments"], operation_id="get_payment")
def get_payment(request: Call, payment_id: PaymentId) -> PaymentOut:
    """Get a payment"""
    payment = _payment_of(request.auth, payment_id)
    return PaymentOut.of(payment, payment.request)


@router.post(
    "/payments/{payment_id}/refunds",
    response={201: RefundOut},
    auth=REFUND_KEY,
    tags=["Refunds"],
    operation_id="refund_payment",
)
def refund_payment(request: Call, payment_id: PaymentId, data: RefundIn = RefundIn()) -> Status[RefundOut]:  # noqa: B008
    """Refund a payment

    To the payer who paid, through the wallet that took it; never more than is left. By amount, or by line.
    """
    payment = _payment_of(request.auth, payment_id)
    refund = refunds.refund_payment(
        payment.pk,
        data.amount,
        lines=data.returns(),
        text=data.reason or "",
        merchant_reference=data.merchant_reference or "",
        actor="merchant",
    )
    return Status(201, RefundOut.of(refund, payment, payment.request))


@router.post(
    "/orders/{order_id}/refunds",
    response={201: RefundsOut},
    auth=REFUND_KEY,
    tags=["Refunds"],
    operation_id="refund_order",
)
def refund_order(request: Call, order_id: OrderId, data: RefundIn = RefundIn()) -> Status[RefundsOut]:  # noqa: B008
    """Refund an order

    To all who paid, in proportion to what each gave, to the minor unit. By amount, or by line.
    """
    order = order_of(request.auth, order_id)
    made = refunds.refund_order(
        order,
        data.amount,
        lines=data.returns(),
        text=data.reason or "",
        merchant_reference=data.merchant_reference or "",
        actor="merchant",
    )
    total = sum(refund.amount for refund in made)
    shown = [RefundOut.of(refund, refund.payment, refund.payment.request) for refund in made]
    return Status(201, RefundsOut(amount=total, refunds=shown))


@router.get("/refunds/{refund_id}", response=RefundOut, tags=["Refunds"], operation_id="get_refund")
def get_refund(request: Call, refund_id: RefundId) -> RefundOut:
    """Get a refund"""
    rows = Refund.objects.select_related("payment__request__order")
    merchant, live = request.auth.merchant_id, request.auth.live
    refund = get_object_or_404(rows, merchant=merchant, payment__request__order__live=live, public_id=refund_id)
    return RefundOut.of(refund, refund.payment, refund.payment.request)
