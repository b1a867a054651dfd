"""Statements that PostgreSQL plans once for a connection: it binds their values itself. For those that are asked again
and again, and find their rows by a key; planning them takes longer than carrying them out. Behind a pooler they are
planned each time: the session that knows them may be another one's by then.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper


def cursor(kind: type[psycopg.Cursor[Any]] = psycopg.Cursor) -> CursorWrapper:
    """A cursor of the thread's connection, within its transaction if one is open."""
    connection = connections[DEFAULT_DB_ALIAS]  # looked up once: that is not for nothing
    # Django's own way, so that what is asked is counted and logged with all else.
    prepared: CursorWrapper = connection._prepare_cursor(kind(_connected(connection)))  # type: ignore[attr-defined]
    return prepared


@contextmanager
def together() -> Iterator[None]:
    """What is asked within this block is one round trip, with the beginning of its transaction. PostgreSQL does it in
    order as ever, and each statement sees what was committed before it began. Answers are read after the block.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    with connection.wrap_database_errors, _connected(connection).pipeline():
        yield


def _connected(connection: BaseDatabaseWrapper) -> "psycopg.Connection[Any]":
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    return cast("psycopg.Connection[Any]", connection.connection)
