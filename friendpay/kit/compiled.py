"""Queries and updates compiled once for the process and asked again and again: the ORM says what they are, and is not
asked how each time, which is most of what a small statement costs.
"""

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from django.db import connection
from django.db.models import Expression, Field, JSONField, Model, QuerySet
from django.db.models.expressions import Col
from django.db.models.query import get_related_populators
from django.db.models.sql import UpdateQuery
from django.db.models.sql.compiler import SQLCompiler
from django.db.transaction import TransactionManagementError

from friendpay.kit import prepared

M = TypeVar("M", bound=Model)


class Given(Expression):
    """A value that is given each time, by its name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


class Compiled(Generic[M]):
    """`Compiled(lambda: Order.objects.filter(pk=Given("pk")))`, then `(pk=7)`: the rows, with what `select_related` and
    annotations bring. The query is built when it is first asked, and nothing else of it changes afterwards.
    """

    def __init__(self, build: "Callable[[], QuerySet[M]]") -> None:
        self._build = build

    @cached_property
    def _compiler(self) -> tuple[SQLCompiler, str, tuple[Any, ...]]:
        compiler = self._build().query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        return compiler, sql, params

    @cached_property
    def _read(self) -> Callable[[tuple[Any, ...]], M]:
        """How a row becomes an object, as Django's own compiler and ModelIterable do it."""
        compiler = self._compiler[0]
        info: dict[str, Any] = compiler.klass_info
        select, notes = compiler.select, list(compiler.annotation_col_map.items())
        first, end = info["select_fields"][0], info["select_fields"][-1] + 1
        names = [column[0].target.attname for column in select[first:end]]
        related = get_related_populators(info, select, connection.alias)  # type: ignore[call-arg]
        found = compiler.get_converters([column[0] for column in select[: compiler.col_count]])
        converters = [(place, _converter(*found[place])) for place in found]

        def read(told: tuple[Any, ...]) -> M:
            row = list(told)
            for place, convert in converters:
                row[place] = convert(row[place])
            thing: M = info["model"].from_db(connection.alias, names, row[first:end])
            for populator in related:
                populator.populate(row, thing)
            for name, place in notes:
                setattr(thing, name, row[place])
            return thing

        return read

    def __call__(self, **values: object) -> list[M]:
        return self.ask(**values)()

    def ask(self, **values: object) -> Callable[[], list[M]]:
        """The same in two: asked now, and read, once, by calling what is given back."""
        compiler, sql, params = self._compiler
        if compiler.query.select_for_update and not connection.in_atomic_block:
            raise TransactionManagementError("a lock that nothing would hold")
        asked = prepared.ask(sql, _given(params, values))
        return lambda: [self._read(row) for row in asked.rows]

    def one(self, **values: object) -> M:
        """The one row there is; the model's DoesNotExist where there is none."""
        found = self(**values)
        if not found:
            raise self._compiler[0].query.model.DoesNotExist  # type: ignore[union-attr]
        return found[0]


class Change(Generic[M]):
    """The same for an update: `Change(lambda: Order.objects.filter(pk=Given("pk")), "status", paid_at=Now())`, then
    `(pk=7, status="paid")`: how many rows it changed. Fields that are only named are given each time.
    """

    def __init__(self, build: "Callable[[], QuerySet[M]]", *fields: str, **values: object) -> None:
        self._build, self._fields, self._values = build, fields, values

    @cached_property
    def _compiled(self) -> tuple[str, tuple[Any, ...], "dict[str, Field[Any, Any]]"]:
        query = cast(UpdateQuery, self._build().query.chain(UpdateQuery))
        query.add_update_values({name: Given(name) for name in self._fields} | self._values)
        sql, params = query.get_compiler(connection=connection).as_sql()
        return sql, params, {name: cast("Field[Any, Any]", query.get_meta().get_field(name)) for name in self._fields}

    def __call__(self, **values: object) -> int:
        sql, params, fields = self._compiled
        values |= {name: field.get_db_prep_save(values[name], connection) for name, field in fields.items()}
        return prepared.ask(sql, _given(params, values)).count


def parsed(text: str | None) -> Any:
    """JSON that came as text; most of it is empty."""
    if text is None:
        return None
    empty = _EMPTY.get(text)
    return empty() if empty else json.loads(text)


_EMPTY: dict[str, Callable[[], Any]] = {"[]": list, "{}": dict}


def _converter(converters: Sequence[Callable[..., Any]], column: Expression) -> Callable[[Any], Any]:
    """What becomes of a column's values, as Django's own compiler has it."""
    if isinstance(column, Col) and isinstance(column.target, JSONField):
        return parsed

    def convert(value: Any) -> Any:
        for one in converters:
            value = one(value, column, connection)
        return value

    return convert


def _given(params: tuple[Any, ...], values: dict[str, object]) -> list[Any]:
    return [values[it.name] if isinstance(it, Given) else it for it in params]
