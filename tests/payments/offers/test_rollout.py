"""Who gets a method: shares, lists, goods, amounts, times and screens; and that everything asks the same function."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from friendpay.kit import clock
from orders.models import Adjustment, Merchant, Order
from orders.services import LineDraft, place_order
from payments.admin.rollout import REASONS
from payments.models import Payment, PaymentRequest, ProviderAccount, RolloutRule
from payments.offers import rollout, weighing
from payments.offers.rollout import Case
from payments.offers.weighing import Surface
from tests import shop
from tests.caller import Caller
from tests.pages import words

pytestmark = pytest.mark.django_db

DESKTOP, PHONE = Surface(), Surface(phone=True)
AGENTS = {"desktop": "Mozilla/5.0 (X11; Linux x86_64)", "phone": "Mozilla/5.0 (Linux; Android 15) Mobile Safari/537.36"}
MoveTime = Callable[[float], None]


def order_of(merchant: Merchant, *, buyer: str = "lin", lines: list[LineDraft] | None = None, **more: Any) -> Order:
    reference = f"A-{Order.objects.count() + 1001}"
    lines = lines or [LineDraft("Spring oolong", 1, 9000, "tea")]
    return place_order(
        merchant, **{"reference": reference, "currency": "CNY", **more}, lines=lines, buyer_name="Lin", buyer_id=buyer
    )


def why(order: Order, method: str = "sandbox", surface: Surface = DESKTOP) -> tuple[str, str]:
    """The reason of a method and its words; empty where it is offered."""
    order = Order.objects.get(pk=order.pk)
    if method == "friend":
        found = weighing.why_not_friend(Case.of(order), surface)
        return (found.code, found.text) if found else ("", "")
    (offer,) = weighing.consider(order, surface)
    return offer.reason, offer.detail


def rule(merchant: Merchant, method: str = "sandbox", **fields: Any) -> RolloutRule:
    return RolloutRule.objects.create(merchant=merchant, method=method, **fields)


# Shares


def placed(share: int, buyers: range) -> set[int]:
    return {buyer for buyer in buyers if rollout.place(7, "friend", f"customer-{buyer}") < share}


def test_ten_percent_of_many_buyers_are_ten_percent_and_twenty_keep_every_one_of_them() -> None:
    buyers = range(100_000)
    tenth, fifth = placed(1000, buyers), placed(2000, buyers)
    assert 9_500 <= len(tenth) <= 10_500
    assert 19_000 <= len(fifth) <= 21_000
    assert tenth <= fifth


def test_other_methods_and_shops_begin_with_other_buyers() -> None:
    friend = placed(1000, range(10_000))
    card = {buyer for buyer in range(10_000) if rollout.place(7, "card", f"customer-{buyer}") < 1000}
    elsewhere = {buyer for buyer in range(10_000) if rollout.place(8, "friend", f"customer-{buyer}") < 1000}
    for others in (card, elsewhere):
        assert 50 <= len(friend & others) <= 150


@pytest.mark.proof
@given(buyer=st.text(max_size=64), shares=st.lists(st.integers(0, 10_000), min_size=2, max_size=2).map(sorted))
@settings(max_examples=200)
def test_raising_a_share_never_takes_the_method_from_a_buyer(buyer: str, shares: list[int]) -> None:
    less, more = (rollout.place(7, "friend", buyer) < share for share in shares)
    assert more or not less


def test_a_share_is_counted_in_hundredths_of_a_percent() -> None:
    merchant = shop.make_merchant()
    stands = rollout.place(merchant.pk, "friend", "lin")
    order, narrow = order_of(merchant), rule(merchant, "friend", share=stands)
    code, text = why(order, "friend")
    assert code == "buyer_outside_share"
    assert f"from a share of {rollout.percent(stands + 1)} on; it is {rollout.percent(stands)} now" in text
    RolloutRule.objects.filter(pk=narrow.pk).update(share=stands + 1)
    assert why(order, "friend") == ("", "")


def test_no_share_is_nobody_and_a_whole_one_everybody_whose_id_is_unknown_too() -> None:
    merchant = shop.make_merchant()
    known, unknown = order_of(merchant), order_of(merchant, buyer="")
    everyone = rule(merchant)
    assert [why(known)[0], why(unknown)[0]] == ["", ""]
    RolloutRule.objects.filter(pk=everyone.pk).update(share=0)
    assert [why(known)[0], why(unknown)[0]] == ["buyer_outside_share", "buyer_unknown"]


# The other kinds


def test_lists_of_buyers_stand_above_the_share_and_a_no_above_a_yes() -> None:
    merchant = shop.make_merchant()
    rule(merchant, share=0, allowed_buyers=["lin", "mei"], denied_buyers=["mei"])
    assert why(order_of(merchant, buyer="lin"))[0] == ""
    assert why(order_of(merchant, buyer="mei"))[0] == "buyer_denied"
    assert why(order_of(merchant, buyer="bo"))[0] == "buyer_outside_share"


def test_one_excluded_line_takes_the_method_from_the_whole_order_and_is_named() -> None:
    merchant = shop.make_merchant()
    rule(merchant, "friend", excluded_categories=["Alcohol", "gift card"])
    tea, wine = LineDraft("Spring oolong", 1, 9000, "tea"), LineDraft("Rice wine", 2, 3000, " alcohol")
    assert why(order_of(merchant, lines=[tea]), "friend") == ("", "")
    code, text = why(order_of(merchant, lines=[tea, wine]), "friend")
    assert code == "goods_excluded"
    assert "line 2, “Rice wine”" in text
    assert "oolong" not in text


def test_a_gift_counts_as_goods_and_an_adjustment_does_not() -> None:
    merchant = shop.make_merchant()
    rule(merchant, "friend", excluded_categories=["alcohol", "gift card", "credit"])
    tea, gift = LineDraft("Tea", 1, 9000, "tea"), LineDraft("Rice wine, for free", 1, 0, "alcohol")
    card = Adjustment("credit", "Gift card", -2000)
    assert why(order_of(merchant, lines=[tea], adjustments=[card]), "friend") == ("", "")
    assert why(order_of(merchant, lines=[tea, gift]), "friend")[0] == "goods_excluded"


def test_bounds_of_the_amount_go_by_the_sum() -> None:
    merchant = shop.make_merchant()
    rule(merchant, amount_currency="CNY", amount_min=5000, amount_max=8000)
    tea, less = [LineDraft("Tea", 1, 9000)], Adjustment("discount", "10%", -1000)
    assert why(order_of(merchant, lines=tea, adjustments=[less])) == ("", "")
    assert why(order_of(merchant, lines=tea))[0] == "amount_above_maximum"


def test_amounts_are_bounds_in_their_own_currency() -> None:
    merchant = shop.make_merchant()
    rule(merchant, amount_currency="CNY", amount_min=5000, amount_max=8000)
    reasons = {}
    for amount in (4999, 5000, 8000, 8001):
        reasons[amount] = why(order_of(merchant, lines=[LineDraft("Tea", 1, amount)]))
    assert [code for code, _text in reasons.values()] == ["amount_below_minimum", "", "", "amount_above_maximum"]
    assert "50.00 CNY" in reasons[4999][1]
    assert "80.00 CNY" in reasons[8001][1]
    assert why(order_of(merchant, currency="EUR", lines=[LineDraft("Tea", 1, 8001)])) == ("", "")


def test_currencies_limit_where_they_are_named() -> None:
    merchant = shop.make_merchant()
    rule(merchant, currencies=["EUR", "USD"])
    assert why(order_of(merchant))[0] == "currency_excluded"
    assert why(order_of(merchant, currency="EUR"))[0] == ""


def test_a_window_opens_and_closes_by_the_databases_clock(move_time: MoveTime) -> None:
    merchant = shop.make_merchant()
    order, now = order_of(merchant), clock.now()
    rule(merchant, starts_at=now + timedelta(hours=1), ends_at=now + timedelta(hours=2))
    assert why(order)[0] == "not_yet"
    move_time(3601)
    assert why(order)[0] == ""
    move_time(3600)
    assert why(order)[0] == "over"


def test_screens_limit_where_they_are_named() -> None:
    merchant = shop.make_merchant()
    order = order_of(merchant)
    rule(merchant, screens=["phone", "wechatpay"])
    assert why(order, surface=DESKTOP)[0] == "screen_excluded"
    assert why(order, surface=PHONE)[0] == ""
    assert why(order, surface=Surface(app="wechatpay", phone=True))[0] == ""


def test_several_rules_must_all_agree_and_other_methods_and_shops_are_left_alone() -> None:
    merchant, other = shop.make_merchant(), shop.make_merchant("Hill Tea")
    rule(merchant, currencies=["CNY"])
    rule(merchant, denied_buyers=["lin"])
    assert why(order_of(merchant))[0] == "buyer_denied"
    assert why(order_of(merchant), "friend")[0] == ""
    assert why(order_of(other))[0] == ""


@pytest.mark.parametrize("fields", [{"share": 10_001}, {"amount_min": 1}, {"amount_max": 1}])
def test_the_database_refuses_a_rule_that_makes_no_sense(fields: dict[str, Any]) -> None:
    merchant = shop.make_merchant()
    with pytest.raises(IntegrityError), transaction.atomic():
        rule(merchant, **fields)


# What is shown is what works


def test_a_withheld_friend_cannot_be_asked_and_the_page_does_not_say_why(client: Client) -> None:
    merchant = shop.make_merchant()
    rule(merchant, "friend", denied_buyers=["lin"])
    order = order_of(merchant)
    page = client.get(f"/checkout/{order.token}/")
    assert "Ask a friend" not in words(page)
    assert "Pay now" in words(page)
    answer = client.post(f"/checkout/{order.token}/ask/")
    assert answer.status_code == 403
    assert "A friend cannot be asked for this order." in words(answer)
    assert b"denied" not in answer.content
    assert b"never gets" not in answer.content
    assert PaymentRequest.objects.count() == 0


def test_without_any_way_to_pay_the_page_says_so(client: Client) -> None:
    merchant = shop.make_merchant()
    rule(merchant, "friend", share=0)
    rule(merchant, "sandbox", share=0)
    page = words(client.get(f"/checkout/{order_of(merchant).token}/"))
    assert "There is no way to pay for this order here." in page
    assert "Pay now" not in page


@pytest.mark.parametrize("screens", [None, [], ["desktop"]])
def test_the_merchant_reads_that_a_friend_is_not_offered_where_nobody_can_pay(screens: list[str] | None) -> None:
    """No wallet at all, one that no buyer gets, and one that is on another screen alone."""
    caller = Caller()
    order = caller.order()
    if screens is None:
        ProviderAccount.objects.update(enabled=False)
    else:
        rule(caller.merchant, share=RolloutRule.WHOLE if screens else 0, screens=screens)
    told = caller.get(f"/orders/{order['id']}/offers?screen=phone").json
    friend = [(it["reason"], it["detail"]) for it in told["withheld"] if it["method"] == "friend"]
    assert friend == ([] if screens else [("no_wallet", "None of the shop's wallets takes this order.")])
    assert [it["method"] for it in told["shown"]] == (["friend"] if screens else [])
    assert caller.post(f"/orders/{order['id']}/payment-requests", {}).status == 201


def test_the_merchant_reads_every_method_with_its_reason() -> None:
    caller = Caller()
    rule(caller.merchant, "friend", excluded_categories=["tea"])
    order = caller.order()
    told = caller.get(f"/orders/{order['id']}/offers").json
    assert [offer["method"] for offer in told["shown"]] == ["sandbox"]
    (withheld,) = told["withheld"]
    assert (withheld["method"], withheld["reason"]) == ("friend", "goods_excluded")
    assert "line 1, “Spring oolong, 100 g” (tea)" in withheld["detail"]
    refused = caller.post(f"/orders/{order['id']}/payment-requests", {})
    assert (refused.status, refused["code"]) == (403, "method_not_offered")
    assert PaymentRequest.objects.count() == 0


def test_the_guide_names_every_reason() -> None:
    root = Path(__file__).resolve().parents[3]
    sources = "".join((root / "payments" / "offers" / f"{name}.py").read_text() for name in ("weighing", "rollout"))
    reasons = {*REASONS, *re.findall(r'Objection\("(\w+)"', sources)}
    guide = (root / "docs" / "rollout.md").read_text()
    assert {reason for reason in reasons if f"`{reason}`" not in guide} == set()
    assert len(reasons) > 15


def test_a_link_that_was_sent_goes_on_working_when_the_rule_changes(client: Client) -> None:
    merchant = shop.make_merchant()
    request = shop.make_request(order_of(merchant))
    rule(merchant, "friend", share=0)
    assert client.get(f"/p/{request.token}/").status_code == 200
    assert client.post(f"/p/{request.token}/pay/", {"method": "sandbox"}).status_code == 303
    assert "I'll pay it myself" in words(client.get(f"/checkout/{request.order.token}/"))


RULES = st.fixed_dictionaries(
    {"method": st.sampled_from(["friend", "sandbox"])},
    optional={
        "share": st.sampled_from([0, 2500, 5000, 7500, 10_000]),
        "denied_buyers": st.just(["lin"]),
        "allowed_buyers": st.just(["mei", "bo"]),
        "excluded_categories": st.lists(st.sampled_from(["tea", "wine"]), max_size=1),
        "currencies": st.lists(st.sampled_from(["CNY", "EUR"]), max_size=2),
        "amount_min": st.integers(1, 9000),
        "amount_max": st.integers(1000, 20_000),
        "screens": st.lists(st.sampled_from(["desktop", "phone"]), max_size=2),
    },
)
LINES = st.lists(
    st.builds(
        LineDraft, st.just("Thing"), st.integers(1, 2), st.integers(1, 9000), st.sampled_from(["", "tea", "wine"])
    ),
    min_size=1,
    max_size=3,
)


@given(
    rules=st.lists(RULES, max_size=3),
    lines=LINES,
    buyer=st.sampled_from(["lin", "mei", "bo", "kai", ""]),
    currency=st.sampled_from(["CNY", "EUR"]),
    screen=st.sampled_from(["desktop", "phone"]),
)
@pytest.mark.proof
@settings(max_examples=60)
def test_page_api_and_payment_agree(
    rules: list[dict[str, Any]], lines: list[LineDraft], buyer: str, currency: str, screen: str
) -> None:
    merchant = shop.make_merchant()
    for fields in rules:
        bounded = {"amount_min", "amount_max"} & fields.keys()
        rule(merchant, **fields, amount_currency="CNY" if bounded else "")
    order, again = (
        order_of(merchant, buyer=buyer, lines=lines, currency=currency, reference=reference)
        for reference in ("by the page", "by the API")
    )
    caller, visitor = Caller(merchant), Client(headers={"User-Agent": AGENTS[screen]})
    offers = caller.get(f"/orders/{order.public_id}/offers", screen=screen).json
    shown = {offer["method"] for offer in offers["shown"]}
    against_asking = {offer["reason"] for offer in offers["withheld"] if offer["method"] == "friend"} - {"no_wallet"}

    page = words(visitor.get(f"/checkout/{order.token}/"))
    assert ("Ask a friend to pay" in page) == ("friend" in shown)
    assert ("Pay now" in page) == ("sandbox" in shown)
    wallets = visitor.get(f"/checkout/{order.token}/pay/").content
    assert (b'value="sandbox"' in wallets) == ("sandbox" in shown)

    paid = visitor.post(f"/checkout/{order.token}/pay/", {"method": "sandbox"})
    assert (paid.status_code == 303) == ("sandbox" in shown)
    assert Payment.objects.filter(request__order=order).exists() == ("sandbox" in shown)

    asked = caller.send("POST", f"/orders/{again.public_id}/payment-requests", b"{}", query={"screen": screen})
    assert asked.status == (403 if against_asking else 201)
    if asked.status == 201:
        PaymentRequest.objects.filter(order=again).delete()
    answer = visitor.post(f"/checkout/{again.token}/ask/")
    assert answer.status_code == (403 if against_asking else 303)
    if answer.status_code == 303:
        link = PaymentRequest.objects.get(order=again)
        friends = visitor.get(f"/p/{link.token}/").content
        assert (b'value="sandbox"' in friends) == ("sandbox" in shown)
