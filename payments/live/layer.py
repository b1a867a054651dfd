"""Many messages to groups of Channels' Redis pub/sub layer in one round trip (pipelining), from code that is not async.

The layer's own `group_send` wants an event loop and one round trip each. What is sent here is read by the layer: names
and bytes are its own, which a test holds.
"""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any

from channels.layers import get_channel_layer
from channels_redis.utils import _consistent_hash
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

PATIENCE = 1.0


def send(messages: Mapping[str, dict[str, Any]]) -> None:
    """To each group its message. Raises where Valkey does not answer in time."""
    layer = get_channel_layer()
    shards: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
    for group, message in messages.items():
        name = f"asgi__group__{group}"
        shards[_consistent_hash(name, len(settings.REDIS_URLS))].append((name, layer.serialize(message)))
    for number, published in shards.items():
        with _valkey(settings.REDIS_URLS[number]).pipeline(transaction=False) as pipe:
            for name, data in published:
                pipe.publish(name, data)
            pipe.execute()


@cache
def _valkey(url: str) -> Redis:
    return Redis.from_url(
        url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0), max_connections=4
    )
