"""Webhooks (Standard Webhooks): believe nothing of a message before `verify` has given it back.

`sign` does what friendpay does, for tests of your own receiver and for `friendpay listen`.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets as random
import time
from collections.abc import Iterable, Mapping
from typing import cast

from friendpay_client.errors import FriendpayError
from friendpay_client.types import WebhookMessage

TOLERANCE = 300
"""Seconds that a message may be old, or ahead of this machine's clock."""


class WebhookRefused(FriendpayError):
    """The message is not friendpay's, or too old: answer 400 and do nothing."""


def verify(
    body: bytes,
    headers: Mapping[str, str],
    secrets: str | Iterable[str],
    *,
    tolerance: float = TOLERANCE,
    now: float | None = None,
) -> WebhookMessage:
    """The message, if it was signed with one of the secrets (during a rotation there are two) and is no older than
    `tolerance` seconds. `body` is what arrived, to the byte. Raises WebhookRefused.
    """
    told = {name.lower(): value for name, value in headers.items()}
    message, moment, signatures = (told.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (message and moment.isdecimal() and signatures):
        raise WebhookRefused("the headers webhook-id, webhook-timestamp and webhook-signature are missing")
    if abs((time.time() if now is None else now) - int(moment)) > tolerance:
        raise WebhookRefused("the message is too old, or this machine's clock is wrong")
    sent = [it.partition(",")[2].encode() for it in signatures.split(" ") if it.startswith("v1,")]
    for secret in [secrets] if isinstance(secrets, str) else secrets:
        own = _signature(body, secret, message, moment)
        if any(hmac.compare_digest(own, it) for it in sent):
            return cast("WebhookMessage", json.loads(body))
    raise WebhookRefused("no signature fits: the secret is another one, or the body was changed on its way")


def sign(body: bytes, secret: str, message_id: str, *, now: float | None = None) -> dict[str, str]:
    """The headers that friendpay would send with this body."""
    moment = str(int(time.time() if now is None else now))
    signature = "v1," + _signature(body, secret, message_id, moment).decode()
    return {"webhook-id": message_id, "webhook-timestamp": moment, "webhook-signature": signature}


def new_secret() -> str:
    """One as friendpay makes them."""
    return "whsec_" + base64.b64encode(random.token_bytes(32)).decode()


def _signature(body: bytes, secret: str, message: str, moment: str) -> bytes:
    return base64.b64encode(hmac.digest(_bytes(secret), f"{message}.{moment}.".encode() + body, hashlib.sha256))


def _bytes(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook secret is whsec_ and base64") from error
    if len(key) < 16:  # an empty setting would let everybody sign
        raise ValueError("a webhook secret has at least 16 bytes")
    return key
