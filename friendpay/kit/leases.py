"""Leases on rows of work (SKIP LOCKED): take a row, set when it is due again, commit, then work without a lock.

A row is taken just before it is worked on, never with others that then wait behind it. A worker that dies leaves it to
the next sweep; two workers never have the same row at once, as long as the work is shorter than the wait.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from friendpay.kit import clock, limits

logger = logging.getLogger(__name__)


Wait = Callable[[Any], timedelta]


def growing(attempts: int) -> timedelta:
    """How long to wait after so many attempts: seconds at first, an hour in the end, for ever."""
    return limits.RETRY_DELAYS[min(attempts, len(limits.RETRY_DELAYS) - 1)]


@transaction.atomic
def take(due: QuerySet[Any], limit: int, wait: Wait | None = None) -> list[Any]:
    """Up to `limit` rows of `due` that nobody else has, counted and put off. Rows need attempts and next_attempt_at."""
    rows = list(due.order_by("next_attempt_at").select_for_update(of=("self",), skip_locked=True, no_key=True)[:limit])
    now = clock.now()
    for row in rows:
        row.attempts += 1
        row.next_attempt_at = now + (wait(row) if wait else growing(row.attempts - 1))
    due.model._default_manager.bulk_update(rows, ["attempts", "next_attempt_at"])
    return rows


def attempt(row: Any, work: Callable[[Any], object], *, foreseen: tuple[type[Exception], ...] = ()) -> bool:
    """Do `work` on a row that was taken; whether it went well. Whatever goes wrong is written on the row (`error`) and
    logged, and stops no other row: this one comes again when it is due. What is not `foreseen` is logged in full.
    """
    try:
        work(row)
    except Exception as error:
        name = row._meta.verbose_name
        logger.warning("%s %s: %s", name, row, error, exc_info=not isinstance(error, foreseen))
        said = f"{type(error).__name__}: {error}"[:300]
    else:
        said = ""
    if row.error != said:
        row.error = said
        type(row)._default_manager.filter(pk=row.pk).update(error=said)
    return not said
