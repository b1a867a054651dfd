"""Pairing a shop's program in one consent: asked for by the program, confirmed by a person, redeemed by the program.

Whoever reads the links, the browser's history or a server's log learns nothing to act with: the code in the return
address opens nothing without the verifier, which never leaves the program but to redeem it, and then server to server.
"""

import base64
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, ids, limits, text_filter
from friendpay.kit.errors import Refused
from orders.allowed_origins import registered
from orders.models import ApiKey, Merchant, Pairing, WebhookEndpoint
from orders.webhooks import endpoints, transport


@dataclass(frozen=True)
class Proposal:
    """What a program asks for."""

    app: str
    site: str
    webhook_url: str
    return_url: str
    challenge: str
    live: bool = False
    scopes: Sequence[str] = ("read", "write")
    origins: Sequence[str] = ()
    event_types: Sequence[str] = ()


@dataclass(frozen=True)
class Granted:
    """What was made of it, with its two secrets, which are never to be had again."""

    merchant: Merchant
    key: ApiKey
    key_secret: str
    endpoint: WebhookEndpoint
    endpoint_secret: str


def begin(proposal: Proposal) -> Pairing:
    """Asked for, and nothing granted. Refused where an address could not be called, or is not of the shop's site."""
    check_origin(proposal.site, "site")
    for number, origin in enumerate(proposal.origins):
        check_origin(origin, f"origins.{number}")
    _check(proposal.webhook_url, "webhook_url")
    _check(proposal.return_url, "return_url")
    if not registered(proposal.return_url, [proposal.site]):
        message = _("This address must be of the same scheme, host and port as the shop's site.")
        raise Refused("return_url_not_of_site", message, field="return_url", status=422)
    now = clock.now()
    Pairing.objects.filter(expires_at__lt=now - limits.PAIRINGS_KEPT_FOR).delete()
    return Pairing.objects.create(
        app=text_filter.line(proposal.app) or "-",
        site=proposal.site,
        webhook_url=proposal.webhook_url,
        event_types=sorted(set(proposal.event_types)),
        origins=sorted({proposal.site, *proposal.origins}),
        return_url=proposal.return_url,
        live=proposal.live,
        can_read="read" in proposal.scopes,
        can_write="write" in proposal.scopes,
        can_refund="refund" in proposal.scopes,
        challenge=proposal.challenge,
        created_at=now,
        expires_at=now + limits.PAIRING_LIFE,
    )


def open_for_consent(public_id: str) -> Pairing | None:
    """The one somebody may still say yes to."""
    return Pairing.objects.filter(public_id=public_id, confirmed_at=None, expires_at__gt=clock.now()).first()


@transaction.atomic
def consent(public_id: str, choose: Callable[[], Merchant], by: str) -> tuple[Merchant, str]:
    """A person says yes, for the shop she chooses or has made: its origins count at once. The shop, and the address to
    lead the browser back to, with the code; said once, since a pairing is confirmed once.
    """
    now = clock.now()
    pairing = Pairing.objects.select_for_update().filter(public_id=public_id).first()
    if pairing is None or pairing.confirmed_at or pairing.expires_at <= now:
        raise Refused("pairing_over", _("This has expired. Start again from your shop."))
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=choose().pk)
    merchant.return_origins = _with(merchant.return_origins, pairing.origins)
    merchant.embed_origins = _with(merchant.embed_origins, pairing.origins)
    merchant.save(update_fields=["return_origins", "embed_origins"])
    code = ids.token(limits.PAIRING_CODE_SYMBOLS)
    pairing.merchant, pairing.confirmed_by, pairing.confirmed_at = merchant, by, now
    pairing.code, pairing.expires_at = _digest(code), now + limits.PAIRING_CODE_LIFE
    pairing.save()
    return merchant, answer_to(pairing, code=code)


def answer_to(pairing: Pairing, **told: str) -> str:
    """The return address, with what is told there."""
    query = urlencode({"pairing": pairing.public_id, **told})
    return f"{pairing.return_url}{'&' if '?' in pairing.return_url else '?'}{query}"


def redeem(public_id: str, code: str, verifier: str) -> Granted:
    """Key, endpoint and their secrets, for whoever has both the code and the verifier of the challenge; once, and
    within minutes. Every other case is the same refusal, and changes nothing.
    """
    with transaction.atomic():
        rows = Pairing.objects.select_for_update(of=("self",)).select_related("merchant")
        pairing = rows.filter(public_id=public_id, redeemed_at=None).exclude(code="").first()
        if pairing is None or pairing.merchant is None or not _fits(pairing, code, verifier):
            raise refusal()
        pairing.redeemed_at = clock.now()
        pairing.save(update_fields=["redeemed_at"])
        merchant = pairing.merchant
        key, key_secret = ApiKey.make(
            merchant,
            live=pairing.live,
            name=pairing.app,
            can_read=pairing.can_read,
            can_write=pairing.can_write,
            can_refund=pairing.can_refund,
        )
        endpoint, secret = endpoints.create(
            merchant,
            live=pairing.live,
            url=pairing.webhook_url,
            description=pairing.app,
            event_types=pairing.event_types,
        )
        if not secret:  # the shop has paired before
            endpoints.enable(endpoint.pk)
            endpoint, secret = endpoints.rotate_secret(endpoint.pk)
        return Granted(merchant, key, key_secret, endpoint, secret)


def refusal() -> Refused:
    """The same for one that never was, one nobody consented to, a wrong code or verifier, and one that is over."""
    return Refused("pairing_refused", _("This code doesn't work, or no longer works. Start again."), status=403)


def _fits(pairing: Pairing, code: str, verifier: str) -> bool:
    challenge = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    right = hmac.compare_digest(_digest(code), pairing.code) & hmac.compare_digest(challenge, pairing.challenge)
    return right and pairing.expires_at > clock.now()


def _digest(code: str) -> str:
    return sha256(code.encode()).hexdigest()


def _check(url: str, field: str) -> None:
    """By the guard of webhooks: nothing inside our own network, however it is written."""
    try:
        transport.check(url)
    except Refused as refused:
        raise Refused(refused.code, refused.message, field=field, status=422) from None


def check_origin(origin: str, field: str) -> None:
    """Refused unless it is a public origin, and nothing more."""
    _check(origin, field)
    if origin.count("/") != 2 or "?" in origin:
        message = _("Write scheme and host alone, like https://shop.example.")
        raise Refused("url_not_allowed", message, field=field, status=422)


def _with(known: list[str], more: list[str]) -> list[str]:
    return [*known, *(origin for origin in more if not registered(origin, known))]
