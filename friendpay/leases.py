"""Taking work from a table: whoever takes a row sets when it is due again, commits, and then works without a lock.

A worker that dies leaves the row to the next sweep; two workers never have the same row at once, as long as the work is
shorter than the wait (with the usual delays, two calls to a provider, of eight seconds at most).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

DELAYS = tuple(timedelta(seconds=s) for s in (20, 20, 30, 60, 120, 300, 600, 1800, 3600))


def growing(attempts: int) -> timedelta:
    """How long to wait after so many attempts: seconds at first, an hour in the end, for ever."""
    return DELAYS[min(attempts, len(DELAYS) - 1)]


@transaction.atomic
def take(due: QuerySet[Any], now: datetime, limit: int, wait: Callable[[Any], timedelta] | None = None) -> list[Any]:
    """Up to `limit` rows of `due` that nobody else has, counted and put off. Rows need attempts and next_attempt_at."""
    rows = list(due.order_by("next_attempt_at").select_for_update(of=("self",), skip_locked=True, no_key=True)[:limit])
    for row in rows:
        row.attempts += 1
        row.next_attempt_at = now + (wait(row) if wait else growing(row.attempts - 1))
    due.model._default_manager.bulk_update(rows, ["attempts", "next_attempt_at"])
    return rows
