"""API schemas of pairings."""

from datetime import datetime
from typing import Annotated, Literal, Self

from django.conf import settings
from django.urls import reverse
from pydantic import BaseModel, Field

from orders.api.fields import CHALLENGE, CODE, FILLED_LINE, VERIFIER, Taken, WebUrl
from orders.api.webhook_schemas import EndpointSecretOut, EventTypes, HookUrl
from orders.models import Pairing
from orders.pairings import Granted, Proposal

PairingId = Annotated[str, Field(pattern=r"^pair_[0-9A-Za-z]{1,36}$")]
Scope = Literal["read", "write", "refund"]


class PairingIn(Taken):
    app: Annotated[str, Field(max_length=60, pattern=FILLED_LINE, description="Your program's name.")]
    site: Annotated[WebUrl, Field(max_length=200, description="The shop's site: scheme and host alone.")]
    webhook_url: HookUrl
    return_url: WebUrl = Field(description="Where the browser comes back to, on the shop's site.")
    code_challenge: Annotated[str, Field(pattern=CHALLENGE)] = Field(
        description="base64url, without padding, of the SHA-256 of a verifier you keep."
    )
    live: bool = Field(default=False, description="Whether money is to be real.")
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)] = ["read", "write"]
    origins: Annotated[list[WebUrl], Field(max_length=10)] = Field(
        default=[], description="More origins to send buyers back to and to show the sheet on; `site` is one anyhow."
    )
    events: EventTypes = Field(default=[], description="What the endpoint is told of; of everything when empty.")

    def proposal(self) -> Proposal:
        return Proposal(
            app=self.app,
            site=self.site,
            webhook_url=self.webhook_url,
            return_url=self.return_url,
            challenge=self.code_challenge,
            live=self.live,
            scopes=self.scopes,
            origins=self.origins,
            event_types=self.events,
        )


class PairingOut(BaseModel):
    """What somebody of the shop is asked to consent to."""

    id: str
    url: Annotated[str, Field(description="Lead the person's browser there.")]
    expires_at: datetime

    @classmethod
    def of(cls, pairing: Pairing) -> Self:
        page = reverse("pairing", args=[pairing.public_id])
        return cls(id=pairing.public_id, url=f"{settings.PUBLIC_URL}{page}", expires_at=pairing.expires_at)


class RedeemIn(Taken):
    code: Annotated[str, Field(max_length=64, pattern=CODE, description="From the return address.")]
    code_verifier: Annotated[str, Field(pattern=VERIFIER)]


class PairedOut(BaseModel):
    """What was granted. Keep `key` and the endpoint's `secret`: they are shown here and nowhere else."""

    key: Annotated[str, Field(description="The API key, sk_…")]
    live: bool
    scopes: list[str]
    shop: Annotated[str, Field(description="The shop's id.")]
    shop_name: str
    origins: list[str]
    webhook_endpoint: EndpointSecretOut

    @classmethod
    def of(cls, granted: Granted) -> Self:
        key = granted.key
        return cls(
            key=granted.key_secret,
            live=key.live,
            scopes=[scope for scope in ("read", "write", "refund") if getattr(key, f"can_{scope}")],
            shop=granted.merchant.public_id,
            shop_name=granted.merchant.name,
            origins=granted.merchant.return_origins,
            webhook_endpoint=EndpointSecretOut.of(granted.endpoint, secret=granted.endpoint_secret),
        )
