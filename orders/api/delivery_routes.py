"""API routes of an order's delivery note."""

from datetime import datetime
from typing import Annotated, Self

from django.shortcuts import get_object_or_404
from ninja import Router
from pydantic import BaseModel, Field

from friendpay.kit import clock
from orders.api.auth import Call
from orders.api.fields import LINE, PARAGRAPH, Taken
from orders.api.routes import order_of
from orders.api.schemas import Moment, OrderId
from orders.models import DeliveryNote

router = Router(tags=["Orders"])


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


@router.post("/orders/{order_id}/delivery", response=HandoverOut, operation_id="tell_order_delivery")
def tell_delivery(request: Call, order_id: OrderId, data: HandoverIn) -> HandoverOut:
    """Say how an order was delivered

    It changes nothing about the order: it is shown to staff, and goes into the evidence if a payer disputes the
    payment. Saying it again replaces what you said before.
    """
    said = {**data.model_dump(), "told_at": clock.now()}
    note, _new = DeliveryNote.objects.update_or_create(order=order_of(request.auth, order_id), defaults=said)
    return HandoverOut.of(note)


@router.get("/orders/{order_id}/delivery", response=HandoverOut, operation_id="get_order_delivery")
def get_delivery(request: Call, order_id: OrderId) -> HandoverOut:
    """Get what you said of an order's delivery"""
    return HandoverOut.of(get_object_or_404(DeliveryNote, order=order_of(request.auth, order_id)))
