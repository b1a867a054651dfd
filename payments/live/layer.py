"""Many messages to groups of Channels' Redis pub/sub layer in one round trip (pipelining), from code that is not async.

The layer's own `group_send` wants an event loop and one round trip each. What is sent here is read by the layer: names
and bytes are its own, which a test holds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from channels.layers import get_channel_layer
from channels_redis.utils import _consistent_hash
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from friendpay.kit import limits


def send(messages: Mapping[str, dict[str, Any]]) -> None:
    """To each group its message. Raises where Valkey does not answer in time."""
    layer = get_channel_layer()
    shards: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
    for group, message in messages.items():
        name = _channel(group)
        shards[_consistent_hash(name, len(settings.REDIS_URLS))].append((name, layer.serialize(message)))
    for number, published in shards.items():
        with _valkey(settings.REDIS_URLS[number]).pipeline(transaction=False) as pipe:
            for name, data in published:
                pipe.publish(name, data)
            pipe.execute()


def watched(groups: Iterable[str]) -> list[str]:
    """Those that any process has a socket in, as Valkey knows: one round trip."""
    named: dict[bytes | str, str] = {_channel(group).encode(): group for group in groups}
    counted = [counts for url in settings.REDIS_URLS for counts in _valkey(url).pubsub_numsub(*named)]
    return [named[name] for name, sockets in counted if sockets]


def _channel(group: str) -> str:
    """As the layer names it."""
    return f"asgi__group__{group}"


@cache
def _valkey(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=limits.LIVE_PATIENCE_SECONDS,
        socket_connect_timeout=limits.LIVE_PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),
        max_connections=limits.LIVE_CONNECTIONS,
    )
