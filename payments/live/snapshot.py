"""The public snapshot of a request: one, the same on the socket and in status.json. Pushed to the sockets of all
processes by PUBLISH, through Channels' pub/sub layer.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from friendpay.kit import clock
from friendpay.kit.background import run_later
from friendpay.kit.keys import among
from payments.live import layer
from payments.models import Payment, PaymentRequest


def group(token: str) -> str:
    """The channel group of a request."""
    return f"p.{token}"


def snapshot(request: PaymentRequest, now: datetime | None = None) -> dict[str, Any]:
    """A request as anybody with its link may see it. `seq` never goes back; nothing a payer should not see is in it."""
    return snapshots([request], now)[request.token]


def snapshots(requests: Iterable[PaymentRequest], now: datetime | None = None) -> dict[str, dict[str, Any]]:
    """The same of many, by their tokens. One question to the database however many they are, and none where nothing is
    held; one more where nobody says what time it is.
    """
    now, requests = now or clock.now(), list(requests)
    holders = _holders([request.pk for request in requests if request.amount_held], now)
    return {
        request.token: {
            "seq": request.seq,
            "status": request.status_at(now),
            "currency": request.currency,
            "amount": request.amount,
            "amount_paid": request.amount_paid,
            "amount_held": request.amount_held,
            "expires_at": clock.rfc3339(request.expires_at),
            "seconds_left": max(0, int((request.expires_at - now).total_seconds())),
            "holders": holders.get(request.pk, []),
        }
        for request in requests
    }


def _holders(requests: list[int], now: datetime) -> Mapping[int, list[dict[str, Any]]]:
    holders: dict[int, list[dict[str, Any]]] = defaultdict(list)
    if requests:
        held = Payment.objects.filter(request__in=requests, held_until__gt=now).values_list(
            "request_id", "payer_name", "held_until", "created_at", "amount"
        )
        for request_id, name, held_until, created_at, amount in held:
            left = int((held_until - now).total_seconds()) if held_until else 0
            since = int((now - created_at).total_seconds())
            holders[request_id].append({"name": name, "amount": amount, "seconds_left": left, "seconds_held": since})
    return holders


def push(*requests: PaymentRequest, now: datetime | None = None) -> None:
    """Show the new state of these requests to whoever looks at one. Called after the commit, with the rows as they were
    written; they are not read again. All that is pushed within a moment, and all of one call, is one round trip on a
    thread of its own. May be lost: sockets are told within three seconds all the same, and polling shows it.
    """
    shown = snapshots(requests, now)
    with _lock:
        for token, state in shown.items():
            if token not in _unsent or _unsent[token]["seq"] < state["seq"]:
                _unsent[token] = state  # of two states of one request the newer is enough
    run_later("live", _send)


def push_all(request_ids: list[int]) -> None:
    """The same for many, of which few are looked at: those alone are read, on the thread that tells of them."""
    run_later("live", lambda: _push_watched(request_ids))


def _push_watched(request_ids: list[int]) -> None:
    """On the job thread, which keeps no connection to the database."""
    try:
        requests = PaymentRequest.objects.filter(pk__in=among(request_ids))
        tokens = {group(token): token for token in requests.values_list("token", flat=True)}
        if watched := [tokens[name] for name in layer.watched(tokens)]:
            push(*PaymentRequest.objects.filter(token__in=watched))
    finally:
        connection.close()


_unsent: dict[str, dict[str, Any]] = {}
_lock = threading.Lock()


def _send() -> None:
    """On the job thread."""
    global _unsent
    with _lock:
        shown, _unsent = _unsent, {}
    if shown:
        layer.send({group(token): {"type": "snapshot", "snapshot": state} for token, state in shown.items()})
