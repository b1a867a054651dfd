"""The webhooks' transactional outbox: deliveries are written with their event, so that none is lost in between."""

from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, ids, limits, months
from friendpay.kit.background import enqueue
from friendpay.kit.errors import Refused
from friendpay.kit.writes import Writes
from orders.models import Event, WebhookDelivery, WebhookEndpoint

BY_MONTH = months.Divided("orders_webhookdelivery", "orders_webhookattempt", "delivery_id")
INSERT_DELIVERIES = f"""
    INSERT INTO orders_webhookdelivery (public_id, merchant_id, endpoint_id, event_id, status, attempts)
    SELECT {ids.public_id_sql("wd")}, event.merchant_id, endpoint.id, event.id, 'pending', 0
    FROM {{source}} AS event JOIN orders_webhookendpoint AS endpoint
        ON endpoint.merchant_id = event.merchant_id AND endpoint.live = event.live AND endpoint.disabled_at IS NULL
        AND (endpoint.event_types = '[]' OR endpoint.event_types ? event.type)
    RETURNING id
"""
"""A delivery of each event of `source`, which the same statement has just written, for every endpoint that wants it."""


def add_deliveries(writes: Writes) -> None:
    """A delivery of each event among `writes` for every endpoint that wants it, by the statement that writes them."""
    writes.draw(INSERT_DELIVERIES, Event, lambda deliveries: send_soon() if deliveries else None)


def add_test_delivery(endpoint: WebhookEndpoint, event: Event) -> WebhookDelivery:
    """Write a delivery to this endpoint alone, in the event's transaction. The caller holds the endpoint's lock."""
    _check_enabled(endpoint)
    send_soon()
    return WebhookDelivery.objects.create(merchant_id=event.merchant_id, endpoint=endpoint, event=event)


@transaction.atomic
def redeliver(delivery_id: int) -> WebhookDelivery:
    """Send it now and, should that fail, by the whole schedule again: with the id and the body it always had."""
    endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(deliveries=delivery_id)
    _check_enabled(endpoint)
    delivery = WebhookDelivery.objects.select_for_update(no_key=True).get(pk=delivery_id)
    delivery.status, delivery.delivered_at = WebhookDelivery.Status.PENDING, None
    delivery.attempts, delivery.next_attempt_at = 0, clock.now()
    delivery.save(update_fields=["status", "delivered_at", "attempts", "next_attempt_at"])
    send_soon()
    return delivery


def _check_enabled(endpoint: WebhookEndpoint) -> None:
    if not endpoint.enabled:
        raise Refused("endpoint_disabled", _("This endpoint is switched off. Enable it first."))


def give_up(endpoint: WebhookEndpoint) -> None:
    """Nothing more is sent to it of what is still queued for it."""
    WebhookDelivery.objects.filter(endpoint=endpoint, next_attempt_at__isnull=False).update(
        status=WebhookDelivery.Status.GIVEN_UP, next_attempt_at=None
    )


def purge(before: datetime) -> None:
    """Forget the deliveries of each month in which all were written before then, and their attempts with them: in one
    statement, or one by one, where some are pending, which stay.
    """
    for part in months.past(BY_MONTH):
        rows = WebhookDelivery.objects.filter(pk__gte=months.begins(part.start), pk__lt=months.begins(part.stop))
        is_young = rows.filter(created_at__gte=before).exists()
        if is_young or months.drop(BY_MONTH, part, unless="SELECT FROM {} WHERE next_attempt_at IS NOT NULL"):
            continue
        settled = rows.filter(next_attempt_at=None)
        while batch := list(settled.values_list("pk", flat=True)[: limits.WEBHOOK_PURGE_ROWS]):
            settled.filter(pk__in=batch).delete()


def send_soon() -> None:
    """Once this transaction is committed."""
    transaction.on_commit(partial(enqueue, "orders.send_webhooks"))
