"""Statements that PostgreSQL plans once for a connection: it binds their values itself. For those that are asked again
and again, and find their rows by a key; planning them takes longer than carrying them out.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connections

from friendpay.kit.postgresql.base import DatabaseWrapper
from friendpay.kit.postgresql.trips import Asked, Params


def ask(sql: str, params: Params = (), *, numbered: bool = False) -> Asked:
    """Ask it over the thread's connection, within its transaction if one is open: its rows are there at once, or after
    the block of `together` that it is asked in. How values stand in `sql`: see `Asked`.
    """
    connection = _connected()
    asked = Asked(sql, params, numbered=numbered)
    if connection.queries_logged or connection.execute_wrappers:
        _watched(connection, asked, sql, params)
    else:
        connection.ask(asked)
    return asked


@contextmanager
def together() -> Iterator[None]:
    """What is asked within this block is one round trip, with the beginning of its transaction. PostgreSQL does it in
    order as ever, and each statement sees what was committed before it began. Rows are there after the block.
    """
    with _connected().together():
        yield


def _connected() -> DatabaseWrapper:
    connection = cast(DatabaseWrapper, connections[DEFAULT_DB_ALIAS])  # looked up once: that is not for nothing
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    return connection


def _watched(connection: DatabaseWrapper, asked: Asked, sql: str, params: Params) -> None:
    """As Django's cursors do it for whoever wants to know what is asked."""

    def execute(_sql: str, _params: Params, _many: bool, _context: dict[str, Any]) -> None:
        connection.ask(asked)

    run = execute
    for wrapper in reversed(connection.execute_wrappers):
        run = partial(wrapper, run)
    run(sql, params, False, {"connection": connection, "cursor": None})
    if connection.queries_logged:
        connection.queries_log.append({"sql": sql, "time": ""})
