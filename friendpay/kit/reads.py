"""One row by one statement, for pages that are asked for often: prepared once on each connection, bound by PostgreSQL.

Django would ask first, by a statement of its own, whether the connection still lives. Here the statement itself shows
it: reading twice does no harm.
"""

from typing import Any, TypeVar, cast

import psycopg
from django.db import OperationalError, connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Model


def one(sql: str, params: dict[str, Any]) -> tuple[Any, ...] | None:
    """The row that a SELECT finds, None when there is none."""
    try:
        return _one(sql, params)
    except OperationalError:
        if connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        return _one(sql, params)


def _one(sql: str, params: dict[str, Any]) -> tuple[Any, ...] | None:
    connection.ensure_connection()
    raw = cast("psycopg.Connection[Any]", connection.connection)
    raw.prepare_threshold = 0  # of cursors like this alone: those of Django's models bind by themselves
    with CursorWrapper(psycopg.Cursor(raw), connection) as cursor:
        cursor.execute(sql, params)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


Row = TypeVar("Row", bound=Model)


def columns(model: type[Model], table: str) -> str:
    """All columns of a model, for `made`."""
    return ", ".join(f"{table}.{field.column}" for field in model._meta.concrete_fields)


def made(model: type[Row], values: tuple[Any, ...]) -> Row:
    """The row that was read by `columns`."""
    return model.from_db("default", [field.attname for field in model._meta.concrete_fields], values)


def told(model: type[Row], row: dict[str, Any]) -> Row:
    """The row that came as JSON."""
    return made(model, tuple(field.to_python(row[str(field.column)]) for field in model._meta.concrete_fields))
