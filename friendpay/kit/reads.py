"""One row by one statement, for pages that are asked for often."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from django.db.models import JSONField, Model

from friendpay.kit import prepared


def one(sql: str, params: dict[str, Any]) -> tuple[Any, ...] | None:
    """The row that a SELECT finds, None when there is none."""
    return ask(sql, params)()


def ask(sql: str, params: dict[str, Any]) -> Callable[[], tuple[Any, ...] | None]:
    """The same in two: asked now, and read, once, by calling what is given back."""
    cursor = prepared.cursor()
    cursor.execute(sql, params)

    def read() -> tuple[Any, ...] | None:
        with cursor:
            row: tuple[Any, ...] | None = cursor.fetchone()
        return row

    return read


Row = TypeVar("Row", bound=Model)


def columns(model: type[Model], table: str) -> str:
    """All columns of a model, for `made`."""
    return ", ".join(f"{table}.{field.column}" for field in model._meta.concrete_fields)


def made(model: type[Row], values: tuple[Any, ...]) -> Row:
    """The row that was read by `columns`; what is JSON in it comes as text."""
    if places := _json(model):
        read = list(values)
        for place in places:
            read[place] = json.loads(read[place])
        values = tuple(read)
    return _row(model, values)


def told(model: type[Row], row: dict[str, Any]) -> Row:
    """The row that came as JSON."""
    return _row(model, tuple(field.to_python(row[str(field.column)]) for field in model._meta.concrete_fields))


def _row(model: type[Row], values: tuple[Any, ...]) -> Row:
    return model.from_db("default", [field.attname for field in model._meta.concrete_fields], values)


@cache
def _json(model: type[Model]) -> tuple[int, ...]:
    fields = enumerate(model._meta.concrete_fields)
    return tuple(place for place, field in fields if isinstance(field, JSONField))
