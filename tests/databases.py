"""A database for each process of a test run: a copy of one that has all migrations, which is kept between runs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connection, transaction
from psycopg import sql

TEMPLATE: str = connection.settings_dict["TEST"]["NAME"]
_ONE_AT_A_TIME = 1
_SOON_DELETED = 1 << 20
"""So many bytes of a table are deleted sooner than truncated, which makes anew its files and those of its indexes."""
_migrated: dict[str, bytes] = {}
"""The tables that are not empty in a new database, and what is in them."""


def take() -> None:
    """From now on Django uses an empty database that is this process's own, whatever a killed run left behind."""
    own = f"{TEMPLATE}_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    with _servers() as servers:
        servers.execute("SELECT pg_advisory_lock(%s)", [_ONE_AT_A_TIME])  # of several workers one makes the template
        if servers.execute("SELECT FROM pg_database WHERE datname = %s", [TEMPLATE]).rowcount == 0:
            _migrate(servers)
        _make(servers, own, TEMPLATE)
    connection.settings_dict["NAME"] = own
    with _servers(own) as session:
        _migrated.update((table, _read(session, table)) for table in _filled(session, _tables()))


def empty() -> None:
    """Make Django's database what it was when it was new, sequences apart: a twentieth of the time of Django's flush,
    which truncates all tables there are. It waits as that does for whoever is still writing.
    """
    tables = _tables()
    with transaction.atomic():
        session = connection.connection
        session.execute(sql.SQL("LOCK TABLE {}").format(sql.SQL(", ").join(map(sql.Identifier, tables))))
        session.execute("SET LOCAL session_replication_role = replica")  # no trigger forbids it, no key is looked up
        for table in _filled(session, [table for table in tables if table not in _migrated]):
            large = _size(session, table) > _SOON_DELETED
            clear = "TRUNCATE {} CASCADE" if large else "DELETE FROM {}"
            session.execute(sql.SQL(clear).format(sql.Identifier(table)))
        for table, rows in _migrated.items():
            if _read(session, table) != rows:
                session.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
                with session.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
                    copy.write(rows)


def copy(name: str) -> None:
    """Another empty database beside it."""
    with _servers() as servers:
        servers.execute("SELECT pg_advisory_lock(%s)", [_ONE_AT_A_TIME])
        _make(servers, name, TEMPLATE)


@contextmanager
def another(purpose: str) -> Iterator[None]:
    """Meanwhile Django uses a database with all migrations that is nobody else's and is dropped after it: for what a
    test commits and no flush takes back. Connections of other threads have to be closed before its end.
    """
    usual = connection.settings_dict["NAME"]
    own = f"{usual}_{purpose}"
    copy(own)
    connection.close()
    connection.settings_dict["NAME"] = own
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual
        with _servers() as servers:
            servers.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(own)))


def drop_outdated() -> None:
    """Databases of migrations as they were once."""
    with _servers() as servers:
        rows = servers.execute("SELECT datname FROM pg_database WHERE datname LIKE 'test\\_%'").fetchall()
        for (name,) in rows:
            if not name.startswith(TEMPLATE):
                servers.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def _migrate(servers: "psycopg.Connection[tuple[Any, ...]]") -> None:
    """The template gets its name when it is whole, so that one broken off is never taken for it."""
    unfinished = f"{TEMPLATE}_unfinished"
    _make(servers, unfinished, "template1")
    connection.settings_dict["NAME"] = unfinished
    call_command("migrate", interactive=False, verbosity=0)
    connection.close()
    servers.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(unfinished), sql.Identifier(TEMPLATE))
    )


def _make(servers: "psycopg.Connection[tuple[Any, ...]]", name: str, template: str) -> None:
    servers.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    servers.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))


def _tables() -> list[str]:
    return sorted(connection.introspection.django_table_names(include_views=False))


def _filled(session: "psycopg.Connection[Any]", tables: list[str]) -> list[str]:
    """Those with a row, by one statement."""
    one = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
    each = [one.format(sql.Literal(table), sql.Identifier(table)) for table in tables]
    return [table for (table,) in session.execute(sql.SQL(" UNION ALL ").join(each))]


def _size(session: "psycopg.Connection[Any]", table: str) -> int:
    """In bytes; a divided one is as large as its parts."""
    parts = "SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree(%(table)s)"
    [[size]] = session.execute(f"SELECT coalesce(({parts}), pg_relation_size(%(table)s))", {"table": table})
    return int(size)


def _read(session: "psycopg.Connection[Any]", table: str) -> bytes:
    with session.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copy:
        return b"".join(copy)


def _servers(database: str = "") -> "psycopg.Connection[tuple[Any, ...]]":
    """Autocommitting, in the database of the run or in one of its tests."""
    where = psycopg.conninfo.make_conninfo(os.environ["DATABASE_URL"], **({"dbname": database} if database else {}))
    return psycopg.connect(where, autocommit=True)
