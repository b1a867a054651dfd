"""The socket of a request: a snapshot on connect and one per change. Read-only; what a client says is not listened
to.
"""

import json
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from payments import live
from payments.models import PaymentRequest

NOT_FOUND = 4404
TALKING = 4400


class RequestConsumer(AsyncWebsocketConsumer):
    """Anybody with the link may look. Joining comes before reading, so that no change falls between the two."""

    seq = -1

    async def connect(self) -> None:
        token = self.scope["url_route"]["kwargs"]["token"]
        self.group = live.group(token)
        await self.channel_layer.group_add(self.group, self.channel_name)
        snapshot = await self._read(token)
        await self.accept()
        if snapshot is None:
            await self.close(NOT_FOUND)
        else:
            await self.snapshot({"snapshot": snapshot})

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.close(TALKING)

    async def snapshot(self, message: dict[str, Any]) -> None:
        """A new state; one that is older than what was sent is dropped."""
        if message["snapshot"]["seq"] > self.seq:
            self.seq = message["snapshot"]["seq"]
            await self.send(json.dumps(message["snapshot"]))

    @database_sync_to_async
    def _read(self, token: str) -> dict[str, Any] | None:
        request = PaymentRequest.objects.filter(token=token).first()
        return live.snapshot(request) if request else None
