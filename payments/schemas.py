"""What the API takes and gives of requests, payments and refunds."""

from datetime import datetime
from typing import Annotated, Self

from django.conf import settings
from django.utils import translation
from pydantic import BaseModel, Field, WithJsonSchema

from friendpay.languages import supported
from orders.schemas import PARAGRAPH, Minor, Page, Sum, Taken
from payments import codes, offers, rules, sharing
from payments.models import Payment, PaymentRequest, Refund
from payments.offers import METHODS, Offer
from payments.rollout import FRIEND, Objection

_REASON = "merchant: you asked for it. All others happen by themselves."
RequestId = Annotated[str, Field(pattern=r"^pr_[0-9A-Za-z]{1,36}$")]
PaymentId = Annotated[str, Field(pattern=r"^pay_[0-9A-Za-z]{1,36}$")]
RefundId = Annotated[str, Field(pattern=r"^re_[0-9A-Za-z]{1,36}$")]
RequestStatus = Annotated[str, WithJsonSchema({"type": "string", "enum": PaymentRequest.Status.values})]
PaymentStatus = Annotated[str, WithJsonSchema({"type": "string", "enum": Payment.Status.values})]
RefundStatus = Annotated[str, WithJsonSchema({"type": "string", "enum": Refund.Status.values})]
RefundReason = Annotated[str, WithJsonSchema({"type": "string", "enum": Refund.Reason.values, "description": _REASON})]
Seconds = Annotated[
    int,
    Field(
        ge=int(rules.SHORTEST_LIFE.total_seconds()),
        le=int(rules.LONGEST_LIFE.total_seconds()),
        description="Seconds from now.",
    ),
]
Message = Annotated[str, Field(max_length=200, pattern=PARAGRAPH, description="The buyer's words to the friend.")]


class SplitIn(Taken):
    max_payers: Annotated[int, Field(ge=2, le=rules.MOST_PAYERS)]
    min_amount: Minor = 1


class PaymentRequestIn(Taken):
    message: Message | None = None
    expires_in: Seconds | None = Field(default=None, description="Seconds from now; a day where nothing is said.")
    split: SplitIn | None = Field(default=None, description="Several friends may pay parts.")


class ExtendIn(Taken):
    expires_in: Seconds


class RefundIn(Taken):
    amount: Minor | None = Field(default=None, description="All that is left, where nothing is said.")
    reason: Annotated[str, Field(max_length=200, pattern=PARAGRAPH)] | None = Field(
        default=None, description="Your own words."
    )


class RefundOut(BaseModel):
    """Money on its way back to who paid it, or there already."""

    id: str
    payment: str
    status: RefundStatus
    reason: RefundReason
    note: Annotated[str, Field(description="Your words.")]
    currency: str
    amount: Sum
    failure_code: Annotated[str, Field(description="The wallet's own code, where it refused.")]
    created_at: datetime
    succeeded_at: datetime | None

    @classmethod
    def of(cls, refund: Refund, payment: Payment) -> Self:
        return cls(
            id=refund.public_id,
            payment=payment.public_id,
            status=refund.status,
            reason=refund.reason,
            note=refund.note,
            currency=refund.currency,
            amount=refund.amount,
            failure_code=refund.code,
            created_at=refund.created_at,
            succeeded_at=refund.succeeded_at,
        )


class PaymentOut(BaseModel):
    """One payer's attempt. What was captured but not applied went back by itself."""

    id: str
    order: str
    payment_request: str
    status: PaymentStatus
    method: str
    currency: str
    amount: Annotated[int, Field(description="What the payer was to pay.")]
    amount_captured: Annotated[int, Field(description="What the wallet took.")]
    amount_applied: Annotated[int, Field(description="What of it counts towards the order.")]
    payer_name: Annotated[str, Field(description="A nickname at most.")]
    by_buyer: Annotated[bool, Field(description="The buyer paid, not a friend.")]
    reference: Annotated[str, Field(description="Our number of it in your account at the wallet.")]
    provider_reference: Annotated[str, Field(description="The wallet's number of the transaction.")]
    failure_code: Annotated[str, Field(description="The wallet's own code, where it refused.")]
    created_at: datetime
    succeeded_at: datetime | None
    refunds: list[RefundOut]

    @classmethod
    def of(cls, payment: Payment, request: PaymentRequest) -> Self:
        return cls(
            id=payment.public_id,
            order=request.order.public_id,
            payment_request=request.public_id,
            status=payment.status,
            method=payment.method,
            currency=payment.currency,
            amount=payment.amount,
            amount_captured=payment.amount_captured,
            amount_applied=payment.amount_applied,
            payer_name=payment.payer_name,
            by_buyer=payment.by_buyer,
            reference=payment.reference,
            provider_reference=payment.provider_ref,
            failure_code=payment.code,
            created_at=payment.created_at,
            succeeded_at=payment.succeeded_at,
            refunds=[RefundOut.of(refund, payment) for refund in payment.refunds.all()],
        )


class SplitOut(BaseModel):
    max_payers: int
    min_amount: Sum


class PaymentRequestOut(BaseModel):
    """The plea to pay one order. `url`, `code` and `qr_url` are the friend's; `share_text` carries them."""

    id: str
    order: str
    status: RequestStatus
    currency: str
    amount: Sum
    amount_paid: Sum
    amount_held: Annotated[int, Field(description="What people who are paying just now reserve.")]
    message: str
    split: SplitOut | None
    url: Annotated[str, Field(description="The friend's page.")]
    code: Annotated[str, Field(description="To be spoken, and typed at /open/.", examples=["7K3M-9QXW"])]
    qr_url: str
    share_text: str
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    closed_at: datetime | None
    payments: list[PaymentOut]

    @classmethod
    def of(cls, request: PaymentRequest, now: datetime) -> Self:
        link = sharing.link(request)
        split = None
        if request.split_max_payers is not None and request.split_min_amount is not None:
            split = SplitOut(max_payers=request.split_max_payers, min_amount=request.split_min_amount)
        with translation.override(supported(request.order.locale) or settings.LANGUAGE_CODE):
            share_text = sharing.share_text(request)
        return cls(
            id=request.public_id,
            order=request.order.public_id,
            status=request.status_at(now),
            currency=request.currency,
            amount=request.amount,
            amount_paid=request.amount_paid,
            amount_held=request.amount_held,
            message=request.message,
            split=split,
            url=link,
            code=codes.shown(request),
            qr_url=f"{link}qr.svg",
            share_text=share_text,
            created_at=request.created_at,
            expires_at=request.expires_at,
            paid_at=request.paid_at,
            closed_at=request.closed_at,
            payments=[PaymentOut.of(payment, request) for payment in request.payments.all()],
        )


class PaymentRequestPage(Page[PaymentRequestOut]):
    """Payment requests, newest first."""


class RefundsOut(BaseModel):
    """What goes back, to each who paid."""

    amount: Sum
    refunds: list[RefundOut]


class ShownOut(BaseModel):
    method: Annotated[str, Field(description="friend: asking one.", examples=["friend", "wechatpay"])]
    label: str
    provider: Annotated[str, Field(description="Empty for asking a friend.")]
    rail: Annotated[str, Field(description="How it is carried out on this screen; empty for asking a friend.")]


class WithheldOut(BaseModel):
    method: str
    provider: str
    reason: Annotated[str, Field(examples=["currency_not_taken", "goods_excluded", "buyer_outside_share"])]
    detail: Annotated[str, Field(description="The reason in words, where a rule of yours is behind it.")]


class OffersOut(BaseModel):
    """The ways to pay that the page shows, and why it does not show the others. For you and your support alone."""

    shown: list[ShownOut]
    withheld: list[WithheldOut]

    @classmethod
    def of(cls, against_friend: Objection | None, considered: list[Offer]) -> Self:
        shown = [
            ShownOut(method=offer.method, label=str(offer.label), provider=offer.provider, rail=str(offer.rail))
            for offer in offers.shown(considered)
        ]
        withheld = [
            WithheldOut(method=offer.method, provider=offer.provider, reason=offer.reason, detail=offer.detail)
            for offer in considered
            if offer.reason
        ]
        if against_friend is None:
            label = str(METHODS[FRIEND])
            shown.insert(0, ShownOut(method=FRIEND, label=label, provider="", rail=""))
        else:
            code, text = against_friend.code, against_friend.text
            withheld.insert(0, WithheldOut(method=FRIEND, provider="", reason=code, detail=text))
        return cls(shown=shown, withheld=withheld)
