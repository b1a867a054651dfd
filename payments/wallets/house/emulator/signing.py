"""The shop's side of the secret, written apart from friendpay's, as a shop's developer would."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

TOLERANCE = 300


class Wrong(Exception):
    """The shop says no: an HTTP status, a code and words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message}


def key_of(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"), validate=True)


def signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    mac = hmac.new(key, b".".join([message_id.encode(), timestamp.encode(), body]), hashlib.sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


def check_message(key: bytes, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """The id of a message that friendpay signed just now."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not timestamp.isdecimal():
        raise Wrong(401, "not_signed", "This message is not signed.")
    if abs(now - int(timestamp)) > TOLERANCE:
        raise Wrong(401, "timestamp", "This message is too old, or from the future.")
    expected = signature(key, message_id, timestamp, body)
    if not any(hmac.compare_digest(expected, one) for one in headers.get("webhook-signature", "").split(" ")):
        raise Wrong(401, "signature", "The signature does not fit.")
    return message_id


def read_link(key: bytes, token: str) -> dict[str, Any]:
    """What a payer's link says, once its signature fits."""
    payload, _, given = token.partition(".")
    expected = hmac.new(key, b"link." + payload.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise Wrong(403, "signature", "This link was tampered with.")
    says: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return says
