"""API schemas of an order's delivery note (pydantic)."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field

from orders.api.fields import LINE, PARAGRAPH, Taken
from orders.api.schemas import Moment
from orders.models import DeliveryNote


class HandoverIn(Taken):
    carrier: Annotated[str, Field(max_length=60, pattern=LINE)] = ""
    tracking_number: Annotated[str, Field(max_length=64, pattern=LINE)] = ""
    delivered_at: Annotated[Moment, Field(strict=False)] | None = Field(
        default=None, description="When it was handed over, if it was."
    )
    note: Annotated[str, Field(max_length=500, pattern=PARAGRAPH)] = ""


class HandoverOut(BaseModel):
    order: str
    carrier: str
    tracking_number: str
    delivered_at: datetime | None
    note: str
    told_at: Annotated[datetime, Field(description="When you said so.")]

    @classmethod
    def of(cls, note: DeliveryNote) -> Self:
        return cls(
            order=note.order.public_id,
            carrier=note.carrier,
            tracking_number=note.tracking_number,
            delivered_at=note.delivered_at,
            note=note.note,
            told_at=note.told_at,
        )
