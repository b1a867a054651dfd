"""How much work it is to be helped: when each shared request came how far, without saying anything about people.

Written beside the work and never in its way: steps are gathered and stored by a thread of their own, all that were
taken within a moment at once, and what cannot be stored is dropped. Two exceptions: what is recorded within a
transaction is stored with it, and the first step of a request that is made with its order (`first`) is a part of the
statement that writes both.
"""

import logging
import threading
import time
from datetime import datetime
from typing import NamedTuple

from django.db import DatabaseError, connection, transaction

from friendpay.kit import background, clock, limits
from payments.models import PaymentRequest, Step

logger = logging.getLogger(__name__)

Kind = Step.Kind

Taken = tuple[Kind, str, str, datetime | None]
"""How far, with which wallet, on what surface, and when where that is not now."""

_STORE = """
    INSERT INTO payments_step (merchant_id, request_id, kind, method, surface, at)
    SELECT request.merchant_id, request.id, taken.kind, taken.method, taken.surface,
        coalesce(taken.at, clock_timestamp() - make_interval(secs => taken.ago))
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::float8[])
        AS taken (request, kind, method, surface, at, ago)
    JOIN payments_paymentrequest AS request ON request.id = taken.request
    ON CONFLICT DO NOTHING
"""
_PURGE = "DELETE FROM payments_step WHERE id IN (SELECT id FROM payments_step WHERE at < %s LIMIT %s)"


def record(
    kind: Kind, request: PaymentRequest, *, method: str = "", surface: str = "", at: datetime | None = None
) -> None:
    """A shared request came so far, now or at `at`. Only the first time counts. Never raises; a buyer who was to pay
    herself is not counted.
    """
    record_all(request, (kind, method, surface, at))


def record_all(request: PaymentRequest, *steps: Taken) -> None:
    """The same of several, by one statement."""
    if not request.shared_at:
        return
    now = time.monotonic()
    rows = [_Waiting(request.pk, str(kind), method, surface, at, now) for kind, method, surface, at in steps]
    if connection.in_atomic_block:
        try:
            with transaction.atomic():
                _store(rows)
        except DatabaseError as error:
            logger.warning("how far %s came was not stored: %s", request, error)
        return
    with _lock:
        _waiting.extend(rows)
    background.run_later("steps", _store_waiting)


class _Waiting(NamedTuple):
    """A step on its way to its row; `since` is when it was taken, by this process's clock."""

    request_id: int
    kind: str
    method: str
    surface: str
    at: datetime | None
    since: float


_waiting: list[_Waiting] = []
_lock = threading.Lock()


def _store_waiting() -> None:
    """On the job thread; of all that come meanwhile, one job finds something to do."""
    global _waiting
    if _waiting:
        time.sleep(limits.STEPS_GATHERED_SECONDS)
        with _lock:
            rows, _waiting = _waiting, []
        _store(rows)


def _store(rows: list[_Waiting]) -> None:
    now = time.monotonic()
    columns = zip(*(row._replace(since=now - row.since) for row in rows), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [list(column) for column in columns])


def first(kind: Kind, request: PaymentRequest, *, surface: str, at: datetime) -> Step:
    """The step of a request that is new itself, to be written with it: nobody can have told it before."""
    return Step(merchant_id=request.merchant_id, request=request, kind=kind, surface=surface, at=at)


def purge() -> None:
    """Forget what is older than the meter looks back."""
    before = clock.now() - limits.STEPS_KEPT_FOR
    with connection.cursor() as cursor:
        deleted = limits.STEPS_BATCH_ROWS
        while deleted == limits.STEPS_BATCH_ROWS:
            cursor.execute(_PURGE, [before, limits.STEPS_BATCH_ROWS])
            deleted = cursor.rowcount
