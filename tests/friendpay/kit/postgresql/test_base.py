"""A lasting connection is used again without asking, and one that is gone is noticed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import connection, connections

from friendpay.kit.postgresql.base import DatabaseWrapper

pytestmark = pytest.mark.django_db


@pytest.fixture
def lasting() -> Iterator[DatabaseWrapper]:
    """A thread's connection between two requests."""
    wrapper = connections.create_connection("default")
    assert isinstance(wrapper, DatabaseWrapper)
    wrapper.inc_thread_sharing()
    yield wrapper
    wrapper.close()


def ask(wrapper: DatabaseWrapper) -> int:
    """What a request does: its own query, after whatever comes before it."""
    wrapper.close_if_unusable_or_obsolete()
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def reader_of_times(context: Any) -> object:
    return context.adapters.get_loader(psycopg.adapters.types["timestamptz"].oid, psycopg.pq.Format.TEXT)


def last_query(backend: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot(), query FROM pg_stat_activity WHERE pid = %s", [backend])
        return str(cursor.fetchone()[1])


def test_a_request_asks_nothing_before_its_own_query(lasting: DatabaseWrapper) -> None:
    backend = ask(lasting)
    lasting.close_if_unusable_or_obsolete()
    lasting.close_if_health_check_failed()
    assert last_query(backend) == "SELECT pg_backend_pid()"
    assert ask(lasting) == backend


def test_after_an_error_the_server_is_asked(lasting: DatabaseWrapper) -> None:
    backend = ask(lasting)
    lasting.errors_occurred = True
    lasting.close_if_unusable_or_obsolete()
    assert last_query(backend) == "SELECT 1"
    assert ask(lasting) == backend


def test_times_are_read_as_psycopg_reads_them(lasting: DatabaseWrapper) -> None:
    with lasting.cursor() as cursor:
        cursor.execute("SELECT '2026-05-03 12:00:00.25+02'::timestamptz")
        assert cursor.fetchone() == (datetime(2026, 5, 3, 10, 0, 0, 250_000, UTC),)
    assert reader_of_times(lasting.connection) is reader_of_times(psycopg)


def test_a_connection_that_the_server_ended_is_opened_anew(lasting: DatabaseWrapper) -> None:
    backend = ask(lasting)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
    assert ask(lasting) != backend
