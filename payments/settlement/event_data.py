"""The data of events about requests, payments and refunds: fields of the API's objects, under the same names."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, WithJsonSchema

from orders.event_data import EventData, Sum
from payments.models import Dispute, Payment, PaymentRequest, Refund

_REASON = "merchant: you asked for it. All others happen by themselves."
RequestStatus = Annotated[str, WithJsonSchema({"type": "string", "enum": PaymentRequest.Status.values})]
PaymentStatus = Annotated[str, WithJsonSchema({"type": "string", "enum": Payment.Status.values})]
RefundStatus = Annotated[str, WithJsonSchema({"type": "string", "enum": Refund.Status.values})]
RefundReason = Annotated[str, WithJsonSchema({"type": "string", "enum": Refund.Reason.values, "description": _REASON})]
DisputeStatus = Annotated[str, WithJsonSchema({"type": "string", "enum": Dispute.Status.values})]
FailureCode = Annotated[str, Field(description="The wallet's own code, where it refused.")]


class RequestData(EventData):
    """A payment request as it stood then."""

    id: str
    order: str
    order_reference: Annotated[str, Field(description="The order's reference, which is yours.")]
    status: RequestStatus
    currency: str
    amount: Sum
    amount_paid: Sum
    amount_held: Annotated[int, Field(description="What people who are paying just now reserve.")]
    metadata: Annotated[dict[str, str], Field(description="Yours, as you sent it.")]
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    closed_at: datetime | None

    @classmethod
    def of(cls, request: PaymentRequest, **more: Any) -> Self:
        fields: dict[str, Any] = {
            "id": request.public_id,
            "order": request.order.public_id,
            "order_reference": request.order.reference,
            "status": request.status,
            "currency": request.currency,
            "amount": request.amount,
            "amount_paid": request.amount_paid,
            "amount_held": request.amount_held,
            "metadata": request.metadata,
            "created_at": request.created_at,
            "expires_at": request.expires_at,
            "paid_at": request.paid_at,
            "closed_at": request.closed_at,
        }
        return cls(**fields | more)


REQUEST_SQL = RequestData.sql("request", order='"order".public_id', order_reference='"order".reference')


class ThankedData(RequestData):
    """A request, and what the buyer said about it."""

    words: str
    choice: Annotated[
        str, Field(description="The sentence that was chosen, by its name; empty for words of one's own.")
    ]


class DeclinedData(ThankedData):
    """A request, and what a friend said about it."""

    name: Annotated[str, Field(description="A nickname at most.")]


class ReportedData(RequestData):
    """A request that somebody reported, and its buyer, who cannot ask friends until support decides."""

    buyer_id: Annotated[str, Field(description="Your own id of the buyer.")]
    reports: Annotated[int, Field(description="How many people, of different networks, have reported this buyer.")]


class PaymentData(EventData):
    """A payment as it stood then."""

    id: str
    order: str
    order_reference: Annotated[str, Field(description="The order's reference, which is yours.")]
    payment_request: str
    status: PaymentStatus
    method: str
    currency: str
    amount: Annotated[int, Field(description="What the payer was to pay.")]
    amount_captured: Annotated[int, Field(description="What the wallet took.")]
    amount_applied: Annotated[int, Field(description="What of it counts towards the order.")]
    amount_disputed: Annotated[int, Field(description="What of it the payer's bank holds, or took, for a dispute.")]
    payer_name: Annotated[str, Field(description="A nickname at most.")]
    by_buyer: Annotated[bool, Field(description="The buyer paid, not a friend.")]
    share: Annotated[int | None, Field(description="Which of the split's named shares it pays, from 1.")]
    reference: Annotated[str, Field(description="Our number of it in your account at the wallet.")]
    provider_reference: Annotated[str, Field(description="The wallet's number of the transaction.")]
    failure_code: FailureCode
    created_at: datetime
    succeeded_at: datetime | None

    @classmethod
    def of(cls, payment: Payment, request: PaymentRequest, **more: Any) -> Self:
        return cls(
            id=payment.public_id,
            order=request.order.public_id,
            order_reference=request.order.reference,
            payment_request=request.public_id,
            status=payment.status,
            method=payment.method,
            currency=payment.currency,
            amount=payment.amount,
            amount_captured=payment.amount_captured,
            amount_applied=payment.amount_applied,
            amount_disputed=payment.amount_disputed,
            payer_name=payment.payer_name,
            by_buyer=payment.by_buyer,
            share=None if payment.share is None else payment.share + 1,
            reference=payment.reference,
            provider_reference=payment.provider_ref,
            failure_code=payment.code,
            created_at=payment.created_at,
            succeeded_at=payment.succeeded_at,
            **more,
        )


PAYMENT_SQL = PaymentData.sql(
    "payment",
    order='"order".public_id',
    order_reference='"order".reference',
    payment_request="request.public_id",
    share="payment.share + 1",
    provider_reference="payment.provider_ref",
    failure_code="payment.code",
)


class DisputeData(PaymentData):
    """A payment, and what the wallet says of a dispute about it."""

    dispute: str
    dispute_status: DisputeStatus
    disputed: Annotated[int, Field(description="How much of the money the payer asks the bank for.")]
    dispute_currency: str
    dispute_reason: Annotated[str, Field(description="The wallet's own word for it.")]


class RefundData(EventData):
    """A refund as it stood then."""

    id: str
    order: str
    order_reference: Annotated[str, Field(description="The order's reference, which is yours.")]
    payment_request: str
    payment: str
    status: RefundStatus
    reason: RefundReason
    external: Annotated[bool, Field(description="Made in the wallet's own site, not by a call or at our desk.")]
    note: Annotated[str, Field(description="Your words.")]
    currency: str
    amount: Sum
    reference: Annotated[str, Field(description="Our number of it in your account at the wallet.")]
    merchant_reference: Annotated[str, Field(description="Yours; all refunds of one call share it.")]
    failure_code: FailureCode
    created_at: datetime
    succeeded_at: datetime | None
    closed_at: Annotated[datetime | None, Field(description="When it was withdrawn, or returned by other means.")]
    returned_how: Annotated[str, Field(description="By what other means the payer got the money, if so.")]

    @classmethod
    def of(cls, refund: Refund, payment: Payment, request: PaymentRequest, **more: Any) -> Self:
        return cls(
            id=refund.public_id,
            order=request.order.public_id,
            order_reference=request.order.reference,
            payment_request=request.public_id,
            payment=payment.public_id,
            status=refund.status,
            reason=refund.reason,
            external=refund.external,
            note=refund.note,
            currency=refund.currency,
            amount=refund.amount,
            reference=refund.reference,
            merchant_reference=refund.merchant_reference,
            failure_code=refund.code,
            created_at=refund.created_at,
            succeeded_at=refund.succeeded_at,
            closed_at=refund.closed_at,
            returned_how=refund.returned_how,
            **more,
        )
