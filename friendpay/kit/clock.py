"""The current time, which is PostgreSQL's: a worker whose clock is ten minutes off changes nothing."""

from datetime import datetime

from django.db import connection
from django.db.models import DateTimeField, Func


class Now(Func):
    """The time within a query of its own work, so that asking for it is no round trip; its answer goes by `told`."""

    function = "clock_timestamp"
    output_field = DateTimeField()


def now() -> datetime:
    """The database's wall clock, aware, in UTC. One round trip; pass the answer on rather than asking twice."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    return told(row[0])


def told(moment: datetime) -> datetime:
    """What PostgreSQL's clock said. Tests move time here."""
    return moment


def rfc3339(moment: datetime) -> str:
    """As programs are told: 2026-05-03T18:20:11.123456Z."""
    return moment.isoformat().replace("+00:00", "Z")
