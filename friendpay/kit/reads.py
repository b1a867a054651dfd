"""One row by one statement, for pages that are asked for often."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from django.db.models import Field, JSONField, Model

from friendpay.kit import prepared
from friendpay.kit.compiled import parsed


def one(sql: str, params: dict[str, Any]) -> tuple[Any, ...] | None:
    """The row that a SELECT finds, None when there is none."""
    return ask(sql, params)()


def ask(sql: str, params: dict[str, Any]) -> Callable[[], tuple[Any, ...] | None]:
    """The same in two: asked now, and read, once, by calling what is given back."""
    asked = prepared.ask(sql, params)
    return lambda: asked.rows[0] if asked.rows else None


Row = TypeVar("Row", bound=Model)


def columns(model: type[Model], table: str, *, but: tuple[str, ...] = ()) -> str:
    """All columns of a model `but` these, for `made`."""
    return ", ".join(f"{table}.{field.column}" for field in fields(model, but))


def made(model: type[Row], values: tuple[Any, ...], *, but: tuple[str, ...] = ()) -> Row:
    """The row that was read by `columns`; what is JSON in it comes as text. What was left out is read when it is asked
    for.
    """
    if places := _json(model, but):
        read = list(values)
        for place in places:
            read[place] = parsed(read[place])
        values = tuple(read)
    return _row(model, values, but)


def told(model: type[Row], row: dict[str, Any]) -> Row:
    """The row that came as JSON."""
    return _row(model, tuple(field.to_python(row[str(field.column)]) for field in fields(model)))


@cache
def fields(model: type[Model], but: tuple[str, ...] = ()) -> "tuple[Field[Any, Any], ...]":
    """What `columns` reads, in this order."""
    return tuple(field for field in model._meta.concrete_fields if field.name not in but)


def _row(model: type[Row], values: tuple[Any, ...], but: tuple[str, ...] = ()) -> Row:
    return model.from_db("default", _names(model, but), values)


@cache
def _names(model: type[Model], but: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(field.attname for field in fields(model, but))


@cache
def _json(model: type[Model], but: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(place for place, field in enumerate(fields(model, but)) if isinstance(field, JSONField))
