"""How many calls an API key may make. Counted in Valkey; when Valkey does not answer at once, nobody is turned away."""

import time
from dataclasses import dataclass
from functools import cache
from math import ceil

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

WINDOW = 10
"""Seconds. The allowance of a whole window may be spent in one burst."""

PATIENCE = 0.1
PAUSE = 1.0
"""Seconds without asking, after Valkey failed to answer within PATIENCE."""

_pause_ends = 0.0


@dataclass(frozen=True)
class Allowance:
    """What a key has left: `left` of `quota` calls, and all of them again in `seconds`. Below zero: one too many."""

    quota: int
    left: int
    seconds: int

    @property
    def spent(self) -> bool:
        return self.left < 0

    @property
    def headers(self) -> dict[str, str]:
        """The fields of the IETF's RateLimit draft; Retry-After for whoever is turned away."""
        fields = {
            "RateLimit-Policy": f'"key";q={self.quota};w={WINDOW}',
            "RateLimit": f'"key";r={max(0, self.left)};t={self.seconds}',
        }
        return fields | ({"Retry-After": str(self.seconds)} if self.spent else {})


def take(key_id: int) -> Allowance | None:
    """Count one call of this key. None when Valkey does not answer: the call goes through uncounted."""
    global _pause_ends
    if time.monotonic() < _pause_ends:
        return None
    name = f"calls:{key_id}"
    try:
        with _valkey().pipeline() as pipe:  # one round trip, and Valkey's clock
            pipe.set(name, 0, nx=True, px=WINDOW * 1000)
            pipe.incr(name)
            pipe.pttl(name)
            _made, calls, left_ms = pipe.execute()
    except (RedisError, OSError, ValueError):  # redis-py reads from a closed buffer where Valkey dies under two threads
        _pause_ends = time.monotonic() + PAUSE
        return None
    quota = settings.API_CALLS_PER_SECOND * WINDOW
    return Allowance(quota=quota, left=quota - calls, seconds=max(1, ceil(left_ms / 1000)))


@cache
def _valkey() -> Redis:
    return Redis.from_url(
        settings.REDIS_URLS[0],
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
        retry=Retry(NoBackoff(), 0),
    )
