"""Numbers that only processes know, such as how many sockets each has open: told to Valkey, and added up for /metrics.

What a process told counts for GAUGE_SECONDS, so that one that died counts no more. Valkey may lose all of it: it is
told again.
"""

import os
import socket

from redis.exceptions import RedisError

from friendpay.kit import limits
from friendpay.kit.counters import valkey

PREFIX = "gauge:"


def tell(name: str, value: int) -> None:
    """What this process knows. For a background thread: it waits for Valkey, and raises where that is silent."""
    process = f"{socket.gethostname()}:{os.getpid()}"
    with valkey().pipeline(transaction=False) as pipe:
        pipe.sadd(PREFIX + name, process)
        pipe.set(f"{PREFIX}{name}:{process}", value, ex=limits.GAUGE_SECONDS)
        pipe.execute()


def total(name: str) -> int | None:
    """Of all processes together; None while Valkey is silent."""
    try:
        processes = [bytes(process).decode() for process in valkey().smembers(PREFIX + name)]  # type: ignore[arg-type]
        told = valkey().mget([f"{PREFIX}{name}:{process}" for process in processes]) if processes else []
        if gone := [process for process, value in zip(processes, told, strict=True) if value is None]:
            valkey().srem(PREFIX + name, *gone)
    except (RedisError, OSError):
        return None
    return sum(int(value) for value in told if value is not None)
