"""API schemas of what an order is made of: its lines and its adjustments (pydantic)."""

import re
from decimal import Decimal
from typing import Annotated, Literal, Self

from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationInfo, WithJsonSchema, field_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from friendpay.kit import limits, quantities
from friendpay.kit.templatetags.pictures import own_picture
from orders.api import hints
from orders.api.fields import LINE, Taken, WebUrl
from orders.event_data import Kind, Sum
from orders.models import Adjustment, AdjustmentKind, OrderLine
from orders.models.adjustment import TAKE_AWAY
from orders.services import LineDraft

_BELOW_ONE = "|".join(rf"{'0' * zeros}[1-9][0-9]{{0,{5 - zeros}}}" for zeros in range(6))
_DECIMAL = rf"^(0\.({_BELOW_ONE})|[1-9][0-9]{{0,5}}(\.[0-9]{{1,6}})?)$"
_WHOLE: JsonDict = {"type": "integer", "minimum": 1, "maximum": limits.API_LINE_QUANTITY}


def _quantity(value: object) -> Decimal:
    """Of a whole number, or of a decimal as text."""
    if isinstance(value, str):
        if not re.fullmatch(_DECIMAL, value):
            words = 'Write a decimal above zero like "0.5", with at most 6 digits before the point and 6 after it.'
            raise PydanticCustomError("string_pattern_mismatch", words)
    elif type(value) is not int:
        raise PydanticCustomError("int_type", 'Send a whole number, or a decimal as text, like "0.5".')
    elif not 0 < value <= limits.API_LINE_QUANTITY:
        words = "A quantity is above zero and at most {most}."
        raise PydanticCustomError("less_than_equal", words, {"most": limits.API_LINE_QUANTITY})
    return Decimal(value)


Quantity = Annotated[
    Decimal,
    PlainValidator(_quantity),
    WithJsonSchema(
        {
            "anyOf": [_WHOLE, {"type": "string", "pattern": _DECIMAL}],
            "description": 'A whole number, or a decimal as text, like "0.5".',
        }
    ),
]

_ONE_PRICE: JsonDict = {
    "if": {"required": ["amount"], "properties": {"amount": {"type": "integer"}}},
    "then": {"properties": {"unit_amount": {"type": "null"}}},
    "else": {
        "required": ["unit_amount"],
        "properties": {
            "unit_amount": {"type": "integer"},
            "quantity": {"anyOf": [_WHOLE, {"type": "string", "pattern": r"^[1-9][0-9]{0,5}(\.0{1,6})?$"}]},
        },
    },
}
_SIGNS: JsonDict = {
    "if": {"properties": {"kind": {"enum": [*TAKE_AWAY]}}},
    "then": {"properties": {"amount": {"maximum": 0}, "included": {"enum": [False, None]}}},
    "else": {
        "if": {"properties": {"kind": {"enum": [AdjustmentKind.ROUNDING]}}},
        "then": {"properties": {"included": {"enum": [False, None]}}},
        "else": {
            "properties": {"amount": {"minimum": 0}},
            "if": {"properties": {"kind": {"enum": [AdjustmentKind.SHIPPING, AdjustmentKind.FEE]}}},
            "then": {"properties": {"included": {"enum": [False, None]}}},
        },
    },
}


class LineIn(Taken):
    """One kind of goods, with the price of each (`unit_amount`) or of all of it (`amount`)."""

    model_config = ConfigDict(json_schema_extra=_ONE_PRICE)

    name: hints.Goods
    quantity: Quantity
    unit: (
        Annotated[str, Field(max_length=16, pattern=LINE, description="What it is counted in, such as kg.")] | None
    ) = None
    amount: Annotated[int, Field(ge=0, le=limits.MAX_MINOR)] | None = Field(
        default=None,
        description="Of the whole line, in the currency's minor unit: for 3 for 10.00, and for what is weighed.",
    )
    unit_amount: Annotated[int, Field(ge=0, le=limits.MAX_MINOR)] | None = Field(
        default=None, description="Of one, in the currency's minor unit; of whole quantities.", validate_default=True
    )
    category: Annotated[str, hints.fitting(60)] | None = None
    image_url: WebUrl | None = Field(
        default=None, description="A picture of it, by https: fetched once, and shown small from our own site."
    )

    @field_validator("unit_amount")
    @classmethod
    def _one_price(cls, value: int | None, info: ValidationInfo) -> int | None:
        if "amount" in info.data:
            amount, quantity = info.data["amount"], info.data.get("quantity")
            if value is None and amount is None:
                raise PydanticCustomError("missing", "Send unit_amount, or amount for the whole line.")
            if value is not None and amount is not None:
                raise PydanticCustomError("both", "Send unit_amount or amount, not both.")
            if value is not None and quantity is not None and quantity % 1:
                raise PydanticCustomError(
                    "decimal", "With a decimal quantity, send amount: the price of the whole line."
                )
        return value

    def draft(self) -> LineDraft:
        return LineDraft(
            self.name,
            self.quantity,
            self.unit_amount,
            self.category or "",
            self.image_url or "",
            self.unit or "",
            self.amount or 0,
        )


class AdjustmentIn(Taken):
    """What the sum has beside the lines."""

    model_config = ConfigDict(json_schema_extra=_SIGNS)

    kind: Kind
    name: Annotated[hints.Goods, Field(description="As your receipt says it.")]
    included: bool | None = Field(
        default=None,
        description="A tax that the prices have in them already: it is shown, and adds nothing to the sum.",
    )
    amount: Annotated[int, Field(ge=-limits.MAX_MINOR, le=limits.MAX_MINOR)] = Field(
        description="In the currency's minor unit. A discount or a credit takes away, so it is negative; rounding may "
        "be, and all others add."
    )

    @field_validator("kind")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in AdjustmentKind.values:
            kinds = ", ".join(AdjustmentKind.values)
            raise PydanticCustomError("enum", "This is one of: {kinds}.", {"kinds": kinds})
        return value

    @field_validator("included")
    @classmethod
    def _only_a_tax(cls, value: bool | None, info: ValidationInfo) -> bool | None:
        if value and info.data.get("kind", AdjustmentKind.TAX) != AdjustmentKind.TAX:
            raise PydanticCustomError("included", "Only a tax can be included in the prices.")
        return value

    @field_validator("amount")
    @classmethod
    def _signed(cls, value: int, info: ValidationInfo) -> int:
        kind = info.data.get("kind")
        if kind in TAKE_AWAY and value > 0:
            raise PydanticCustomError("less_than_equal", "This kind takes away: send a negative amount.")
        if kind not in (*TAKE_AWAY, AdjustmentKind.ROUNDING, None) and value < 0:
            raise PydanticCustomError("greater_than_equal", "This kind adds: send a discount to take something away.")
        return value

    def draft(self) -> Adjustment:
        return Adjustment(self.kind, self.name, self.amount, bool(self.included))


Lines = Annotated[list[LineIn], Field(min_length=1, max_length=limits.LINES_OF_AN_ORDER)]
Adjustments = Annotated[list[AdjustmentIn], Field(max_length=limits.ADJUSTMENTS_OF_AN_ORDER)]
Asserted = Annotated[int, Field(ge=1, le=limits.MAX_MINOR)]


class LinesIn(Taken):
    """What is bought, and what it costs."""

    lines: Lines
    adjustments: Adjustments | None = Field(
        default=None,
        description="Shipping, taxes, discounts and the like. They are no goods: rules for goods pass them over.",
    )
    amount: Asserted | None = Field(
        default=None, description="The sum as you know it: refused with `amount_mismatch` where it is another."
    )

    def drafts(self) -> tuple[list[LineDraft], list[Adjustment]]:
        return [line.draft() for line in self.lines], [it.draft() for it in self.adjustments or ()]


class ImageOut(BaseModel):
    """What became of the picture at `image_url`."""

    status: Annotated[
        Literal["pending", "ready", "refused", "failed", "forgotten"],
        Field(description="Only a picture that is ready is shown; one that is pending will be fetched."),
    ]
    reason: Annotated[str, Field(examples=["not_a_picture", "http_404"], description="Why it is not, or not yet.")]
    url: Annotated[str, Field(description="Where we show it; empty unless it is ready.")]

    @classmethod
    def of(cls, line: OrderLine) -> Self | None:
        """None where the line names none. A picture on this site is shown as it is."""
        if not line.image_url:
            return None
        if own := own_picture(line.image_url):
            return cls(status="ready", reason="", url=f"{settings.PUBLIC_URL}{own}")
        if line.picture is None:
            return cls(status="forgotten", reason="", url="")
        url = f"{settings.PUBLIC_URL}{line.picture.path}" if line.picture.path else ""
        told = {"status": line.picture.status, "reason": line.picture.reason, "url": url}
        return cls.model_validate(told)


class LineOut(BaseModel):
    name: str
    quantity: Annotated[int | str, Field(description="A whole number, or a decimal as text.")]
    unit: str
    unit_amount: Annotated[Sum | None, Field(description="null: the line has an amount alone.")]
    amount: Annotated[int, Field(description="Of the whole line, in the currency's minor unit.")]
    quantity_returned: Annotated[int | str, Field(description="Of it, what was refunded by line.")]
    category: str
    image_url: str
    image: ImageOut | None

    @classmethod
    def of(cls, line: OrderLine) -> Self:
        return cls(
            name=line.name,
            quantity=quantities.number(line.quantity),
            unit=line.unit,
            unit_amount=line.unit_amount,
            amount=line.amount,
            quantity_returned=quantities.number(line.quantity_returned),
            category=line.category,
            image_url=line.image_url,
            image=ImageOut.of(line),
        )
