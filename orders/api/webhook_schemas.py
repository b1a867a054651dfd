"""API schemas of webhook endpoints and deliveries."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema

from friendpay.kit import limits
from orders.api.fields import LINE, Taken, WebUrl
from orders.api.schemas import Page
from orders.events import TYPES
from orders.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint

EndpointId = Annotated[str, Field(pattern=r"^we_[0-9A-Za-z]{1,36}$")]
DeliveryId = Annotated[str, Field(pattern=r"^wd_[0-9A-Za-z]{1,36}$")]


def _known(type: str) -> str:
    if type not in TYPES:
        raise ValueError("this is not the type of an event")
    return type


EventType = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(TYPES)})]
HookUrl = Annotated[
    WebUrl,
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 500,
            "pattern": r"^https://([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
            r'(:443|:8443)?([/?][!"$-?A-\[\]-~]*)?$',
            "description": "A public address, called by https on port 443 or 8443.",
        }
    ),
]


Description = Annotated[str, Field(max_length=120, pattern=LINE)]
EventTypes = Annotated[list[EventType], Field(max_length=len(TYPES))]


class EndpointIn(Taken):
    url: HookUrl
    description: Description | None = None
    events: EventTypes | None = Field(
        default=None, description="What it is told of; of everything when there are none."
    )


class EndpointChangeIn(Taken):
    """What is left out, or null, stays as it is."""

    url: HookUrl | None = None
    description: Description | None = None
    events: EventTypes | None = Field(default=None, description="All it is told of from now on; empty: everything.")
    enabled: bool | None = Field(default=None, description="false: nothing more is sent to it.")


class RotateIn(Taken):
    overlap: Annotated[int, Field(ge=0, le=int(limits.WEBHOOK_SECRET_OVERLAP_LONGEST.total_seconds()))] | None = Field(
        default=None, description="Seconds for which the old secret signs as well; a day without it."
    )


class EndpointOut(BaseModel):
    """An address that is told what happens."""

    id: str
    url: str
    description: str
    events: Annotated[list[str], Field(description="The types it is told of; empty: all.")]
    live: bool
    enabled: bool
    disabled_at: datetime | None
    disabled_reason: Annotated[str, Field(description="gone, failing, support or shop; empty while it is enabled.")]
    failing_since: datetime | None
    previous_secret_ends_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, endpoint: WebhookEndpoint, **more: str) -> Self:
        return cls(
            id=endpoint.public_id,
            url=endpoint.url,
            description=endpoint.description,
            events=endpoint.event_types,
            live=endpoint.live,
            enabled=endpoint.enabled,
            disabled_at=endpoint.disabled_at,
            disabled_reason=endpoint.disabled_reason,
            failing_since=endpoint.failing_since,
            previous_secret_ends_at=endpoint.previous_ends_at,
            created_at=endpoint.created_at,
            **more,
        )


class EndpointSecretOut(EndpointOut):
    """An endpoint with its new secret, which is never shown again."""

    secret: str


class EndpointPage(Page[EndpointOut]):
    """Webhook endpoints, newest first."""


class AttemptOut(BaseModel):
    """One call, and what came of it."""

    at: datetime
    status_code: int | None
    milliseconds: int
    error: Annotated[
        str,
        Field(description="blocked, unresolved, unreachable, tls, timeout, broken or internal; empty when answered."),
    ]
    answer: Annotated[str, Field(description="Its beginning.")]

    @classmethod
    def of(cls, attempt: WebhookAttempt) -> Self:
        return cls(
            at=attempt.at,
            status_code=attempt.status_code,
            milliseconds=attempt.milliseconds,
            error=attempt.error,
            answer=attempt.answer,
        )


class DeliveryOut(BaseModel):
    """The telling of one event to one endpoint."""

    id: str
    endpoint: str
    event: str
    event_type: str
    status: Annotated[str, WithJsonSchema({"type": "string", "enum": WebhookDelivery.Status.values})]
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    created_at: datetime
    attempts: list[AttemptOut]

    @classmethod
    def of(cls, delivery: WebhookDelivery) -> Self:
        return cls(
            id=delivery.public_id,
            endpoint=delivery.endpoint.public_id,
            event=delivery.event.public_id,
            event_type=delivery.event.type,
            status=delivery.status,
            next_attempt_at=delivery.next_attempt_at,
            delivered_at=delivery.delivered_at,
            created_at=delivery.created_at,
            attempts=[AttemptOut.of(attempt) for attempt in delivery.calls.all()],
        )


class DeliveryPage(Page[DeliveryOut]):
    """Webhook deliveries, newest first."""
