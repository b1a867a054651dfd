"""API routes of the shop's payments, refunds and requests as lists. A filter has the name of the field it looks at."""

from datetime import datetime
from typing import Annotated, Any, TypeVar

from django.db.models import Model, QuerySet
from ninja import Router
from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from friendpay.kit.paging import newest_first
from orders.api import by_metadata
from orders.api.auth import Call
from orders.api.fields import LINE
from orders.api.schemas import Limit, Moment, OrderId, Reference
from payments.api.routes import requests_of
from payments.api.schemas import (
    PaymentId,
    PaymentOut,
    PaymentPage,
    PaymentRequestOut,
    PaymentRequestPage,
    RefundId,
    RefundOut,
    RefundPage,
    RequestId,
)
from payments.models import Payment, PaymentRequest, Refund

router = Router()

Row = TypeVar("Row", bound=Model)


def _listed(values: list[str]) -> tuple[AfterValidator, WithJsonSchema]:
    def check(value: str) -> str:
        if value not in values:
            raise PydanticCustomError("enum", "Input should be one of the values that are listed")
        return value

    return AfterValidator(check), WithJsonSchema({"type": "string", "enum": values})


RequestStatus = Annotated[str, *_listed(PaymentRequest.Status.values)]
PaymentStatus = Annotated[str, *_listed(Payment.Status.values)]
RefundStatus = Annotated[str, *_listed(Refund.Status.values)]
Buyer = Annotated[str, Field(max_length=64, min_length=1, pattern=LINE, description="Your own id of the customer.")]
Number = Annotated[str, Field(max_length=100, min_length=1, pattern=LINE, description="The wallet's own number.")]


def _where(rows: QuerySet[Row], way: str, created: tuple[datetime | None, datetime | None], **wanted: Any) -> Any:
    """Those of an order or buyer (found by `way`) and made since and before two times; None leaves out a filter."""
    fields = {
        "order": f"{way}__public_id",
        "order_reference": f"{way}__reference",
        "buyer": f"{way}__buyer_id",
        "provider_reference": "provider_ref",
    }
    for name, value in wanted.items():
        if value is not None:
            rows = rows.filter(**{fields.get(name, name): value})
    for lookup, moment in zip(("created_at__gte", "created_at__lt"), created, strict=True):
        if moment is not None:
            rows = rows.filter(**{lookup: moment})
    return rows


@router.get(
    "/payment-requests",
    response=PaymentRequestPage,
    tags=["Payment requests"],
    operation_id="list_all_payment_requests",
    openapi_extra=by_metadata.DESCRIBED,
)
@by_metadata.allowed
def list_requests(  # noqa: PLR0913  # a filter is a parameter
    request: Call,
    limit: Limit = 20,
    after: RequestId | None = None,
    before: RequestId | None = None,
    status: RequestStatus | None = None,
    order: OrderId | None = None,
    order_reference: Reference | None = None,
    buyer: Buyer | None = None,
    created_since: Moment | None = None,
    created_before: Moment | None = None,
) -> PaymentRequestPage:
    """List payment requests

    Newest first, of all orders, with their payments.
    """
    rows = by_metadata.filtered(requests_of(request.auth), request)
    if status is not None:
        rows = rows.standing_as(status, request.now)
    rows = _where(
        rows, "order", (created_since, created_before), order=order, order_reference=order_reference, buyer=buyer
    )
    found, has_more = newest_first(rows, after=after, before=before, limit=limit)
    return PaymentRequestPage.of((PaymentRequestOut.as_of(row, request.now) for row in found), has_more)


@router.get("/payments", response=PaymentPage, tags=["Payments"], operation_id="list_payments")
def list_payments(  # noqa: PLR0913  # a filter is a parameter
    request: Call,
    limit: Limit = 20,
    after: PaymentId | None = None,
    before: PaymentId | None = None,
    status: PaymentStatus | None = None,
    order: OrderId | None = None,
    order_reference: Reference | None = None,
    buyer: Buyer | None = None,
    provider_reference: Number | None = None,
    created_since: Moment | None = None,
    created_before: Moment | None = None,
) -> PaymentPage:
    """List payments

    Newest first: every attempt of every payer, with its refunds.
    """
    rows = Payment.objects.filter(merchant=request.auth.merchant_id, request__order__live=request.auth.live)
    rows = rows.select_related("request__order").prefetch_related("refunds")
    rows = _where(
        rows,
        "request__order",
        (created_since, created_before),
        status=status,
        order=order,
        order_reference=order_reference,
        buyer=buyer,
        provider_reference=provider_reference,
    )
    found, has_more = newest_first(rows, after=after, before=before, limit=limit)
    return PaymentPage.of((PaymentOut.of(row, row.request) for row in found), has_more)


@router.get("/refunds", response=RefundPage, tags=["Refunds"], operation_id="list_refunds")
def list_refunds(  # noqa: PLR0913  # a filter is a parameter
    request: Call,
    limit: Limit = 20,
    after: RefundId | None = None,
    before: RefundId | None = None,
    status: RefundStatus | None = None,
    order: OrderId | None = None,
    order_reference: Reference | None = None,
    buyer: Buyer | None = None,
    merchant_reference: Reference | None = None,
    created_since: Moment | None = None,
    created_before: Moment | None = None,
) -> RefundPage:
    """List refunds

    Newest first: yours, those we made by ourselves, and those somebody made in a wallet's own site. With
    `merchant_reference`, those of the call that had it.
    """
    rows = Refund.objects.filter(merchant=request.auth.merchant_id, payment__request__order__live=request.auth.live)
    rows = _where(
        rows.select_related("payment__request__order"),
        "payment__request__order",
        (created_since, created_before),
        status=status,
        order=order,
        order_reference=order_reference,
        buyer=buyer,
        merchant_reference=merchant_reference,
    )
    found, has_more = newest_first(rows, after=after, before=before, limit=limit)
    return RefundPage.of((RefundOut.of(row, row.payment, row.payment.request) for row in found), has_more)
