"""How much work it is to be helped: when each shared request came how far, without saying anything about people.

Written beside the work and never in its way: a step that cannot be stored is dropped. The one exception is the
first step of a request that is made with its order (`first`): a part of the statement that writes both.
"""

import logging
from contextlib import nullcontext
from datetime import datetime

from django.db import DatabaseError, connection, transaction

from friendpay.kit import clock, limits, prepared
from payments.models import PaymentRequest, Step

logger = logging.getLogger(__name__)

Kind = Step.Kind

Taken = tuple[Kind, str, str, datetime | None]
"""How far, with which wallet, on what surface, and when where that is not now."""

_STORE = (
    "INSERT INTO payments_step (merchant_id, request_id, kind, method, surface, at) VALUES {} ON CONFLICT DO NOTHING"
)
_ROW = "(%s, %s, %s, %s, %s, coalesce(%s, clock_timestamp()))"
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
    rows = [value for step in steps for value in (request.merchant_id, request.pk, *step)]
    try:
        with transaction.atomic() if connection.in_atomic_block else nullcontext(), prepared.cursor() as cursor:
            cursor.execute(_STORE.format(", ".join([_ROW] * len(steps))), rows)
    except DatabaseError as error:
        logger.warning("how far %s came was not stored: %s", request, error)


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
