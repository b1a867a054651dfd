"""API schemas of orders, events and lists (pydantic)."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Self, TypeVar

from django.conf import settings
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from friendpay.kit import limits
from friendpay.kit.money import EXPONENT
from orders.api import hints
from orders.api.fields import FILLED_LINE, LINE, Metadata, Taken, WebUrl
from orders.api.line_schemas import LineOut, LinesIn
from orders.event_data import OrderData
from orders.models import Event, Order

Currency = Annotated[
    str,
    Field(min_length=3, max_length=3),
    WithJsonSchema({"type": "string", "enum": sorted(EXPONENT), "description": "ISO 4217."}),
]
Seconds = Annotated[
    int,
    Field(
        ge=int(limits.LIFE_SHORTEST.total_seconds()),
        le=int(limits.LIFE_LONGEST.total_seconds()),
        description="Seconds from now.",
    ),
]
OrderId = Annotated[str, Field(pattern=r"^ord_[0-9A-Za-z]{1,36}$")]
EventId = Annotated[str, Field(pattern=r"^evt_[0-9A-Za-z]{1,36}$")]
Reference = Annotated[str, Field(max_length=64, pattern=LINE)]
Limit = Annotated[int, Field(ge=1, le=limits.API_LIST_ITEMS)]


def _moment(text: Any) -> Any:
    """A whole RFC 3339 time: neither a day alone nor a number of seconds."""
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt ]\d\d:.+", text, re.ASCII):
        raise PydanticCustomError("datetime_parsing", "Input should be a time such as 2026-05-03T18:20:11Z")
    return text


def _in_utc(moment: datetime) -> datetime:
    """PostgreSQL knows no zone that is further away than its own."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("datetime_parsing", "Send a time such as 2026-05-03T18:20:11Z") from None


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_moment),
    AfterValidator(_in_utc),
    WithJsonSchema({"type": "string", "format": "date-time", "description": "RFC 3339, such as 2026-05-03T18:20:11Z."}),
]


class Nothing(Taken):
    """No fields."""


class BuyerIn(Taken):
    id: Annotated[str, Field(max_length=64, pattern=FILLED_LINE, description="Your own id of the customer.")]
    name: Annotated[hints.Name, Field(description="Friends read it: who asks.")]


class OrderFields(LinesIn):
    """An order as the shop sends it; `payments.api` adds how a friend is asked with it."""

    reference: Annotated[str, Field(max_length=64, pattern=FILLED_LINE, description="Yours; used once per mode.")]
    currency: Currency
    buyer: BuyerIn
    metadata: Metadata | None = None
    return_url: WebUrl | None = Field(
        default=None, description="Where the buyer goes when all is done; its origin must be registered for your shop."
    )
    locale: hints.Locale | None = Field(default=None, description="The buyer's language, such as en or zh-Hans.")
    expires_in: Seconds | None = Field(
        default=None,
        description="Seconds for which it may be asked for and paid; unpaid then, it ends (order.expired). Without, it "
        "has no end, and each request lives for the shop's own time.",
    )


class PaidElsewhereIn(Taken):
    note: Annotated[str, Field(max_length=200, pattern=LINE)] | None = Field(
        default=None, description="Your own words, such as how it was paid. Your staff sees them."
    )


class BuyerOut(BaseModel):
    id: str
    name: str


_CHECKOUT = "The buyer's page. Whoever has it can cancel and see who paid: empty for a key that may only read."


class OrderOut(OrderData):
    """An order: what is bought, and how much of it is paid."""

    lines: list[LineOut]
    buyer: BuyerOut
    checkout_url: Annotated[str, Field(description=_CHECKOUT)]
    return_url: str
    locale: str

    @classmethod
    def of(cls, order: Order, **more: Any) -> Self:
        """For a key that may only read, `checkout_url=""`: whoever has it can cancel, so it is a right to write."""
        link = {"checkout_url": f"{settings.PUBLIC_URL}/checkout/{order.token}/"}
        return super().of(
            order,
            lines=[LineOut.of(line) for line in order.lines.all()],
            buyer=BuyerOut(id=order.buyer_id, name=order.buyer_name),
            return_url=order.return_url,
            locale=order.locale,
            **link | more,
        )


class EventOut(BaseModel):
    """One thing that happened."""

    id: str
    sequence: Annotated[int, Field(description="Grows from event to event; the order to apply them in.")]
    type: Annotated[str, Field(examples=["payment_request.paid"])]
    live: bool
    created_at: datetime
    actor: Annotated[str, Field(description="buyer, payer, merchant, provider, system or support:NAME.")]
    object: Annotated[str, Field(description="The id of what it happened to.")]
    order: str | None
    payment_request: str | None
    data: Annotated[dict[str, Any], Field(description="The object as it was then.")]

    @classmethod
    def of(cls, event: Event) -> Self:
        return cls(**event.told())


Thing = TypeVar("Thing", bound=BaseModel)


class Page(BaseModel, Generic[Thing]):
    """A part of a list. The id of its last item, sent as `after`, fetches the next."""

    data: list[Thing]
    has_more: bool

    @classmethod
    def of(cls, things: Iterable[Thing], has_more: bool) -> Self:
        return cls(data=list(things), has_more=has_more)


class OrderPage(Page[OrderOut]):
    """Orders, newest first."""


class EventPage(Page[EventOut]):
    """Events, oldest first."""
