"""As `reads`, on the event loop: a web process has a few lasting connections of its own for that."""

import asyncio
from typing import Any

import psycopg
from django.db import connection

from friendpay.kit import limits
from friendpay.kit.postgresql.base import PLANNED_ONCE


class Readers:
    """At most `most` connections, each made when it is first needed and again after it broke."""

    def __init__(self, most: int) -> None:
        self._free: asyncio.LifoQueue[psycopg.AsyncConnection[Any] | None] = asyncio.LifoQueue()
        for _reader in range(most):
            self._free.put_nowait(None)

    async def one(self, sql: str, params: dict[str, Any]) -> tuple[Any, ...] | None:
        """The row that a SELECT finds, None when there is none. As `all`."""
        rows = await self.all(sql, params)
        return rows[0] if rows else None

    async def all(self, sql: str, params: dict[str, Any] | list[Any]) -> list[tuple[Any, ...]]:
        """The rows that a SELECT finds. Raises psycopg.Error, or TimeoutError when it takes
        too long; the next one who asks meets a new connection then.
        """
        async with asyncio.timeout(limits.ROW_SECONDS):
            reader, kept = await self._free.get(), None
            try:
                reader = reader or await _connected()
                cursor = await psycopg.AsyncCursor(reader).execute(sql, params)
                rows: list[tuple[Any, ...]] = await cursor.fetchall()
                kept = reader
            finally:
                self._free.put_nowait(kept)
                if kept is None and reader is not None:
                    await reader.close()
        return rows

    async def close(self) -> None:
        """Those that nobody is using."""
        while not self._free.empty():
            if (reader := self._free.get_nowait()) is not None:
                await reader.close()


async def _connected() -> "psycopg.AsyncConnection[Any]":
    """As Django's own connections are; every statement is prepared, where any is."""
    options = connection.get_connection_params() | {"autocommit": True}
    del options["cursor_factory"]  # not for the event loop
    reader = await psycopg.AsyncConnection.connect(**options)
    if reader.prepare_threshold is not None:
        await reader.execute(PLANNED_ONCE)
    return reader
