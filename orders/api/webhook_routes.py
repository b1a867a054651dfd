"""API routes of webhook endpoints and deliveries: find what the key may see, call one function, show the result."""

from datetime import timedelta

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from ninja import Router, Status

from friendpay.kit import limits
from friendpay.kit.paging import newest_first
from orders import events
from orders.api.auth import Call
from orders.api.schemas import Limit, Nothing
from orders.api.webhook_schemas import (
    DeliveryId,
    DeliveryOut,
    DeliveryPage,
    EndpointChangeIn,
    EndpointId,
    EndpointIn,
    EndpointOut,
    EndpointPage,
    EndpointSecretOut,
    RotateIn,
)
from orders.models import ApiKey, WebhookDelivery, WebhookEndpoint
from orders.webhooks import endpoints, outbox

router = Router(tags=["Webhooks"])


def _endpoints(key: ApiKey) -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.kept().filter(merchant=key.merchant_id, live=key.live)


def _endpoint_of(key: ApiKey, public_id: str) -> WebhookEndpoint:
    return get_object_or_404(_endpoints(key), public_id=public_id)


def _deliveries(key: ApiKey) -> QuerySet[WebhookDelivery]:
    deliveries = WebhookDelivery.objects.filter(endpoint__in=_endpoints(key))
    return deliveries.select_related("endpoint", "event").prefetch_related("calls")


@router.post(
    "/webhook-endpoints",
    response={201: EndpointSecretOut, 200: EndpointOut},
    operation_id="create_webhook_endpoint",
)
def create_endpoint(request: Call, data: EndpointIn) -> Status[EndpointOut]:
    """Create a webhook endpoint

    It is told of what happens from now on. Keep its `secret`: it is shown here and nowhere else, and proves that a
    message is from us. The `url` of an endpoint you have already makes no second one: 200, with what you sent changed,
    enabled or not as it was, and without its secret; where you have lost that, rotate it.
    """
    endpoint, secret = endpoints.create(
        request.auth.merchant,
        live=request.auth.live,
        url=data.url,
        description=data.description,
        event_types=data.events,
    )
    return (
        Status(201, EndpointSecretOut.of(endpoint, secret=secret)) if secret else Status(200, EndpointOut.of(endpoint))
    )


@router.get("/webhook-endpoints", response=EndpointPage, operation_id="list_webhook_endpoints")
def list_endpoints(
    request: Call, limit: Limit = 20, after: EndpointId | None = None, before: EndpointId | None = None
) -> EndpointPage:
    """List webhook endpoints

    Newest first.
    """
    found, has_more = newest_first(_endpoints(request.auth), after=after, before=before, limit=limit)
    return EndpointPage.of(map(EndpointOut.of, found), has_more)


@router.get("/webhook-endpoints/{endpoint_id}", response=EndpointOut, operation_id="get_webhook_endpoint")
def get_endpoint(request: Call, endpoint_id: EndpointId) -> EndpointOut:
    """Get a webhook endpoint"""
    return EndpointOut.of(_endpoint_of(request.auth, endpoint_id))


@router.patch("/webhook-endpoints/{endpoint_id}", response=EndpointOut, operation_id="change_webhook_endpoint")
def change_endpoint(request: Call, endpoint_id: EndpointId, data: EndpointChangeIn) -> EndpointOut:
    """Change a webhook endpoint

    Only what you send is changed; its secret stays. What is still queued goes to the new address. Switched off with
    `enabled: false` nothing more is queued for it; read what it missed from the list of events.
    """
    endpoint = endpoints.change(
        _endpoint_of(request.auth, endpoint_id).pk,
        url=data.url,
        description=data.description,
        event_types=data.events,
        enabled=data.enabled,
    )
    return EndpointOut.of(endpoint)


@router.delete("/webhook-endpoints/{endpoint_id}", response={204: None}, operation_id="delete_webhook_endpoint")
def delete_endpoint(request: Call, endpoint_id: EndpointId) -> Status[None]:
    """Delete a webhook endpoint

    Nothing more is sent to it.
    """
    endpoints.delete(_endpoint_of(request.auth, endpoint_id).pk)
    return Status(204, None)


@router.post(
    "/webhook-endpoints/{endpoint_id}/rotate-secret",
    response=EndpointSecretOut,
    operation_id="rotate_webhook_secret",
)
def rotate_secret(request: Call, endpoint_id: EndpointId, data: RotateIn = RotateIn()) -> EndpointSecretOut:  # noqa: B008
    """Give a webhook endpoint a new secret

    For `overlap` seconds messages are signed with the old one as well, so that none is refused meanwhile. Send 0 when
    the old one has leaked.
    """
    pk = _endpoint_of(request.auth, endpoint_id).pk
    overlap = limits.WEBHOOK_SECRET_OVERLAP if data.overlap is None else timedelta(seconds=data.overlap)
    endpoint, secret = endpoints.rotate_secret(pk, overlap)
    return EndpointSecretOut.of(endpoint, secret=secret)


@router.post("/webhook-endpoints/{endpoint_id}/enable", response=EndpointOut, operation_id="enable_webhook_endpoint")
def enable_endpoint(request: Call, endpoint_id: EndpointId, data: Nothing = Nothing()) -> EndpointOut:  # noqa: B008
    """Switch a webhook endpoint on again

    It is told of what happens from now on; read what it missed from the list of events. Repeating it changes nothing.
    """
    return EndpointOut.of(endpoints.enable(_endpoint_of(request.auth, endpoint_id).pk))


@router.post("/webhook-endpoints/{endpoint_id}/ping", response={201: DeliveryOut}, operation_id="ping_webhook_endpoint")
def ping_endpoint(request: Call, endpoint_id: EndpointId, data: Nothing = Nothing()) -> Status[DeliveryOut]:  # noqa: B008
    """Test a webhook endpoint

    It alone is told a `webhook_endpoint.pinged`, whatever it listens to: signed, sent and noted like any other event,
    but tried once. Read from the delivery what came of it, a moment later.
    """
    delivery = events.ping(_endpoint_of(request.auth, endpoint_id).pk, actor="merchant")
    return Status(201, DeliveryOut.of(_deliveries(request.auth).get(pk=delivery.pk)))


@router.get(
    "/webhook-endpoints/{endpoint_id}/deliveries", response=DeliveryPage, operation_id="list_webhook_deliveries"
)
def list_deliveries(
    request: Call,
    endpoint_id: EndpointId,
    limit: Limit = 20,
    after: DeliveryId | None = None,
    before: DeliveryId | None = None,
) -> DeliveryPage:
    """List what a webhook endpoint was told

    Newest first, with every attempt and what came of it.
    """
    rows = _deliveries(request.auth).filter(endpoint=_endpoint_of(request.auth, endpoint_id))
    found, has_more = newest_first(rows, after=after, before=before, limit=limit)
    return DeliveryPage.of(map(DeliveryOut.of, found), has_more)


@router.get("/webhook-deliveries/{delivery_id}", response=DeliveryOut, operation_id="get_webhook_delivery")
def get_delivery(request: Call, delivery_id: DeliveryId) -> DeliveryOut:
    """See what came of a delivery

    Every attempt, and when the next one is due.
    """
    return DeliveryOut.of(get_object_or_404(_deliveries(request.auth), public_id=delivery_id))


@router.post("/webhook-deliveries/{delivery_id}/redeliver", response=DeliveryOut, operation_id="redeliver_webhook")
def redeliver(request: Call, delivery_id: DeliveryId, data: Nothing = Nothing()) -> DeliveryOut:  # noqa: B008
    """Deliver an event again

    With the `webhook-id` and the body it always had; delivered before or not.
    """
    pk = get_object_or_404(_deliveries(request.auth), public_id=delivery_id).pk
    outbox.redeliver(pk)
    return DeliveryOut.of(_deliveries(request.auth).get(pk=pk))
