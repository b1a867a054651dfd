"""One row by one statement, for pages that are asked for often: prepared once a connection, bound by PostgreSQL."""

from typing import Any, TypeVar, cast

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Model


def one(sql: str, params: dict[str, Any]) -> tuple[Any, ...] | None:
    """The row that a SELECT finds, None when there is none."""
    connection.close_if_health_check_failed()
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
