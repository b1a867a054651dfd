"""Makes things happen from a process of its own, as friendpay's workers do: one JSON line in, one JSON line out.

    python -m bench.speed.driver ours | bare | sweep

`ours` and `bare` publish states of requests: {"tokens": [...], "number": n, "rate": r, "seq": s}; back come the moments
at which each was published. `sweep` ends what is stale for {"seconds": s}; back comes how long it was at it.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any

Publish = Callable[[str, int], None]


def publish(job: dict[str, Any], tell: Publish) -> list[tuple[int, int, float]]:
    """So many messages to the tokens in turn, evenly over the time: the token's place, the `seq`, and when."""
    sent: list[tuple[int, int, float]] = []
    began = time.monotonic()
    tokens: Sequence[str] = job["tokens"]
    for number, (place, token) in enumerate(islice(cycle(enumerate(tokens)), job["number"])):
        time.sleep(max(0.0, began + number / job["rate"] - time.monotonic()))
        seq = job["seq"] + number // len(tokens)
        sent.append((place, seq, time.monotonic()))
        tell(token, seq)
    return sent


def ours() -> Publish:
    """By the function that every change calls after its commit."""
    from payments.live import snapshot
    from payments.models import PaymentRequest

    known: dict[str, PaymentRequest] = {}

    def tell(token: str, seq: int) -> None:
        if token not in known:
            known[token] = PaymentRequest.objects.get(token=token)
        known[token].seq = seq
        snapshot.push(known[token])

    return tell


def bare() -> Publish:
    """Straight to Valkey, as much as a state is."""
    from redis import Redis

    valkey = Redis.from_url(os.environ["REDIS_URL"])
    state = {"status": "open", "currency": "CNY", "amount": 9000, "amount_paid": 0, "amount_held": 0, "holders": []}
    state |= {"expires_at": "2026-11-27T12:00:00Z", "seconds_left": 86_400}

    def tell(token: str, seq: int) -> None:
        valkey.publish(f"hub.{token}", json.dumps({"seq": seq, **state}))

    return tell


def sweep(seconds: float) -> float:
    """The task that beat asks for, again and again until nothing is stale or the time is over."""
    from django.db import connection

    from friendpay.kit import clock
    from payments.models import PaymentRequest
    from payments.tasks import sweep_requests

    connection.ensure_connection()
    began = time.monotonic()
    while time.monotonic() < began + seconds and PaymentRequest.objects.due_for_expiry(clock.now()).exists():
        sweep_requests()
    return time.monotonic() - began


def main(who: str) -> None:
    if who != "bare":
        import django

        django.setup()
    tell = {"ours": ours, "bare": bare}[who]() if who != "sweep" else None
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps(publish(job, tell) if tell else sweep(job["seconds"])), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
