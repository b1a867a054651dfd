"""API routes of requests, payments and refunds: find what the key may see, call one function, show the result."""

from datetime import timedelta
from enum import StrEnum

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from ninja import Router, Status

from friendpay.kit import clock
from friendpay.kit.paging import newest_first
from orders.api.auth import REFUND_KEY, Call
from orders.api.routes import order_of
from orders.api.schemas import Limit, LinesIn, Nothing, OrderId, OrderOut
from orders.models import ApiKey
from payments.api.schemas import (
    ExtendIn,
    OffersOut,
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
)
from payments.funnel import steps as friction
from payments.models import Payment, PaymentRequest, Refund
from payments.offers import weighing as offers
from payments.offers.rollout import Case
from payments.offers.surfaces import DESKTOP, PLACES
from payments.offers.weighing import Surface
from payments.settlement import lifecycle, refunds, requests
from payments.settlement.rules import Split

router = Router()


class Screen(StrEnum):
    """Where a page is opened."""

    _ignore_ = ["members", "place"]
    members = vars()
    for place in PLACES:
        members[place.upper()] = place

    @property
    def surface(self) -> Surface:
        return Surface.at(str(self))


_DESKTOP = Screen(DESKTOP)


def _requests(key: ApiKey) -> QuerySet[PaymentRequest]:
    requests = PaymentRequest.objects.filter(merchant=key.merchant_id, order__live=key.live)
    return requests.select_related("order", "merchant").prefetch_related("payments__refunds")


def _request_of(key: ApiKey, public_id: str) -> PaymentRequest:
    return get_object_or_404(_requests(key), public_id=public_id)


def _payment_of(key: ApiKey, public_id: str) -> Payment:
    payments = Payment.objects.select_related("request__order").prefetch_related("refunds")
    return get_object_or_404(payments, merchant=key.merchant_id, request__order__live=key.live, public_id=public_id)


def _shown(key: ApiKey, public_id: str) -> PaymentRequestOut:
    return PaymentRequestOut.as_of(_request_of(key, public_id), clock.now())


# Orders, where payments are touched


@router.post("/orders/{order_id}/lines", response=OrderOut, tags=["Orders"], operation_id="change_order_lines")
def change_lines(request: Call, order_id: OrderId, data: LinesIn) -> OrderOut:
    """Change what is bought

    Replaces all lines, and so the price, as long as nothing is paid. Who is paying the old price just now is stopped;
    money that comes for it all the same goes back by itself.
    """
    order = order_of(request.auth, order_id)
    return OrderOut.of(requests.change_order(order.pk, [line.draft() for line in data.lines]))


@router.post("/orders/{order_id}/cancel", response=OrderOut, tags=["Orders"], operation_id="cancel_order")
def cancel_order(request: Call, order_id: OrderId, data: Nothing = Nothing()) -> OrderOut:  # noqa: B008
    """Cancel an order

    You will not deliver. Its open request ends, and parts that were paid go back. Repeating it changes nothing, and an
    expired order stays so. A paid order is refunded instead.
    """
    return OrderOut.of(lifecycle.close_order(order_of(request.auth, order_id).pk, paid_elsewhere=False))


@router.post("/orders/{order_id}/mark-paid", response=OrderOut, tags=["Orders"], operation_id="mark_order_paid")
def mark_paid(request: Call, order_id: OrderId, data: Nothing = Nothing()) -> OrderOut:  # noqa: B008
    """Say that you were paid elsewhere

    Its open request ends, and parts that were paid here go back. Repeating it changes nothing. An order that was paid
    here in full is refused with `order_paid`: you have its money twice, and one of the two is to go back.
    """
    return OrderOut.of(lifecycle.close_order(order_of(request.auth, order_id).pk, paid_elsewhere=True))


@router.get("/orders/{order_id}/offers", response=OffersOut, tags=["Orders"], operation_id="list_order_offers")
def list_offers(request: Call, order_id: OrderId, screen: Screen = _DESKTOP) -> OffersOut:
    """See which ways to pay an order gets

    What the payment page shows on this kind of screen, and the reason for whatever it does not show.
    """
    case, surface = Case.of(order_of(request.auth, order_id)), screen.surface
    return OffersOut.of(offers.why_not_friend(case, surface), offers.weigh(case, surface))


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
    screen: Screen = _DESKTOP,
) -> Status[PaymentRequestOut]:
    """Ask a friend to pay

    One request of an order can be open; while there is one, this is refused with `request_open`. Where your rules
    withhold asking a friend, it is refused with `method_not_offered`; the order's offers say why. `screen` is where the
    buyer is.
    """
    order = order_of(request.auth, order_id)
    offers.check_friend(order, screen.surface)
    opened = lifecycle.open_request(
        order.pk,
        actor="merchant",
        shared=True,
        message=data.message or "",
        expires_in=timedelta(seconds=data.expires_in) if data.expires_in else None,
        split=Split(data.split.max_payers, data.split.min_amount) if data.split else None,
        reuse=False,
    )
    friction.record(friction.Kind.REQUEST_CREATED, opened, surface=screen.surface.place)
    return Status(201, _shown(request.auth, opened.public_id))


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
    rows = _requests(request.auth).filter(order=order_of(request.auth, order_id))
    found, has_more = newest_first(rows, after=after, before=before, limit=limit)
    now = clock.now()
    return PaymentRequestPage.of((PaymentRequestOut.as_of(row, now) for row in found), has_more)


@router.get(
    "/payment-requests/{request_id}",
    response=PaymentRequestOut,
    tags=["Payment requests"],
    operation_id="get_payment_request",
)
def get_request(request: Call, request_id: RequestId) -> PaymentRequestOut:
    """Get a payment request"""
    return _shown(request.auth, request_id)


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

    To the payer who paid, through the wallet that took it; never more than is left.
    """
    payment = _payment_of(request.auth, payment_id)
    refund = refunds.refund_payment(payment.pk, data.amount, text=data.reason or "", actor="merchant")
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

    To all who paid, in proportion to what each gave, to the minor unit.
    """
    order = order_of(request.auth, order_id)
    made = refunds.refund_order(order, data.amount, text=data.reason or "", actor="merchant")
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
