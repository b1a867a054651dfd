"""Our pages on an event loop, as the web server has them; and the same page by a thread."""

import asyncio
import gzip
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from friendpay.bridge import Bridge
from friendpay.handler import Handler
from friendpay.kit import frames
from payments.pages import ahead, framed


@dataclass
class Answer:
    """What was sent, and whether a thread had to do it, or neither a thread nor the ordinary handler."""

    status: int
    headers: list[tuple[bytes, bytes]]
    content: bytes
    by_thread: bool
    framed: bool

    @property
    def body(self) -> str:
        """As a browser reads it."""
        compressed = (b"content-encoding", b"gzip") in self.headers
        return (gzip.decompress(self.content) if compressed else self.content).decode()


class House:
    """Our pages on an event loop."""

    def __init__(self) -> None:
        pages = Handler()
        self.loop = asyncio.Runner()
        self._threads = Bridge(pages, threads=1, max_body=1000)
        self._bridge = Bridge(pages, threads=1, max_body=1000, ahead=self._answer)
        self._by_thread = self._framed = False

    async def _answer(self, asked: dict[str, Any], ordinary: Callable[[dict[str, Any]], frames.Answer]) -> Any:
        self._framed = True

        def as_ever(asked: dict[str, Any]) -> frames.Answer:
            self._framed = False
            return ordinary(asked)

        answer = await framed.answer(asked, as_ever)
        self._by_thread = answer is None
        return answer

    def get(
        self, path: str, *, method: str = "GET", by_thread: bool = False, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """An answer; by a thread if asked."""
        sent: list[Any] = []
        fields = {"host": "127.0.0.1:8000", "user-agent": "Mozilla/5.0", **(headers or {})}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "scheme": "http",
            "http_version": "1.1",
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 5),
            "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            sent.append(message)

        self._by_thread, self._framed = True, False
        self.loop.run((self._threads if by_thread else self._bridge)(scope, receive, send))
        start, content = sent
        framed = self._framed and not self._by_thread
        return Answer(start["status"], start["headers"], content["body"], self._by_thread, framed)

    def close(self) -> None:
        self.loop.run(ahead.readers.close())
        self.loop.close()
        for bridge in (self._threads, self._bridge):
            bridge._pool("").submit(lambda: connection.close()).result()  # its own
            bridge.close()


DIFFERS = re.compile(
    r"""(csrftoken=|csrfmiddlewaretoken" value="|content-length', b')\w+|expires=[^;]+|\d+:\d\d(:\d\d)?|left="\d+"""
)


def same(text: object) -> str:
    """Without what is random, and the seconds that pass."""
    return DIFFERS.sub("", str(text))
