"""Who waits for a wallet waits on threads of that wallet's own."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from functools import partial
from typing import Any, NoReturn
from unittest.mock import AsyncMock
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver
from pytest_django import DjangoCaptureOnCommitCallbacks

from friendpay import asgi, lanes
from friendpay.kit.waiting import waiting
from orders.models import ApiKey, Order
from payments.models import Movement, Payment, PaymentRequest, ProviderAccount
from payments.settlement import refunds
from payments.wallets import transport
from payments.wallets.base import ProviderError
from payments.wallets.wechatpay.emulator.server import WeChatPay
from tests import agents, desk, shop


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/p/abc/pay/"),
        ("POST", "/checkout/abc/pay/"),
        ("GET", "/login/"),
        ("POST", "/r/abc/check/"),
        ("POST", "/admin/payments/provideraccount/1/test/"),
        ("POST", "/admin/payments/provideraccount/1/change/"),
        ("POST", "/api/v1/payment-requests/pr_1/simulate"),
    ],
)
def test_what_may_call_a_wallet_never_holds_the_pages_threads(method: str, path: str) -> None:
    assert lanes.waits({"method": method, "path": path})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/p/abc/"),
        ("GET", "/p/abc/pay/"),
        ("POST", "/notify/wechatpay/acc_1/"),
        ("POST", "/p/abc/decline/"),
        ("GET", "/admin/payments/provideraccount/"),
        ("GET", "/r/abc/"),
        ("GET", "/api/v1/payment-requests/pr_1"),
    ],
)
def test_pages_and_notifications_wait_for_nobody(method: str, path: str) -> None:
    assert not lanes.waits({"method": method, "path": path})


@pytest.mark.parametrize(
    ("body", "wallet"),
    [
        (b"csrfmiddlewaretoken=x&method=wechatpay&name=Mei", "wechatpay"),
        (b"method=alipay", "alipay"),
        (b"name=method=card&method=sandbox", "sandbox"),
        (b"method=card", "card"),
        (b'--x\r\nContent-Disposition: form-data; name="method"\r\n\r\nalipay\r\n--x--', "alipay"),
        (b"method=anything", ""),
        (b"", ""),
        (b"method=%FF", ""),
    ],
)
def test_a_payer_waits_with_those_of_the_same_wallet_alone(body: bytes, wallet: str) -> None:
    assert lanes.lane({"method": "POST", "path": "/p/abc/pay/"}, body) == wallet


def test_a_simulated_payer_waits_with_those_of_the_sandbox_wallet() -> None:
    assert lanes.lane({"method": "POST", "path": "/api/v1/payment-requests/pr_1/simulate"}, b"{}") == "sandbox"


def test_the_desk_waits_by_itself() -> None:
    assert lanes.lane({"method": "POST", "path": "/admin/payments/provideraccount/1/test/"}, b"method=card") == "desk"


def test_who_wants_a_share_card_keeps_no_payer_waiting() -> None:
    assert lanes.lane({"method": "GET", "path": "/checkout/abc/wechat-card.json"}, b"") == "share_card"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_page_waits_for_a_report_or_an_export_of_the_books(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    went: list[str] = []

    async def goes(name: str, *_asgi: object) -> None:
        went.append(name)

    for name in ("pages", "payers", "drawers", "books"):
        monkeypatch.setattr(asgi, name, partial(goes, name))
    for model in (Movement, Payment):
        scope = {"type": "http", "method": method, "path": desk.rows(model)}
        await asgi.serve(scope, AsyncMock(), AsyncMock())
    assert went == ["books", "pages"]


# The address of every view, and what makes it call its wallet


class Shop:
    """One order nobody has asked about, one that a friend was asked for, one that she is paying, and one with a refund
    under way; and somebody who may do everything.
    """

    def __init__(self) -> None:
        paid = shop.succeed(shop.hold(shop.make_request(shop.make_order(amount=9000))))
        self.merchant = paid.merchant
        self.refund = refunds.refund_payment(paid.pk, 100, actor="merchant")
        self.payment = shop.hold(shop.make_request(shop.make_order(self.merchant)))
        self.request = shop.make_request(shop.make_order(self.merchant))
        self.order = shop.make_order(self.merchant)
        self.account = shop.account_of(self.request)
        self.client = desk.staff()
        User.objects.update(is_superuser=True)
        self.key = ApiKey.make(self.merchant, live=False)[1]

    def address(self, route: str) -> str:
        """One address of this route."""
        first = route.split("/")[0]
        known: dict[str, object] = {
            "token": {"checkout": self.order, "p": self.request}.get(first, self.payment),
            "object_id": self._row(route),
            "provider": "sandbox",
            "account": self.account.public_id,
            "order_id": self.order.public_id,
            "request_id": self.request.public_id,
            "payment_id": self.payment.public_id,
            "refund_id": self.refund.public_id,
        }

        def fill(found: re.Match[str]) -> str:
            what = known.get(found[1].split(":")[-1], "1")
            return str(getattr(what, "token", what))

        return "/" + re.sub(r"<([^>]+)>", fill, route)

    def _row(self, route: str) -> object:
        for model in admin.site._registry:
            if route.startswith(f"admin/{model._meta.app_label}/{model._meta.model_name}/"):
                tried: dict[object, object] = {
                    Payment: self.payment,
                    PaymentRequest: self.payment.request,
                    Order: self.payment.request.order,
                }
                row: Any = tried.get(model) or model._default_manager.first()
                return row.pk if row else 1
        return 1

    def visit(self, route: str, method: str) -> None:
        """Come to it as whoever may, with whatever its form may ask for."""
        visitor = Client(raise_request_exception=False)
        visitor.cookies = deepcopy(self.client.cookies)
        headers = {"Sec-Fetch-Site": "same-origin", "Authorization": f"Bearer {self.key}", "Idempotency-Key": "k"}
        address = self.address(route)
        if route.startswith("api/"):
            body: dict[str, object] = {"amount": 100} if route.endswith("refunds") else {}
            visitor.generic(method, address, json_of(body), content_type="application/json", headers=headers)
        elif method == "POST":
            visitor.post(address, FORM | {"base_url": self.account.base_url}, headers=headers)
        else:
            visitor.get(address, headers=headers)


FORM = desk.WHY | {"method": "sandbox", "name": "Mei", "enabled": "on", "credential_secret": ""}


def json_of(body: dict[str, object]) -> bytes:
    return json.dumps(body).encode()


class Undo(Exception):
    pass


@contextmanager
def undone() -> Iterator[None]:
    with suppress(Undo), transaction.atomic():
        yield
        raise Undo


Called = list[object]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Called:
    """A mark for each call of a wallet by the thread that runs this test, which fails."""
    made: Called = []
    here = threading.get_ident()

    def within(_seconds: float) -> NoReturn:
        made.extend([1] if threading.get_ident() == here else [])
        raise ProviderError("the line is dead", permanent=False, code="DEAD")

    monkeypatch.setattr(transport, "within", within)
    return made


def addresses() -> Iterator[tuple[str, URLPattern]]:
    """All but the sandbox wallet's own, which is another company's."""
    for route, entry in lanes.routes(get_resolver().url_patterns):
        if not route.startswith("sandbox/") and "^" not in route and "?P" not in route:
            yield route, entry


@pytest.mark.proof
@pytest.mark.django_db
def test_exactly_the_views_that_say_so_call_a_wallet(
    calls: Called, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    """Each view there is, by GET and by POST, with a shop in which there is something to ask about."""
    there, waited, said = Shop(), set(), set()
    for route, entry in addresses():
        marked = waiting(entry.callback)
        for method in ("GET", "POST"):
            said |= {(route, method)} if marked and method in marked.methods else set()
            calls.clear()
            with undone(), django_capture_on_commit_callbacks(execute=True):
                there.visit(route, method)
            waited |= {(route, method)} if calls else set()
    assert waited == said - {("login/", "GET"), ("checkout/<slug:token>/wechat-card.json", "GET")}
    assert len(said) == 10


@pytest.mark.django_db
def test_a_wallets_login_calls_it_and_says_so(calls: Called) -> None:
    payment_request = shop.make_request()
    account = ProviderAccount(merchant=payment_request.merchant, provider="wechatpay", base_url="http://127.0.0.1:9")
    account.config = WeChatPay().account()
    account.save()
    friend = Client(headers={"User-Agent": agents.WECHAT_IPHONE})
    tapped = friend.post(f"/p/{payment_request.token}/pay/", {"method": "wechatpay"})
    (state,) = parse_qs(urlsplit(tapped["Location"]).query)["state"]
    assert calls == []
    assert friend.get("/login/", {"code": "x", "state": state}).status_code == 503
    assert calls
    assert lanes.lane({"method": "GET", "path": "/login/"}, b"") == "login"
