"""WSGI inside ASGI: Django's pages on a fixed number of threads that never end, each with one database connection.

Each thread keeps one database connection for as long as it lives, so that a process never has more connections than
threads; and a page costs less than half of what it does on Django's own ASGI handler. Answers are sent whole, files
piece by piece: one that streams for ever does not fit here. The event loop goes on serving sockets and probes while
every thread is busy.
"""

import asyncio
import logging
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import lru_cache
from http import HTTPStatus
from io import BytesIO
from typing import Any, BinaryIO

from friendpay.kit import limits

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Environ = dict[str, Any]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
Sent = tuple[int, list[tuple[bytes, bytes]], bytes | BinaryIO]
Ahead = Callable[[Environ, Callable[[Environ], Answer]], Awaitable[Answer | None]]
"""Answers a request on the event loop, by itself or by the application, once all was read for it; None where it takes a
thread.
"""
Words = Callable[[str, HTTPStatus], tuple[str, bytes]]
"""What is answered without the application, at this path and with this status: its media type, and itself."""


class File:
    """A file that the application answers with (`wsgi.file_wrapper`): it is sent piece by piece, however large it is,
    and its thread is free before.
    """

    def __init__(self, file: BinaryIO, _block_size: int = 0) -> None:
        self._file = file

    def taken(self) -> BinaryIO:
        """The same file, which stays open when the request is over."""
        return os.fdopen(os.dup(self._file.fileno()), "rb")

    def close(self) -> None:
        self._file.close()


_OF_BODIES = (b"content-length", b"transfer-encoding")
_BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


def sentence(path: str, status: HTTPStatus) -> tuple[str, bytes]:
    """For people, of whom we know nothing yet."""
    return "text/plain; charset=utf-8", f"{status.phrase}. Please try again in a moment. 请稍后再试。\n".encode()


async def _never(_asked: Environ, _answer: Callable[[Environ], Answer]) -> None:
    return None


class Bridge:
    """An ASGI application for HTTP around the WSGI application `wsgi`.

    At most `threads` requests are worked on and `waiting` more wait for a thread, none longer than `patience` seconds;
    what is beyond that gets 503 at once. Of a body larger than `max_body` the application sees the size and no content.
    What is answered without the application is put in `words`. `lane` is shown a request and its body; every lane that
    it names has so many threads, and places to wait, of its own. What `ahead` answers is answered on the event loop
    itself: handing a page over to a thread and back costs more than such a page.
    """

    def __init__(
        self,
        wsgi: Callable[..., Any],
        *,
        threads: int,
        max_body: int,
        waiting: int = 200,
        patience: float = 5.0,
        words: Words = sentence,
        lane: Callable[[Scope, bytes], str] = lambda scope, body: "",
        ahead: Ahead = _never,
    ) -> None:
        self._wsgi = wsgi
        self._words = words
        self._lane = lane
        self._ahead = ahead
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._threads = threads
        self._most = threads + waiting
        self._max_body = max_body
        self._patience = patience
        self._inside = Counter[str]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        announced = any(name in _OF_BODIES for name, _value in scope["headers"])
        try:
            async with asyncio.timeout(limits.BODY_SECONDS) if announced else nullcontext():
                body, size = await self._read(receive)
        except TimeoutError:
            return await _send(send, self._refusal(scope["path"], HTTPStatus.REQUEST_TIMEOUT))
        except ConnectionAbortedError:
            return None
        lane = self._lane(scope, body)
        if self._inside[lane] >= self._most:
            return await _send(send, self._refusal(scope["path"], HTTPStatus.SERVICE_UNAVAILABLE))
        self._inside[lane] += 1
        try:
            asked = environ(scope, body, size)
            outcome: Sent | None = await self._ahead(asked, self._page) or await self._by_thread(lane, asked, receive)
        finally:
            self._inside[lane] -= 1
        status, headers, content = outcome or self._refusal(scope["path"], HTTPStatus.SERVICE_UNAVAILABLE)
        if size > limits.BODY_DRAINED_BYTES:
            headers = [*headers, (b"connection", b"close")]
        if scope["method"] != "HEAD":
            return await _send(send, (status, headers, content))
        if not isinstance(content, bytes):
            content.close()
        return await _send(send, (status, headers, b""))

    def close(self) -> None:
        """Begin nothing more."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def _pool(self, lane: str) -> ThreadPoolExecutor:
        if lane not in self._pools:
            self._pools[lane] = ThreadPoolExecutor(self._threads, thread_name_prefix=f"page {lane}".strip())
        return self._pools[lane]

    async def _read(self, receive: Receive) -> tuple[bytes, int]:
        """The body, and its size; no body when it is too large."""
        parts: list[bytes] = []
        size = 0
        while size <= limits.BODY_DRAINED_BYTES:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionAbortedError
            part: bytes = message.get("body", b"")
            size += len(part)
            if size <= self._max_body:
                parts.append(part)
            if not message.get("more_body", False):
                break
        return (b"".join(parts) if size <= self._max_body else b""), size

    async def _by_thread(self, lane: str, asked: Environ, receive: Receive) -> Sent | None:
        """What a thread answers; nothing when none took the job in time or its client left before."""
        job = self._pool(lane).submit(self._answer, asked)
        answer = asyncio.wrap_future(job)
        if self._inside[lane] > self._threads:
            left = asyncio.ensure_future(receive())  # all there is to receive now is that the client went away
            either: set[asyncio.Future[Any]] = {answer, left}
            await asyncio.wait(either, timeout=self._patience, return_when=asyncio.FIRST_COMPLETED)
            left.cancel()
            if job.cancel():
                return None
        return await answer

    def _page(self, environ: Environ) -> Answer:
        """An answer that is no file."""
        status, headers, content = self._answer(environ)
        assert isinstance(content, bytes)
        return status, headers, content

    def _answer(self, environ: Environ) -> Sent:
        """The whole answer."""
        status, headers = "", list[tuple[str, str]]()

        def start_response(line: str, fields: list[tuple[str, str]], exc_info: object = None) -> None:
            nonlocal status, headers
            status, headers = line, fields

        try:
            content = self._wsgi(environ, start_response)
            try:
                body = content.taken() if isinstance(content, File) else b"".join(content)
            finally:
                content.close()  # ends the request: Django tidies up its connection in this thread
        except Exception:
            logger.exception("A request failed outside Django's own handling")
            return self._refusal(environ["PATH_INFO"], HTTPStatus.INTERNAL_SERVER_ERROR)
        code = int(status[:3])
        fields = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if (
            isinstance(body, bytes)
            and code not in _BODILESS
            and not any(name == b"content-length" for name, _ in fields)
        ):
            fields.append((b"content-length", str(len(body)).encode()))
        return code, fields, body

    def _refusal(self, path: str, status: HTTPStatus) -> Answer:
        """An answer without the application."""
        kind, text = self._words(path, status)
        headers = {"content-type": kind, "content-length": str(len(text)), "cache-control": "no-store"}
        headers |= {"retry-after": "2"} if status == HTTPStatus.SERVICE_UNAVAILABLE else {"connection": "close"}
        return status, [(name.encode(), value.encode()) for name, value in headers.items()], text


def environ(scope: Scope, body: bytes, size: int) -> Environ:
    """A request as WSGI tells it."""
    host, port = scope.get("server") or ("", 0)
    found: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", ""),
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": File,
    }
    for name, value in scope["headers"]:
        if key := _key(name):
            text = value.decode("latin-1")
            found[key] = f"{found[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}" if key in found else text
    found["CONTENT_LENGTH"] = str(size)
    return found


@lru_cache(maxsize=512)
def _key(name: bytes) -> str:
    """The header's name in WSGI; none for one with an underscore, which would pass for another header there."""
    if b"_" in name:
        return ""
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


async def _send(send: Send, answer: Sent) -> None:
    status, headers, content = answer
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    if isinstance(content, bytes):
        return await send({"type": "http.response.body", "body": content})
    with content:
        while piece := await asyncio.to_thread(content.read, limits.FILE_PIECE_BYTES):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    return await send({"type": "http.response.body", "body": b""})
