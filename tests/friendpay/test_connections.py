"""What one client may take of a web server: connections, headers, addresses and time."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any, cast

import pytest
import uvicorn
from pytest_django.fixtures import Settings

from friendpay import asgi, connections
from friendpay.bridge import Message, Receive, Scope, Send
from friendpay.kit import limits

OK = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


UPGRADE = (
    b"GET / HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
)


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    if scope.get("method") == "POST":
        while (await receive()).get("more_body"):
            pass
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "hello"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(limits, "HEADER_SECONDS", 60)
    monkeypatch.setattr(limits, "CONNECTIONS_OF_AN_ADDRESS", 20)
    monkeypatch.setattr(limits, "CONNECTIONS", 30)
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    server = uvicorn.Server(uvicorn.Config(**connections.options() | {"app": hello, "lifespan": "off"}))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(60)


def connect(port: int, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=60, source_address=(source, 0))


def answer(client: socket.socket, data: bytes = OK) -> bytes:
    """What comes back, b"" when the connection was closed."""
    said = b""
    with suppress(ConnectionError):
        client.sendall(data)
        while not said.endswith(b"hello"):
            if not (more := client.recv(4096)):
                break
            said += more
    return said


def status(said: bytes) -> int:
    return int(said.split()[1]) if said else 0


def test_a_request_is_answered_again_and_again_on_one_connection(port: int) -> None:
    with connect(port) as client:
        assert [status(answer(client)) for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize("began", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: x\r\na: "])
def test_headers_that_do_not_come_end_the_connection(port: int, began: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEADER_SECONDS", 0.5)
    with connect(port) as client:
        client.sendall(began)
        assert client.recv(1) == b""


def test_headers_that_come_too_slowly_end_it_too_also_of_a_second_request(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(port) as client, suppress(ConnectionError):
        assert status(answer(client)) == 200
        monkeypatch.setattr(limits, "HEADER_SECONDS", 0.5)
        client.settimeout(0.2)
        for part in [OK[:16], *[b"a: b\r\n"] * 100]:
            client.sendall(part)
            with suppress(TimeoutError):
                assert client.recv(1) == b""
                break
        else:
            pytest.fail("still open after 20 seconds")


@pytest.mark.parametrize(
    ("request_line", "headers", "expected"),
    [
        (b"GET /" + b"a" * 5000, b"host: x\r\n", 414),
        (b"GET /?q=" + b"a" * 5000, b"host: x\r\n", 414),
        (b"GET /", b"host: x\r\na: " + b"b" * 20_000 + b"\r\n", 431),
        (b"GET /", b"host: x\r\n" + b"a: b\r\n" * 10_000, 431),
        (b"GET /" + b"a" * 4000, b"host: x\r\ncookie: " + b"c" * 8000 + b"\r\n", 200),
    ],
)
def test_long_addresses_and_headers_are_refused(port: int, request_line: bytes, headers: bytes, expected: int) -> None:
    with connect(port) as client:
        assert status(answer(client, request_line + b" HTTP/1.1\r\n" + headers + b"\r\n")) == expected


def test_one_address_has_so_many_connections_and_strangers_do_not_count_with_it(port: int) -> None:
    with ExitStack() as stack:
        mine = [stack.enter_context(connect(port)) for _ in range(20)]
        assert all(status(answer(client)) == 200 for client in mine)
        assert answer(stack.enter_context(connect(port))) == b""
        assert status(answer(stack.enter_context(connect(port, "127.0.0.2")))) == 200
        mine[0].close()
        mine[1].close()
        for _ in range(50):
            if status(answer(stack.enter_context(connect(port)))) == 200:
                break
        else:
            pytest.fail("a connection that was closed still counts")


def test_beyond_the_limit_of_a_process_the_idlest_connection_goes_and_a_newcomer_is_served(port: int) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(connect(port, f"127.0.1.{number}")) for number in range(1, 31)]
        for number in range(1, 11):
            assert status(answer(stack.enter_context(connect(port, f"127.0.2.{number}")))) == 200
        assert answer(idle[0]) == b""


def test_bodies_that_never_come_shut_out_nobody(port: int) -> None:
    slow = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc"
    with ExitStack() as stack:
        idle = [stack.enter_context(connect(port, f"127.0.1.{number}")) for number in range(1, 31)]
        for client in idle:
            client.sendall(slow)
        for number in range(1, 11):
            assert status(answer(stack.enter_context(connect(port, f"127.0.2.{number}")))) == 200


def test_a_crowd_of_sockets_shuts_no_page(port: int) -> None:
    with ExitStack() as stack:
        for number in range(1, 41):
            assert status(answer(stack.enter_context(connect(port, f"127.0.1.{number}")), UPGRADE)) == 101
        assert status(answer(stack.enter_context(connect(port)))) == 200


def test_a_trusted_proxy_has_as_many_connections_as_it_wants(port: int, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.0/24"]
    with ExitStack() as stack:
        assert all(status(answer(stack.enter_context(connect(port)))) == 200 for _ in range(25))


def test_a_socket_leaves_no_line_in_the_log_and_its_words_are_not_compressed(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    with connect(port) as client:
        offering = UPGRADE.replace(b"\r\n\r\n", b"\r\nsec-websocket-extensions: permessage-deflate\r\n\r\n")
        said = answer(client, offering)
    assert status(said) == 101
    assert said.endswith(b"\x81\x05hello")
    assert b"extensions" not in said.lower()
    assert not [record for record in caplog.records if "ebSocket" in record.message or "connection" in record.message]


def test_a_socket_outlives_the_time_for_headers(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEADER_SECONDS", 0.2)
    with connect(port) as client:
        assert status(answer(client, UPGRADE)) == 101
        client.settimeout(0.6)
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_requests_that_come_at_once_are_answered_in_their_order(port: int) -> None:
    with connect(port) as client:
        client.sendall(OK * 3 + OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        said = b""
        while more := client.recv(4096):  # to its end, for that was asked for
            said += more
    assert said.count(b"200 OK") == said.count(b"hello") == 4
    assert said.endswith(b"hello")


class _Wire:
    """What a transport was told, and whether it is closing."""

    def __init__(self) -> None:
        self.told: list[bytes] = []
        self.closing = False

    def write(self, data: bytes) -> None:
        self.told.append(data)

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    abort = close


async def test_what_is_written_at_once_is_sent_at_once_and_no_more_than_a_client_takes() -> None:
    wire = _Wire()
    whole: Any = connections._Whole(cast(Any, wire), asyncio.get_running_loop())
    for part in (b"head", b"", b"body"):
        whole.write(part)
    assert wire.told == []
    await asyncio.sleep(0)
    assert wire.told == [b"headbody"]
    for _twice in range(2):
        whole.write(b"x" * limits.FILE_PIECE_BYTES)
    assert sum(map(len, wire.told)) == 8 + 2 * limits.FILE_PIECE_BYTES, "more has to wait until it is taken"
    whole.write(b"last")
    whole.close()
    assert wire.told[-1] == b"last"
    assert wire.closing


async def test_what_was_not_sent_yet_ends_with_its_connection() -> None:
    wire = _Wire()
    whole: Any = connections._Whole(cast(Any, wire), asyncio.get_running_loop())
    whole.write(b"head")
    whole.abort()
    await asyncio.sleep(0)
    assert wire.told == []


@pytest.mark.parametrize(("served", "warnings"), [("", 1), ("yes", 0)])
async def test_a_server_that_was_started_by_another_command_warns_of_what_it_lacks(
    served: str, warnings: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("FRIENDPAY_SERVED", raising=False)
    if served:
        monkeypatch.setenv("FRIENDPAY_SERVED", served)
    told: list[Message] = []

    async def begins() -> Message:
        if told:
            raise asyncio.CancelledError  # it goes on serving
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        told.append(message)

    with pytest.raises(asyncio.CancelledError):
        await asgi.application({"type": "lifespan"}, begins, send)
    assert told == [{"type": "lifespan.startup.complete"}]
    said = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == warnings
    assert all("manage.py serve" in line and "X-Forwarded-For" in line for line in said)
