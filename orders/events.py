"""The one place where something is said to have happened."""

from typing import Any

from orders.models import Event, Order
from orders.webhooks import outbox

TYPES = (
    "order.cancelled",
    "order.changed",
    "order.created",
    "order.paid",
    "order.refund_reopened",
    "order.refunded",
    "payment.adopted",
    "payment.cancelled",
    "payment.created",
    "payment.dispute_lost",
    "payment.dispute_won",
    "payment.disputed",
    "payment.failed",
    "payment.released",
    "payment.succeeded",
    "payment_request.cancelled",
    "payment_request.changed",
    "payment_request.considered",
    "payment_request.created",
    "payment_request.declined",
    "payment_request.expired",
    "payment_request.extended",
    "payment_request.opened",
    "payment_request.paid",
    "payment_request.shared",
    "payment_request.thanked",
    "refund.external",
    "refund.failed",
    "refund.renumbered",
    "refund.requested",
    "refund.returned_elsewhere",
    "refund.submitted",
    "refund.succeeded",
    "refund.withdrawn",
)
"""All there are: what merchants may ask to be told of."""


def record(
    type: str,
    *,
    order: Order,
    object_id: str,
    actor: str,
    data: dict[str, Any],
    request: str = "",
    seq: int | None = None,
) -> Event:
    """Write an event and its webhook deliveries in the caller's transaction, so that they are there exactly when the
    change they tell of is.

    `type` is `object.past_participle`; `actor` says who did it: buyer, payer, merchant, provider, system or
    support:NAME.
    """
    event = Event.objects.create(
        merchant_id=order.merchant_id,
        live=order.live,
        type=type,
        order=order,
        request=request,
        seq=seq,
        object_id=object_id,
        actor=actor,
        data=data,
    )
    if order.merchant.has_webhooks:
        outbox.owe(event)
    return event
