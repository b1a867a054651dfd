"""API schemas of requests, payments and refunds (pydantic)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from django.conf import settings
from django.utils import translation
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from friendpay.kit import limits
from friendpay.kit.languages import supported
from orders.api import hints
from orders.api.fields import FILLED_LINE, PARAGRAPH, Metadata, Minor, Taken
from orders.api.line_schemas import Quantity
from orders.api.schemas import OrderFields, OrderOut, Page, Seconds
from orders.event_data import Sum
from orders.models import Order
from orders.returns import LineReturn
from payments.models import Payment, PaymentRequest
from payments.offers import weighing
from payments.offers.rollout import FRIEND, Objection
from payments.offers.weighing import METHODS, Offer
from payments.settlement import chip_in
from payments.settlement.event_data import PaymentData, RefundData, RequestData
from payments.settlement.simulation import Outcome
from payments.share import codes, text

RequestId = Annotated[str, Field(pattern=r"^pr_[0-9A-Za-z]{1,36}$")]
PaymentId = Annotated[str, Field(pattern=r"^pay_[0-9A-Za-z]{1,36}$")]
RefundId = Annotated[str, Field(pattern=r"^re_[0-9A-Za-z]{1,36}$")]
Message = Annotated[str, Field(max_length=200, pattern=PARAGRAPH, description="The buyer's words to the friend.")]


class ShareIn(Taken):
    """What one person is to pay: all of it, once."""

    name: hints.Name
    amount: Minor


_NEITHER_PAYERS: JsonDict = {"not": {"required": ["max_payers"], "properties": {"max_payers": {"type": "integer"}}}}
_NOR_SHARES: JsonDict = {"not": {"required": ["shares"], "properties": {"shares": {"type": "array"}}}}
_PAYERS_OR_SHARES: JsonDict = {"not": {"allOf": [_NEITHER_PAYERS, _NOR_SHARES]}}
"""In a form that programs which write clients leave alone: they take `anyOf` for several types."""


class SplitIn(Taken):
    model_config = ConfigDict(json_schema_extra=_PAYERS_OR_SHARES)

    shares: Annotated[list[ShareIn], Field(min_length=2, max_length=limits.PAYERS_OF_A_REQUEST)] | None = Field(
        default=None,
        description="Who pays how much, instead of the rest. They add up to the order's amount. All or nothing: if not "
        "all are paid when the request ends, every one that is paid goes back.",
    )
    max_payers: Annotated[int, Field(ge=2, le=limits.PAYERS_OF_A_REQUEST)] | None = Field(
        default=None, description="How many friends at most. Required without `shares`.", validate_default=True
    )
    min_amount: Minor | None = Field(
        default=None,
        description="The smallest part; where nothing is said, half of what each would give if all gave the same.",
    )

    @field_validator("max_payers")
    @classmethod
    def _says_how(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is None and info.data.get("shares", ()) is None:
            raise PydanticCustomError("missing", "Send max_payers or shares.")
        return value


class PaymentRequestIn(Taken):
    message: Message | None = None
    expires_in: Seconds | None = Field(
        default=None,
        description="Seconds from now, never beyond the order's own end. Where nothing is said it ends with its order, "
        "or where that has no end after the shop's own time: a day, unless the support desk has set another.",
    )
    split: SplitIn | None = Field(default=None, description="Several friends may pay parts.")
    metadata: Metadata | None = None

    def split_of(self) -> chip_in.Split | None:
        if self.split is None:
            return None
        if self.split.shares:
            return chip_in.Split.among(chip_in.Share(it.name, it.amount) for it in self.split.shares)
        assert self.split.max_payers
        return chip_in.Split(self.split.max_payers, self.split.min_amount)

    def life(self) -> timedelta | None:
        return timedelta(seconds=self.expires_in) if self.expires_in else None


class OrderIn(OrderFields):
    payment_request: PaymentRequestIn | None = Field(
        default=None,
        description="Ask a friend at once, as with a call of its own afterwards: both are made, or neither.",
    )


class ExtendIn(Taken):
    expires_in: Seconds


class RefundedLineIn(Taken):
    """So much of a line goes back."""

    line: Annotated[int, Field(ge=1, le=limits.LINES_OF_AN_ORDER, description="Its place in the order, from 1.")]
    quantity: Quantity | None = Field(default=None, description="All that is left of it, where nothing is said.")


_AMOUNT_OR_LINES: JsonDict = {
    "if": {"required": ["amount"], "properties": {"amount": {"type": "integer"}}},
    "then": {"properties": {"lines": {"type": "null"}}},
}


class RefundIn(Taken):
    model_config = ConfigDict(json_schema_extra=_AMOUNT_OR_LINES)

    amount: Minor | None = Field(default=None, description="All that is left, where nothing is said.")
    lines: Annotated[list[RefundedLineIn], Field(min_length=1, max_length=limits.LINES_OF_AN_ORDER)] | None = Field(
        default=None,
        description="Instead of an amount: what was paid for these lines, each with its share of discounts, taxes on "
        "top, credits and rounding.",
    )
    reason: Annotated[str, Field(max_length=200, pattern=PARAGRAPH)] | None = Field(
        default=None, description="Your own words."
    )
    merchant_reference: Annotated[str, Field(max_length=64, pattern=FILLED_LINE)] | None = Field(
        default=None, description="Yours, such as the number of a return; used once per mode, so nothing is sent twice."
    )

    @field_validator("lines")
    @classmethod
    def _one_of_both(cls, value: list[RefundedLineIn] | None, info: ValidationInfo) -> list[RefundedLineIn] | None:
        if value is not None and info.data.get("amount") is not None:
            raise PydanticCustomError("both", "Send an amount or lines, not both.")
        return value

    def returns(self) -> list[LineReturn]:
        return [LineReturn(it.line, it.quantity) for it in self.lines or ()]


class SimulateIn(Taken):
    outcome: Annotated[Outcome, Field(strict=False)] | None = Field(
        default=None, description="What each does is told by the guide of testing."
    )
    amount: Minor | None = Field(default=None, description="A part, where several friends may pay.")
    payer_name: hints.Name | None = Field(default=None, description="Where shares are named: whose is paid.")


class RefundOut(RefundData):
    """Money on its way back to its payer, or there already."""


class PaymentOut(PaymentData):
    """One payer's attempt. What was captured but not applied went back by itself."""

    refunds: list[RefundOut]

    @classmethod
    def of(cls, payment: Payment, request: PaymentRequest, **more: Any) -> Self:
        refunds = [RefundOut.of(refund, payment, request) for refund in payment.refunds.all()]
        return super().of(payment, request, refunds=refunds, **more)


class ShareOut(BaseModel):
    """One person's share, with the link on which it alone is paid."""

    name: str
    amount: Sum
    url: str
    paid: bool


class SplitOut(BaseModel):
    max_payers: int
    min_amount: Sum
    shares: Annotated[list[ShareOut], Field(description="Empty where nobody is named.")]


class PaymentRequestOut(RequestData):
    """The payment_request to pay one order. `url`, `code` and `qr_url` are the friend's; `share_text` carries them."""

    message: str
    split: SplitOut | None
    url: Annotated[str, Field(description="The friend's page.")]
    code: Annotated[str, Field(description="To be spoken, and typed at /open/.", examples=["7K3M-9QXW"])]
    qr_url: str
    share_text: str
    payments: list[PaymentOut]

    @classmethod
    def as_of(cls, request: PaymentRequest, now: datetime, payments: Iterable[Payment] | None = None) -> Self:
        """A request whose time is over reads as expired, before the sweep comes too. Its payments are read, unless they
        are known.
        """
        link, known = text.link(request), list(request.payments.all() if payments is None else payments)
        split = None
        if request.split_max_payers is not None and request.split_min_amount is not None:
            paid = {payment.share for payment in known if payment.amount_applied}
            shares = [
                ShareOut(name=it.name, amount=it.amount, url=text.share_link(request, place), paid=place in paid)
                for place, it in enumerate(request.named)
            ]
            split = SplitOut(max_payers=request.split_max_payers, min_amount=request.split_min_amount, shares=shares)
        with translation.override(supported(request.order.locale) or settings.LANGUAGE_CODE):
            share_text = text.share_text(request)
        return cls.of(
            request,
            status=request.status_at(now),
            message=request.message,
            split=split,
            url=link,
            code=codes.shown(request),
            qr_url=f"{link}qr.svg",
            share_text=share_text,
            payments=[PaymentOut.of(payment, request) for payment in known],
        )


def _without_request_too(schema: dict[str, Any]) -> None:
    schema["required"].remove("payment_request")


class NewOrderOut(OrderOut):
    """A new order; with `payment_request` where one was asked for with it, and as any order where not."""

    model_config = ConfigDict(json_schema_extra=_without_request_too)

    payment_request: PaymentRequestOut

    @classmethod
    def both(cls, order: Order, request: PaymentRequest) -> Self:
        return cls.of(order, payment_request=PaymentRequestOut.as_of(request, request.created_at, payments=()))


class PaymentRequestPage(Page[PaymentRequestOut]):
    """Payment requests, newest first."""


class PaymentPage(Page[PaymentOut]):
    """Payments, newest first."""


class RefundPage(Page[RefundOut]):
    """Refunds, newest first."""


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
            for offer in weighing.shown(considered)
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
            code, words = against_friend.code, against_friend.text
            withheld.insert(0, WithheldOut(method=FRIEND, provider="", reason=code, detail=words))
        return cls(shown=shown, withheld=withheld)
