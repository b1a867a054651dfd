"""API routes of orders and events: find what the key may see, call one function, show the result.

What touches payments - placing and asking, cancelling, refunding - is in `payments.api`, on the same addresses.
"""

from django.db.models import Prefetch
from django.http import Http404
from ninja import Router

from friendpay.kit.compiled import Compiled, Given
from friendpay.kit.paging import cut, newest_first, place
from orders import sequence
from orders.api import by_metadata
from orders.api.auth import Call
from orders.api.schemas import EventId, EventOut, EventPage, Limit, OrderId, OrderOut, OrderPage, Reference
from orders.models import ApiKey, Event, Order, OrderLine

router = Router()

_ORDER = Compiled(
    lambda: Order.objects.filter(merchant=Given("merchant"), live=Given("live"), public_id=Given("order")).order_by()
)
_LINES = Compiled(lambda: OrderLine.objects.filter(order=Given("order")).select_related("picture"))


def order_of(key: ApiKey, public_id: str) -> Order:
    """The order, if it is the key's merchant's and of the key's mode; else the same 404 as for one that never was."""
    found = _ORDER(merchant=key.merchant_id, live=key.live, order=public_id)
    if not found:
        raise Http404
    found[0].merchant = key.merchant
    return found[0]


def shown(key: ApiKey, order: Order) -> OrderOut:
    """The order as this key may see it."""
    return OrderOut.of(order) if key.can_write else OrderOut.of(order, checkout_url="")


@router.get(
    "/orders",
    response=OrderPage,
    tags=["Orders"],
    operation_id="list_orders",
    openapi_extra=by_metadata.DESCRIBED,
)
@by_metadata.allowed
def list_orders(
    request: Call,
    limit: Limit = 20,
    after: OrderId | None = None,
    before: OrderId | None = None,
    reference: Reference | None = None,
) -> OrderPage:
    """List orders

    Newest first. With `reference`, those of yours that have it: at most one that is not over unpaid.
    """
    orders = Order.objects.filter(merchant=request.auth.merchant_id, live=request.auth.live)
    orders = orders.prefetch_related(Prefetch("lines", OrderLine.objects.select_related("picture")))
    orders = by_metadata.filtered(orders, request)
    if reference is not None:
        orders = orders.filter(reference=reference)
    found, has_more = newest_first(orders, after=after, before=before, limit=limit)
    return OrderPage.of((shown(request.auth, order) for order in found), has_more)


@router.get("/orders/{order_id}", response=OrderOut, tags=["Orders"], operation_id="get_order")
def get_order(request: Call, order_id: OrderId) -> OrderOut:
    """Get an order"""
    order = order_of(request.auth, order_id)
    order.keep_lines(_LINES(order=order.pk))
    return shown(request.auth, order)


@router.get("/events", response=EventPage, tags=["Events"], operation_id="list_events")
def list_events(request: Call, after: EventId | None = None, limit: Limit = 20, latest: bool = False) -> EventPage:
    """List events

    Oldest first; from the very first without `after`, or with `latest` the last ones there are. Keep the id of the last
    event you have seen and go on from it: an event never appears before one you were given already.
    """
    sequence.publish(request.auth.merchant_id)
    events = Event.objects.filter(merchant=request.auth.merchant_id, live=request.auth.live, sequence__isnull=False)
    events = events.select_related("order").order_by("sequence")
    if after is not None:
        events = events.filter(sequence__gt=place(events, after, "after", "sequence"))
    found, has_more = cut(events.reverse() if latest else events, limit)
    return EventPage.of(map(EventOut.of, found[::-1] if latest else found), has_more)
