"""The hub of a process: what its sockets share. One subscription at Valkey and one read a request, however many look at
it; a state is serialised once, where it was written, and handed to each socket as it is.

Nothing here waits for a socket: each takes the newest state when it can (`Socket.tell`). Nothing here is believed for
longer than LIVE_CATCH_UP_SECONDS: a message may be lost, with Valkey or on its way, and one question for all makes up
for it.
"""

import asyncio
import logging
import time
from functools import partial
from typing import Protocol, cast

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import Error

from friendpay.kit import background, gauges, limits
from payments.live import snapshot
from payments.live.snapshot import Shown

logger = logging.getLogger(__name__)


class Socket(Protocol):
    """An open page: whoever watches a request."""

    token: str
    seq: int

    def tell(self, shown: Shown) -> None:
        """Show this state as soon as it can be. Returns at once, never raises."""


class _Watched:
    """A request, and who watches it in this process."""

    def __init__(self) -> None:
        self.sockets: set[Socket] = set()
        self.newest: Shown | None = None
        self.joining: asyncio.Task[bool] | None = None
        self.telling: asyncio.Task[None] | None = None

    @property
    def is_joined(self) -> bool:
        """Whether its messages come."""
        return bool(self.joining and self.joining.done() and self.joining.result())

    def newer(self, shown: Shown) -> None:
        """Tell everybody, unless this or a newer state is known already."""
        if self.newest and self.newest.seq >= shown.seq:
            return
        self.newest = shown
        if len(self.sockets) <= limits.LIVE_SLICE_SOCKETS:
            self.tell_those_behind()
        elif self.telling is None or self.telling.done():
            self.telling = asyncio.create_task(self._tell_all())

    def tell_those_behind(self) -> None:
        """Whoever has not seen the newest state is told it; again, where it could not be sent before."""
        if self.newest:
            for socket in self.sockets:
                if socket.seq < self.newest.seq:
                    socket.tell(self.newest)

    async def _tell_all(self) -> None:
        told = None
        while self.newest and self.newest is not told:
            told = self.newest
            for number, socket in enumerate(tuple(self.sockets), 1):
                socket.tell(self.newest)
                if number % limits.LIVE_SLICE_SOCKETS == 0:
                    await asyncio.sleep(0)


class Hub:
    """Of one event loop."""

    def __init__(self) -> None:
        self._layer = get_channel_layer()
        self.watched: dict[str, _Watched] = {}
        self._arrivals = Arrivals()
        self._channel: asyncio.Task[str] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._rounds: asyncio.Task[None] | None = None
        self._pause_ends = 0.0

    async def subscribe(self, socket: Socket) -> bool:
        """Tell this socket its request's state and every later one; False where there is no such request.

        Joining comes before reading, so that no change falls between the two. Without Valkey the rounds tell.
        """
        watched = self.watched.setdefault(socket.token, _Watched())
        watched.sockets.add(socket)
        if not watched.is_joined:
            await asyncio.wait([self._joining(socket.token, watched)], timeout=limits.LIVE_PATIENCE_SECONDS)
        shown = await self._arrivals.read(socket.token)
        if shown is None:
            return False
        watched.newer(shown)
        if watched.newest:
            socket.tell(watched.newest)
        if self._rounds is None or self._rounds.done():
            self._rounds = asyncio.create_task(self._go_round())
        return True

    async def unsubscribe(self, socket: Socket) -> None:
        """It is gone. May be called for one that never subscribed."""
        watched = self.watched.get(socket.token)
        if watched is None:
            return
        watched.sockets.discard(socket)
        if not watched.sockets:
            del self.watched[socket.token]
            if watched.is_joined:
                await self._part(socket.token)

    def _joining(self, token: str, watched: _Watched) -> "asyncio.Task[bool]":
        """Under way or done, once for all sockets; anew where it failed."""
        if watched.joining is None or (watched.joining.done() and not watched.joining.result()):
            watched.joining = asyncio.create_task(self._join(token))
        return watched.joining

    async def _join(self, token: str) -> bool:
        """Have the request's messages from now on. One that fails is made up for by the rounds."""
        if self._pause_ends > time.monotonic():
            return False
        try:
            if self._channel is None or (self._channel.done() and self._channel.exception()):
                self._channel = asyncio.create_task(self._layer.new_channel())
            channel = await self._channel
            await self._layer.group_add(snapshot.group(token), channel)
            if token not in self.watched:
                await self._part(token)  # all have gone meanwhile
        except Exception as error:
            self._pause_ends = time.monotonic() + limits.LIVE_PATIENCE_SECONDS
            logger.warning("Valkey cannot tell what changes; the database is asked meanwhile: %s", error)
            return False
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen(channel))
        return True

    async def _part(self, token: str) -> None:
        try:
            await self._layer.group_discard(snapshot.group(token), cast(asyncio.Task[str], self._channel).result())
        except Exception as error:
            logger.warning("a subscription could not be ended: %s", error)

    async def _listen(self, channel: str) -> None:
        while True:
            try:
                message = await self._layer.receive(channel)
                if watched := self.watched.get(message["token"]):
                    watched.newer(Shown(message["seq"], message["text"]))
            except Exception:
                logger.exception("a message could not be read")
                await asyncio.sleep(1)

    async def _go_round(self) -> None:
        while True:
            await asyncio.sleep(limits.LIVE_CATCH_UP_SECONDS)
            if not self.watched:
                return
            sockets = sum(len(watched.sockets) for watched in self.watched.values())
            background.run_later("gauges", partial(gauges.tell, "sockets", sockets))
            seen = {token: watched.newest.seq for token, watched in self.watched.items() if watched.newest}
            try:
                missed: dict[str, Shown] = await changed(seen)
            except Error:
                logger.warning("the database cannot say what the sockets missed; asking again")
                continue
            for token, shown in missed.items():
                if watched := self.watched.get(token):
                    watched.newer(shown)
            for watched in tuple(self.watched.values()):
                watched.tell_those_behind()
            for token, watched in tuple(self.watched.items()):
                if not await self._joining(token, watched):
                    break  # Valkey is silent still


class Arrivals:
    """First snapshots (single flight). All who come while a question is being answered share the next one."""

    def __init__(self) -> None:
        self._tokens: set[str] = set()  # asked for by the next question
        self._next: asyncio.Task[dict[str, Shown]] | None = None
        self._now: asyncio.Task[dict[str, Shown]] | None = None

    async def read(self, token: str) -> Shown | None:
        """The request's state, read after this call; None where there is no such request."""
        self._tokens.add(token)
        if self._next is None or self._next.done():
            self._next = asyncio.create_task(self._ask(self._now))
        return (await asyncio.shield(self._next)).get(token)  # who leaves meanwhile takes it from nobody

    async def _ask(self, before: "asyncio.Task[dict[str, Shown]] | None") -> dict[str, Shown]:
        if before:
            await asyncio.wait([before])
            await asyncio.sleep(limits.LIVE_GATHER_SECONDS)
        tokens, self._tokens = self._tokens, set()
        self._now, self._next = self._next, None
        try:
            found: dict[str, Shown] = await changed(dict.fromkeys(tokens, -1))
            return found
        finally:
            self._now = None


@database_sync_to_async
def changed(seen: dict[str, int]) -> dict[str, Shown]:
    """The states of those requests that are newer than what was seen, in one statement."""
    return snapshot.newer(seen)


_hub: tuple[asyncio.AbstractEventLoop, Hub] | None = None


def here() -> Hub:
    """The hub of this event loop."""
    global _hub
    loop = asyncio.get_running_loop()
    if _hub is None or _hub[0] is not loop:
        _hub = loop, Hub()
    return _hub[1]
