"""API routes of an order's delivery note."""

from django.shortcuts import get_object_or_404
from ninja import Router

from friendpay.kit import clock
from orders.api.auth import Call
from orders.api.delivery_schemas import HandoverIn, HandoverOut
from orders.api.routes import order_of
from orders.api.schemas import OrderId
from orders.models import DeliveryNote

router = Router(tags=["Orders"])


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
