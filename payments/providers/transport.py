"""HTTP to a provider: one pool of connections per process, short waits, bounded answers, no redirect ever followed."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import httpx

from payments.providers.base import ProviderError

CONNECT_SECONDS = 2.0
TOTAL_SECONDS = 8.0
ANSWER_BYTES = 1 << 20


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # looked up without regard to case
    body: bytes


def call(
    method: str,
    url: str,
    *,
    content: bytes = b"",
    headers: Mapping[str, str] | None = None,
    seconds: float = TOTAL_SECONDS,
    limit: int = ANSWER_BYTES,
) -> Answer:
    """One exchange, never repeated from here. Raises ProviderError when no whole answer came.

    That error is not permanent: the call may or may not have taken effect.
    """
    ends = time.monotonic() + seconds
    try:
        with _client(os.getpid()).stream(method, url, content=content or None, headers=headers) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > limit or time.monotonic() > ends:
                    raise ProviderError("the answer is too long", permanent=False, code="transport")
    except httpx.InvalidURL:
        raise ProviderError("the gateway's address is no address", permanent=True, code="configuration") from None
    except httpx.HTTPError as error:
        raise ProviderError(f"no answer ({type(error).__name__})", permanent=False, code="transport") from error
    return Answer(response.status_code, response.headers, bytes(body))


@cache
def _client(process: int) -> httpx.Client:
    """One per process: connections are never shared across a fork."""
    return httpx.Client(
        timeout=httpx.Timeout(TOTAL_SECONDS - CONNECT_SECONDS, connect=CONNECT_SECONDS),
        headers={"User-Agent": "friendpay", "Accept-Encoding": "identity"},
    )
