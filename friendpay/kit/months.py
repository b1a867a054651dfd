"""Tables divided by month: what is written within a month stands in a table of its own, which goes as a whole.

They are divided by the row's number (range partitions of `id`), so that a number alone still names a row, and a foreign
key needs nothing else. Each month owns a range of numbers. At its turn the sequence is moved to where that begins, in
one transaction with the look that its table is there, so no row fails for want of a table: while a month's is missing,
rows go on into the one before it. Numbers only grow, and what writes a row does nothing more than before.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from friendpay.kit import limits

_LOCK = "hashtextextended('months of ' || %s, 0)"


class Divided(NamedTuple):
    """A table divided by its own numbers, and one whose rows belong to its rows by `column` and lie with them."""

    table: str
    beside: str
    column: str

    def of(self, month: int) -> tuple[str, str]:
        """The two tables of a month. Month 0 is all from before the table was divided: the others are made like it."""
        year, before = divmod(month - 1, 12)
        end = f"{2026 + year}_{before + 1:02}" if month else "first"
        return f"{self.table}_{end}", f"{self.beside}_{end}"


def number(moment: datetime) -> int:
    """Which month that is; January 2026 is the first."""
    return (moment.year - 2026) * 12 + moment.month


def begins(month: int) -> int:
    """Its lowest number. Each month has 17 million millions."""
    return month << 44


def make(divided: Divided, now: datetime) -> None:
    """See that this month and those to come have their tables, and that what is written from now on goes to this
    month's. Any number of processes may do so at once, and again.

    Raises where somebody holds on to the tables for long. Then nothing has changed, and the next time will do.
    """
    this = number(now)
    for month in range(this, this + 1 + limits.MONTHS_AHEAD):
        if month not in _covered(divided):
            with _alone(divided) as cursor:
                if month not in _covered(divided):
                    _make(cursor, divided, month)
    if _at(divided) < this:
        with _alone(divided) as cursor:
            if _at(divided) < this:
                cursor.execute(f"ALTER SEQUENCE {divided.table}_id_seq RESTART WITH {begins(this)}")


def ahead(divided: Divided, now: datetime) -> int:
    """How many of the coming months have their tables; none where this month's rows do not go to its own."""
    this, covered = number(now), _covered(divided)
    coming = range(this + 1, this + 1 + limits.MONTHS_AHEAD)
    return 0 if _at(divided) < this else sum(month in covered for month in coming)


def past(divided: Divided) -> list[range]:
    """The months to which nothing is added any more: those of each table, which are one, but for the first."""
    at = _at(divided)
    return [part for part in _parts(divided) if part.stop <= at]


def drop(divided: Divided, part: range, unless: str) -> bool:
    """Drop what was written in a month that is past, in one statement however much it is; of the first, which stays as
    the pattern of all, its rows. Whether that is done: not where the SQL `unless` finds some of the rows, `{}`.

    Raises as `make` does.
    """
    rows, beside = divided.of(part.start)
    with _alone(divided) as cursor:
        if part not in past(divided) or not (part.start or _finds(cursor, f"SELECT FROM {rows}")):
            return True
        if _finds(cursor, unless.format(rows)):
            return False
        cursor.execute(f"LOCK TABLE ONLY {divided.table}, ONLY {divided.beside}, {rows}, {beside}")
        if _finds(cursor, unless.format(rows)):  # for the last time: nobody can write any more
            return False
        cursor.execute(f"{'DROP' if part.start else 'TRUNCATE'} TABLE {beside}, {rows}")
    return True


def _finds(cursor: CursorWrapper, sql: str) -> bool:
    cursor.execute(f"SELECT EXISTS ({sql})")
    return bool(cursor.fetchone()[0])


def _parts(divided: Divided) -> list[range]:
    """What there is: the months of each table, which are one, but for the first, by the bounds of their numbers."""
    found = _read(
        divided,
        f"""SELECT (regexp_match(bounds, 'FROM \\(''?(\\d+)'))[1]::bigint >> 44 AS start,
            (regexp_match(bounds, 'TO \\(''?(\\d+)'))[1]::bigint >> 44
        FROM (SELECT pg_get_expr(part.relpartbound, part.oid) AS bounds
            FROM pg_inherits JOIN pg_class part ON part.oid = inhrelid WHERE inhparent = '{divided.table}'::regclass
            ) parts
        ORDER BY start NULLS FIRST""",  # noqa: S608
    )
    return [range(start or 0, stop) for start, stop in found]


def _covered(divided: Divided) -> set[int]:
    return {month for part in _parts(divided) for month in part}


def _at(divided: Divided) -> int:
    """The month that the next number is of."""
    ((month,),) = _read(divided, f"SELECT last_value >> 44 FROM {divided.table}_id_seq")  # noqa: S608
    return int(month)


def _read(divided: Divided, sql: str) -> list[tuple[Any, ...]]:
    """What is found while nobody makes or drops a month. Who read a sequence just as its numbers are moved would find
    nothing, or a file that is not there any more.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({_LOCK})", [divided.table])
        cursor.execute(sql)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


@contextmanager
def _alone(divided: Divided) -> Iterator[CursorWrapper]:
    """A transaction in which nobody else makes or drops a month, and which keeps nobody waiting for long."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{limits.MONTHS_LOCK_SECONDS}s"])
        cursor.execute(f"SELECT pg_advisory_xact_lock({_LOCK})", [divided.table])
        yield cursor


def _make(cursor: CursorWrapper, divided: Divided, month: int) -> None:
    """Attaching a table that is there already stops nobody from reading or writing the others."""
    for parent, table, pattern in zip(divided[:2], divided.of(month), divided.of(0), strict=True):
        cursor.execute(f"CREATE TABLE {table} (LIKE {pattern} INCLUDING ALL)")
        if parent == divided.beside:
            cursor.execute(
                f"""ALTER TABLE {table} ADD FOREIGN KEY ({divided.column}) REFERENCES {divided.of(month)[0]} (id)
                DEFERRABLE INITIALLY DEFERRED"""
            )
        cursor.execute(
            f"ALTER TABLE {parent} ATTACH PARTITION {table} FOR VALUES FROM ({begins(month)}) TO ({begins(month + 1)})"
        )
