"""A database for each process of a test run: a copy of one that has all migrations, which is kept between runs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connection
from psycopg import sql

TEMPLATE: str = connection.settings_dict["TEST"]["NAME"]
_ONE_AT_A_TIME = 1


def take() -> None:
    """From now on Django uses an empty database that is this process's own, whatever a killed run left behind."""
    own = f"{TEMPLATE}_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    with _servers() as servers:
        servers.execute("SELECT pg_advisory_lock(%s)", [_ONE_AT_A_TIME])  # of several workers one makes the template
        if servers.execute("SELECT FROM pg_database WHERE datname = %s", [TEMPLATE]).rowcount == 0:
            _migrate(servers)
        _make(servers, own, TEMPLATE)
    connection.settings_dict["NAME"] = own


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


def _servers() -> "psycopg.Connection[tuple[Any, ...]]":
    return psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
