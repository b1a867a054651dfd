"""What the shop takes from friendpay: links and calls of exactly the form the protocol gives them."""

import json
from collections.abc import Mapping
from typing import Any

from friendpay.demo.emulation.messages import Request
from payments.wallets.house.emulator.signing import TOLERANCE, Wrong, check_message, read_link

LINK = {
    "account": str,
    "live": bool,
    "reference": str,
    "amount": int,
    "currency": str,
    "expires": int,
    "nonce": str,
    "description": str,
    "locale": str,
    "return_url": str,
    "cancel_url": str,
    "notify_url": str,
}
REFUND = {"reference": str, "capture": str, "amount": int, "currency": str, "reason": str}
CALLS: dict[str, dict[str, type]] = {
    "ping": {},
    "payment.get": {"reference": str},
    "payment.close": {"reference": str},
    "refund.create": REFUND,
    "refund.get": {"reference": str},
    "dispute.get": {"number": str},
    "bill.get": {"day": str, "after": str},
    "test.capture": {"reference": str},
    "test.dispute": {"reference": str},
}
EVERY_CALL = {"type": str, "account": str, "live": bool}


class Doorkeeper:
    """Lets in what friendpay signed, once, and not long ago."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self._seen: dict[str, float] = {}

    def call(self, request: Request, now: float) -> dict[str, Any]:
        """A call, checked. An id is remembered for as long as its timestamp could be taken."""
        message_id = check_message(self.key, request.headers, request.body, now)
        self._seen = {name: until for name, until in self._seen.items() if until > now}
        if message_id in self._seen:
            raise Wrong(409, "replayed", "This call was made before.")
        self._seen[message_id] = now + 2 * TOLERANCE
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            raise Wrong(415, "content_type", "A call is JSON.")
        said = _object(request.body)
        if said.get("type") not in CALLS:
            raise Wrong(422, "type", "There is no such call.")
        conform(said, EVERY_CALL | CALLS[said["type"]])
        return said

    def link(self, token: str) -> dict[str, Any]:
        try:
            says = read_link(self.key, token)
        except ValueError:
            raise Wrong(403, "malformed", "This is no link of friendpay's.") from None
        conform(says, LINK)
        if says["live"]:
            raise Wrong(403, "mode", "No real money is taken here.")
        return says


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body.decode())
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise Wrong(400, "malformed", "The body is no JSON object.")
    return said


def conform(said: Mapping[str, object], form: Mapping[str, type]) -> None:
    """Every field there, none besides, each of its type; text that is not empty but where it may be."""
    if said.keys() != form.keys():
        raise Wrong(422, "fields", f"Expected {', '.join(form)}; got {', '.join(said)}.")
    for name, kind in form.items():
        value = said[name]
        if type(value) is not kind or (value == "" and name not in ("after", "reason", "description")):
            raise Wrong(422, "field", f"{name} is not as it should be.")
