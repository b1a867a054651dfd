"""Statements that PostgreSQL plans once for a connection: it binds their values itself. For those that are asked again
and again, and find their rows by a key; planning them takes longer than carrying them out.
"""

from typing import Any, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper


def cursor() -> CursorWrapper:
    """A cursor of the thread's connection, within its transaction if one is open."""
    connection = connections[DEFAULT_DB_ALIAS]  # looked up once: that is not for nothing
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    raw = cast("psycopg.Connection[Any]", connection.connection)
    raw.prepare_threshold = 0  # of cursors like this alone: those of Django's models bind by themselves
    # Django's own way, so that what is asked is counted and logged with all else.
    prepared: CursorWrapper = connection._prepare_cursor(psycopg.Cursor(raw))  # type: ignore[attr-defined]
    return prepared
