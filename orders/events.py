"""Event types, and the one function that records an event with its webhook deliveries."""

from typing import Any

from django.db import transaction

from orders.event_data import EndpointData
from orders.models import Event, Order, WebhookDelivery, WebhookEndpoint
from orders.webhooks import endpoints, outbox

TYPES = (
    "order.cancelled",
    "order.changed",
    "order.created",
    "order.expired",
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
    "webhook_endpoint.pinged",
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


@transaction.atomic
def ping(endpoint_id: int, *, actor: str) -> WebhookDelivery:
    """A test for one endpoint: an event that it alone is told, whatever it listens to, by the way all events take.

    It is tried once, since somebody is looking. Refused while the endpoint is switched off.
    """
    endpoint = endpoints.lock(endpoint_id)
    event = _note("webhook_endpoint.pinged", endpoint, actor)
    return outbox.owe_test(endpoint, event)


def _note(type: str, endpoint: WebhookEndpoint, actor: str) -> Event:
    return Event.objects.create(
        merchant_id=endpoint.merchant_id,
        live=endpoint.live,
        type=type,
        object_id=endpoint.public_id,
        actor=actor,
        data=EndpointData.of(endpoint).stored(),
    )
