"""Whose address it is that is counted, and when it is nobody's."""

import logging

import pytest

from friendpay.bridge import Message, Scope
from friendpay.kit import networks
from friendpay.proxies import Forwarded

UNREADABLE = [
    "",
    "unknown",
    "_hidden",
    "a.phone.example",
    "010.000.000.001",
    "10.0.0.01",
    "10.0.0.256",
    "10.0.0",
    "0x0a.0.0.1",
    "١٠.٠.٠.١",
    "10.0.0.1/8",
    "[",
    "::ffff:010.0.0.1",
    "2001:db8:::1",
    "0.0.0.0",
    "::",
    "unix:",
    "for=192.0.2.1",
    "\x00",
    "9" * 5000,
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_an_unreadable_address_is_nobodys(text: str) -> None:
    assert networks.read(text) is None
    assert networks.hashed(text) == networks.hashed(text, bits_of_ipv6=48) == ""


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:C000:0201", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:4711", "192.0.2.1"),
        ("192.0.2.1:51234", "192.0.2.1"),
        (" 192.0.2.1 ", "192.0.2.1"),
        ('"[2001:db8::1]:4711"', "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1", "2001:db8::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("fe80::1%25en0", "fe80::1"),
    ],
)
def test_one_address_is_counted_as_one_however_it_is_told(text: str, same: str) -> None:
    assert str(networks.read(text)) == same
    assert networks.hashed(text) == networks.hashed(same) != ""


def test_strangers_on_ipv4_stay_strangers_when_a_server_tells_them_as_ipv6() -> None:
    assert networks.hashed("::ffff:192.0.2.1") != networks.hashed("::ffff:192.0.2.2")
    assert networks.hashed("2001:db8::1") == networks.hashed("2001:db8::ffff:2")
    assert networks.hashed("2001:db8::1", 48) == networks.hashed("2001:db8:0:9::1", 48)


async def client_of(app: Forwarded, seen: list[Scope], peer: str, *forwarded: str) -> str:
    """Whom the application sees, when `peer` sends this X-Forwarded-For."""
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]

    async def nothing() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        raise AssertionError

    await app({"type": "http", "client": (peer, 1), "headers": headers, "scheme": "http"}, nothing, send)
    return str(seen.pop()["client"][0])


def made(*trusted: str) -> tuple[Forwarded, list[Scope]]:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: object, send: object) -> None:
        seen.append(scope)

    return Forwarded(app, list(trusted)), seen


async def test_only_a_trusted_proxy_is_believed() -> None:
    app = made("10.0.0.0/8")
    assert await client_of(*app, "10.0.0.1", "198.51.100.7, 203.0.113.9") == "203.0.113.9"
    assert await client_of(*app, "::ffff:10.0.0.1", "203.0.113.9") == "203.0.113.9"
    assert await client_of(*app, "192.168.0.1", "203.0.113.9") == "192.168.0.1"
    assert await client_of(*app, "::ffff:203.0.113.9") == "203.0.113.9"


async def test_a_proxy_that_is_not_trusted_is_told_of_once_and_loudly(caplog: pytest.LogCaptureFixture) -> None:
    app = made()
    for _time in range(3):
        await client_of(*app, "8.8.8.8", "127.0.0.1")  # anybody may send this
        await client_of(*app, "10.0.0.1", "203.0.113.9")
        await client_of(*app, "10.0.0.2")
    assert [(record.levelno, "TRUSTED_PROXIES" in record.message) for record in caplog.records] == [
        (logging.WARNING, True),
        (logging.ERROR, True),
    ]
    assert "TRUSTED_PROXIES=10.0.0.1." in caplog.records[1].message


async def test_a_trusted_proxy_is_not_told_of(caplog: pytest.LogCaptureFixture) -> None:
    app = made("10.0.0.1")
    await client_of(*app, "10.0.0.1", "203.0.113.9")
    assert not caplog.records
