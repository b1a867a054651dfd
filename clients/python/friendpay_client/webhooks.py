"""Verifying webhooks (Standard Webhooks): believe nothing of a message before `verify` has given it back."""

import base64
import binascii
import hashlib
import hmac
import json
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
    signed = f"{message}.{moment}.".encode() + body
    sent = [it.partition(",")[2].encode() for it in signatures.split(" ") if it.startswith("v1,")]
    for secret in [secrets] if isinstance(secrets, str) else secrets:
        own = base64.b64encode(hmac.digest(_bytes(secret), signed, hashlib.sha256))
        if any(hmac.compare_digest(own, it) for it in sent):
            return cast("WebhookMessage", json.loads(body))
    raise WebhookRefused("no signature fits: the secret is another one, or the body was changed on its way")


def _bytes(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook secret is whsec_ and base64") from error
    if len(key) < 16:  # an empty setting would let everybody sign
        raise ValueError("a webhook secret has at least 16 bytes")
    return key
