"""Heartbeat of background work: every queue's worker signs a row each twenty seconds, as the scheduler tells it to. The
worker that checks the books notes what it found.
"""

from friendpay.kit import clock, limits
from payments.models import Beat, LedgerCheck

QUEUES = ("celery", "calls")


def sign(queue: str) -> None:
    """The scheduler beats, and a worker of this queue lives."""
    beat = Beat(queue=queue, at=clock.Now())  # one statement: most of what a stack at rest does is this
    Beat.objects.bulk_create([beat], update_conflicts=True, unique_fields=["queue"], update_fields=["at"])


def late() -> list[str]:
    """The queues of which nothing was seen for a minute, or ever."""
    alive = Beat.objects.filter(at__gt=clock.now() - limits.BEAT_LATE_AFTER).values_list("queue", flat=True)
    return [queue for queue in QUEUES if queue not in set(alive)]


def note_ledger(findings: int) -> None:
    """The books were checked just now, and are wrong in so many places."""
    LedgerCheck.objects.update_or_create(pk=1, defaults={"at": clock.now(), "findings": findings})
