"""Limits on HTTP connections: slow or endless headers (slowloris), long addresses, how many connections there are.

uvicorn bounds none of these. A client has HEADER_SECONDS to send a request's headers, at most HEADER_BYTES, to an
address of at most URL_BYTES. An address may have CONNECTIONS_OF_AN_ADDRESS connections open, unless it is a trusted
proxy, which limits its own clients. Beyond CONNECTIONS the one whose request, or the rest of it, has been waited
for longest is closed: one that waits for an answer never is.
"""

import asyncio
import os
import socket
import sys
from collections import Counter
from functools import cached_property
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from math import ceil
from typing import Any

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from friendpay import siblings
from friendpay.kit import limits

_open: "set[LimitedProtocol]" = set()  # uvicorn's own set holds the sockets as well
_by_address: Counter[str] = Counter()
_awaited: "dict[LimitedProtocol, None]" = {}  # whose client has not sent all of a request, the longest first


class _TooMuchError(Exception):
    """Raised inside the parser to end it."""


def is_proxy(address: str) -> bool:
    """Whether this address is one of TRUSTED_PROXIES."""
    try:
        there = ip_address(address)
    except ValueError:
        return False
    return any(there in ip_network(proxy) for proxy in settings.TRUSTED_PROXIES)


class _Whole:
    """A transport on which what is written in one turn of the event loop is sent at once: an answer's head goes with
    its body. Sent one after the other, they would wake up whoever reads them twice.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.transport = transport
        self._soon = loop.call_soon
        self._parts: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._soon(self._send)
        self._parts.append(data)
        self._size += len(data)
        if self._size > limits.FILE_PIECE_BYTES:
            self._send()  # only so does it see that its client takes no more

    def close(self) -> None:
        self._send()
        self.transport.close()

    def _send(self) -> None:
        if self._parts:
            whole = b"".join(self._parts)
            self._parts.clear()
            self._size = 0
            if not self.transport.is_closing():  # as where the client has left
                self.transport.write(whole)


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with these limits."""

    _deadline: asyncio.TimerHandle | None = None
    _is_last = False
    _header_bytes = 0
    _refusal = HTTPStatus.BAD_REQUEST

    @cached_property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transport: Any = _Whole(transport, self.loop)
        _open.add(self)
        siblings.tell(len(_open))
        _by_address[self._address] += 1
        many = _by_address[self._address] > limits.CONNECTIONS_OF_AN_ADDRESS
        if many and self._address and not is_proxy(self._address):
            transport.abort()
            return
        if len(_open) > limits.CONNECTIONS:
            for oldest in _awaited:
                oldest.transport.abort()
                break
            else:
                transport.abort()
                return
        self._wait_for_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        self._leave()
        self.transport = self.transport.transport
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        waits = self.cycle is None or self.cycle.response_complete
        if self._deadline is None and waits and self in _open:  # which a socket is not
            self._wait_for_headers()  # the next request on a connection that is kept, and not all of it came at once

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._header_bytes = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > limits.URL_BYTES:
            self._refusal = HTTPStatus.REQUEST_URI_TOO_LONG
            raise _TooMuchError

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > limits.HEADER_BYTES:
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise _TooMuchError
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._stop_waiting_for_headers()
        super().on_headers_complete()
        if self._is_last and self.cycle:
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        """The server ends. A call that has just come in, of which nothing was read yet, is answered still: the proxy
        that sent it could not know, and repeats none that may have changed something.
        """
        if self.cycle is None and not self._is_last:
            self._is_last = True
            self.loop.call_later(limits.LAST_CALL_SECONDS, self._end_unasked)
        else:
            super().shutdown()

    def _end_unasked(self) -> None:
        if self.cycle is None:
            self.transport.close()

    def on_message_complete(self) -> None:
        _awaited.pop(self, None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        has_another = bool(self.pipeline)
        super().on_response_complete()
        if self in _open and not has_another:
            _awaited[self] = None

    def send_400_response(self, msg: str) -> None:
        if self._refusal == HTTPStatus.BAD_REQUEST:
            return super().send_400_response(msg)
        answer = b"content-length: 0\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[self._refusal] + answer)
        self.transport.close()
        return None

    def _wait_for_headers(self) -> None:
        _awaited[self] = None
        self._deadline = self.loop.call_later(limits.HEADER_SECONDS, self.transport.abort)

    def _stop_waiting_for_headers(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _leave(self) -> None:
        """This connection is gone, or a socket now."""
        self._stop_waiting_for_headers()
        _awaited.pop(self, None)
        _open.discard(self)
        siblings.tell(len(_open))
        if "_address" in self.__dict__:
            _by_address[self._address] -= 1
            if not _by_address[self._address]:
                del _by_address[self._address]
            del self.__dict__["_address"]


def given_sockets() -> list[socket.socket]:
    """What systemd listens at for us (sd_listen_fds); [] where we were started otherwise."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    after = len((sys.stdin, sys.stdout, sys.stderr))  # whose numbers come first
    given = [socket.socket(fileno=after + number) for number in range(int(os.environ["LISTEN_FDS"]))]
    for one in given:
        one.set_inheritable(True)  # to the workers, which are forked
    return given


def options() -> dict[str, Any]:
    """What every start of the web server gives uvicorn. `X-Forwarded-*` is read by our own application alone."""
    return {
        "app": "friendpay.asgi:application",
        "http": LimitedProtocol,
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
        "loop": "friendpay.accepting:Loop",
        "ws": "websockets-sansio",
        "ws_max_size": 1024,  # bytes of a frame: what sockets are told is of no interest
        "ws_per_message_deflate": False,  # a snapshot is small, and compressing would be done anew for each socket
        "timeout_keep_alive": 5,
        "timeout_worker_healthcheck": 60,  # a busy machine takes longer than uvicorn's 5 to start a process
        "timeout_graceful_shutdown": ceil(limits.CALL_SECONDS) + 1,  # who waits for a wallet has the answer still
        "log_config": None,  # Django's
        "backlog": 1024,
    }
