"""What the stand-ins for payment providers share: a small HTTP server, faults to switch on, notifications.

An emulator is a class with handlers marked by `route`. Tests run it with `running`, people with `python -m`. Everything
it knows is in memory; nothing it does moves money, and every page of it says so (see `pages`).

    class Wallet(Emulator):
        name, brand, schedule = "wallet", "Wallet", (15, 15, 30)

        @route("POST", "/orders/{number}", commits=True)
        def order(self, request: Request, number: str) -> Response: ...

    with running(Wallet()) as base_url: ...

Under `/_emulator/` every emulator answers its operator: `GET account` (what a friendpay account there must hold),
`GET|POST|DELETE faults`, `POST clock` ({"advance": seconds}), `GET notifications` (every delivery attempt so far).
"""

import argparse
import ipaddress
import json
import secrets
import socketserver
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa

from friendpay.demo.emulation.faults import Faults
from friendpay.demo.emulation.messages import Request, Response, as_json, route
from friendpay.demo.emulation.notifier import Clock, Notifier

MAX_BODY = 1 << 20


@cache
def rsa_key(label: str) -> rsa.RSAPrivateKey:
    """A key that lasts as long as the process: one per label, because making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def is_private(url: str) -> bool:
    """Whether an address is one of this machine or its own network, as in a demo or a test."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host


def receives(url: str, *, private: bool) -> bool:
    """Whether a wallet would send its notifications there: a public host, by https; or, if `private`, this network."""
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in ("http", "https") or parts.username:
        return False
    return private if is_private(url) else parts.scheme == "https"


class Emulator:
    """The scaffold. Handlers run one at a time, so that each is atomic."""

    name: ClassVar[str]  # as in friendpay's registry of providers
    brand: ClassVar[str]  # as people call it
    schedule: ClassVar[tuple[float, ...]] = ()  # seconds between delivery attempts of a notification

    def __init__(
        self, *, notify_url: str = "", compress: float = 1.0, faults: Sequence[str] = (), clock: Clock | None = None
    ) -> None:
        """`notify_url`: where every notification goes, whatever an order says. `compress`: 0.01 retries 100x faster."""
        self.url = ""  # known once it runs
        self.notify_url = notify_url
        self.private = True  # False: as the real one, which knows no addresses of its neighbours
        self.clock = clock or Clock()
        self.faults = Faults(faults)
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self.notifier = Notifier(
            self.clock, self.faults, tuple(wait * compress for wait in self.schedule), accepted=self.accepted
        )
        handlers = [name for name in dir(type(self)) if hasattr(getattr(type(self), name), "route")]
        self._routes = [(*getattr(self, name).route, getattr(self, name)) for name in handlers]

    # What a concrete emulator fills in

    def account(self) -> dict[str, str]:
        """The credentials (`Account.config`) of the merchant this emulator knows."""
        raise NotImplementedError

    def accepted(self, status: int, body: bytes) -> bool:
        """Whether this answer to a notification ends its retries."""
        return status == 200

    def failure(self, request: Request) -> Response:
        """The provider's own way to say 500."""
        return Response(500)

    def finish(self, request: Request, response: Response) -> Response:
        """The last touch to every answer of the API, such as a signature."""
        return response

    # Serving

    def answer(self, request: Request) -> Response | None:
        """What to say; None: say nothing and drop the connection."""
        allowed = False
        for method, expression, commits, handler in self._routes:
            if not (match := expression.match(request.path)):
                continue
            allowed = True
            if method != request.method:
                continue
            with self.lock:
                response: Response = handler(request, **match.groupdict())
            commits = commits and request.commits
            if commits and (fault := self.faults.take("hang_after_commit", request.operation)):
                self.stopping.wait(fault.seconds)
                return None
            if commits and self.faults.take("error_after_commit", request.operation):
                return self.failure(request)
            return self.finish(request, response)
        return Response(405 if allowed else 404)

    @route("GET", "/_emulator/account")
    def _account(self, request: Request) -> Response:
        return as_json({"provider": self.name, "base_url": self.url, "config": self.account()})

    @route("GET", "/_emulator/faults")
    def _list_faults(self, request: Request) -> Response:
        return as_json(self.faults.listed())

    @route("POST", "/_emulator/faults")
    def _set_fault(self, request: Request) -> Response:
        try:
            self.faults.set(**json.loads(request.body))
        except (TypeError, ValueError) as error:
            return as_json({"error": str(error)}, 422)
        return as_json(self.faults.listed())

    @route("DELETE", "/_emulator/faults")
    def _clear_faults(self, request: Request) -> Response:
        self.faults.clear()
        return as_json([])

    @route("POST", "/_emulator/clock")
    def _advance(self, request: Request) -> Response:
        self.clock.advance(float(json.loads(request.body)["advance"]))
        return as_json({"now": self.clock.now().isoformat()})

    @route("GET", "/_emulator/notifications")
    def _notifications(self, request: Request) -> Response:
        return as_json([vars(attempt) for attempt in self.notifier.log])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Quiet where a caller just went away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # the parent would ask DNS for our own name
        self.server_name, self.server_port = self.server_address[0], self.server_address[1]  # type: ignore[assignment]


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one packet
    emulator: ClassVar[Emulator]

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal() or int(length) > MAX_BODY:
            self.close_connection = True
            self._write(Response(413))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, self.rfile.read(int(length)))
        response = self.emulator.answer(request)
        if response is None:
            self.close_connection = True
            return
        self._write(response)

    def _write(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != 204:
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the notifications and the faults are the interesting log."""


@contextmanager
def running(emulator: Emulator, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve the emulator from threads of this process; gives its base URL, and ends everything it started."""
    connection = type("Connection", (_Connection,), {"emulator": emulator})
    with _Server((host, port), connection) as server:
        emulator.url = f"http://{host}:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name=emulator.name, daemon=True)
        thread.start()
        emulator.notifier.start()
        try:
            yield emulator.url
        finally:
            emulator.stopping.set()
            emulator.notifier.stop()
            server.shutdown()
            thread.join()


def main(emulator: type[Emulator], argv: Sequence[str] | None = None) -> None:
    """Run it as a process until it is stopped. Prints one line of JSON: where it is and what an account must hold."""
    parser = argparse.ArgumentParser(description=f"A strict stand-in for {emulator.brand}. No money moves.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--notify", default="", metavar="URL", help="where every notification goes, whatever an order says"
    )
    parser.add_argument("--compress", type=float, default=1.0, metavar="FACTOR", help="0.01: retry 100 times faster")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[=TIMES][:SECONDS]")
    options = parser.parse_args(argv)
    it = emulator(notify_url=options.notify, compress=options.compress, faults=options.fault)
    with running(it, host=options.host, port=options.port) as url:
        print(json.dumps({"provider": it.name, "base_url": url, "config": it.account()}), flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


def token(length: int = 24) -> str:
    """A random name of hexadecimal digits."""
    return secrets.token_hex(length // 2)
