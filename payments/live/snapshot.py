"""The public snapshot of a request: one, the same on the socket and in status.json."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from channels.layers import get_channel_layer

from friendpay.kit import clock
from friendpay.kit.background import run_later
from payments.models import Payment, PaymentRequest

_own = threading.local()


def group(token: str) -> str:
    """The channel group of a request."""
    return f"p.{token}"


def snapshot(request: PaymentRequest, now: datetime | None = None) -> dict[str, Any]:
    """A request as anybody with its link may see it. `seq` never goes back; nothing a payer should not see is in it."""
    return snapshots([request], now)[request.token]


def snapshots(requests: Iterable[PaymentRequest], now: datetime | None = None) -> dict[str, dict[str, Any]]:
    """The same of many, by their tokens, with two questions to the database however many they are."""
    now, requests = now or clock.now(), list(requests)
    held = Payment.objects.filter(request__in=requests, held_until__gt=now).values_list(
        "request_id", "payer_name", "held_until", "created_at", "amount"
    )
    holders: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for request_id, name, held_until, created_at, amount in held:
        left = int((held_until - now).total_seconds()) if held_until else 0
        since = int((now - created_at).total_seconds())
        holders[request_id].append({"name": name, "amount": amount, "seconds_left": left, "seconds_held": since})
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
            "holders": holders[request.pk],
        }
        for request in requests
    }


def push(request_id: int) -> None:
    """Show the request's new state to whoever is looking. Called after the commit; may be lost, and then polling shows
    it.
    """
    request = PaymentRequest.objects.get(pk=request_id)
    message = {"type": "snapshot", "snapshot": snapshot(request)}
    run_later("live", lambda: _publish(group(request.token), message))


def _publish(to: str, message: dict[str, Any]) -> None:
    """On the job thread, which keeps one event loop and with it one connection."""
    if not hasattr(_own, "loop"):
        _own.loop = asyncio.new_event_loop()
    layer = get_channel_layer()
    _own.loop.run_until_complete(asyncio.wait_for(layer.group_send(to, message), 1))
