"""A bad line to a server on loopback: it cuts, delays and swallows what passes."""

import asyncio
import random
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import StrEnum

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

LONGEST_DELAY = 0.8
_CHUNK = 64 * 1024
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset


class Fate(StrEnum):
    """What becomes of a piece of a request, and of the answer to it."""

    PASS = "pass"
    DELAY = "delay"
    RESET_REQUEST = "reset before the server heard"
    RESET_ANSWER = "reset within the answer"
    SWALLOW_REQUEST = "swallowed before the server heard"
    SWALLOW_ANSWER = "answer swallowed"


class FaultProxy:
    """`fate` is asked for every piece that a client sends. What is swallowed leaves its connection open and silent."""

    def __init__(self, connect: Callable[[], Awaitable[Streams]], fate: Callable[[], Fate]) -> None:
        self.fate = fate
        self.port = 0
        self._connect = connect
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def listen(self) -> None:
        """Take connections, on the same port as before if it did already."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Cut every connection, and take none until `listen`."""
        if self._server:
            self._server.close()
        for writer in list(self._open):
            _reset(writer)
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await self._connect()
        except OSError:
            _reset(writer)
            return
        line = _Line(self.fate)
        self._open |= {writer, there_writer}
        pumps = [
            asyncio.ensure_future(line.requests(reader, there_writer)),
            asyncio.ensure_future(line.answers(there_reader, writer)),
        ]
        with suppress(asyncio.CancelledError):  # the end of everything
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        self._open -= {writer, there_writer}
        for end in (writer, there_writer):
            if any(pump.done() and not pump.cancelled() and pump.exception() for pump in pumps):
                _reset(end)
            end.close()


class _Line:
    """One connection. Its pumps end when a side closes, or with ConnectionResetError when it is to be reset."""

    def __init__(self, fate: Callable[[], Fate]) -> None:
        self._draw = fate
        self._fate = Fate.PASS

    async def requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        swallowing = False
        while piece := await reader.read(_CHUNK):
            self._fate = self._draw()
            if self._fate == Fate.RESET_REQUEST:
                raise ConnectionResetError
            if self._fate == Fate.DELAY:
                await asyncio.sleep(random.uniform(0, LONGEST_DELAY))
            swallowing = swallowing or self._fate == Fate.SWALLOW_REQUEST
            if not swallowing:
                writer.write(piece)
                await writer.drain()

    async def answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        swallowing = False
        while piece := await reader.read(_CHUNK):
            if self._fate == Fate.RESET_ANSWER:
                writer.write(piece[: len(piece) // 2])
                with suppress(ConnectionError):
                    await writer.drain()
                raise ConnectionResetError
            swallowing = swallowing or self._fate == Fate.SWALLOW_ANSWER
            if not swallowing:
                writer.write(piece)
                await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()
