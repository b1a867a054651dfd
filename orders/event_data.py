"""The data of order events: fields of the API's order, under the same names and with the same meaning."""

from datetime import datetime
from typing import Annotated, Any, Self, get_args

from pydantic import BaseModel, Field, WithJsonSchema

from orders.models import AdjustmentKind, Order, WebhookEndpoint

Sum = Annotated[int, Field(description="A whole number of the currency's minor unit.")]
Kind = Annotated[str, WithJsonSchema({"type": "string", "enum": AdjustmentKind.values})]
OrderStatus = Annotated[str, WithJsonSchema({"type": "string", "enum": Order.Status.values})]


class EventData(BaseModel):
    """What is written into an event. Nothing in it is a link that gives a right, for events are kept and passed on."""

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        return self.model_dump(mode="json")

    @classmethod
    def sql(cls, row: str, **others: str) -> str:
        """The same as SQL, of a row of the table named `row`: each field is the column of its name, or among the
        `others`. For what one statement writes about many.
        """
        named = {"id": f"{row}.public_id"} | others
        parts = []
        for name, field in cls.model_fields.items():
            value = named.get(name, f"{row}.{name}")
            if datetime in (field.annotation, *get_args(field.annotation)):
                value = _RFC3339.format(value)
            parts.append(f"'{name}', {value}")
        return f"jsonb_build_object({', '.join(parts)})"


_RFC3339 = """replace(to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '.000000', '') || 'Z'"""


class AdjustmentData(BaseModel):
    """What an order's sum has beside its lines."""

    kind: Kind
    name: str
    amount: Annotated[int, Field(description="In the currency's minor unit, with its sign.")]
    included: Annotated[
        bool, Field(description="A tax that the prices have in them already: it adds nothing to the sum.")
    ]


class OrderData(EventData):
    """An order as it stood then."""

    id: str
    reference: str
    live: bool
    status: OrderStatus
    currency: str
    amount: Sum
    adjustments: list[AdjustmentData]
    amount_paid: Sum
    amount_refunded: Sum
    metadata: Annotated[dict[str, str], Field(description="Yours, as you sent it.")]
    paid_elsewhere: bool
    paid_elsewhere_note: Annotated[str, Field(description="Your own words on that.")]
    created_at: datetime
    expires_at: Annotated[datetime | None, Field(description="Until when it may be asked for and paid; null: no end.")]
    paid_at: datetime | None
    cancelled_at: datetime | None
    expired_at: datetime | None

    @classmethod
    def of(cls, order: Order, **more: Any) -> Self:
        return cls(
            id=order.public_id,
            reference=order.reference,
            live=order.live,
            status=order.status,
            currency=order.currency,
            amount=order.amount,
            adjustments=[AdjustmentData(**it) for it in order.adjustments],
            amount_paid=order.amount_paid,
            amount_refunded=order.amount_refunded,
            metadata=order.metadata,
            paid_elsewhere=order.paid_elsewhere,
            paid_elsewhere_note=order.paid_elsewhere_note,
            created_at=order.created_at,
            expires_at=order.expires_at,
            paid_at=order.paid_at,
            cancelled_at=order.cancelled_at,
            expired_at=order.expired_at,
            **more,
        )


class OrderRefundData(OrderData):
    """An order, and the refund by which its `amount_refunded` changed."""

    refund: Annotated[str, Field(description="The refund's id.")]
    refund_amount: Sum


class EndpointData(EventData):
    """A webhook endpoint that was pinged. Its address is left out: it may hold a secret of the shop's."""

    id: str
    live: bool
    description: str
    events: Annotated[list[str], Field(description="The types it is told of; empty: all.")]

    @classmethod
    def of(cls, endpoint: WebhookEndpoint) -> Self:
        return cls(
            id=endpoint.public_id, live=endpoint.live, description=endpoint.description, events=endpoint.event_types
        )
