"""Events, and how they are signed: HMAC-SHA256 over the time, a dot and the very bytes that are sent."""

import hashlib
import hmac
from collections.abc import Sequence
from copy import deepcopy

from friendpay.demo.emulation.base import token
from friendpay.demo.emulation.messages import Request
from payments.wallets.stripe.emulator.things import Thing

API_VERSION = "2026-10-28.endive"


def new_event(kind: str, thing: Thing, now: int, caused_by: Request | None) -> Thing:
    """What happened, with the thing as it is at this moment. `caused_by` is the call of the API, if it was one."""
    return {
        "id": f"evt_{token()}",
        "object": "event",
        "api_version": API_VERSION,
        "created": now,
        "data": {"object": deepcopy(thing)},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {
            "id": f"req_{token(14)}" if caused_by else None,
            "idempotency_key": caused_by.headers.get("idempotency-key") if caused_by else None,
        },
        "type": kind,
    }


def signed_headers(body: bytes, secrets: Sequence[str], stamp: int) -> dict[str, str]:
    """One v1 signature for each secret, as while a shop rolls its secret; in test mode a v0 that means nothing."""
    signatures = [f"v1={_sign(body, secret, stamp)}" for secret in secrets]
    return {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": ",".join([f"t={stamp}", *signatures, f"v0={_sign(body, 'v0', stamp)}"]),
        "User-Agent": "Stripe/1.0 (simulated)",
    }


def _sign(body: bytes, secret: str, stamp: int) -> str:
    return hmac.new(secret.encode(), str(stamp).encode() + b"." + body, hashlib.sha256).hexdigest()
