"""Takes a gateway's events while it is tried, and has the first of them come twice."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_MAX_EVENT = 64 * 1024


@dataclass
class Delivery:
    """One event as it came, and what we answered."""

    headers: Mapping[str, str]
    body: bytes
    answered: int


@dataclass
class Hearing:
    """What came so far. The first delivery of the first event is answered with 503: it has to come again."""

    deliveries: list[Delivery] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)
    url: str = ""

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        with self.came:
            self.deliveries.append(Delivery(headers, body, 204 if self.deliveries else 503))
            self.came.notify_all()
            return self.deliveries[-1].answered

    def until(self, reached: Callable[[], object], seconds: float) -> bool:
        with self.came:
            return bool(self.came.wait_for(reached, seconds))


@contextmanager
def hearing(host: str, port: int, reached_at: str = "") -> Iterator[Hearing]:
    """Take events at this address, which the gateway may have to call by another name (`reached_at`)."""
    heard = Hearing()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length") or 0), _MAX_EVENT)
            names = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(heard.take(names, self.rfile.read(length)))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet: what came is reported."""

    with ThreadingHTTPServer((host, port), Handler) as server:
        heard.url = reached_at or f"http://{host}:{server.server_port}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield heard
        finally:
            server.shutdown()
