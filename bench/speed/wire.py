"""A client of our own: HTTP/1.1 over connections that are kept, and sockets that listen. The same for all sides.

It does as little as a client can, so that the generator of load costs little beside what it measures.
"""

import asyncio
import base64
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httptools

PATIENCE = 20.0
"""Seconds for one answer."""
PER_ADDRESS = 80
"""Connections from one address of this machine: fewer than friendpay takes from one."""


class Broken(Exception):
    """The connection ended, or nothing came in time."""


def home(number: int) -> tuple[str, int]:
    """Where the `number`th client lives: addresses of this machine's own, 80 clients each."""
    place = number // PER_ADDRESS
    return f"127.{10 + place // 250 % 200}.{1 + place % 250}.1", 0


@dataclass
class Answer:
    """What came back."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> dict[str, object]:
        told: dict[str, object] = json.loads(self.body)
        return told

    @property
    def path(self) -> str:
        """Where it leads, on the same server."""
        return urlsplit(self.headers.get("location", "")).path


class _Reading(asyncio.Protocol):
    """Reads one answer after another."""

    def __init__(self) -> None:
        self._ready: asyncio.Future[Answer] | None = None
        self.closed = False

    def expect(self) -> "asyncio.Future[Answer]":
        self._parser = httptools.HttpResponseParser(self)
        self._answer, self._parts = Answer(), list[bytes]()
        self._ready = asyncio.get_running_loop().create_future()
        return self._ready

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._answer.status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        self._answer.body = b"".join(self._parts)
        self.closed = self.closed or not self._parser.should_keep_alive()
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(self._answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(Broken())


class Client:
    """One connection, opened again when the other side has closed it."""

    def __init__(self, base: str, number: int, headers: Mapping[str, str] | None = None) -> None:
        parts = urlsplit(base)
        self._host, self._port = str(parts.hostname), int(parts.port or 80)
        self._home = home(number)
        fields = {"host": f"{self._host}:{self._port}", "user-agent": "Mozilla/5.0", **(headers or {})}
        self._fields = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._line: _Reading | None = None

    async def get(self, path: str) -> Answer:
        return await self.ask("GET", path)

    async def post(self, path: str, body: object) -> Answer:
        return await self.ask("POST", path, self.written(body), "application/json")

    @staticmethod
    def written(body: object) -> bytes:
        return json.dumps(body).encode()

    async def submit(self, path: str, **fields: str) -> Answer:
        """A form of a page that was shown before."""
        token = "b" * 32
        form = "&".join(f"{name}={value}" for name, value in {"csrfmiddlewaretoken": token, **fields}.items())
        cookie = f"cookie: csrftoken={token}\r\n"
        return await self.ask("POST", path, form.encode(), "application/x-www-form-urlencoded", cookie)

    async def ask(self, method: str, path: str, body: bytes = b"", kind: str = "", more: str = "") -> Answer:
        line = await self._open()
        head = f"{method} {path} HTTP/1.1\r\n{self._fields}{more}"
        if method != "GET":
            head += f"content-type: {kind}\r\ncontent-length: {len(body)}\r\n"
        ready = line.expect()
        line.transport.write(f"{head}\r\n".encode() + body)
        late = asyncio.get_running_loop().call_later(PATIENCE, line.transport.abort)
        try:
            return await ready
        except BaseException:  # the answer may come yet, and is not to be taken for the next one's
            line.closed = True
            line.transport.abort()
            raise
        finally:
            late.cancel()

    def close(self) -> None:
        if self._line is not None:
            self._line.transport.abort()

    async def _open(self) -> _Reading:
        if self._line is None or self._line.closed:
            try:
                _transport, self._line = await asyncio.get_running_loop().create_connection(
                    _Reading, self._host, self._port, local_addr=self._home
                )
            except OSError as error:
                raise Broken from error
        return self._line


class Ear(asyncio.Protocol):
    """A socket that hears text frames, each at the moment it came. What it could say is nobody's business."""

    def __init__(self, head: bytes, heard: Callable[[bytes, float], None]) -> None:
        self._head, self._heard, self._rest, self._open = head, heard, b"", False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        self._rest += data
        if not self._open:
            head, found, rest = self._rest.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.partition(b"\r\n")[0]:
                self.transport.abort()
                return
            self._open, self._rest = True, rest
        while (frame := self._frame()) is not None:
            if not self.ready.done():
                self.ready.set_result(None)
            self._heard(frame, now)

    def _frame(self) -> bytes | None:
        """The next text frame that is here whole; a ping is answered, an end is heeded."""
        while len(self._rest) >= 2:
            size, begins = self._rest[1] & 127, 2
            if size >= 126:
                begins = 4 if size == 126 else 10
                size = int.from_bytes(self._rest[2:begins], "big")
            if len(self._rest) < begins + size:
                return None
            kind, frame = self._rest[0] & 15, self._rest[begins : begins + size]
            self._rest = self._rest[begins + size :]
            if kind == 1:
                return frame
            if kind == 8:
                self.transport.abort()
                return None
            if kind == 9:
                self.transport.write(bytes((0x8A, 0x80 | size, 0, 0, 0, 0)) + frame)
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if not self.ready.done():
            self.ready.set_exception(Broken())


async def listen(base: str, path: str, number: int, heard: Callable[[bytes, float], None]) -> Ear:
    """Open a socket and wait for the first thing that is said on it. Raises Broken."""
    parts = urlsplit(base)
    key = base64.b64encode(os.urandom(16)).decode()
    head = (
        f"GET {path} HTTP/1.1\r\nhost: {parts.netloc}\r\norigin: {base}\r\nupgrade: websocket\r\n"
        f"connection: Upgrade\r\nsec-websocket-key: {key}\r\nsec-websocket-version: 13\r\n\r\n"
    ).encode()
    try:
        _transport, ear = await asyncio.get_running_loop().create_connection(
            lambda: Ear(head, heard), str(parts.hostname), int(parts.port or 80), local_addr=home(number)
        )
        await asyncio.wait_for(ear.ready, PATIENCE)
    except (OSError, TimeoutError) as error:
        raise Broken from error
    return ear
