"""A charge at the sandbox wallet, and a shop that listens to it over real HTTP."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from friendpay.kit import background, clock
from sandbox import bank, notices

MakeCharge = Callable[..., bank.NewCharge]


@pytest.fixture
def new_charge(db: None) -> MakeCharge:
    """A charge as a shop would ask for it; name what is to differ."""
    plain = bank.NewCharge(
        account="acc_shop",
        secret="secret-of-the-shop",
        reference="ref-1",
        amount=9000,
        currency="CNY",
        exponent=2,
        subject="Order 1001",
        deadline=clock.now() + timedelta(minutes=5),
        notify_url="http://127.0.0.1:9/notify/sandbox/acc_shop/",
        return_url="http://127.0.0.1:9/r/receipt/",
    )
    return lambda **changes: replace(plain, **changes)


@pytest.fixture(autouse=True)
def _no_background_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent by a thread in the background: a test sends when it likes, and waits for no more to send."""
    monkeypatch.setattr(notices, "_GATHERED", 0)
    monkeypatch.setattr(background, "run_later", lambda purpose, job: None)


@dataclass
class Shop:
    """Answers each notification with the next of `answers` (then 204), after `hold` was let go."""

    url: str = ""
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    hold: threading.Event | None = None
    lines: list[socket.socket] = field(default_factory=list)

    def hang_up(self) -> None:
        """End the connections that senders keep."""
        for line in self.lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        self.lines.clear()


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop's server on loopback."""
    listening = Shop()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            listening.lines.append(self.connection)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            listening.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            if listening.hold:
                listening.hold.wait(60)
            self.send_response(listening.answers.pop(0) if listening.answers else 204)
            self.send_header("location", listening.url)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.url = f"http://127.0.0.1:{server.server_port}/notify/sandbox/acc_shop/"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield listening
    listening.hang_up()
    server.shutdown()
    server.server_close()
