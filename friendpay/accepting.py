"""Connections in even parts for every web process that listens at one address.

Whichever process wakes first would take all that wait there, as libuv does, and have all their work for as long as they
are kept: measured, one of two processes did five sixths of it. Here a process takes one and rests for a moment, in
which the others take theirs; and while it has more than another (`siblings`) it leaves them to that one, unless nobody
comes. Only while more keep coming does it take twice as many each time, so that a crowd that comes back at once is let
in within milliseconds.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

import uvloop

from friendpay import siblings
from friendpay.kit import limits

logger = logging.getLogger(__name__)


class Loop(uvloop.Loop):
    """uvloop's, with a `Door` where it is given a socket that listens already."""

    async def create_server(self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        listener = options.get("sock")
        if listener is None:
            return await super().create_server(protocol_factory, host, port, **options)
        return Door(self, protocol_factory, listener, options["backlog"])


class Door:
    """What uvicorn needs of an `asyncio.Server`. Closed, it takes nothing more; what it took lives on."""

    def __init__(
        self, loop: Loop, protocol_factory: Callable[[], asyncio.Protocol], listener: socket.socket, backlog: int
    ) -> None:
        self._loop = loop
        self._factory = protocol_factory
        self._listener = listener
        self._rest: asyncio.TimerHandle | None = None
        self._greeted: set[asyncio.Task[Any]] = set()
        self._at_once = 1
        self._turns = self._waits = 0
        listener.setblocking(False)
        listener.listen(backlog)
        self._open()

    @property
    def sockets(self) -> list[socket.socket]:
        return [self._listener]

    def close(self) -> None:
        if self._rest:
            self._rest.cancel()
        self._loop.remove_reader(self._listener)
        siblings.leave()

    async def wait_closed(self) -> None:
        if self._greeted:
            await asyncio.wait(self._greeted)

    def _open(self) -> None:
        """Somebody may wait already: then no rest has been long enough, and more are taken next time."""
        self._rest = None
        self._loop.add_reader(self._listener, self._take)

    def _take(self) -> None:
        self._loop.remove_reader(self._listener)
        rest = limits.ACCEPT_REST_SECONDS
        room = siblings.room() if self._turns < limits.ACCEPT_EVEN_TURNS else None
        if room is not None and room < 1 and self._waits < limits.ACCEPT_WAITS:
            self._waits += 1
            self._rest = self._loop.call_later(rest, self._open)
            return
        self._waits = 0
        try:
            for _one in range(self._at_once if room is None else min(max(1, room), limits.ACCEPTED_AT_ONCE)):
                self._greet(self._listener.accept()[0])
        except BlockingIOError:  # another process had them
            self._at_once, self._turns = 1, 0
        except ConnectionError:  # gone before it was taken
            pass
        except OSError as error:
            # No file may be opened, a firewall's rule, no network: a door that gave up would stay shut.
            logger.warning("No connection can be taken now: %s", error)
            rest = limits.ACCEPT_AGAIN_SECONDS
        else:
            self._turns += 1
            if room is None:
                self._at_once = min(2 * self._at_once, limits.ACCEPTED_AT_ONCE)
        self._rest = self._loop.call_later(rest, self._open)

    def _greet(self, connection: socket.socket) -> None:
        task = self._loop.create_task(self._loop.connect_accepted_socket(self._factory, connection))
        self._greeted.add(task)
        task.add_done_callback(self._greeted.discard)
