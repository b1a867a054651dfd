"""Event types, and the one function that records an event with its webhook deliveries."""

from typing import Any

from django.db import connection, transaction

from friendpay.kit import ids
from friendpay.kit.writes import Writes
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
    "order.reopened",
    "payment.adopted",
    "payment.cancelled",
    "payment.created",
    "payment.dispute_lost",
    "payment.dispute_won",
    "payment.disputed",
    "payment.extended",
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
    "payment_request.reported",
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
    writes: Writes,
    request: str = "",
    seq: int | None = None,
) -> Event:
    """Add an event and its webhook deliveries to what is to be written, so that they are there exactly when the change
    they tell of is.

    `type` is `object.past_participle`; `actor` says who did it: buyer, payer, merchant, provider, system or
    support:NAME.
    """
    event = Event(
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
    writes.insert(event)
    if order.merchant.has_webhooks:
        outbox.add_deliveries(writes)
    return event


_RECORD_ALL = f"""
    WITH noted AS (
        INSERT INTO orders_event
            (public_id, type, actor, created_at, merchant_id, live, order_id, request, seq, object_id, data)
        SELECT {ids.public_id_sql("evt")}, %s, %s, clock_timestamp(), told.* FROM ({{told}}) AS told
        RETURNING id, merchant_id, live, type, order_id
    ), delivery AS (
        {outbox.INSERT_DELIVERIES.format(source="noted")}
    )
    SELECT order_id, id, (SELECT count(*) FROM delivery) FROM noted
"""


def record_all(type: str, actor: str, told: str, *parameters: Any) -> dict[int, int]:
    """The same for many at once, in one statement: an event for each row that the SQL `told` selects, in its order, and
    their webhook deliveries. `told` yields merchant, live, order, request, seq, object_id and data. Says which event is
    which order's: its last one.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RECORD_ALL.format(told=told), [type, actor, *parameters])
        rows = cursor.fetchall()
    if rows and rows[0][2]:
        outbox.send_soon()
    return {order: event for order, event, _deliveries in rows}


@transaction.atomic
def ping(endpoint_id: int, *, actor: str) -> WebhookDelivery:
    """A test for one endpoint: an event that it alone is told, whatever it listens to, by the way all events take.

    It is tried once, since somebody is looking. Refused while the endpoint is switched off.
    """
    endpoint = endpoints.lock(endpoint_id)
    event = _note("webhook_endpoint.pinged", endpoint, actor)
    return outbox.add_test_delivery(endpoint, event)


def _note(type: str, endpoint: WebhookEndpoint, actor: str) -> Event:
    return Event.objects.create(
        merchant_id=endpoint.merchant_id,
        live=endpoint.live,
        type=type,
        object_id=endpoint.public_id,
        actor=actor,
        data=EndpointData.of(endpoint).stored(),
    )
