"""The shop's account by API, and what an order would be offered before there is one."""

from typing import Any

import pytest

from friendpay.kit import clock, limits
from orders.models import ApiKey, Merchant, Order
from payments.models import ProviderAccount, RolloutRule, StoppedBuyer
from payments.offers import rollout
from tests.caller import ORDER, Caller, fields, ledger

pytestmark = pytest.mark.django_db

BASKET: dict[str, Any] = {name: ORDER[name] for name in ("currency", "lines", "buyer")}


@pytest.fixture
def caller() -> Caller:
    return Caller()


def offered(caller: Caller, body: dict[str, Any] = BASKET, **query: str) -> Any:
    words = "&".join(f"{name}={value}" for name, value in query.items())
    answer = caller.post(f"/offers?{words}", body)
    assert answer.status == 200, answer.body
    return answer.json


RULES: list[dict[str, Any]] = [
    {},
    {"method": "friend", "excluded_categories": ["Tea"]},
    {"method": "sandbox", "amount_currency": "CNY", "amount_min": 9001},
    {"method": "friend", "amount_currency": "CNY", "amount_max": 8999},
    {"method": "friend", "screens": ["phone"]},
    {"method": "friend", "currencies": ["JPY"]},
    {"method": "friend", "denied_buyers": ["customer-17"]},
    {"method": "sandbox", "share": 0},
]


@pytest.mark.parametrize("screen", ["desktop", "phone", "wechatpay"])
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_answer_is_that_of_the_order_which_follows(caller: Caller, rule: dict[str, Any], screen: str) -> None:
    if rule:
        RolloutRule.objects.create(merchant=caller.merchant, **rule)
    imagined = offered(caller, screen=screen)
    assert not Order.objects.exists()
    order = caller.order()
    assert imagined == caller.get(f"/orders/{order['id']}/offers", screen=screen).json
    if "excluded_categories" in rule:
        assert imagined["withheld"][0]["reason"] == "goods_excluded"


def test_a_share_of_buyers_is_met_before_there_is_an_order(caller: Caller) -> None:
    RolloutRule.objects.create(merchant=caller.merchant, method="friend", share=1000)
    for number in range(40):
        buyer = f"customer-{number}"
        inside = rollout.place(caller.merchant.pk, "friend", buyer) < 1000
        shown = offered(caller, {**BASKET, "buyer": {"id": buyer}})["shown"]
        assert ("friend" in [offer["method"] for offer in shown]) == inside
    [withheld] = offered(caller, {"currency": "CNY", "amount": 100})["withheld"]
    assert (withheld["method"], withheld["reason"]) == ("friend", "buyer_unknown")


def test_a_stopped_buyer_and_the_amount_that_counts(caller: Caller) -> None:
    StoppedBuyer.objects.create(merchant=caller.merchant, buyer_id="customer-17", stopped_at=clock.now())
    assert offered(caller)["withheld"][0]["reason"] == "buyer_stopped"
    RolloutRule.objects.create(merchant=caller.merchant, method="sandbox", amount_currency="CNY", amount_min=9500)
    assert [offer["method"] for offer in offered(caller, {**BASKET, "amount": 9500})["shown"]] == ["sandbox"]
    assert [offer["method"] for offer in offered(caller)["shown"]] == []
    shipping = {"kind": "shipping", "name": "Shipping", "amount": 500}
    assert [offer["method"] for offer in offered(caller, {**BASKET, "adjustments": [shipping]})["shown"]] == ["sandbox"]


def test_labels_are_in_the_buyers_language(caller: Caller) -> None:
    assert offered(caller, {**BASKET, "locale": "zh-CN"})["shown"][0]["label"] == "请朋友代付"
    assert offered(caller, {**BASKET, "locale": "tlh"})["shown"][0]["label"] == "Ask a friend"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"currency": "CNY"}, {"amount": "amount_missing"}),
        ({"currency": "CNY", "amount": None, "lines": None}, {"amount": "amount_missing"}),
        ({"currency": "XXX", "amount": 1}, {"currency": "unknown_currency"}),
        ({"currency": "CNY", "amount": 0}, {"amount": "out_of_range"}),
        ({"currency": "CNY", "amount": 1, "total": 1}, {"total": "unknown_field"}),
        ({"currency": "CNY", "amount": 1, "buyer": {"name": "Lin"}}, {"buyer.id": "required"}),
        ({"currency": "CNY", "lines": [{**ORDER["lines"][0], "unit_amount": 0}]}, {"lines": "amount_out_of_range"}),
    ],
)
def test_what_is_wrong_is_named(caller: Caller, body: dict[str, Any], wrong: dict[str, str]) -> None:
    before = ledger()
    answer = caller.post("/offers", body, key="k")
    assert (answer.status, fields(answer)) == (422, wrong)
    assert ledger() == before


def test_a_key_that_may_only_read_may_ask_and_one_that_may_not_may_not() -> None:
    assert Caller(can_write=False, can_refund=False).post("/offers", BASKET).status == 200
    refused = Caller(can_read=False).post("/offers", BASKET)
    assert (refused.status, refused["code"]) == (403, "right_missing")


def test_of_a_live_key_no_test_wallet_is_shown(caller: Caller) -> None:
    live = Caller(caller.merchant, live=True)
    withheld = [(offer["method"], offer["reason"]) for offer in offered(live)["withheld"]]
    assert withheld == [("friend", "no_wallet"), ("sandbox", "account_is_for_test_orders")]


def test_the_account_tells_whose_key_it_is_and_what_works(caller: Caller) -> None:
    ProviderAccount.objects.create(merchant=caller.merchant, provider="wechatpay", live=True)
    ProviderAccount.objects.create(merchant=caller.merchant, provider="wechatpay", enabled=False)
    Merchant.objects.update(is_frozen=True, return_origins=["https://shop.example"])
    read = Caller(caller.merchant, can_write=False, can_refund=False)
    ApiKey.objects.filter(pk=read.row.pk).update(name="Books")
    told = read.get("/account").json
    shop, key = told["shop"], told["key"]
    assert (shop["id"], shop["name"], shop["frozen"]) == (caller.merchant.public_id, "Harbour Tea", True)
    assert (shop["return_origins"], shop["request_life"]) == (["https://shop.example"], 86400)
    assert (key["name"], key["can_read"], key["can_write"], key["can_refund"]) == ("Books", True, False, False)
    assert read.key.startswith(key["start"])
    assert read.key not in str(told)
    assert (told["live"], told["limits"]["payers_most"]) == (False, limits.PAYERS_OF_A_REQUEST)
    assert {it["method"]: it["enabled"] for it in told["methods"]} == {"sandbox": True, "wechatpay": False}
    assert {"CNY", "JPY", "KWD"} <= set(told["currencies"])


def test_what_a_switched_off_account_takes_does_not_count(caller: Caller) -> None:
    ProviderAccount.objects.filter(provider="sandbox").update(enabled=False)
    ProviderAccount.objects.create(merchant=caller.merchant, provider="alipay")
    assert caller.get("/account")["currencies"] == ["CNY"]
    assert caller.get("/account")["methods"][0]["currencies"] is None
