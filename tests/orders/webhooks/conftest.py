"""Shops that listen, and a world in which nothing is sent unless a test says so."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from pytest_django import Settings
from urllib3.util import connection as urllib3_connection

from friendpay.kit import background, clock
from orders import sequence
from orders.models import Merchant, WebhookEndpoint
from orders.webhooks import delivery, endpoints
from tests import shop
from tests.orders.webhooks.receivers import Receiver, receiver

MakeReceiver = Callable[[], Receiver]
MoveTime = Callable[[float], None]
LetPass = Callable[..., None]
Resolve = Callable[..., None]


@pytest.fixture(autouse=True)
def _no_background_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent by a thread in the background: a test sends when it likes."""
    monkeypatch.setattr(background, "run_later", lambda purpose, job: None)


@pytest.fixture
def loopback(settings: Settings) -> None:
    """As in the demo."""
    settings.WEBHOOK_ALLOW_LOOPBACK = True


@pytest.fixture
def listen(loopback: None) -> Iterator[MakeReceiver]:
    """Start another merchant's server."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(receiver())


@pytest.fixture
def shop_server(listen: MakeReceiver) -> Receiver:
    return listen()


def told(
    server: Receiver, merchant: Merchant | None = None, *, proven: bool = True, **fields: Any
) -> tuple[WebhookEndpoint, str]:
    """An endpoint at that server, which has answered quickly before if it is `proven`; and its secret."""
    merchant = merchant or shop.make_merchant()
    endpoint, secret = endpoints.create(merchant, live=False, **{"url": server.url, **fields})
    merchant.refresh_from_db()
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(is_slow=not proven)
    endpoint.refresh_from_db()
    return endpoint, secret


def send() -> None:
    """What the worker does each second."""
    sequence.publish()
    delivery.send_due()


@pytest.fixture
def let_pass(move_time: MoveTime) -> LetPass:
    """Let time pass, the worker working now and then."""

    def go(seconds: float, step: float = 60) -> None:
        for _ in range(int(seconds // step)):
            move_time(step)
            send()

    return go


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Names mean what a test says: with each question the next of the addresses, the last one for ever."""
    known: dict[str, list[str]] = {}
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, family: int = 0, type: int = 0, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name in known:
            asked.append(name)
            answers = known[name]
            name = answers.pop(0) if len(answers) > 1 else answers[0]
        return real(name, port, family, type, flags=socket.AI_NUMERICHOST)

    def say(name: str, *addresses: str) -> None:
        known[name] = list(addresses)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    say.asked = asked  # type: ignore[attr-defined]
    return say


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address a connection was begun to. None is made that leaves this machine."""
    calls: list[str] = []
    real = urllib3_connection.create_connection

    def create_connection(address: tuple[str, int], *args: Any, **kwargs: Any) -> Any:
        calls.append(address[0])
        if address[0] != "127.0.0.1":
            raise ConnectionRefusedError
        return real(address, *args, **kwargs)

    monkeypatch.setattr(urllib3_connection, "create_connection", create_connection)
    return calls


def due_in(endpoint: WebhookEndpoint) -> float:
    """Seconds until the endpoint's next attempt."""
    moment = endpoint.deliveries.values_list("next_attempt_at", flat=True).get()
    assert moment is not None
    return (moment - clock.now()).total_seconds()
