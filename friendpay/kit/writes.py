"""Rows written together: inserts and updates are gathered, and go to PostgreSQL as one statement (data-modifying CTEs),
one round trip however many rows they are.
"""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, Self

from django.db import DEFAULT_DB_ALIAS, DatabaseError, IntegrityError, connection, connections, transaction
from django.db.models import Field, JSONField, Model
from django.db.models.expressions import DatabaseDefault

from friendpay.kit import prepared

_AS_IT_IS = frozenset({str, int, bool, datetime, type(None)})
"""What psycopg sends as PostgreSQL keeps it: no field but JSON's makes anything else of these, and asking each is half
of what writing costs here.
"""

Done = Callable[[list[int]], None]
Also = Callable[[datetime, "Writes"], None]
"""Adds to what is written, as it is at this moment."""


class Writes:
    """What is to be written: nothing is before `run`, and all or nothing by it. Empty again after it.

    All parts of the statement see the rows as they were before it, so an updated row must be one that is there already,
    and is locked. Fields are read when they are written, and a row that is named twice is written once.
    """

    def __init__(self) -> None:
        self._inserts: dict[type[Model], list[Model]] = {}
        self._updates: dict[tuple[type[Model], int], tuple[Model, dict[str, None]]] = {}
        self._drawn: list[tuple[str, type[Model], Done]] = []
        self._changes: list[tuple[str, tuple[Any, ...]]] = []
        self._before: list[Callable[[], None]] = []

    def before(self, check: Callable[[], None]) -> None:
        """What is done first, in one transaction with the writing; nothing is written where it raises."""
        self._before.append(check)

    def insert(self, *rows: Model) -> None:
        """New rows, which have their key after `run`. They may belong to rows named before, which need a public_id."""
        for row in rows:
            self._inserts.setdefault(type(row), []).append(row)

    def update(self, row: Model, *fields: str) -> None:
        """These fields of a row; of one that is inserted here anyway, nothing more."""
        if row not in self._inserts.get(type(row), ()):
            known = self._updates.setdefault((type(row), row.pk), (row, {}))[1]
            known.update(dict.fromkeys(fields))

    def draw(self, sql: str, source: type[Model], done: Done) -> None:
        """Rows that SQL draws from those inserted of `source`, which it names `{source}`; `done` hears their keys."""
        if not any(known == sql for known, _source, _done in self._drawn):
            self._drawn.append((sql, source, done))

    def change(self, sql: str, *values: Any) -> None:
        """An UPDATE of whatever rows it finds, none or many. Its values stand in `sql` as `{}`."""
        self._changes.append((sql, values))

    def run(self) -> None:
        """Write all of it. Raises IntegrityError as any statement, and DatabaseError where a row to update is gone."""
        before, self._before = self._before, []
        with transaction.atomic() if before else nullcontext():
            for check in before:
                check()
            self._run()

    def _run(self) -> None:
        parts: list[tuple[str, Done]] = []
        params: list[Any] = []
        names: dict[type[Model], str] = {}
        for model, rows in self._inserts.items():
            names[model] = f"part_{len(parts)}"
            parts.append((_inserting(model, rows, names, params), _keys_of(rows)))
        for row, fields in self._updates.values():
            parts.append((_updating(row, fields, params), _once))
        for sql, source, done in self._drawn:
            parts.append((sql.format(source=names[source]), done))
        for sql, values in self._changes:
            marks = [f"${len(params) + number}" for number in range(1, len(values) + 1)]
            params += values
            parts.append((f"{sql.format(*marks)} RETURNING id", lambda keys: None))
        new = [row for rows in self._inserts.values() for row in rows]
        self._inserts, self._updates, self._drawn, self._changes = {}, {}, [], []
        if parts:
            _execute(parts, params)
        for row in new:
            _belong(row)

    def run_unless(self, constraint: str) -> bool:
        """Write all of it, or nothing where `constraint` says that such a row is there already; whether it was written.
        A transaction around it goes on either way.
        """
        try:
            with transaction.atomic() if connection.in_atomic_block else nullcontext():
                self.run()
        except IntegrityError as error:
            if constraint not in str(error):
                raise
            return False
        return True


class _Column(NamedTuple):
    field: "Field[Any, Any]"
    name: str  # in PostgreSQL
    attribute: str
    parent: str  # what a row calls the row it belongs to; "" where it is no such column
    plain: bool  # texts, numbers, times are sent as they are
    fills: bool  # the field itself says what stands in an empty one

    @classmethod
    def of(cls, field: "Field[Any, Any]") -> Self:
        parent = field.name if field.is_relation else ""
        fills = bool(getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False))
        return cls(field, str(field.column), field.attname, parent, not isinstance(field, JSONField), fills)

    @property
    def is_plain(self) -> bool:
        """Whether what a row says is what is written, but for unusual types."""
        return self.plain and not self.parent and not self.fills and not self.field.has_db_default()

    def kept(self, value: Any) -> Any:
        """As it is sent to PostgreSQL."""
        if value is None or self.plain and (type(value) in _AS_IT_IS or isinstance(value, str)):
            return value
        return self.field.get_db_prep_save(value, connections[DEFAULT_DB_ALIAS])


class _Table(NamedTuple):
    """Where a model's rows are inserted: first the plain columns, which are read at once, then those looked at."""

    into: str
    plain: list[_Column]
    attributes: list[str]  # of the plain ones
    others: list[_Column]


@cache
def _table(model: type[Model]) -> _Table:
    columns = [_Column.of(field) for field in model._meta.concrete_fields if not field.primary_key]
    plain = [column for column in columns if column.is_plain]
    others = [column for column in columns if not column.is_plain]
    named = ", ".join(f'"{column.name}"' for column in (*plain, *others))
    attributes = [column.attribute for column in plain]
    return _Table(f'INSERT INTO "{model._meta.db_table}" ({named})', plain, attributes, others)


@cache
def _column(model: type[Model], name: str) -> _Column:
    return _Column.of(model._meta.get_field(name))  # type: ignore[arg-type]


def _inserting(model: type[Model], rows: list[Model], names: dict[type[Model], str], params: list[Any]) -> str:
    table, texts = _table(model), []
    for row in rows:
        kept = vars(row)
        values = [kept[attribute] for attribute in table.attributes]
        if not _AS_IT_IS.issuperset(map(type, values)):
            values = [
                value if type(value) in _AS_IT_IS else column.kept(value)
                for column, value in zip(table.plain, values, strict=True)
            ]
        marks = [f"${number}" for number in range(len(params) + 1, len(params) + len(values) + 1)]
        params += values
        marks += [_mark(row, column, kept[column.attribute], names, params) for column in table.others]
        texts.append(", ".join(marks))
    return f"{table.into} VALUES ({'), ('.join(texts)}) RETURNING *"


def _mark(row: Model, column: _Column, value: Any, names: dict[type[Model], str], params: list[Any]) -> str:
    if column.parent and type(value) is int:
        params.append(value)
        return f"${len(params)}"
    if value is None and column.parent in row._state.fields_cache:
        parent = getattr(row, column.parent)
        params.append(parent.public_id)
        return f"(SELECT id FROM {names[type(parent)]} WHERE public_id = ${len(params)})"
    if isinstance(value, DatabaseDefault):
        return "DEFAULT"
    if value is None and column.fills:
        value = column.field.pre_save(row, add=True)
    params.append(column.kept(value))
    return f"${len(params)}"


def _updating(row: Model, fields: dict[str, None], params: list[Any]) -> str:
    """An update may be without fields: then it is a look whether the row is there."""
    model, columns = type(row), []
    for name in fields:
        column = _column(model, name)
        params.append(column.kept(getattr(row, column.attribute)))
        columns.append(f'"{column.name}" = ${len(params)}')
    params.append(row.pk)
    return f'UPDATE "{model._meta.db_table}" SET {", ".join(columns)} WHERE id = ${len(params)} RETURNING id'


def _keys_of(rows: list[Model]) -> Done:
    """PostgreSQL hands out keys in the order of the rows."""

    def done(keys: list[int]) -> None:
        for row, key in zip(rows, keys, strict=True):
            row.pk = key
            row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS

    return done


def _belong(row: Model) -> None:
    """It knows the key of what it belongs to, which may be as new as itself."""
    kept, known = vars(row), row._state.fields_cache
    for column in _table(type(row)).others:
        if column.parent in known and kept[column.attribute] is None:
            setattr(row, column.parent, getattr(row, column.parent))


def _once(keys: list[int]) -> None:
    if len(keys) != 1:
        raise DatabaseError("a row to be updated is not there")


def _execute(parts: list[tuple[str, Done]], params: list[Any]) -> None:
    within = ", ".join(f"part_{number} AS ({sql})" for number, (sql, _done) in enumerate(parts))
    told = " UNION ALL ".join(f"SELECT {number}, id FROM part_{number}" for number in range(len(parts)))
    rows = prepared.ask(f"WITH {within} {told} ORDER BY 1, 2", params, numbered=True).rows
    for number, (_sql, done) in enumerate(parts):
        done([key for place, key in rows if place == number])
