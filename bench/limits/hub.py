"""The limit of live pages: sockets that are told what comes over Valkey, and nothing else. Never serve it.

A message published to `hub.<token>` goes to every socket at `/ws/p/<token>/`.
"""

import asyncio
import os
from collections import defaultdict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from redis.asyncio import Redis

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

_groups: defaultdict[str, set[Send]] = defaultdict(set)


async def _forward() -> None:
    """From one subscription to all sockets."""
    async with Redis.from_url(os.environ["REDIS_URL"], socket_timeout=None).pubsub() as subscription:
        await subscription.psubscribe("hub.*")
        async for message in subscription.listen():
            if message["type"] == "pmessage":
                told = {"type": "websocket.send", "text": message["data"].decode()}
                for send in list(_groups[message["channel"].decode().removeprefix("hub.")]):
                    await send(told)


async def app(scope: MutableMapping[str, Any], receive: Callable[[], Awaitable[Message]], send: Send) -> None:
    if scope["type"] == "lifespan":
        await receive()
        forwarding = asyncio.create_task(_forward())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        forwarding.cancel()
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        group = _groups[scope["path"].split("/")[3]]
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": '{"seq": 0}'})
        group.add(send)
        while (await receive())["type"] != "websocket.disconnect":
            pass
        group.discard(send)
    else:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
