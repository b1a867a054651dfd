"""HMAC-SHA256 signatures of the Standard Webhooks specification: over the id, the time and the body of a message."""

import base64
import binascii
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

from friendpay.kit import limits

PREFIX = "whsec_"


def new_secret() -> str:
    """A secret as receivers' libraries take it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(limits.WEBHOOK_SECRET_BYTES)).decode()


def headers(keys: Sequence[str], message_id: str, at: datetime, body: str) -> dict[str, str]:
    """What a message carries: signed with every key given, so that a receiver who knows any of them is content.

    The library would sign with a key of one byte, and would take a time of another zone for UTC: both end here.
    """
    if at.tzinfo is None:
        raise ValueError("a time without a zone cannot be signed")
    at = at.astimezone(UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(_bytes(key)).sign(message_id, at, body) for key in keys),
    }


def _bytes(key: str) -> bytes:
    try:
        value = base64.b64decode(key.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook secret is base64") from error
    if len(value) != limits.WEBHOOK_SECRET_BYTES:
        raise ValueError(f"a webhook secret has {limits.WEBHOOK_SECRET_BYTES} bytes")
    return value
