"""The WebSocket of a request: a snapshot on connect and one per change. Read-only; what a client says is not listened
to.
"""

import asyncio
import json
import logging
from asyncio import wait_for
from collections import Counter
from typing import Any, ClassVar

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error

from friendpay.kit import networks
from payments.live import snapshot as live
from payments.models import PaymentRequest

logger = logging.getLogger(__name__)

NOT_FOUND = 4404
TALKING = 4400
CROWDED = 4429
CATCH_UP = 3.0
"""Seconds after which a change is seen at the latest, whatever became of its message."""
SOCKETS_OF_A_NETWORK = 500
"""In one process. Who comes later is shown the page all the same, by asking."""


class RequestConsumer(AsyncWebsocketConsumer):
    """Anybody with the link may look. Joining comes before reading, so that no change falls between the two."""

    looking: ClassVar[set["RequestConsumer"]] = set()  # who has had a first snapshot
    networks: ClassVar[Counter[str]] = Counter()
    round: ClassVar[asyncio.Task[None] | None] = None

    seq = -1

    async def connect(self) -> None:
        self.token = self.scope["url_route"]["kwargs"]["token"]
        self.network = networks.hashed((self.scope.get("client") or ("",))[0])
        self.telling = asyncio.Lock()
        self.networks[self.network] += 1
        try:
            await self._begin()
        except BaseException:
            self._leave()
            raise

    async def _begin(self) -> None:
        if self.network and self.networks[self.network] > SOCKETS_OF_A_NETWORK:
            await self.accept()
            await self.close(CROWDED)
            return
        await self.channel_layer.group_add(live.group(self.token), self.channel_name)
        snapshot = await _arrivals.read(self.token)
        await self.accept()
        if snapshot is None:
            await self.close(NOT_FOUND)
            return
        await self.snapshot({"snapshot": snapshot})
        self.looking.add(self)
        self._keep_up()

    async def disconnect(self, code: int) -> None:
        self._leave()
        await self.channel_layer.group_discard(live.group(self.token), self.channel_name)

    def _leave(self) -> None:
        self.looking.discard(self)
        self.networks[self.network] -= 1
        if not self.networks[self.network]:
            del self.networks[self.network]

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.close(TALKING)

    async def snapshot(self, message: dict[str, Any]) -> None:
        """A new state; one that is older than what was sent is dropped. It counts as told once it is sent, not
        before.
        """
        async with self.telling:
            if message["snapshot"]["seq"] > self.seq:
                await self.send(json.dumps(message["snapshot"]))
                self.seq = message["snapshot"]["seq"]

    def _keep_up(self) -> None:
        """A message may be lost, with Valkey or on its way: one question for all sockets of the process makes up for
        it.
        """
        cls = type(self)
        if cls.round is None or cls.round.done():
            cls.round = asyncio.create_task(cls._rounds())

    @classmethod
    async def _rounds(cls) -> None:
        while True:
            await asyncio.sleep(CATCH_UP)
            if not cls.looking:
                return
            oldest: dict[str, int] = {}
            for consumer in cls.looking:
                oldest[consumer.token] = min(consumer.seq, oldest.get(consumer.token, consumer.seq))
            try:
                missed = await _missed(oldest)
            except Error:
                logger.warning("the database cannot say what the sockets missed; asking again")
                continue
            late = [consumer for consumer in cls.looking if consumer.token in missed]
            told = (wait_for(consumer.snapshot({"snapshot": missed[consumer.token]}), CATCH_UP) for consumer in late)
            await asyncio.gather(*told, return_exceptions=True)  # one that is gone, or stuck, keeps nobody waiting


class _Arrivals:
    """First snapshots. All who come while a question is being answered share the next one, so that a crowd after a
    restart costs the database little.
    """

    def __init__(self) -> None:
        self._tokens: set[str] = set()  # asked for by the next question
        self._next: asyncio.Task[dict[str, dict[str, Any]]] | None = None
        self._now: asyncio.Task[dict[str, dict[str, Any]]] | None = None

    async def read(self, token: str) -> dict[str, Any] | None:
        """The request's snapshot, read after this call; None where there is no such request."""
        self._tokens.add(token)
        if self._next is None or self._next.done():
            self._next = asyncio.create_task(self._ask(self._now))
        return (await asyncio.shield(self._next)).get(token)  # who leaves meanwhile takes it from nobody

    async def _ask(self, before: "asyncio.Task[dict[str, dict[str, Any]]] | None") -> dict[str, dict[str, Any]]:
        if before and not before.done():
            await asyncio.wait([before])
        tokens, self._tokens = self._tokens, set()
        self._now, self._next = self._next, None
        found: dict[str, dict[str, Any]] = await _read(list(tokens))
        return found


_arrivals = _Arrivals()


@database_sync_to_async
def _read(tokens: list[str]) -> dict[str, dict[str, Any]]:
    """The snapshots of those requests that there are."""
    return live.snapshots(PaymentRequest.objects.filter(token__in=tokens))


@database_sync_to_async
def _missed(seen: dict[str, int]) -> dict[str, dict[str, Any]]:
    """The snapshots of those requests that have changed since."""
    known = PaymentRequest.objects.filter(token__in=seen).values_list("pk", "token", "seq")
    changed = [pk for pk, token, seq in known if seq > seen[token]]
    return live.snapshots(PaymentRequest.objects.filter(pk__in=changed)) if changed else {}
