"""Orders as shops have them: lines with an amount of their own, decimal quantities, adjustments, an asserted sum."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from orders.models import Event, Order
from payments.settlement.ledger import check
from tests.caller import ORDER, Answer, Caller, fields, ledger

pytestmark = pytest.mark.django_db

THREE_FOR_TEN: dict[str, Any] = {"name": "Soap", "quantity": 3, "amount": 1000}
PLUMS: dict[str, Any] = {"name": "Dried plums", "quantity": "0.5", "unit": "kg", "amount": 1500}
GIFT: dict[str, Any] = {"name": "A sample of green tea", "quantity": 1, "unit_amount": 0}
LINES = [THREE_FOR_TEN, {"name": "Spring oolong", "quantity": 2, "unit_amount": 4500}, PLUMS, GIFT]
COUPON = {"kind": "discount", "name": "10% with WELCOME", "amount": -1150}
SHIPPING = {"kind": "shipping", "name": "Shipping", "amount": 600}
VAT = {"kind": "tax", "name": "VAT 19%", "amount": 1748, "included": True}
GIFT_CARD = {"kind": "credit", "name": "Gift card", "amount": -2000}
ROUNDING = {"kind": "rounding", "name": "Rounding", "amount": -2}
ADJUSTMENTS = [COUPON, SHIPPING, VAT, GIFT_CARD, ROUNDING]
SUM = 1000 + 9000 + 1500 - 1150 + 600 - 2000 - 2


@pytest.fixture
def caller() -> Caller:
    return Caller()


def send(caller: Caller, **changes: object) -> Answer:
    return caller.post("/orders", {**ORDER, "lines": LINES, "adjustments": ADJUSTMENTS, **changes})


def test_a_true_order_adds_up_and_is_given_back_as_it_was_sent(caller: Caller) -> None:
    made = send(caller, amount=SUM, currency="EUR")
    assert made.status == 201, made.body
    shown = made.json
    assert shown["amount"] == SUM
    assert [(line["quantity"], line["unit"], line["unit_amount"], line["amount"]) for line in shown["lines"]] == [
        (3, "", None, 1000),
        (2, "", 4500, 9000),
        ("0.5", "kg", None, 1500),
        (1, "", 0, 0),
    ]
    assert shown["adjustments"] == [{"included": False} | it for it in ADJUSTMENTS]
    assert caller.get(f"/orders/{shown['id']}").json == shown
    assert caller.get("/orders")["data"] == [shown]
    assert Event.objects.get(type="order.created").data["adjustments"] == shown["adjustments"]
    assert check() == []


@pytest.mark.parametrize(("currency", "amount"), [("JPY", 1001), ("KWD", 1000500)])
def test_minor_units_are_those_of_the_currency(caller: Caller, currency: str, amount: int) -> None:
    lines = [{"name": "Tea", "quantity": "0.333", "unit": "kg", "amount": amount}]
    order = caller.order(currency=currency, lines=lines, adjustments=[{**COUPON, "amount": -1}])
    assert (order["amount"], order["lines"][0]["quantity"]) == (amount - 1, "0.333")


def test_a_tax_on_top_adds_and_an_included_one_does_not(caller: Caller) -> None:
    on_top = caller.order(adjustments=[{"kind": "tax", "name": "Sales tax", "amount": 720}])
    included = caller.order(adjustments=[{"kind": "tax", "name": "VAT 19%", "amount": 1437, "included": True}])
    assert (on_top["amount"], included["amount"]) == (9720, 9000)


def test_another_sum_than_the_shops_is_refused_and_both_are_named(caller: Caller) -> None:
    before = ledger()
    answer = send(caller, amount=SUM + 1)
    assert (answer.status, answer["code"], fields(answer)) == (422, "amount_mismatch", {"amount": "amount_mismatch"})
    assert str(SUM) in answer["detail"]
    assert str(SUM + 1) in answer["detail"]
    assert ledger() == before


def test_a_card_that_pays_all_leaves_nothing_to_ask_a_friend_for(caller: Caller) -> None:
    before = ledger()
    answer = caller.post("/orders", {**ORDER, "adjustments": [{**GIFT_CARD, "amount": -9000}]})
    assert fields(answer) == {"lines": "amount_out_of_range"}
    assert ledger() == before


@pytest.mark.parametrize(
    ("line", "field", "code"),
    [
        ({"quantity": "0.5", "unit_amount": 3000}, "unit_amount", "invalid"),
        ({"quantity": 2, "unit_amount": 3000, "amount": 6000}, "unit_amount", "invalid"),
        ({"quantity": 2}, "unit_amount", "required"),
        ({"quantity": 0.5, "amount": 1500}, "quantity", "wrong_type"),
        ({"quantity": True, "amount": 1500}, "quantity", "wrong_type"),
        ({"quantity": None, "amount": 1500}, "quantity", "wrong_type"),
        ({"quantity": "0", "amount": 1500}, "quantity", "malformed"),
        ({"quantity": "0.0", "amount": 1500}, "quantity", "malformed"),
        ({"quantity": "1000000.1", "amount": 1500}, "quantity", "malformed"),
        ({"quantity": "9" * 400, "amount": 1500}, "quantity", "malformed"),
        ({"quantity": "-1", "amount": 1500}, "quantity", "malformed"),
        ({"quantity": "0,5", "amount": 1500}, "quantity", "malformed"),
        ({"quantity": ".5", "amount": 1500}, "quantity", "malformed"),
        ({"quantity": "5.", "amount": 1500}, "quantity", "malformed"),
        ({"quantity": "1e3", "amount": 1500}, "quantity", "malformed"),
        ({"quantity": "٥", "amount": 1500}, "quantity", "malformed"),
        ({"quantity": "", "amount": 1500}, "quantity", "malformed"),
        ({"quantity": "0.1234567", "amount": 1500}, "quantity", "malformed"),
        ({"quantity": 1, "amount": -1}, "amount", "out_of_range"),
        ({"quantity": 1, "amount": 15.5}, "amount", "wrong_type"),
        ({"quantity": 1, "amount": 1500, "unit": "k\ng"}, "unit", "malformed"),
    ],
)
def test_a_wrong_line_names_the_field_and_makes_nothing(
    caller: Caller, line: dict[str, Any], field: str, code: str
) -> None:
    before = ledger()
    answer = caller.post("/orders", {**ORDER, "lines": [{"name": "Tea", **line}]})
    assert (answer.status, fields(answer)) == (422, {f"lines.0.{field}": code})
    assert ledger() == before


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"amount": 1150}, "amount", "out_of_range"),
        ({"kind": "credit", "amount": 1}, "amount", "out_of_range"),
        ({"kind": "shipping"}, "amount", "out_of_range"),
        ({"kind": "fee"}, "amount", "out_of_range"),
        ({"kind": "tax"}, "amount", "out_of_range"),
        ({"kind": "tip"}, "kind", "invalid"),
        ({"included": True}, "included", "invalid"),
        ({"amount": -11.5}, "amount", "wrong_type"),
        ({"name": " "}, "name", "malformed"),
        ({"percent": 10}, "percent", "unknown_field"),
    ],
)
def test_a_wrong_adjustment_names_the_field_and_makes_nothing(
    caller: Caller, change: dict[str, Any], field: str, code: str
) -> None:
    before = ledger()
    answer = caller.post("/orders", {**ORDER, "adjustments": [COUPON | change]})
    assert (answer.status, fields(answer)) == (422, {f"adjustments.0.{field}": code})
    assert ledger() == before


def test_changed_lines_bring_their_own_adjustments(caller: Caller) -> None:
    order = caller.order(adjustments=[{**COUPON, "amount": -900}])
    changed = caller.post(
        f"/orders/{order['id']}/lines", {"lines": LINES, "adjustments": ADJUSTMENTS, "amount": SUM}
    ).json
    assert (changed["amount"], len(changed["lines"]), len(changed["adjustments"])) == (SUM, 4, 5)
    again = caller.post(f"/orders/{order['id']}/lines", {"lines": [PLUMS]}).json
    assert (again["amount"], again["adjustments"]) == (1500, [])
    assert Event.objects.filter(type="order.changed").last().data["adjustments"] == []  # type: ignore[union-attr]
    assert check() == []


def test_what_is_shown_of_an_adjustment_is_harmless(caller: Caller) -> None:
    order = caller.order(adjustments=[{**SHIPPING, "name": "Ship\u0351\u0351\u0351\u0351\u0351ping"}])
    assert order["adjustments"][0]["name"].count("\u0351") == 3


@pytest.mark.parametrize(
    "wrong",
    [
        '[{"kind": "discount", "name": "10%", "amount": 5, "included": false}]',
        '[{"kind": "shipping", "name": "S", "amount": -5, "included": false}]',
        '[{"kind": "shipping", "name": "S", "amount": 5, "included": true}]',
        '[{"kind": "tip", "name": "T", "amount": 5, "included": false}]',
        '[{"kind": "tax", "name": "T", "amount": 5.5, "included": false}]',
        '[{"kind": "tax", "name": "T", "amount": "5", "included": false}]',
        '[{"kind": "tax", "name": "T", "amount": 5}]',
        '[{"kind": "tax", "amount": 5, "included": false}]',
        '{"kind": "tax", "name": "T", "amount": 5, "included": false}',
        "5",
    ],
)
def test_the_database_takes_no_adjustment_that_is_none(caller: Caller, wrong: str) -> None:
    caller.order()
    with connection.cursor() as cursor, pytest.raises(IntegrityError), transaction.atomic():
        cursor.execute("UPDATE orders_order SET adjustments = %s::jsonb", [wrong])
    assert Order.objects.get().adjustments == []
