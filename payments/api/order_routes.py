"""API routes of orders where payments are touched: placing one, with its request or without, changing and ending it.

They are added to the router of the orders: an address belongs to one router, and reading is there.
"""

from datetime import timedelta

from ninja import Status

from orders import services
from orders.allowed_origins import check_return_url
from orders.api.auth import Call
from orders.api.line_schemas import LinesIn
from orders.api.routes import order_of
from orders.api.routes import router as router
from orders.api.schemas import Nothing, OrderId, OrderOut, PaidElsewhereIn
from payments.api.schemas import NewOrderOut, OffersOut, OrderIn
from payments.api.screens import ON_DESKTOP, Screen
from payments.offers import weighing
from payments.offers.rollout import Case
from payments.settlement import asking, lifecycle, requests


@router.post("/orders", response={201: NewOrderOut}, tags=["Orders"], operation_id="create_order")
def create_order(request: Call, data: OrderIn, screen: Screen = ON_DESKTOP) -> Status[OrderOut]:
    """Create an order

    Send the buyer to its `checkout_url`. A reference can be used once, so an order is never made twice by mistake; one
    that was cancelled or has expired frees it. With `payment_request` a friend is asked at once, and the answer has
    what to send; where that is refused, no order is made either. `screen` is where the buyer is; it matters to asking
    alone.
    """
    shop, wanted = request.auth.merchant, data.payment_request
    if data.return_url:
        check_return_url(shop, data.return_url)
    asked = (
        asking.WithOrder(
            screen.surface,
            message=wanted.message or "",
            expires_in=wanted.life(),
            split=wanted.split_of(),
            metadata=wanted.metadata or {},
        )
        if wanted
        else None
    )
    lines, adjustments = data.drafts()
    order = services.place_order(
        shop,
        live=request.auth.live,
        reference=data.reference,
        currency=data.currency,
        lines=lines,
        adjustments=adjustments,
        amount=data.amount,
        buyer_id=data.buyer.id,
        buyer_name=data.buyer.name,
        metadata=data.metadata,
        return_url=data.return_url or "",
        locale=data.locale or "",
        expires_in=timedelta(seconds=data.expires_in) if data.expires_in else None,
        now=request.now,
        also=asked,
    )
    return Status(201, NewOrderOut.both(order, asked.made()) if asked else OrderOut.of(order))


@router.post("/orders/{order_id}/lines", response=OrderOut, tags=["Orders"], operation_id="change_order_lines")
def change_lines(request: Call, order_id: OrderId, data: LinesIn) -> OrderOut:
    """Change what is bought

    Replaces all lines and adjustments, and so the price, as long as nothing is paid. Who is paying the old price just
    now is stopped; money that comes for it all the same goes back by itself.
    """
    order = order_of(request.auth, order_id)
    return OrderOut.of(asking.change_order(order, *data.drafts(), data.amount))


@router.post("/orders/{order_id}/cancel", response=OrderOut, tags=["Orders"], operation_id="cancel_order")
def cancel_order(request: Call, order_id: OrderId, data: Nothing = Nothing()) -> OrderOut:  # noqa: B008
    """Cancel an order

    You will not deliver. Its open request ends, and parts that were paid go back. Repeating it changes nothing, and an
    expired order stays so. A paid order is refunded instead.
    """
    return OrderOut.of(lifecycle.close_order(order_of(request.auth, order_id).pk, paid_elsewhere=False))


@router.post("/orders/{order_id}/mark-paid", response=OrderOut, tags=["Orders"], operation_id="mark_order_paid")
def mark_paid(request: Call, order_id: OrderId, data: PaidElsewhereIn = PaidElsewhereIn()) -> OrderOut:  # noqa: B008
    """Say that you were paid elsewhere

    Its open request ends, and parts that were paid here go back. Repeating it changes nothing. An order that was paid
    here in full is refused with `order_paid`: you have its money twice, and one of the two is to go back.
    """
    order = order_of(request.auth, order_id)
    return OrderOut.of(lifecycle.close_order(order.pk, paid_elsewhere=True, note=data.note or ""))


@router.post("/orders/{order_id}/mark-unpaid", response=OrderOut, tags=["Orders"], operation_id="mark_order_unpaid")
def mark_unpaid(request: Call, order_id: OrderId, data: Nothing = Nothing()) -> OrderOut:  # noqa: B008
    """Take back that you were paid elsewhere

    The order may be asked for and paid again; its earlier request stays ended. Repeating it changes nothing. An order
    that was paid here is refused with `not_paid_elsewhere`: refund it instead.
    """
    return OrderOut.of(requests.reopen_order(order_of(request.auth, order_id).pk))


@router.get("/orders/{order_id}/offers", response=OffersOut, tags=["Orders"], operation_id="list_order_offers")
def list_offers(request: Call, order_id: OrderId, screen: Screen = ON_DESKTOP) -> OffersOut:
    """See which ways to pay an order gets

    What the payment page shows on this kind of screen, and the reason for whatever it does not show.
    """
    case, surface = Case.of(order_of(request.auth, order_id)), screen.surface
    considered = weighing.weigh(case, surface)
    return OffersOut.of(asking.why_not(case, surface, request.now, considered), considered)
