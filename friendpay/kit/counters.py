"""Rate limits: counts kept in Valkey, and how many calls an API key may make.

While Valkey is silent each process counts for itself (`_Own`): no limit goes, only what another process counted is not
known, and nobody waits for longer than COUNTERS_TIMEOUT_SECONDS.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil
from threading import Lock

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from friendpay.kit import limits

PREFIX = "calls:"

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
            "RateLimit-Policy": f'"key";q={self.quota};w={limits.API_WINDOW_SECONDS}',
            "RateLimit": f'"key";r={max(0, self.left)};t={self.seconds}',
        }
        return fields | ({"Retry-After": str(self.seconds)} if self.spent else {})


def take(key_id: int) -> Allowance:
    """Count one call of this key."""
    ((calls, seconds),) = count(str(key_id), window=limits.API_WINDOW_SECONDS)
    quota = settings.API_CALLS_PER_SECOND * limits.API_WINDOW_SECONDS
    return Allowance(quota=quota, left=quota - calls, seconds=seconds)


def count(*names: str, window: int) -> list[tuple[int, int]]:
    """Count one more of each; a name's count begins anew `window` seconds after its first.

    Each with what it is now and in how many seconds it ends.
    """
    return _ask(names, window)


def counted(*names: str) -> list[tuple[int, int]]:
    """The same without counting: zero, and a second, for what nobody counted."""
    return _ask(names, None)


class _Own:
    """What this process counts while Valkey is silent. It knows the last COUNTERS_KEPT names alone."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[str, tuple[int, float]] = {}

    def ask(self, names: Sequence[str], window: int | None) -> list[tuple[int, int]]:
        with self._lock:
            return [self._one(PREFIX + name, window) for name in names]

    def _one(self, name: str, window: int | None) -> tuple[int, int]:
        now = time.monotonic()
        calls, ends = self._counts.get(name, (0, 0.0))
        if ends <= now:
            calls, ends = 0, now + (window or 0)
        if window is not None:
            calls += 1
            self._counts.pop(name, None)  # to the end: those that are not asked for any more go first
            self._counts[name] = (calls, ends)
            if len(self._counts) > limits.COUNTERS_KEPT:
                del self._counts[next(iter(self._counts))]
        return calls, max(1, ceil(ends - now))


def _ask(names: tuple[str, ...], window: int | None) -> list[tuple[int, int]]:
    global _pause_ends
    if time.monotonic() < _pause_ends:
        return _own.ask(names, window)
    try:
        with valkey().pipeline(transaction=window is not None) as pipe:  # one round trip, and Valkey's clock
            for name in names:
                if window is not None:
                    pipe.set(PREFIX + name, 0, nx=True, px=window * 1000)
                    pipe.incr(PREFIX + name)
                else:
                    pipe.get(PREFIX + name)
                pipe.pttl(PREFIX + name)
            told = pipe.execute()
    except (RedisError, OSError, ValueError):  # redis-py reads from a closed buffer where Valkey dies under two threads
        _pause_ends = time.monotonic() + limits.COUNTERS_PAUSE_SECONDS
        return _own.ask(names, window)
    each = len(told) // len(names)
    pairs = (told[place + each - 2 : place + each] for place in range(0, len(told), each))
    return [(int(calls or 0), max(1, ceil(left_ms / 1000))) for calls, left_ms in pairs]


_own = _Own()


@cache
def valkey() -> Redis:
    """For what need not be known: it has COUNTERS_TIMEOUT_SECONDS to answer."""
    return Redis.from_url(
        settings.REDIS_URLS[0],
        socket_timeout=limits.COUNTERS_TIMEOUT_SECONDS,
        socket_connect_timeout=limits.COUNTERS_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
