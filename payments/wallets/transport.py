"""HTTP to a provider: one pool of connections per process, bounded waits and answers, no redirect ever followed.

The whole of an exchange is bounded, from the first question to the resolver to the last byte: a gateway that sends one
byte every few seconds would keep a limit on single reads waiting for ever.

An address that somebody typed (`guarded`) is looked at when the connection is made, and the connection goes to what was
looked at: what a name means may have changed since it was entered.
"""

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import httpcore
import httpx

from friendpay.kit import limits, ssrf
from payments.wallets.base import TIMEOUT, ProviderError

Result = TypeVar("Result")

_ends: ContextVar[float] = ContextVar("_ends")  # when the exchange under way has to be over
_all_end: ContextVar[float] = ContextVar("_all_end", default=float("inf"))  # and all of those within `within`
_heard: "ContextVar[list[Answer] | None]" = ContextVar("_heard", default=None)  # see `heard`
_typed: ContextVar[bool | None] = ContextVar("_typed", default=None)  # see `guarded`


class _Inside(Exception):
    """The address leads into our own network."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # looked up without regard to case
    body: bytes


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """All exchanges in this block together end in so many seconds."""
    token = _all_end.set(min(_all_end.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _all_end.reset(token)


@contextmanager
def guarded(*, loopback: bool | None) -> Iterator[None]:
    """In this block no address inside our own network is called, this machine's own with `loopback` alone. With None,
    where the address is the wallet's own, calls go as the operator's network has it.
    """
    token = _typed.set(loopback)
    try:
        yield
    finally:
        _typed.reset(token)


@contextmanager
def heard() -> Iterator["list[Answer]"]:
    """The answers that came in this block."""
    answers: list[Answer] = []
    token = _heard.set(answers)
    try:
        yield answers
    finally:
        _heard.reset(token)


def call(
    method: str,
    url: str,
    *,
    content: bytes = b"",
    headers: Mapping[str, str] | None = None,
    seconds: float = limits.WALLET_SECONDS,
    limit: int = limits.WALLET_ANSWER_BYTES,
) -> Answer:
    """One exchange, never repeated from here. Raises ProviderError when no whole answer came, with the code TIMEOUT
    when none came in time.

    That error is not permanent: the call may or may not have taken effect.
    """
    token = _ends.set(min(_all_end.get(), time.monotonic() + seconds))
    try:
        with _client(os.getpid(), _typed.get()).stream(
            method, url, content=content or None, headers=headers
        ) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > limit:
                    raise ProviderError("the answer is too long", permanent=False, code="transport")
    except httpx.InvalidURL:
        raise ProviderError("the gateway's address is no address", permanent=True, code="configuration") from None
    except _Inside:
        words = "the gateway's address is inside this network, and is not called"
        raise ProviderError(words, permanent=True, code="configuration") from None
    except httpx.HTTPError as error:
        code = TIMEOUT if isinstance(error, httpx.TimeoutException) else "transport"
        raise ProviderError(f"no answer ({type(error).__name__})", permanent=False, code=code) from error
    finally:
        _ends.reset(token)
    answer = Answer(response.status_code, response.headers, bytes(body))
    if (listening := _heard.get()) is not None:
        listening.append(answer)
    return answer


@cache
def _client(process: int, loopback: bool | None) -> httpx.Client:
    """One per process and guard: connections are never shared across a fork, nor with calls that may go further. The
    guarded use no proxy, for that would look names up by itself.
    """
    client = httpx.Client(
        trust_env=loopback is None,
        timeout=httpx.Timeout(
            limits.WALLET_SECONDS - limits.WALLET_CONNECT_SECONDS, connect=limits.WALLET_CONNECT_SECONDS
        ),
        headers={"User-Agent": "friendpay", "Accept-Encoding": "identity"},
    )
    for transport in (client._transport, *client._mounts.values()):  # the latter by way of a proxy of the operator's
        if isinstance(transport, httpx.HTTPTransport):
            transport._pool._network_backend = _Network(loopback)
    return client


def _left(timeout: float | None, over: type[Exception]) -> float:
    left = _ends.get() - time.monotonic()
    if left <= 0:
        raise over("the time is over")
    return left if timeout is None else min(left, timeout)


class _Network(httpcore.SyncBackend):
    """Connections whose every act ends with the exchange it belongs to."""

    def __init__(self, loopback: bool | None) -> None:
        self._loopback = loopback

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        seconds = _left(timeout, httpcore.ConnectTimeout)
        connect, loopback = super().connect_tcp, self._loopback

        def go() -> httpcore.NetworkStream:
            where = host if loopback is None else _looked_at(host, port, loopback)
            return connect(where, port, seconds, local_address, socket_options)

        return _Stream(_in_time(go, seconds))


def _looked_at(host: str, port: int, loopback: bool) -> str:
    """The first address that a name means, if it may be called."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error
    address = ssrf.literal(str(found[0][4][0]))
    if address is None or not ssrf.may_call(address, loopback=loopback):
        raise _Inside
    return str(address)


def _in_time(connect: Callable[[], Result], seconds: float) -> Result:
    """Made on a thread that is left behind when the time is over, because nothing interrupts a resolver."""
    result: Future[Result] = Future()

    def run() -> None:
        try:
            result.set_result(connect())
        except Exception as error:
            result.set_exception(error)

    threading.Thread(target=run, name="connect", daemon=True).start()
    try:
        return result.result(seconds)
    except TimeoutError:
        raise httpcore.ConnectTimeout("the time is over") from None


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        seconds = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, seconds))

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
