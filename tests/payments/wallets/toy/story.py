"""With Toy Pay installed, as `../test_toy.py` has this run: it is wherever wallets are, and friendpay names it not."""

import json
from typing import Any, cast

import pytest
from django.test import Client

from payments.models import Payment, PaymentRequest, ProviderAccount, RolloutRule
from payments.offers.surfaces import Surface
from payments.settlement import inbox, ledger
from payments.wallets import registry
from payments.wallets.base import State
from tests import agents, desk, shop
from tests.caller import Caller
from tests.pages import words
from tests.payments.admin.test_rollout import RIGHTS, write
from tests.payments.wallets.toy.provider import ToyPay, sign

pytestmark = pytest.mark.django_db

TOKEN = "a token of Toy Pay"
TOY_APP = f"{agents.SAFARI_IPHONE} ToyApp/3.1"
EDIT = "payments.change_provideraccount"


@pytest.fixture
def payment_request() -> PaymentRequest:
    """Of a shop that takes Toy Pay, and the sandbox wallet besides."""
    payment_request = shop.make_request()
    account = ProviderAccount(merchant=payment_request.merchant, provider="toypay", granted=["page"])
    account.config = {"shop_number": "17", "token": TOKEN}
    account.save()
    return payment_request


def notify(client: Client, account: ProviderAccount, reference: str, token: str = TOKEN) -> int:
    body = json.dumps({"id": f"toy-event-{reference}", "reference": reference}).encode()
    headers = {"Toy-Signature": sign(token, body)}
    address = f"/notify/toypay/{account.public_id}/"
    return client.post(address, body, content_type="application/json", headers=headers).status_code


def test_it_takes_a_payment_to_paid(client: Client, payment_request: PaymentRequest) -> None:
    address = f"/p/{payment_request.token}/"
    assert "Toy Pay" in words(client.get(address))
    tapped = client.post(f"{address}pay/", {"method": "toypay"})
    payment = Payment.objects.get()
    assert (tapped.status_code, payment.account.provider) == (303, "toypay")
    assert tapped.headers["location"] == f"https://toypay.example/pay/{payment.reference}"

    assert notify(client, payment.account, payment.reference, token="a stranger's") == 401
    cast(ToyPay, registry.get("toypay")).book[payment.reference].state = State.SUCCEEDED
    assert notify(client, payment.account, payment.reference) == 204
    inbox.apply()
    payment_request.refresh_from_db()
    assert (payment_request.status, payment_request.amount_paid) == ("paid", 9000)
    assert ledger.check() == []


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        (TOY_APP, "Toy Pay"),
        (agents.WECOM, "This app can't open Toy Pay here"),
        (agents.WECHAT_IPHONE, "WeChat can't open Toy Pay here"),
    ],
)
def test_its_app_is_known_like_any_other(
    client: Client, payment_request: PaymentRequest, agent: str, told: str
) -> None:
    assert told in words(client.get(f"/p/{payment_request.token}/", headers={"User-Agent": agent}))
    assert Surface.of(TOY_APP) == Surface.at("toypay") == Surface(app="toypay", phone=True)


def test_the_desk_opens_an_account_there() -> None:
    client, merchant = desk.staff(*desk.READ, EDIT, "payments.add_provideraccount"), shop.make_merchant()
    assert "Toy Pay" in desk.text(client, "/admin/payments/provideraccount/add/")
    client.post("/admin/payments/provideraccount/add/", {"merchant": merchant.pk, "provider": "toypay", "name": "Toys"})
    account = ProviderAccount.objects.get(provider="toypay")
    form = desk.text(client, desk.page(account))
    for said in ("The number on your Toy Pay letter.", "The token from the same letter.", "Toy Pages"):
        assert said in form
    typed = {"name": "Toys", "enabled": "on", "base_url": "", "granted": ["page"]}
    client.post(desk.page(account), {**typed, "credential_shop_number": "17", "credential_token": TOKEN})
    account.refresh_from_db()
    assert (account.config, account.granted) == ({"shop_number": "17", "token": TOKEN}, ["page"])


def test_the_api_names_it_and_its_place() -> None:
    caller = Caller()
    ProviderAccount.objects.create(merchant=caller.merchant, provider="toypay")
    description: Any = Client().get("/api/v1/openapi.json").json()
    places = ["desktop", "phone", "wechatpay", "alipay", "toypay", "other_app"]
    assert description["components"]["schemas"]["Screen"]["enum"] == places
    order = caller.order()
    offers = caller.get(f"/orders/{order['id']}/offers", screen="toypay").json
    assert {"method": "toypay", "label": "Toy Pay", "provider": "toypay", "rail": "h5"} in offers["shown"]
    withheld = {offer["method"]: offer["reason"] for offer in caller.get(f"/orders/{order['id']}/offers")["withheld"]}
    assert withheld["toypay"] == "page_not_granted"


def test_a_rollout_rule_is_written_for_it_and_for_its_place() -> None:
    client, merchant = desk.staff(*desk.READ, *RIGHTS), shop.make_merchant()
    form = client.get("/admin/payments/rolloutrule/add/").context["adminform"].form
    assert ("toypay", "Toy Pay") in form.fields["method"].choices
    assert ("toypay", "Toy App") in form.fields["screens"].choices
    assert write(client, merchant, method="toypay", screens=["toypay"]).status_code == 302
    rule = RolloutRule.objects.get()
    assert (rule.method, rule.screens) == ("toypay", ["toypay"])


def test_a_demo_simulates_it() -> None:
    assert registry.simulated() == ["wechatpay", "alipay", "stripe", "house", "toypay"]
    assert registry.emulator("toypay")().account()["token"] == TOKEN
