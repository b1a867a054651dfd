"""As `reads`, on the event loop: a web process has a few lasting connections of its own for that.

What is asked while they are busy is asked together, in one round trip, as soon as one of them is free: PostgreSQL and
this process are each woken once for all of it. Whatever is read was asked for before, so nobody is told an older state.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import psycopg
from django.db import connection
from psycopg.waiting import Ready, Wait

from friendpay.kit import limits
from friendpay.kit.postgresql.base import PLANNED_ONCE, has_news
from friendpay.kit.postgresql.trips import Asked, Line, Params

Rows = list[tuple[Any, ...]]


class _Wanted(NamedTuple):
    asked: Asked
    answer: asyncio.Future[Rows]


class Readers:
    """At most `most` connections, each made when it is first needed and again after it broke."""

    def __init__(self, most: int) -> None:
        self._free: list[_Reader | None] = [None] * most
        self._wanted: list[_Wanted] = []
        self._busy: set[asyncio.Task[None]] = set()

    async def one(self, sql: str, params: Params) -> tuple[Any, ...] | None:
        """The row that a SELECT finds, None when there is none. As `all`."""
        rows = await self.all(sql, params)
        return rows[0] if rows else None

    async def all(self, sql: str, params: Params) -> Rows:
        """The rows that a SELECT finds. Raises psycopg.Error, also where one that was asked together with it failed, or
        TimeoutError when it takes too long; the next one who asks meets a new connection then.
        """
        loop = asyncio.get_running_loop()
        wanted = _Wanted(Asked(sql, params), loop.create_future())
        self._wanted.append(wanted)
        if self._free:
            task = loop.create_task(self._answer(self._free.pop()))
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)
        late = loop.call_later(limits.ROW_SECONDS, _fail, wanted, TimeoutError())
        try:
            return await wanted.answer
        finally:
            late.cancel()

    async def close(self) -> None:
        """All of them, once those that are busy are not any more."""
        while self._busy:
            await asyncio.wait(self._busy)
        for reader in self._free:
            if reader is not None:
                reader.close()
        self._free = [None] * len(self._free)

    async def _answer(self, reader: "_Reader | None") -> None:
        """All that is wanted, until nobody wants any more."""
        kept: _Reader | None = reader
        try:
            while self._wanted:
                wanted, self._wanted = self._wanted, []
                kept = None
                try:
                    if reader is None or reader.is_over:
                        async with asyncio.timeout(limits.ROW_SECONDS):
                            reader = await _Reader.connected()
                    await reader.read([each.asked for each in wanted])
                except (psycopg.Error, TimeoutError) as error:
                    broken, reader = reader, None
                    if broken is not None:
                        broken.close()
                    for each in wanted:
                        _fail(each, error)
                else:
                    kept = reader
                    for each in wanted:
                        if not each.answer.done():  # who waited too long has left
                            each.answer.set_result(each.asked.rows)
        finally:
            self._free.append(kept)


def _fail(wanted: _Wanted, error: Exception) -> None:
    if not wanted.answer.done():
        wanted.answer.set_exception(error)


class _Reader:
    """A connection that the event loop listens to as long as it lasts."""

    def __init__(self, connected: "psycopg.AsyncConnection[Any]") -> None:
        self._pgconn = connected.pgconn
        self._connection = connected
        self._line = Line(connected, plans=connected.prepare_threshold is not None)
        self._loop = asyncio.get_running_loop()
        self._heard: asyncio.Future[None] | None = None
        self._reads = self._is_late = self._closed = False
        self._socket = self._pgconn.socket
        self._loop.add_reader(self._socket, self._hear)

    @classmethod
    async def connected(cls) -> Self:
        """As Django's own connections are; every statement is planned once, where any is."""
        options = connection.get_connection_params() | {"autocommit": True}
        del options["cursor_factory"]  # not for the event loop
        connected = await psycopg.AsyncConnection.connect(**options)
        if connected.prepare_threshold is not None:
            await connected.execute(PLANNED_ONCE)
            await connected.execute("SET TIME ZONE 'UTC'")
        return cls(connected)

    async def read(self, asked: Sequence[Asked]) -> None:
        """One round trip. Raises psycopg.Error, or TimeoutError after ROW_SECONDS."""
        trip, self._reads, self._is_late = self._line.trip(asked), True, False
        late = self._loop.call_later(limits.ROW_SECONDS, self._give_up)
        try:
            wants = next(trip)
            while True:
                if self._is_late:  # in the turn in which a part of the answer came
                    raise TimeoutError
                self._heard = self._loop.create_future()
                if wants == Wait.R:
                    await self._heard
                else:  # more than fits into the socket at once
                    self._loop.add_writer(self._socket, self._hear)
                    try:
                        await self._heard
                    finally:
                        self._loop.remove_writer(self._socket)
                wants = trip.send(Ready.R if wants == Wait.R else Ready.RW)
        except StopIteration:
            return
        finally:
            late.cancel()
            self._reads = False

    def close(self) -> None:
        """Also where the connection is over already: libpq has closed its socket then, whose number is another's next,
        and the event loop has to have forgotten it.
        """
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._socket)
            self._pgconn.finish()

    @property
    def is_over(self) -> bool:
        return self._closed or self._connection.closed

    def _give_up(self) -> None:
        self._is_late = True
        if self._heard is not None and not self._heard.done():
            self._heard.set_exception(TimeoutError())

    def _hear(self) -> None:
        """There is something to read; where nobody reads, and it was not read since, it can only be the end."""
        if self._heard is not None and not self._heard.done():
            self._heard.set_result(None)
        elif not self._reads and has_news(self._socket):
            self.close()
