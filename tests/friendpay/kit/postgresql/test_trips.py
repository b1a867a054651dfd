"""Statements in one round trip: what is kept of plans, and what becomes of a trip that goes wrong."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, ProgrammingError, connections, transaction
from django.test.utils import CaptureQueriesContext

from friendpay.kit import limits, prepared
from friendpay.kit.postgresql.base import DatabaseWrapper
from friendpay.kit.postgresql.trips import Asked, Line

pytestmark = pytest.mark.django_db

NUMBER = "SELECT %s::int"
END = "SELECT pg_terminate_backend(pg_backend_pid())"


@pytest.fixture
def line() -> Iterator[DatabaseWrapper]:
    """A connection of its own, in autocommit."""
    wrapper = connections.create_connection("default")
    assert isinstance(wrapper, DatabaseWrapper)
    wrapper.ensure_connection()
    yield wrapper
    wrapper.close()


def rows(wrapper: DatabaseWrapper, *statements: tuple[str, Any]) -> list[list[tuple[Any, ...]]]:
    asked = [Asked(sql, params) for sql, params in statements]
    wrapper.ask(*asked)
    return [each.rows for each in asked]


def plans(wrapper: DatabaseWrapper) -> int:
    return int(rows(wrapper, ("SELECT count(*) FROM pg_prepared_statements", ()))[0][0][0])


def test_values_stand_where_their_marks_are(line: DatabaseWrapper) -> None:
    named = "SELECT %(a)s::int, %(b)s::text, %(a)s::int, '100%%', %(none)s::text"
    assert rows(line, (named, {"none": None, "b": "%s", "a": 1, "unused": object()})) == [[(1, "%s", 1, "100%", None)]]
    numbered = Asked("SELECT $2::int - $1::int, '%s'", [1, 3], numbered=True)
    line.ask(numbered)
    assert (numbered.rows, numbered.count) == ([(2, "%s")], 1)


def test_an_answer_is_not_there_before_its_trip(line: DatabaseWrapper) -> None:
    asked = Asked("SELECT 1")
    with line.together():
        with line.together():
            line.ask(asked)
        for early in ("rows", "count"):
            with pytest.raises(AttributeError):
                getattr(asked, early)
        with pytest.raises(transaction.TransactionManagementError):
            line.cursor()  # would come before
    assert (asked.rows, asked.count) == ([(1,)], 1)
    line.cursor().close()


def test_nothing_is_asked_where_the_block_fails(line: DatabaseWrapper) -> None:
    with suppress(ZeroDivisionError), line.together():
        line.ask(Asked("SELECT set_config('a.b', 'asked', false)"))
        raise ZeroDivisionError
    assert rows(line, ("SELECT current_setting('a.b', true)", ())) == [[(None,)]]


def test_so_many_plans_are_kept_and_the_one_unused_for_longest_goes(
    line: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PLANS_KEPT", 3)
    first = ("SELECT 0", ())
    for number in range(1, 6):
        assert rows(line, first, (f"SELECT {number}", ())) == [[(0,)], [(number,)]]
    assert line.line._planned == 6, "the first is used each time, and kept"
    assert plans(line) == 3
    # More of them than are kept, in one trip, and the first once more.
    many = [(f"SELECT {number}", ()) for number in (*range(10), 0)]
    assert rows(line, *many) == [[(number,)] for number in (*range(10), 0)]
    with pytest.raises(DatabaseError, match="division"):
        rows(line, ("SELECT 1 / 0", ()), *many, ("SELECT 1 / 0", ()))
    assert rows(line, *many) == [[(number,)] for number in (*range(10), 0)]
    assert plans(line) == 3


def test_after_an_error_the_line_is_as_before_and_nothing_of_its_trip_was_done(line: DatabaseWrapper) -> None:
    change = "SELECT set_config('a.b', %s, false)"
    for wrong, said in (("SELECT 1 / %s::int", "division by zero"), ("SELEC %s", "syntax error")):
        for _again in range(2):  # planned anew, and planned already
            with pytest.raises(DatabaseError, match=said):
                rows(line, (change, ["before"]), (wrong, [0]), (change, ["after"]))
            assert rows(line, ("SELECT current_setting('a.b', true)", ()))[0][0][0] in (None, "")
    assert rows(line, (NUMBER, [1]), (NUMBER, [2])) == [[(1,)], [(2,)]]


@pytest.mark.parametrize(
    "lost",
    ["DEALLOCATE ALL", "ALTER TABLE pg_temp.things ADD COLUMN other int"],  # 26000, 0A000
)
def test_plans_that_the_server_does_not_have_any_more_are_made_anew(line: DatabaseWrapper, lost: str) -> None:
    with line.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE things (name text)")
        all_of = ("SELECT * FROM pg_temp.things", ())
        assert rows(line, all_of) == [[]]
        cursor.execute(lost)
    with pytest.raises(DatabaseError):
        rows(line, all_of)
    assert rows(line, all_of, all_of) == [[], []]


def test_a_transaction_begins_with_what_is_asked_first_and_not_before(line: DatabaseWrapper) -> None:
    ids = ("SELECT pg_current_xact_id()::text", ())
    line.set_autocommit(False)
    assert line.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert rows(line, ids) == rows(line, ids)
    with pytest.raises(DatabaseError):
        rows(line, ("SELECT 1 / 0", ()))
    line.rollback()
    with pytest.raises(DatabaseError):  # with its beginning
        rows(line, ("SELECT 2 / 0", ()))
    assert line.connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
    line.rollback()
    line.set_autocommit(True)
    assert rows(line, ids) != rows(line, ids)


def test_what_is_committed_is_there_for_others_and_a_transaction_that_never_began_ends_too(
    line: DatabaseWrapper,
) -> None:
    line.set_autocommit(False)
    line.commit()
    rows(line, ("CREATE TEMPORARY TABLE kept ON COMMIT DELETE ROWS AS SELECT 1", ()))
    with line.cursor() as cursor:  # psycopg's own statement is in the same transaction
        cursor.execute("SELECT count(*) FROM kept")
        assert cursor.fetchone() == (1,)
        with pytest.raises(ProgrammingError):
            line.set_autocommit(True)
    line.commit()
    assert line.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    line.set_autocommit(True)
    assert line.connection.autocommit
    assert rows(line, ("SELECT count(*) FROM kept", ())) == [[(0,)]]


def test_a_commit_that_the_server_does_not_do_is_an_error(line: DatabaseWrapper) -> None:
    with line.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE once (number int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    line.set_autocommit(False)
    rows(line, ("INSERT INTO once VALUES (1), (1)", ()))
    with pytest.raises(IntegrityError):
        line.commit()
    rows(line, (NUMBER, [1]))
    psycopg.connect(line.connection.info.dsn, autocommit=True).execute(
        "SELECT pg_terminate_backend(%s)", [line.connection.info.backend_pid]
    )
    with pytest.raises(OperationalError):
        line.commit()
    assert line.connection.closed


def test_commits_are_in_the_log_of_statements(line: DatabaseWrapper) -> None:
    with CaptureQueriesContext(line) as log:
        line.set_autocommit(False)
        rows(line, (NUMBER, [1]))
        line.commit()
    assert [query["sql"] for query in log] == ["BEGIN", "COMMIT"]


def test_what_django_asks_and_rolls_back_leaves_all_plans(line: DatabaseWrapper) -> None:
    known = ("SELECT %s::int + 1", (1,))
    rows(line, known)
    line.set_autocommit(False)
    with line.cursor() as cursor:
        for number in range(9):
            cursor.execute("SELECT %s::int", (number,))
    line.rollback()
    line.set_autocommit(True)
    assert rows(line, known) == [[(2,)]]


@pytest.mark.parametrize("statements", [[END], [NUMBER, END], [NUMBER, END, NUMBER, END]])
@pytest.mark.parametrize("known", [False, True])
def test_a_server_that_ends_in_the_middle_is_djangos_error_and_the_next_line_works(
    line: DatabaseWrapper, statements: list[str], known: bool
) -> None:
    if known:
        with pytest.raises(DatabaseError):  # planned, and not carried out
            rows(line, ("SELECT 1 / 0", ()), (END, ()))
        line.line._names.clear()
    with pytest.raises(OperationalError):
        rows(line, *[(each, [1] if each == NUMBER else ()) for each in statements])
    assert line.connection.closed
    line.close_if_unusable_or_obsolete()
    line.ensure_connection()
    assert rows(line, (NUMBER, [7])) == [[(7,)]]


class _InterruptedError(Exception):
    """As a task's time limit raises it, wherever the process is."""


@pytest.mark.parametrize("statements", [0, 1, 3])
def test_answers_that_nobody_waited_for_are_nobodys(
    line: DatabaseWrapper, statements: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = ("SELECT 'stale' FROM pg_sleep(0.05)", ())

    class Interrupted:
        def poll(self) -> None:
            raise _InterruptedError

    if not statements:
        line.set_autocommit(False)
        rows(line, slow)
    monkeypatch.setattr(line, "_answer", Interrupted())
    asks = partial(rows, line, *[slow] * statements) if statements else line.commit
    with pytest.raises(_InterruptedError):
        asks()
    monkeypatch.undo()
    assert line.connection.closed


def test_more_values_than_a_statement_may_have_leave_no_pipeline_open(line: DatabaseWrapper) -> None:
    asked = Asked("SELECT 1", [None] * 70_000)
    with pytest.raises(OperationalError), line.together():
        line.ask(asked, asked)
    if not line.connection.closed:
        assert not line.connection.pgconn.pipeline_status
        assert rows(line, (NUMBER, [1])) == [[(1,)]]


def test_behind_a_pooler_nothing_is_planned(line: DatabaseWrapper) -> None:
    line.line = Line(line.connection, plans=False)
    for _thrice in range(3):
        assert rows(line, (NUMBER, [1])) == [[(1,)]]
        assert rows(line, (NUMBER, [1]), ("SELECT %s::text", [None])) == [[(1,)], [(None,)]]
    assert plans(line) == 0
    with pytest.raises(DatabaseError):
        rows(line, ("SELECT 1 / 0", ()), (NUMBER, [1]))
    assert rows(line, (NUMBER, [1])) == [[(1,)]]


def test_what_does_not_fit_into_the_socket_comes_and_goes_whole(line: DatabaseWrapper) -> None:
    large = "x" * (8 << 20)
    echo = ("SELECT %s::text", [large])
    assert rows(line, echo, (NUMBER, [1]), echo) == [[(large,)], [(1,)], [(large,)]]


def test_a_savepoint_that_is_given_up_keeps_the_transaction_and_its_plans() -> None:
    with transaction.atomic():
        with pytest.raises(DatabaseError), transaction.atomic():
            prepared.ask("SELECT 1 / 0")
        assert prepared.ask(NUMBER, [3]).rows == [(3,)]
