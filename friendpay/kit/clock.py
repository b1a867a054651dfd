"""The current time, which is PostgreSQL's: a worker whose clock is ten minutes off changes nothing."""

from datetime import datetime

from django.db import connection


def now() -> datetime:
    """The database's wall clock, aware, in UTC. One round trip; pass the answer on rather than asking twice."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    moment: datetime = row[0]
    return moment


def rfc3339(moment: datetime) -> str:
    """As programs are told: 2026-05-03T18:20:11.123456Z."""
    return moment.isoformat().replace("+00:00", "Z")
