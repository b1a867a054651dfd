"""The desk's page of rollout rules: what is written comes back as it was written, and can be tried out."""

from typing import Any

import pytest
from django.test import Client

from orders.models import Merchant
from payments.models import ProviderAccount, RolloutRule
from tests import desk, shop

pytestmark = pytest.mark.django_db

RIGHTS = [f"payments.{verb}_rolloutrule" for verb in ("view", "add", "change", "delete")]
TRY = "/admin/payments/rolloutrule/try/"
LISTS = ("allowed_buyers", "denied_buyers", "excluded_categories", "currencies")
TIMES = ("starts_at_0", "starts_at_1", "ends_at_0", "ends_at_1")
EMPTY = dict.fromkeys(("note", "amount_currency", "least", "most", *LISTS, *TIMES), "")


def write(client: Client, merchant: Merchant, **fields: Any) -> Any:
    plain = {**EMPTY, "merchant": merchant.pk, "method": "friend", "share_percent": "100"}
    return client.post("/admin/payments/rolloutrule/add/", plain | fields)


def tried(client: Client, **fields: Any) -> str:
    response = client.get(TRY, {"screen": "desktop", **fields})
    assert response.status_code == 200
    return desk.words(response)


def test_a_rule_is_written_as_people_write_and_comes_back_so() -> None:
    merchant, client = shop.make_merchant(), desk.staff(*desk.READ, *RIGHTS)
    fields = {
        "share_percent": "10.25",
        "allowed_buyers": "lin\n mei \n",
        "excluded_categories": "alcohol",
        "currencies": "cny\nEUR",
        "amount_currency": "cny",
        "least": "50",
        "most": "80.50",
        "starts_at_0": "2026-11-01",
        "starts_at_1": "08:00:00",
        "screens": ["phone", "wechatpay"],
    }
    assert write(client, merchant, **fields).status_code == 302
    rule = RolloutRule.objects.get()
    assert (rule.share, rule.allowed_buyers, rule.currencies) == (1025, ["lin", "mei"], ["CNY", "EUR"])
    assert (rule.amount_currency, rule.amount_min, rule.amount_max) == ("CNY", 5000, 8050)
    assert (rule.screens, rule.starts_at and rule.starts_at.isoformat()) == (
        ["phone", "wechatpay"],
        "2026-11-01T08:00:00+00:00",
    )
    page = client.get(desk.page(rule)).content.decode()
    for written in ('value="10.25"', 'value="50.00"', 'value="80.50"', "lin\nmei", "CNY\nEUR"):
        assert written in page
    listed = desk.words(client.get(desk.rows(RolloutRule)))
    assert "10.25%" in listed
    assert "buyers, goods, currency, amount, time, screen" in listed


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"share_percent": "100.01"}, "less than or equal to 100"),
        ({"share_percent": "10.255"}, "no more than 2 decimal places"),
        ({"currencies": "CNY\nXXX"}, "XXX is not a currency we know."),
        ({"least": "5"}, "An amount needs its currency."),
        ({"least": "5.5", "amount_currency": "JPY"}, "JPY has no such small coin."),
        ({"least": "6", "most": "5", "amount_currency": "CNY"}, "This is less than the smallest amount."),
        ({"most": "99999999999999", "amount_currency": "CNY"}, "This is more than any order can be."),
        (
            {
                "starts_at_0": "2026-11-02",
                "starts_at_1": "08:00",
                "ends_at_0": "2026-11-02",
                "ends_at_1": "08:00",
            },
            "It must end after it begins.",
        ),
        ({"screens": ["fridge"]}, "Select a valid choice"),
        ({"method": "cash"}, "Select a valid choice"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(fields: dict[str, Any], words: str) -> None:
    response = write(desk.staff(*desk.READ, *RIGHTS), shop.make_merchant(), **fields)
    assert response.status_code == 200
    assert words in desk.words(response)
    assert RolloutRule.objects.count() == 0


def test_an_order_is_tried_out_from_its_own_page() -> None:
    order, client = shop.make_order(), desk.staff(*desk.READ, *RIGHTS)
    RolloutRule.objects.create(merchant=order.merchant, method="friend", denied_buyers=["lin"])
    page = client.get(desk.page(order, "why"), follow=True)
    said = desk.words(page)
    assert "Ask a friend" in said
    assert "buyer_denied This buyer never gets it." in said
    assert "Sandbox wallet" in said
    assert "buyer_denied" not in tried(client, order=order.reference, buyer="mei")


def test_a_buyer_without_an_order_is_tried_out() -> None:
    merchant, client = shop.make_merchant(), desk.staff(*desk.READ, *RIGHTS)
    RolloutRule.objects.create(merchant=merchant, method="sandbox", excluded_categories=["wine"], screens=["phone"])
    given = {"shop": merchant.pk, "currency": "cny", "amount": "90", "buyer": "mei"}
    assert "screen_excluded" in tried(client, **given)
    assert "excluded" not in tried(client, **given, screen="phone")
    assert "goods_excluded" in tried(client, **given, screen="phone", categories="tea\nwine")


def test_what_withholds_a_method_without_a_rule_is_said_in_words_too() -> None:
    order, client = shop.make_order(), desk.staff(*desk.READ, *RIGHTS)
    ProviderAccount.objects.update(enabled=False)
    assert "The account at the wallet is switched off." in tried(client, order=order.reference)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Name an order, or choose a shop."),
        ({"order": "nothing"}, "There is no such order."),
        ({"shop": "ours"}, "say the currency and the amount"),
    ],
)
def test_too_little_to_try_is_said(fields: dict[str, Any], words: str) -> None:
    merchant = shop.make_merchant()
    given = {name: merchant.pk if value == "ours" else value for name, value in fields.items()}
    assert words in tried(desk.staff(*desk.READ, *RIGHTS), **given)


def test_only_who_may_see_rules_may_try_them_and_only_who_may_change_them_does() -> None:
    order = shop.make_order()
    rule = RolloutRule.objects.create(merchant=order.merchant, method="friend")
    stranger = desk.staff(*desk.READ, name="bo")
    assert stranger.get(TRY, {"order": order.reference}).status_code in (302, 403)
    assert stranger.get(desk.page(order, "why")).status_code in (302, 403)
    assert "Ways to pay, and why not others" not in desk.words(stranger.get(desk.page(order)))
    reader = desk.staff(*desk.READ, RIGHTS[0], name="cai")
    assert reader.get(desk.page(rule)).status_code == 200
    assert write(reader, order.merchant).status_code == 403
    assert reader.post(desk.page(rule, "delete_rule")).status_code == 403
    assert RolloutRule.objects.count() == 1
