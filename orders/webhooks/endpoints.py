"""Webhook endpoints of a merchant: create, change, rotate secrets, disable and enable, delete."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, limits
from friendpay.kit.compiled import Compiled, Given
from friendpay.kit.errors import Refused
from orders.models import Merchant, WebhookEndpoint
from orders.webhooks import outbox, signing, transport

Reason = WebhookEndpoint.Reason


@transaction.atomic
def create(
    merchant: Merchant,
    *,
    live: bool,
    url: str,
    description: str | None = None,
    event_types: Sequence[str] | None = None,
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint and its secret, which is never to be had again. It is told of what happens from now on.

    An address that an endpoint of this mode has already makes no second one: that one is changed as `change` does, and
    the secret is "".
    """
    transport.check(url)
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
    kept = WebhookEndpoint.objects.kept().filter(merchant=merchant, live=live)
    if known := kept.filter(url=url).first():
        return change(known.pk, description=description, event_types=event_types), ""
    if kept.count() >= limits.WEBHOOK_ENDPOINTS:
        raise Refused("too_many_endpoints", _("There are too many endpoints. Delete one first."))
    merchant.has_webhooks = True
    merchant.save(update_fields=["has_webhooks"])
    secret = signing.new_secret()
    endpoint = WebhookEndpoint(
        merchant=merchant,
        live=live,
        url=url,
        description=description or "",
        event_types=sorted(set(event_types or ())),
    )
    endpoint.seal(secret)
    endpoint.save()
    return endpoint, secret


@transaction.atomic
def change(
    endpoint_id: int,
    *,
    url: str | None = None,
    description: str | None = None,
    event_types: Sequence[str] | None = None,
    enabled: bool | None = None,
) -> WebhookEndpoint:
    """What is given becomes so; None leaves as it is, and repeating it changes nothing. The secret stays.

    What is still queued goes to the new address, by the same schedule; of another one nothing is known yet, so how
    the old one answered counts no more.
    """
    endpoint = lock(endpoint_id)
    if url is not None and url != endpoint.url:
        transport.check(url)
        endpoint.url, endpoint.failing_since, endpoint.is_slow = url, None, True
    if description is not None:
        endpoint.description = description
    if event_types is not None:
        endpoint.event_types = sorted(set(event_types))
    endpoint.save(update_fields=["url", "failing_since", "is_slow", "description", "event_types"])
    if enabled is None:
        return endpoint
    return enable(endpoint_id) if enabled else disable(endpoint_id, Reason.SHOP)


@transaction.atomic
def rotate_secret(endpoint_id: int, overlap: timedelta = limits.WEBHOOK_SECRET_OVERLAP) -> tuple[WebhookEndpoint, str]:
    """A new secret. The one it replaces signs too for `overlap` more; one from before that ends now."""
    endpoint, now, secret = lock(endpoint_id), clock.now(), signing.new_secret()
    endpoint.seal(secret, endpoint.secrets(now)[0])
    endpoint.previous_ends_at = now + overlap
    endpoint.save(update_fields=["sealed", "previous_ends_at"])
    return endpoint, secret


@transaction.atomic
def enable(endpoint_id: int) -> WebhookEndpoint:
    """It is told again of what happens from now on. What it missed can be read from the list of events."""
    endpoint = lock(endpoint_id)
    if endpoint.deleted_at is not None:
        raise Refused("endpoint_deleted", _("The shop has deleted this endpoint."))
    if not endpoint.enabled:
        endpoint.disabled_at, endpoint.disabled_reason = None, ""
        endpoint.failing_since = endpoint.mail_due_at = None
        endpoint.save(update_fields=["disabled_at", "disabled_reason", "failing_since", "mail_due_at"])
    return endpoint


@transaction.atomic
def disable(endpoint_id: int, reason: WebhookEndpoint.Reason) -> WebhookEndpoint:
    """Nothing more is sent to it. Repeating it keeps the first time and reason."""
    endpoint = lock(endpoint_id)
    if endpoint.enabled:
        switch_off(endpoint, reason, clock.now())
    return endpoint


@transaction.atomic
def delete(endpoint_id: int) -> None:
    """As `disable`, and the merchant sees it no more. What was told stays readable for support for a while."""
    endpoint = disable(endpoint_id, Reason.DELETED)
    endpoint.deleted_at = endpoint.deleted_at or clock.now()
    endpoint.save(update_fields=["deleted_at"])


def switch_off(endpoint: WebhookEndpoint, reason: WebhookEndpoint.Reason, now: datetime) -> None:
    """For who holds the endpoint's lock. The merchant gets a mail unless somebody did it by hand."""
    endpoint.disabled_at, endpoint.disabled_reason = now, reason
    endpoint.mail_due_at = now if reason in (Reason.GONE, Reason.FAILING) else None
    endpoint.save(update_fields=["disabled_at", "disabled_reason", "mail_due_at"])
    outbox.give_up(endpoint)


def lock(endpoint_id: int) -> WebhookEndpoint:
    """The endpoint, locked. Lock order: endpoint, delivery."""
    return LOCKED.one(pk=endpoint_id)


LOCKED = Compiled(
    lambda: WebhookEndpoint.objects.select_for_update(of=("self",), no_key=True).filter(pk=Given("pk")).order_by()
)
"""What `lock` asks, for whoever locks a delivery in the same round trip."""
