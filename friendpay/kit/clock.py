"""The current time, which is PostgreSQL's: a worker whose clock is ten minutes off changes nothing."""

from collections.abc import Callable
from datetime import datetime

from django.db.models import DateTimeField, Func

from friendpay.kit import prepared


class Now(Func):
    """The time within a query of its own work, so that asking for it is no round trip; its answer goes by `told`."""

    function = "clock_timestamp"
    output_field = DateTimeField()


def now() -> datetime:
    """The database's wall clock, aware, in UTC. One round trip; pass the answer on rather than asking twice."""
    return ask()()


def ask() -> Callable[[], datetime]:
    """The same in two, for `prepared.together`: asked now, and read, once, by calling what is given back."""
    asked = prepared.ask("SELECT clock_timestamp()")
    return lambda: told(asked.rows[0][0])


def told(moment: datetime) -> datetime:
    """What PostgreSQL's clock said. Tests move time here."""
    return moment


def rfc3339(moment: datetime) -> str:
    """As programs are told: 2026-05-03T18:20:11.123456Z."""
    return moment.isoformat().replace("+00:00", "Z")
