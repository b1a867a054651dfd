"""The WebSocket of a request: a snapshot on connect and one per change. Read-only; what a client says is not listened
to.
"""

import asyncio
import logging
from collections import Counter
from typing import Any, ClassVar, NoReturn

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from friendpay.kit import limits, networks
from payments.live import hub
from payments.live.snapshot import Shown

logger = logging.getLogger(__name__)

NOT_FOUND = 4404
TALKING = 4400
CROWDED = 4429


class RequestConsumer(AsyncWebsocketConsumer):
    """Anybody with the link may look. What it shows comes from the process's hub, which has the subscription.

    A socket that takes nothing holds up no other and keeps one state waiting, the newest.
    """

    channel_layer_alias = "none: the hub listens for all"
    networks: ClassVar[Counter[str]] = Counter()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.token = ""
        self.network = ""
        self.seq = -1  # of what was sent
        self._is_accepted = False
        self._next: Shown | None = None
        self._sending: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        self.token = self.scope["url_route"]["kwargs"]["token"]
        self.network = networks.hashed((self.scope.get("client") or ("",))[0])
        self.networks[self.network] += 1
        try:
            await self._begin()
        except BaseException:
            await self._leave()
            raise

    async def _begin(self) -> None:
        if self.network and self.networks[self.network] > limits.SOCKETS_OF_A_NETWORK:
            await self.accept()
            await self.close(CROWDED)
            return
        is_known = await hub.here().subscribe(self)
        await self.accept()
        if not is_known:
            await self.close(NOT_FOUND)
            return
        self._is_accepted = True
        self._send_next()

    async def disconnect(self, code: int) -> None:
        await self._leave()

    async def _leave(self) -> None:
        if self._sending:
            self._sending.cancel()
        if self.networks[self.network] == 1:
            del self.networks[self.network]
        else:
            self.networks[self.network] -= 1
        await hub.here().unsubscribe(self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.close(TALKING)

    def tell(self, shown: Shown) -> None:
        """A new state; one that is older than what was sent is dropped. It counts as told once it is sent, not
        before, and nothing is sent before the socket was accepted.
        """
        if self._next is None or shown.seq > self._next.seq:
            self._next = shown
        self._send_next()

    def _send_next(self) -> None:
        if self._is_accepted and (self._sending is None or self._sending.done()):
            self._sending = asyncio.create_task(self._send_newest())

    async def _send_newest(self) -> None:
        try:
            while self._next and self._next.seq > self.seq:
                shown = self._next
                await self.send(shown.text)
                self.seq = shown.seq
        except OSError:
            logger.debug("a socket went away; if it did not, the next round tells it")

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As Channels does it, without a look at database connections in another thread: no socket has one."""
        await getattr(self, get_handler_name(message))(message)

    async def websocket_disconnect(self, message: dict[str, Any]) -> NoReturn:
        await self.disconnect(message["code"])
        raise StopConsumer
