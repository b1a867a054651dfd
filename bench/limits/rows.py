"""Rows as they stand in a table, to be written again with what has to differ: for the limits that write the same rows.

A limit knows nothing of friendpay's code. It is shown one order that was made and paid, and writes such rows as fast as
Python, psycopg and PostgreSQL can.
"""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

Row = dict[str, Any]


class Kind:
    """One table's rows, all columns but `id` given; what `serial` names is the database's to number."""

    def __init__(self, table: str, row: Mapping[str, Any]) -> None:
        self.model = {name: _as_given(value) for name, value in row.items() if name != "id"}
        names = list(self.model)
        insert = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING id").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, names)),
            sql.SQL(", ").join(map(sql.Placeholder, names)),
        )
        self.insert = insert.as_bytes()  # psycopg reads one text once; a composed one is put together every time

    def like(self, **unlike: Any) -> Row:
        return {**self.model, **unlike}


def _as_given(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict | list) else value


def kinds(database: "psycopg.Connection[Any]", table: str, where: str, *values: Any) -> list[Kind]:
    """The rows that `where` finds, oldest first."""
    with database.cursor(row_factory=dict_row) as cursor:
        statement = sql.SQL("SELECT * FROM {} WHERE " + where + " ORDER BY id").format(sql.Identifier(table))
        return [Kind(table, row) for row in cursor.execute(statement, values)]


async def write(connection: "psycopg.AsyncConnection[Any]", kind: Kind, **unlike: Any) -> int:
    """One row more; its id."""
    cursor = await connection.execute(kind.insert, kind.like(**unlike))
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def add(connection: "psycopg.AsyncConnection[Any]", kind: Kind, **unlike: Any) -> None:
    """The same where nobody needs its id: in a pipeline several go in one round trip."""
    await connection.execute(kind.insert, kind.like(**unlike))
