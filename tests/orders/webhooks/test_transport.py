"""What is called, what is not, and how a call ends. H1 to H3 of the protocols."""

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from pytest_django import Settings

from friendpay.kit import limits
from friendpay.kit.errors import Refused
from orders.webhooks import transport
from tests.orders.webhooks.conftest import MakeReceiver, Resolve
from tests.orders.webhooks.receivers import Receiver, certificate, receiver, say

PUBLIC = "93.184.216.34"
INSIDE = [
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",  # where clouds keep credentials
    "100.64.0.1",
    "0.0.0.0",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2001:20::1",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "3fff::1",
    "5f00::1",
]
DISGUISED = [
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "127.1",
    "127.0.1",
    "0",
    "127.0.0.1.",
]
LOCAL = ["localhost", "localhost.", "shop.localhost", "printer.local", "intranet", "db"]
MALFORMED = [
    "",
    "shop.example/webhooks",
    "//shop.example/webhooks",
    "ftp://shop.example/",
    "file:///etc/passwd",
    "gopher://shop.example:443/",
    "https:shop.example",
    "https:/shop.example",
    "https:///webhooks",
    "https://",
    "https://user@shop.example/",
    "https://user:word@shop.example/",
    "https://shop.example@127.0.0.1/",
    "https://shop.example\\@127.0.0.1/",
    "https://shop.example#@127.0.0.1/",
    "https://shop.example/#there",
    "https://shop.example/ there",
    "https://shop.example/\r\nhost: inside",
    "https://shop.exämple/",
    "https://ｌocalhost/",
    "https://127。0。0。1/",
    "https://shop.example:/",
    "https://shop.example:99999/",
    "https://shop.example:443:443/",
    "https://shop%2eexample/",
    "https://[fe80::1%25eth0]/",
    "https://[::1/",
    "https://shop..example/",
    "https://-shop.example/",
    "https://" + "a" * 64 + ".example/",
]


def url_of(address: str) -> str:
    return f"https://[{address}]/" if ":" in address else f"https://{address}/"


def code_of(url: str) -> str:
    """Why it is refused; empty when it is not."""
    try:
        transport.check(url)
    except Refused as refused:
        return f"{refused.status} {refused.code} {refused.field}"
    return ""


# H1: what may be called


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/webhooks",
        "https://shop.example",
        "https://shop.example?to=friendpay",
        "HTTPS://Shop.Example/Webhooks?a=1&b=%20~",
        "https://shop.example:443/",
        "https://shop.example:8443/webhooks",
        "https://a_b.xn--bcher-kva.example/",
        f"https://{PUBLIC}/",
        "https://[2606:4700:4700::1111]/",
    ],
)
def test_H1_public_addresses_may_be_called_by_https(url: str) -> None:
    assert code_of(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        *MALFORMED,
        "http://shop.example/",
        *(f"https://shop.example:{port}/" for port in (0, 22, 25, 80, 444, 5432, 6379, 8000, 8080, 65535)),
        *map(url_of, INSIDE),
        *map(url_of, DISGUISED),
        *map(url_of, LOCAL),
    ],
)
@pytest.mark.parametrize("demo", [False, True])
def test_H1_everything_else_is_refused_when_it_is_saved_and_blocked_when_it_is_sent(
    url: str, demo: bool, settings: Settings, dialled: list[str], resolve: Resolve
) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = demo
    if demo and ("//127.0.0.1/" in url or "//127.8" in url or "//[::1]/" in url or "//localhost/" in url):
        assert code_of(url) == ""
        return
    assert code_of(url) == "422 url_not_allowed url"
    answer = transport.send(url, b"{}", {})
    assert (answer.error, answer.status, dialled) == ("blocked", None, [])


@pytest.mark.parametrize("address", INSIDE)
def test_H1_a_name_that_means_an_inner_address_is_blocked_without_a_packet(
    address: str, resolve: Resolve, dialled: list[str]
) -> None:
    resolve("shop.example", address)
    assert transport.send("https://shop.example/webhooks", b"{}", {}).error == "blocked"
    assert dialled == []


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "::127.0.0.1", "fd00::1", "0.0.0.0"])
def test_H1_loopback_in_the_demo_opens_nothing_else(
    address: str, loopback: None, resolve: Resolve, dialled: list[str]
) -> None:
    resolve("shop.example", address)
    assert transport.send("https://shop.example/webhooks", b"{}", {}).error == "blocked"
    assert dialled == []


def test_H1_loopback_needs_the_explicit_setting(settings: Settings, shop_server: Receiver, dialled: list[str]) -> None:
    assert transport.send(shop_server.url, b"{}", {}).accepted
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    assert transport.send(shop_server.url, b"{}", {}).error == "blocked"
    assert (len(shop_server.heard), len(dialled)) == (1, 1)


def test_H1_a_name_that_changes_its_meaning_is_asked_once_and_pinned(resolve: Resolve, dialled: list[str]) -> None:
    resolve("shop.example", PUBLIC, "127.0.0.1")
    transport.send("https://shop.example/webhooks", b"{}", {})
    assert resolve.asked == ["shop.example"]  # type: ignore[attr-defined]
    assert dialled == [PUBLIC]
    assert transport.send("https://shop.example/webhooks", b"{}", {}).error == "blocked"
    assert dialled == [PUBLIC]


def test_a_name_that_means_nothing_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch, dialled: list[str]) -> None:
    def unknown(*args: object, **kwargs: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert transport.send("https://shop.example/", b"{}", {}).error == "unresolved"
    assert dialled == []


def test_no_proxy_is_asked_to_call_for_us(
    shop_server: Receiver, listen: MakeReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = listen()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    assert transport.send(shop_server.url, b"{}", {}).accepted
    assert (len(shop_server.heard), proxy.heard) == (1, [])


# H1: whom we speak to is proven


@pytest.fixture
def secure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, loopback: None, resolve: Resolve
) -> Iterator[Callable[..., Receiver]]:
    """Start a server with a certificate for a name, which is trusted unless it is to be a stranger's."""
    with ExitStack() as stack:

        def start(name: str = "shop.example", *, trusted: bool = True, called: str = "shop.example") -> Receiver:
            file = certificate(tmp_path, name)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(file)
            server = stack.enter_context(receiver(context))
            monkeypatch.setattr(limits, "WEBHOOK_PORTS", (server.port,))
            if trusted:
                monkeypatch.setattr(transport, "DEFAULT_CA_BUNDLE_PATH", str(file))
            transport._tls.cache_clear()
            resolve(called, "127.0.0.1")
            server.url = f"https://{called}:{server.port}/webhooks"
            return server

        yield start
    transport._tls.cache_clear()


def test_https_works_with_the_pinned_address(secure: Callable[..., Receiver], dialled: list[str]) -> None:
    server = secure()
    answer = transport.send(server.url, b'{"a":1}', {"webhook-id": "evt_1"})
    assert (answer.status, answer.error) == (204, "")
    [message] = server.heard
    assert message.body == b'{"a":1}'
    assert message.headers["host"] == f"shop.example:{server.port}"
    assert (message.headers["webhook-id"], message.headers["content-type"]) == ("evt_1", "application/json")
    assert message.headers["user-agent"] == "friendpay-webhooks"
    assert dialled == ["127.0.0.1"]


def test_a_certificate_for_another_name_is_refused(secure: Callable[..., Receiver]) -> None:
    server = secure("other.example")
    assert transport.send(server.url, b"{}", {}).error == "tls"
    assert server.heard == []


def test_a_certificate_of_a_stranger_is_refused(secure: Callable[..., Receiver]) -> None:
    server = secure(trusted=False)
    assert transport.send(server.url, b"{}", {}).error == "tls"
    assert server.heard == []


# H2: nothing is followed


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_H2_a_redirect_is_a_failure_and_never_followed(
    status: int, shop_server: Receiver, listen: MakeReceiver
) -> None:
    other = listen()
    shop_server.respond = lambda handler: say(handler, status, location=other.url)
    answer = transport.send(shop_server.url, b"{}", {})
    assert (answer.status, answer.accepted, other.heard) == (status, False, [])
    assert len(shop_server.heard) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_2xx_answer_accepts(status: int, shop_server: Receiver) -> None:
    shop_server.answers = [status]
    assert transport.send(shop_server.url, b"{}", {}).accepted


@pytest.mark.parametrize("status", [304, 400, 401, 404, 410, 429, 500, 503])
def test_any_other_answer_does_not(status: int, shop_server: Receiver) -> None:
    shop_server.answers = [status]
    answer = transport.send(shop_server.url, b"{}", {})
    assert (answer.status, answer.error, answer.accepted) == (status, "", False)


# H3: neither memory nor time


class Flood:
    """Fifty megabytes, as far as anybody takes them."""

    def __init__(self, status: int, **headers: str) -> None:
        self.status, self.headers, self.sent, self.cut = status, headers, 0, threading.Event()

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        say(handler, self.status, content_length=str(50 * 1024 * 1024), **self.headers)
        try:
            for _ in range(50):
                handler.wfile.write(os.urandom(1024 * 1024))
                self.sent += 1
        except OSError:
            self.cut.set()
            raise


@pytest.mark.parametrize(("status", "accepted"), [(200, True), (500, False)])
def test_H3_a_huge_answer_is_cut_off(
    status: int, accepted: bool, shop_server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    flood = shop_server.respond = Flood(status)
    read = count_bytes(monkeypatch)
    answer = transport.send(shop_server.url, b"{}", {})
    assert (answer.status, answer.accepted, len(answer.body)) == (status, accepted, limits.WEBHOOK_KEPT_BYTES)
    assert flood.cut.wait(60)
    assert 1024 < sum(read) <= limits.WEBHOOK_ANSWER_BYTES + 16 * 1024


def test_H3_a_huge_redirect_is_cut_off_too(shop_server: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    flood = shop_server.respond = Flood(302, location="http://127.0.0.1:9/")
    read = count_bytes(monkeypatch)
    assert transport.send(shop_server.url, b"{}", {}).status == 302
    assert flood.cut.wait(60)
    assert 1024 < sum(read) <= limits.WEBHOOK_ANSWER_BYTES + 16 * 1024


def test_H3_endless_headers_are_cut_off(shop_server: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = threading.Event()

    def respond(handler: BaseHTTPRequestHandler) -> None:
        try:
            while True:
                handler.wfile.write(b"HTTP/1.1 100 Continue\r\nx: y\r\n\r\n" * 1000)
        except OSError:
            cut.set()
            raise

    shop_server.respond = respond
    read = count_bytes(monkeypatch)
    answer = transport.send(shop_server.url, b"{}", {})
    assert (answer.status, answer.accepted) == (None, False)
    assert answer.error in ("unreachable", "broken")
    assert cut.wait(60)
    assert 1024 < sum(read) <= 2 * limits.WEBHOOK_ANSWER_BYTES + 16 * 1024


def test_H3_a_compressed_answer_is_not_unpacked(shop_server: Receiver) -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        say(handler, 200, content_encoding="gzip", content_length="4")
        handler.wfile.write(b"\x1f\x8b\x08\x00")

    shop_server.respond = respond
    assert transport.send(shop_server.url, b"{}", {}).body == b"\x1f\x8b\x08\x00"


def count_bytes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    read: list[int] = []
    real = socket.socket.recv_into

    def recv_into(self: socket.socket, *args: object) -> int:
        count: int = real(self, *args)  # type: ignore[arg-type]
        read.append(count)
        return count

    monkeypatch.setattr(transport._Socket.__mro__[1], "recv_into", recv_into, raising=False)
    return read


def drip(head: bytes, text: bytes, cut: threading.Event) -> Callable[[BaseHTTPRequestHandler], None]:
    """A beginning, and then byte after byte, each well within any timeout of a single act."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        try:
            handler.wfile.write(head)
            for byte in text * 5000:
                handler.wfile.write(bytes([byte]))
                time.sleep(0.02)
        except OSError:
            cut.set()
            raise

    return respond


@pytest.mark.proof
@pytest.mark.parametrize(
    ("head", "text"),
    [
        (b"HTTP/1.1 200 OK\r\nx: ", b"y"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", b"y"),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", b"y"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\ny\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
@pytest.mark.parametrize("tls", [False, True])
def test_H3_a_dripping_answer_ends_by_the_clock_on_the_wall(
    head: bytes,
    text: bytes,
    tls: bool,
    shop_server: Receiver,
    secure: Callable[..., Receiver],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_SECONDS", 0.3)
    server, cut = secure() if tls else shop_server, threading.Event()
    server.respond = drip(head, text, cut)
    began = time.monotonic()
    answer = transport.send(server.url, b"{}", {})
    assert time.monotonic() - began < 30
    assert (answer.error, answer.accepted) == ("timeout", False)
    assert answer.status == (200 if head.endswith(b"\r\n\r\n") else None)
    assert cut.wait(60)


def test_H3_silence_ends_by_the_clock(shop_server: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_SECONDS", 0.2)
    let_go = threading.Event()

    def respond(handler: BaseHTTPRequestHandler) -> None:
        let_go.wait(60)

    shop_server.respond = respond
    answer = transport.send(shop_server.url, b"{}", {})
    let_go.set()
    assert (answer.error, answer.status) == ("timeout", None)
    assert 200 <= answer.milliseconds < 30_000


def test_H3_a_handshake_that_never_comes_ends_by_the_clock(
    secure: Callable[..., Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = secure()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        monkeypatch.setattr(limits, "WEBHOOK_PORTS", (port,))
        monkeypatch.setattr(limits, "WEBHOOK_SECONDS", 0.2)
        began = time.monotonic()
        assert transport.send(server.url.replace(str(server.port), str(port)), b"{}", {}).error == "timeout"
        assert time.monotonic() - began < 30


def test_H3_a_resolver_that_hangs_ends_by_the_clock(monkeypatch: pytest.MonkeyPatch, dialled: list[str]) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_SECONDS", 0.2)
    let_go = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: let_go.wait(60) and [])
    began = time.monotonic()
    answer = transport.send("https://shop.example/", b"{}", {})
    assert time.monotonic() - began < 30
    let_go.set()
    assert (answer.error, dialled) == ("timeout", [])


def test_H3_the_wall_clock_is_15_seconds_and_the_size_64_KiB() -> None:
    assert (limits.WEBHOOK_SECONDS, limits.WEBHOOK_ANSWER_BYTES) == (15, 65536)


def test_a_server_that_is_not_there_is_unreachable(shop_server: Receiver, loopback: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert transport.send(f"http://127.0.0.1:{port}/", b"{}", {}).error == "unreachable"


@pytest.mark.parametrize(
    "text",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfour", b"HTTP/1.1 999999 What\r\n\r\n"],
)
def test_an_answer_that_is_none_is_a_failure(text: bytes, shop_server: Receiver) -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(text)
        handler.close_connection = True

    shop_server.respond = respond
    answer = transport.send(shop_server.url, b"{}", {})
    assert (answer.accepted, bool(answer.error)) == (False, True)


def test_what_nobody_thought_of_is_a_failure_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> object:
        raise RuntimeError("never seen before")

    monkeypatch.setattr(socket, "getaddrinfo", broken)
    assert transport.send("https://shop.example/", b"{}", {}).error == "internal"
