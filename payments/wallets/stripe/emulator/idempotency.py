"""Stripe's idempotency keys: the answer to a POST is kept for a day, and given again to the same call."""

import json
from datetime import timedelta
from urllib.parse import parse_qsl

from friendpay.demo.emulation.messages import Request
from friendpay.demo.emulation.notifier import Clock
from payments.wallets.stripe.emulator.requests import Wrong

KEYS_LIVE = timedelta(hours=24)
LONGEST_KEY = 255


def check(request: Request) -> None:
    """Whether the key may be one."""
    if len(_key(request)) > LONGEST_KEY:
        raise Wrong("Idempotency keys have at most 255 characters.", kind="idempotency_error")


class Answers:
    """By key: the call, and what it was answered."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._kept: dict[str, tuple[str, int, bytes, float]] = {}

    def keep(self, request: Request, status: int, body: bytes) -> None:
        """Under the call's key, if it has one; in place of what was kept there."""
        if request.method == "POST" and _key(request):
            self._kept[_key(request)] = (_fingerprint(request), status, body, self.clock.monotonic())

    def given(self, request: Request) -> tuple[int, bytes] | None:
        """What this very call was answered before. Another call under its key is refused."""
        oldest = self.clock.monotonic() - KEYS_LIVE.total_seconds()
        self._kept = {key: kept for key, kept in self._kept.items() if kept[3] > oldest}
        key = _key(request)
        if request.method != "POST" or key not in self._kept:
            return None
        call, status, body, _since = self._kept[key]
        if call != _fingerprint(request):
            words = (
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request."
            )
            raise Wrong(words, kind="idempotency_error")
        return status, body


def _key(request: Request) -> str:
    return request.headers.get("idempotency-key", "")


def _fingerprint(request: Request) -> str:
    return json.dumps([request.operation, sorted(parse_qsl(request.body.decode(), keep_blank_values=True))])
