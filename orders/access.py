"""Access to personal data, put on record."""

from datetime import datetime

from friendpay.kit import clock
from orders.models import Access


def note(who: str, kind: str, about: str, *, merchant_id: int | None = None, reason: str = "") -> None:
    """Write down that somebody saw it: one row for each look."""
    Access.objects.create(
        at=clock.now(), who=who[:150], kind=kind, about=about[:200], reason=reason[:200], merchant_id=merchant_id
    )


def purge(before: datetime) -> int:
    """Forget what is older; says how many rows."""
    return Access.objects.filter(at__lt=before).delete()[0]
