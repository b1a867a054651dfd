"""Many orders with their requests, in seconds: copies of one that the API made, so that they are as real ones are.

Whatever columns a table has are copied, but for those that have to differ. Only for a database of the bench's own:
indexes are written when all is in, and foreign keys are not asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import psycopg
from psycopg import sql

Database = psycopg.Connection[Any]

_TOKEN = "translate(substr(encode(sha256(convert_to({salt} || g, 'UTF8')), 'base64'), 1, 24), '+/IlOo10', 'ABCDEFGH')"
_TABLES = ("orders_order", "orders_orderline", "payments_paymentrequest", "orders_event")
_SCANS = ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan")
_MANY = 50_000
"""From so many rows on it is quicker to write indexes afterwards."""


@dataclass(frozen=True)
class Model:
    """The order that is copied, and the events that its making left."""

    order: int
    request: int
    events: list[int]


def model(database: Database, order: str) -> Model:
    """By its public id."""
    row = database.execute(
        "SELECT o.id, q.id FROM orders_order o JOIN payments_paymentrequest q ON q.order_id = o.id "
        "WHERE o.public_id = %s ORDER BY q.id DESC",
        [order],
    ).fetchone()
    assert row is not None
    events = database.execute("SELECT id FROM orders_event WHERE order_id = %s ORDER BY id", [row[0]]).fetchall()
    return Model(row[0], row[1], [event for (event,) in events])


def fill(
    database: Database,
    what: Model,
    number: int,
    *,
    order: Mapping[str, str] = MappingProxyType({}),
    request: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Make so many more, none of them stale, and say the tokens of the first twenty thousand friends' links. `order`
    and `request` are what else differs, as SQL of a number `g`.
    """
    first = max(_last(database, table) for table in ("orders_order", "payments_paymentrequest")) + 1
    numbers = sql.SQL("generate_series({}, {}) AS g").format(first, first + number - 1)
    later = "clock_timestamp() + interval '30 days'"
    database.execute("SET session_replication_role = replica")
    database.execute("SET synchronous_commit = off")
    if number >= _MANY:
        database.execute(
            "UPDATE pg_index SET indisready = false WHERE indrelid = ANY(%s::regclass[]::oid[])", [list(_TABLES)]
        )
        for scan in _SCANS:  # of an index that is not kept up: it knows nothing of the rows written here
            database.execute(sql.SQL("SET {} = off").format(sql.Identifier(scan)))
    order = {
        "id": "g",
        "public_id": f"'ord_' || {_TOKEN.format(salt=repr('order'))}",
        "token": _TOKEN.format(salt=repr("checkout")),
        "reference": "'fill-' || g",
        **order,
    }
    request = {
        "id": "g",
        "public_id": f"'pr_' || {_TOKEN.format(salt=repr('request'))}",
        "token": _TOKEN.format(salt=repr("friend")),
        "code": "'F' || lpad(g::text, 9, '0')",
        "order_id": "g",
        "expires_at": later,
        **request,
    }
    _copy(database, "orders_order", what.order, order, numbers)
    lines = database.execute("SELECT id FROM orders_orderline WHERE order_id = %s", [what.order]).fetchall()
    for place, (line,) in enumerate(lines, 1):
        unlike = {"id": f"{_last(database, 'orders_orderline')} + {place} + g - {first}", "order_id": "g"}
        _copy(database, "orders_orderline", line, unlike, numbers)
    _copy(database, "payments_paymentrequest", what.request, request, numbers)
    for event in what.events:
        last, published = _last(database, "orders_event"), _last(database, "orders_event", "sequence")
        unlike = {
            "id": f"{last} + 1 + g - {first}",
            "public_id": f"'evt_' || {_TOKEN.format(salt=repr(f'event {event}'))}",
            "sequence": f"{published} + 1 + g - {first}",
            "order_id": "g",
            "request": f"CASE t.request WHEN '' THEN '' ELSE {request['public_id']} END",
            "object_id": f"CASE t.request WHEN '' THEN {order['public_id']} ELSE {request['public_id']} END",
        }
        _copy(database, "orders_event", event, unlike, numbers)
    for table in _TABLES:
        if number >= _MANY:
            database.execute(sql.SQL("REINDEX TABLE {}").format(sql.Identifier(table)))
        highest = sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), max(id)) FROM {}")
        database.execute(highest.format(sql.Literal(table), sql.Identifier(table)))
        database.execute(sql.SQL("VACUUM ANALYZE {}").format(sql.Identifier(table)))
    for scan in _SCANS:
        database.execute(sql.SQL("RESET {}").format(sql.Identifier(scan)))
    database.execute("SET session_replication_role = origin")
    found = database.execute(
        "SELECT token FROM payments_paymentrequest WHERE id >= %s ORDER BY id LIMIT 10000", [first]
    )
    return [token for (token,) in found]


def copies(database: Database, table: str, row: int, unlike: Mapping[str, str], first: int, number: int) -> None:
    """So many copies of one more row, numbered from `first` on, with what differs as SQL of that number."""
    database.execute("SET session_replication_role = replica")
    numbers = sql.SQL("generate_series({}, {}) AS g").format(first, first + number - 1)
    last = _last(database, table)
    _copy(database, table, row, {"id": f"{last} + 1 + g - {first}", **unlike}, numbers)
    database.execute(sql.SQL("VACUUM ANALYZE {}").format(sql.Identifier(table)))
    database.execute("SET session_replication_role = origin")


def columns(database: Database, table: str) -> list[str]:
    """Those that a row is written with."""
    found = database.execute(
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
        [table],
    )
    return [name for (name,) in found]


def _copy(database: Database, table: str, row: int, unlike: Mapping[str, str], numbers: sql.Composed) -> None:
    names = columns(database, table)
    assert set(unlike) <= set(names), f"{table} has no {set(unlike) - set(names)}"
    values = [sql.SQL(unlike[name]) if name in unlike else sql.Identifier("t", name) for name in names]
    statement = sql.SQL(
        "INSERT INTO {table} ({names}) SELECT {values} FROM {table} t, {numbers} WHERE t.id = {row}"
    ).format(
        table=sql.Identifier(table),
        names=sql.SQL(", ").join(map(sql.Identifier, names)),
        values=sql.SQL(", ").join(values),
        numbers=numbers,
        row=row,
    )
    database.execute(statement)


def _last(database: Database, table: str, column: str = "id") -> int:
    name, where = sql.Identifier(column), sql.Identifier(table)
    row = database.execute(sql.SQL("SELECT coalesce(max({}), 0) FROM {}").format(name, where)).fetchone()
    return int(row[0]) if row else 0
