"""The one secret, and what it signs: messages in both directions, as Standard Webhooks has it, and the payer's link.

A message's signature is over `id.timestamp.body`, a link's over `link.payload`. Since a timestamp is a number and a
payload is none, neither can ever pass for the other.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from payments.wallets.base import Account, ProviderError

PREFIX = "whsec_"
SHORTEST_KEY, LONGEST_KEY = 32, 64  # bytes
TOLERANCE = 300  # seconds that a message's timestamp may be off, either way

_SECONDS = re.compile(r"[0-9]{1,11}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}", re.ASCII)


class Unverified(Exception):
    """The message is not the gateway's, or not of now."""


def key_of(account: Account) -> bytes:
    """The account's secret. Raises ProviderError where there is none that is good enough."""
    secret = account.config.get("secret", "")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        words = f"the secret must be {PREFIX} and {SHORTEST_KEY} to {LONGEST_KEY} bytes in base64"
        raise ProviderError(words, permanent=True, code="configuration")
    return key


def headers(key: bytes, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """What a message carries."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{_signature(key, message_id, str(timestamp), body)}",
    }


def verify(key: bytes, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The id of a genuine message. Any of several signatures will do, as while a secret is changed."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not _ID.fullmatch(message_id) or not _SECONDS.fullmatch(timestamp):
        raise Unverified("not signed")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE:
        raise Unverified("too old, or from the future")
    expected = f"v1,{_signature(key, message_id, timestamp, body)}".encode()
    given = headers.get("webhook-signature", "").encode("utf-8", "replace").split(b" ")
    if not any([hmac.compare_digest(expected, one) for one in given]):
        raise Unverified("the signature does not fit")
    return message_id


def _signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    text = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()


def token(key: bytes, says: Mapping[str, Any]) -> str:
    """What a payer's link carries: the payload, a dot, and its signature in hexadecimal digits."""
    text = json.dumps(says, separators=(",", ":")).encode()
    payload = base64.urlsafe_b64encode(text).rstrip(b"=").decode()
    return f"{payload}.{hmac.digest(key, f'link.{payload}'.encode(), hashlib.sha256).hex()}"


def nonce(key: bytes, reference: str) -> str:
    """A payment's own: its link is the same however often it is made, and no other link of it is genuine."""
    return hmac.digest(key, f"nonce.{reference}".encode(), hashlib.sha256).hex()[:32]
