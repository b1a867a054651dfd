"""What is asked at the same time is one round trip, and each is given her own answer."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
import uvloop

from friendpay.kit import limits, reads_ahead
from friendpay.kit.reads_ahead import Readers
from tests.friendpay.kit.postgresql.test_base import reader_of_times

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "SELECT %(number)s::int"


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many were asked in each round trip."""
    found, ordinary = list[int](), reads_ahead._Reader.read

    async def counted(reader: Any, asked: Any) -> None:
        found.append(len(asked))
        await ordinary(reader, asked)

    monkeypatch.setattr(reads_ahead._Reader, "read", counted)
    return found


def done(work: Coroutine[Any, Any, Any], readers: Readers) -> Any:
    async def whole() -> Any:
        try:
            return await work
        finally:
            await readers.close()

    return asyncio.run(whole())


def test_who_ask_at_once_share_a_round_trip_and_have_answers_of_their_own(together: list[int]) -> None:
    readers = Readers(1)

    async def crowd() -> list[Any]:
        found: list[Any] = []
        for _thrice in range(3):  # planned anew, kept and planned once
            found += await asyncio.gather(*(readers.one(NUMBER, {"number": number}) for number in range(9)))
        return [*found, await readers.one(NUMBER, {"number": 9})]

    assert done(crowd(), readers) == [(number,) for number in [*range(9)] * 3 + [9]]
    assert together == [9, 9, 9, 1]


def test_who_come_while_all_are_busy_are_next_and_see_what_was_changed_before_they_came(together: list[int]) -> None:
    readers = Readers(1)
    slow = "SELECT %(number)s::int FROM pg_sleep(0.2)"

    async def crowd() -> list[Any]:
        first = asyncio.create_task(readers.one(slow, {"number": 0}))
        while not together:
            await asyncio.sleep(0)
        return [*await asyncio.gather(*(readers.one(NUMBER, {"number": n}) for n in (1, 2, 3))), await first]

    assert done(crowd(), readers) == [(1,), (2,), (3,), (0,)]
    assert together == [1, 3]


def test_one_that_fails_fails_those_asked_with_it_and_nobody_after() -> None:
    readers = Readers(1)

    async def crowd() -> tuple[list[Any], Any]:
        number, broken = (NUMBER, {"number": 1}), ("SELECT 1 / 0", dict[str, Any]())
        asked = [readers.one(*each) for each in (number, broken, number)]
        return await asyncio.gather(*asked, return_exceptions=True), await readers.one(NUMBER, {"number": 3})

    together, after = done(crowd(), readers)
    assert all(isinstance(answer, psycopg.Error) for answer in together[1:])
    assert after == (3,)


def test_times_are_read_as_psycopg_reads_them() -> None:
    readers = Readers(1)

    async def read() -> tuple[Any, bool]:
        row = await readers.one("SELECT '2026-05-03 12:00:00.25+02'::timestamptz", {})
        (reader,) = readers._free
        assert reader is not None
        return row, reader_of_times(reader._connection) is reader_of_times(psycopg)

    assert done(read(), readers) == ((datetime(2026, 5, 3, 10, 0, 0, 250_000, UTC),), True)


def test_who_waits_too_long_leaves_and_the_next_one_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    readers = Readers(1)

    async def crowd() -> Any:
        monkeypatch.setattr(limits, "ROW_SECONDS", 0.05)
        with pytest.raises(TimeoutError):
            await readers.one("SELECT 1 FROM pg_sleep(5)", {})
        monkeypatch.setattr(limits, "ROW_SECONDS", 30)
        return await readers.one(NUMBER, {"number": 1})

    assert done(crowd(), readers) == (1,)


def test_who_leaves_takes_nobody_along() -> None:
    readers = Readers(1)

    async def crowd() -> Any:
        tasks = [asyncio.create_task(readers.one(NUMBER, {"number": number})) for number in (1, 2)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        return await tasks[1]

    assert done(crowd(), readers) == (2,)


BACKEND = "SELECT pg_backend_pid()"


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_reader_lasts_also_over_what_does_not_fit_into_its_socket(run: Callable[..., Any]) -> None:
    """Each event loop tells in its own order that there is something to read."""
    readers, large = Readers(1), "x" * (8 << 20)

    async def crowd() -> set[Any]:
        found = set()
        for _thrice in range(3):
            found.add(await readers.one(BACKEND, {}))
            await asyncio.sleep(0.01)
            assert await readers.one("SELECT %(large)s::text", {"large": large}) == (large,)
            two = [readers.one(sql, {"large": large}) for sql in ("SELECT length(%(large)s::text)", BACKEND)]
            assert (await asyncio.gather(*two))[0] == (len(large),)
        await readers.close()
        return found

    assert len(run(crowd())) == 1


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_of_a_reader_that_was_cut_off_the_event_loop_knows_nothing_any_more(run: Callable[..., Any]) -> None:
    """In the middle of a trip, and where nobody reads. Its socket's number is another's next: with what was left of it,
    that one would be refused, or never heard.
    """
    readers = Readers(1)
    end = "SELECT pg_terminate_backend(%(pid)s::int, 5000)"

    async def crowd() -> None:
        forget = asyncio.get_running_loop().remove_reader
        first = await number(readers)
        with pytest.raises(psycopg.OperationalError):
            await readers.one("SELECT pg_terminate_backend(pg_backend_pid())", {})
        assert not forget(first), "still listened to"
        second, other = await number(readers), Readers(1)
        (idle,) = await readers.one(BACKEND, {}) or ()
        assert await other.one(end, {"pid": idle}) == (True,)
        await asyncio.sleep(0.05)
        assert not forget(second)
        assert await readers.one(BACKEND, {}) != (idle,)
        await readers.close()
        await other.close()

    run(crowd())


async def number(readers: Readers) -> int:
    """Of the socket of its reader."""
    await readers.one(BACKEND, {})
    reader = readers._free[0]
    assert reader is not None
    return reader._socket
