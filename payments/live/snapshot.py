"""The public snapshot of a request: one, the same on the socket and in status.json. Pushed to the sockets of all
processes by PUBLISH, through Channels' pub/sub layer.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from friendpay.kit import clock
from friendpay.kit.background import run_later
from friendpay.kit.keys import among
from friendpay.kit.reads_ahead import Readers
from payments.live import layer
from payments.models import Payment, PaymentRequest

Snapshot = dict[str, Any]
_Holder = tuple[str, int, datetime, datetime | None]

_NEWER = """
    SELECT request.token, request.seq, request.status, request.currency, request.amount, request.amount_paid,
        request.amount_held, request.expires_at, clock_timestamp(),
        payment.payer_name, payment.amount, payment.created_at, payment.held_until
    FROM unnest(%s::text[], %s::bigint[]) AS seen (token, seq)
    JOIN payments_paymentrequest AS request ON request.token = seen.token AND request.seq > seen.seq
    LEFT JOIN payments_payment AS payment ON payment.request_id = request.id AND payment.held_until IS NOT NULL
    ORDER BY payment.id
"""


@dataclass(frozen=True)
class Shown:
    """A state as sockets are sent it."""

    seq: int
    text: str

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Shown":
        return cls(snapshot["seq"], json.dumps(snapshot))


def group(token: str) -> str:
    """The channel group of a request."""
    return f"p.{token}"


def snapshot(request: PaymentRequest, now: datetime | None = None) -> Snapshot:
    """A request as anybody with its link may see it. `seq` never goes back; nothing a payer should not see is in it."""
    return snapshots([request], now)[request.token]


def snapshots(
    requests: Iterable[PaymentRequest], now: datetime | None = None, held: Iterable[Payment] | None = None
) -> dict[str, Snapshot]:
    """The same of many, by their tokens. One question to the database however many they are, and none where nothing is
    held, or what is held is known; one more where nobody says what time it is.
    """
    now, requests = now or clock.now(), list(requests)
    holders: dict[int, list[_Holder]] = defaultdict(list)
    if held is None and any(request.amount_held for request in requests):
        held = Payment.objects.filter(request__in=requests, held_until__isnull=False).order_by("pk")
    for payment in held or ():
        holder = (payment.payer_name, payment.amount, payment.created_at, payment.held_until)
        holders[payment.request_id].append(holder)
    return {request.token: _snapshot(request, holders[request.pk], now) for request in requests}


def read(token: str) -> Snapshot | None:
    """The same of one that is read by one statement; None where there is no such request."""
    return _read({token: -1}).get(token)


async def read_ahead(token: str, readers: Readers) -> Snapshot | None:
    """The same on the event loop. Raises psycopg.Error or TimeoutError."""
    return _made(await readers.all(_NEWER, [[token], [-1]])).get(token)


def newer(seen: Mapping[str, int]) -> dict[str, Shown]:
    """The states of those requests that have a higher `seq` than was seen, by their tokens, with one statement."""
    return {token: Shown.of(snapshot) for token, snapshot in _read(seen).items()}


def _read(seen: Mapping[str, int]) -> dict[str, Snapshot]:
    with connection.cursor() as cursor:
        cursor.execute(_NEWER, [list(seen), list(seen.values())])
        return _made(cursor.fetchall())


def _made(rows: Iterable[tuple[Any, ...]]) -> dict[str, Snapshot]:
    found: dict[str, PaymentRequest] = {}
    holders: dict[str, list[_Holder]] = defaultdict(list)
    now = None
    for token, seq, status, currency, amount, paid, held, expires_at, moment, *holder in rows:
        now = now or clock.told(moment)
        found[token] = PaymentRequest(
            token=token,
            seq=seq,
            status=status,
            currency=currency,
            amount=amount,
            amount_paid=paid,
            amount_held=held,
            expires_at=expires_at,
        )
        if holder[-1]:
            holders[token].append(tuple(holder))
    return {token: _snapshot(request, holders[token], now) for token, request in found.items()} if now else {}


def _snapshot(request: PaymentRequest, holders: Iterable[_Holder], now: datetime) -> Snapshot:
    return {
        "seq": request.seq,
        "status": request.status_at(now),
        "currency": request.currency,
        "amount": request.amount,
        "amount_paid": request.amount_paid,
        "amount_held": request.amount_held,
        "expires_at": clock.rfc3339(request.expires_at),
        "seconds_left": max(0, int((request.expires_at - now).total_seconds())),
        "holders": [
            {
                "name": name,
                "amount": amount,
                "seconds_left": int((held_until - now).total_seconds()),
                "seconds_held": int((now - created_at).total_seconds()),
            }
            for name, amount, created_at, held_until in holders
            if held_until and held_until > now
        ],
    }


def push(*requests: PaymentRequest, now: datetime | None = None, held: Iterable[Payment] | None = None) -> None:
    """Show the new state of these requests to whoever looks at one. Called after the commit, with the rows as they were
    written, and with what is `held` where that is known; they are not read again. All that is pushed within a moment,
    and all of one call, is one round trip on a thread of its own. May be lost: sockets are told within three seconds
    all the same, and polling shows it.
    """
    states = {token: Shown.of(snapshot) for token, snapshot in snapshots(requests, now, held).items()}
    with _lock:
        for token, shown in states.items():
            if token not in _unsent or _unsent[token].seq < shown.seq:
                _unsent[token] = shown  # of two states of one request the newer is enough
    run_later("live", _send)


def push_all(request_ids: list[int]) -> None:
    """The same for many, of which few are looked at: those alone are read, on the thread that tells of them."""
    run_later("live", lambda: _push_watched(request_ids))


def _push_watched(request_ids: list[int]) -> None:
    """On the job thread."""
    requests = PaymentRequest.objects.filter(pk__in=among(request_ids))
    tokens = {group(token): token for token in requests.values_list("token", flat=True)}
    if watched := [tokens[name] for name in layer.watched(tokens)]:
        push(*PaymentRequest.objects.filter(token__in=watched))


_unsent: dict[str, Shown] = {}
_lock = threading.Lock()


def _send() -> None:
    """On the job thread."""
    global _unsent
    with _lock:
        states, _unsent = _unsent, {}
    if states:
        layer.send(
            {
                group(token): {"type": "snapshot", "token": token, "seq": shown.seq, "text": shown.text}
                for token, shown in states.items()
            }
        )
