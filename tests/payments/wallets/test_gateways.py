"""A gateway that somebody typed is never a way into our own network, whenever it is called and whatever its name means
by then.
"""

import socket
from typing import Any

import httpcore
import pytest
from pytest_django import Settings

from friendpay.kit.errors import Refused
from payments import tasks
from payments.admin import credentials
from payments.models import Refund
from payments.settlement import calls, refunds
from payments.wallets import transport
from payments.wallets.base import ProviderError
from tests.orders.webhooks.test_transport import INSIDE
from tests.payments.scene import CALLED, Scene

pytestmark = pytest.mark.django_db

PUBLIC = "93.184.216.34"


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address a connection was begun to; none is made."""
    found: list[str] = []

    def connect_tcp(_self: Any, host: str, *_more: Any) -> httpcore.NetworkStream:
        found.append(host)
        raise httpcore.ConnectError("nobody there")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect_tcp)
    return found


def means(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """What stand-in.example means: with each question the next of these."""
    left, real = list(addresses), socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if host != "stand-in.example":
            return real(host, port, *args, **more)
        address = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def called(loopback: bool | None = False) -> str:
    """The code of the error of a call to stand-in.example."""
    with transport.guarded(loopback=loopback), pytest.raises(ProviderError) as error:
        transport.call("GET", "https://stand-in.example/v3/certificates")
    return error.value.code


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_means_an_inner_address_by_now_is_not_called(
    address: str, monkeypatch: pytest.MonkeyPatch, dialled: list[str]
) -> None:
    means(monkeypatch, address)
    assert (called(), dialled) == ("configuration", [])


@pytest.mark.parametrize(("address", "goes"), [("127.0.0.1", True), ("10.0.0.1", False), ("169.254.169.254", False)])
def test_in_a_demo_this_machine_is_called_and_no_other_inside(
    address: str, goes: bool, monkeypatch: pytest.MonkeyPatch, dialled: list[str]
) -> None:
    means(monkeypatch, address)
    assert (called(loopback=True), dialled) == (("transport", [address]) if goes else ("configuration", []))


def test_the_connection_goes_to_the_address_that_was_looked_at(
    monkeypatch: pytest.MonkeyPatch, dialled: list[str]
) -> None:
    means(monkeypatch, PUBLIC, "127.0.0.1")
    assert (called(), dialled) == ("transport", [PUBLIC])
    assert (called(), dialled) == ("configuration", [PUBLIC])


def test_a_name_that_means_nothing_is_no_answer(monkeypatch: pytest.MonkeyPatch, dialled: list[str]) -> None:
    def unknown(*_args: Any, **_more: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert (called(), dialled) == ("transport", [])


def test_the_wallets_own_gateway_is_reached_as_the_operators_network_has_it(dialled: list[str]) -> None:
    """By way of a proxy inside, say."""
    assert (called(loopback=None), dialled) == ("transport", ["stand-in.example"])


@pytest.mark.parametrize("stage", CALLED, indirect=True)
def test_nothing_is_asked_of_a_gateway_inside_once_the_demo_is_over(stage: Scene, settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    with pytest.raises(Refused, match="wallet_not_permitted"):
        stage.begin()
    stage.payment_request.refresh_from_db()
    assert (stage.payment_request.status, stage.payment_request.amount_held) == ("open", 0)
    fine, words = credentials.ask(stage.account)
    assert (fine, "inside this network" in words) == (False, True)
    assert stage.moved() == ([], [])


def test_money_that_is_owed_waits_until_the_gateway_is_put_right(scene: Scene, settings: Settings) -> None:
    scene.pay()
    scene.hear()
    refunds.refund_payment(scene.payment.pk, 1000, actor="merchant")
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    tasks.sweep_refunds()
    refund = Refund.objects.get()
    assert (refund.status, refund.waits_for_shop, scene.moved()[1]) == ("requested", True, [])


@pytest.mark.parametrize(
    ("public_url", "base_url", "live", "demo", "guard"),
    [
        ("https://pay.shop.example", "", True, False, None),
        ("https://pay.shop.example", "https://10.0.0.1", True, False, None),  # it is not used
        ("https://pay.shop.example", "https://stand-in.example", False, False, False),
        ("https://pay.shop.example", "https://pay.shop.example:9", False, False, False),
        ("http://127.0.0.1:8000", "http://10.0.0.1", False, True, True),
        ("http://192.168.1.5:8000", "http://192.168.1.5:29001", False, True, None),  # stand-ins for phones nearby
        ("http://192.168.1.5:8000", "http://192.168.1.6:29001", False, True, True),
    ],
)
def test_what_was_typed_is_guarded_and_a_demos_own_host_is_not_inside(
    public_url: str, base_url: str, live: bool, demo: bool, guard: bool | None, stage: Scene, settings: Settings
) -> None:
    settings.PUBLIC_URL, settings.WEBHOOK_ALLOW_LOOPBACK = public_url, demo
    stage.account.base_url, stage.account.live = base_url, live
    if live and base_url and stage.method == "house":
        guard = False  # it is used: the shop runs it, for real money too
    with calls.calling(stage.account):
        assert transport._typed.get() is guard
    assert transport._typed.get() is None
