"""As `reads`, on the event loop: a web process has a few lasting connections of its own for that.

What is asked while they are busy is asked together, in one round trip, as soon as one of them is free: PostgreSQL and
this process are each woken once for all of it. Whatever is read was asked for before, so nobody is told an older state.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg
from django.db import connection

from friendpay.kit import limits
from friendpay.kit.postgresql.base import PLANNED_ONCE

Connection = psycopg.AsyncConnection[Any]
Rows = list[tuple[Any, ...]]


class _Asked(NamedTuple):
    sql: str
    params: dict[str, Any] | list[Any]
    answer: asyncio.Future[Rows]


class Readers:
    """At most `most` connections, each made when it is first needed and again after it broke."""

    def __init__(self, most: int) -> None:
        self._free: list[Connection | None] = [None] * most
        self._asked: list[_Asked] = []
        self._busy: set[asyncio.Task[None]] = set()

    async def one(self, sql: str, params: dict[str, Any]) -> tuple[Any, ...] | None:
        """The row that a SELECT finds, None when there is none. As `all`."""
        rows = await self.all(sql, params)
        return rows[0] if rows else None

    async def all(self, sql: str, params: dict[str, Any] | list[Any]) -> Rows:
        """The rows that a SELECT finds. Raises psycopg.Error, also where one that was asked together with it failed, or
        TimeoutError when it takes too long; the next one who asks meets a new connection then.
        """
        asked = _Asked(sql, params, asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        if self._free:
            task = asyncio.create_task(self._answer(self._free.pop()))
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)
        async with asyncio.timeout(limits.ROW_SECONDS):
            return await asked.answer

    async def close(self) -> None:
        """All of them, once those that are busy are not any more."""
        while self._busy:
            await asyncio.wait(self._busy)
        for reader in self._free:
            if reader is not None:
                await reader.close()
        self._free = [None] * len(self._free)

    async def _answer(self, reader: Connection | None) -> None:
        """All that is asked, until nobody asks any more."""
        kept: Connection | None = reader
        try:
            while self._asked:
                asked, self._asked = self._asked, []
                kept = None
                try:
                    async with asyncio.timeout(limits.ROW_SECONDS):
                        reader = reader or await _connected()
                        answers = await _read(reader, asked)
                except (psycopg.Error, TimeoutError) as error:
                    broken, reader = reader, None
                    if broken is not None:
                        await broken.close()
                    for each in asked:
                        if not each.answer.done():  # who waited too long has left
                            each.answer.set_exception(error)
                else:
                    kept = reader
                    for each, rows in zip(asked, answers, strict=True):
                        if not each.answer.done():
                            each.answer.set_result(rows)
        finally:
            self._free.append(kept)


async def _read(reader: Connection, asked: Sequence[_Asked]) -> list[Rows]:
    """What each of them finds."""
    if len(asked) == 1:
        (alone,) = asked
        cursor = await psycopg.AsyncCursor(reader).execute(alone.sql, alone.params)
        return [await cursor.fetchall()]
    async with reader.pipeline():
        cursors = [await psycopg.AsyncCursor(reader).execute(each.sql, each.params) for each in asked]
    return [await cursor.fetchall() for cursor in cursors]


async def _connected() -> Connection:
    """As Django's own connections are; every statement is prepared, where any is."""
    options = connection.get_connection_params() | {"autocommit": True}
    del options["cursor_factory"]  # not for the event loop
    reader = await psycopg.AsyncConnection.connect(**options)
    if reader.prepare_threshold is not None:
        await reader.execute(PLANNED_ONCE)
        await reader.execute("SET TIME ZONE 'UTC'")
    return reader
