"""Refunds of lines: each with its share, to the minor unit, and never more than was paid."""

from typing import Any

import pytest

from payments.models import PaymentRequest, Refund
from payments.settlement.ledger import check
from tests import shop
from tests.caller import Caller, fields, ledger
from tests.orders.api.test_true_orders import ADJUSTMENTS, LINES, SUM

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller() -> Caller:
    return Caller()


def bought(caller: Caller, *parts: int, **order: Any) -> Any:
    """An order that friends have paid, by these parts of the sum."""
    made = caller.order(**{"lines": LINES, "adjustments": ADJUSTMENTS} | order)
    split = {"split": {"max_payers": len(parts), "min_amount": 1}} if len(parts) > 1 else {}
    request = PaymentRequest.objects.get(public_id=caller.ask(made, **split)["id"])
    for number, part in enumerate(parts or (made["amount"],)):
        request.refresh_from_db()
        shop.succeed(shop.hold(request, part, name=f"Friend {number}"))
    assert caller.get(f"/orders/{made['id']}")["status"] == "paid"
    return made


def back(caller: Caller, order: Any, *lines: dict[str, Any]) -> Any:
    answer = caller.post(f"/orders/{order['id']}/refunds", {"lines": list(lines)})
    assert answer.status == 201, answer.body
    return answer["amount"]


def test_a_line_goes_back_in_pieces_and_brings_exactly_what_was_paid_for_it(caller: Caller) -> None:
    order = bought(caller)
    together = sum(back(caller, order, {"line": 1, "quantity": 1}) for _ in range(3))
    other = bought(caller)
    assert together == back(caller, other, {"line": 1})
    # 1000 of 11500 goods, less a tenth; then its part of what the gift card and the rounding left of 10950
    assert together == 900 * SUM // 10950
    assert caller.get(f"/orders/{order['id']}")["lines"][0]["quantity_returned"] == 3
    assert check() == []


def test_all_lines_and_then_the_rest_are_what_was_paid(caller: Caller) -> None:
    order = bought(caller)
    goods = back(caller, order, {"line": 1}, {"line": 2}, {"line": 3, "quantity": "0.25"}, {"line": 3}, {"line": 4})
    rest = caller.post(f"/orders/{order['id']}/refunds", {}).json["amount"]
    assert goods + rest == SUM
    assert rest == SUM - 10350 * SUM // 10950  # shipping, with its part of card and rounding
    assert caller.get(f"/orders/{order['id']}")["lines"][2]["quantity_returned"] == "0.5"


@pytest.mark.parametrize(
    ("currency", "lines", "adjustments", "paid"),
    [
        ("JPY", [{"name": "Tea", "quantity": 3, "amount": 1000}], [], [333, 333, 334]),
        ("KWD", [{"name": "Tea", "quantity": 3, "amount": 10000}], [("discount", -1)], [3333, 3333, 3333]),
    ],
)
def test_in_currencies_of_other_decimals(
    caller: Caller, currency: str, lines: list[Any], adjustments: list[Any], paid: list[int]
) -> None:
    extra = [{"kind": kind, "name": "Less", "amount": amount} for kind, amount in adjustments]
    order = bought(caller, currency=currency, lines=lines, adjustments=extra)
    assert [back(caller, order, {"line": 1, "quantity": 1}) for _ in paid] == paid


def test_several_friends_get_their_parts_of_a_line(caller: Caller) -> None:
    order = bought(caller, SUM - 3000, 3000)
    total = back(caller, order, {"line": 2, "quantity": 1})
    parts = list(Refund.objects.order_by("id").values_list("amount", flat=True))
    assert (sum(parts), len(parts)) == (total, 2)
    assert check() == []


def test_a_payment_is_refunded_by_line_too(caller: Caller) -> None:
    order = bought(caller)
    [payment] = caller.get(f"/orders/{order['id']}/payment-requests")["data"][0]["payments"]
    answer = caller.post(f"/payments/{payment['id']}/refunds", {"lines": [{"line": 3}]})
    assert (answer.status, answer["amount"]) == (201, back(caller, bought(caller), {"line": 3}))


@pytest.mark.parametrize(
    ("lines", "field", "code"),
    [
        ([{"line": 5}], "lines.0.line", "unknown_line"),
        ([{"line": 1, "quantity": 4}], "lines.0.line", "line_returned"),
        ([{"line": 1}, {"line": 1}], "lines.1.line", "line_returned"),
        ([{"line": 3, "quantity": "0.500001"}], "lines.0.line", "line_returned"),
        ([{"line": 4}], "lines", "nothing_paid"),
        ([{"line": 0}], "lines.0.line", "out_of_range"),
        ([{"line": 1, "quantity": 0}], "lines.0.quantity", "out_of_range"),
        ([], "lines", "too_few"),
    ],
)
def test_what_cannot_go_back_is_refused_and_moves_nothing(
    caller: Caller, lines: list[Any], field: str, code: str
) -> None:
    order = bought(caller)
    before = ledger()
    answer = caller.post(f"/orders/{order['id']}/refunds", {"lines": lines})
    assert (answer.status, fields(answer)) == (422, {field: code})
    assert ledger() == before


def test_an_amount_and_lines_are_not_both_meant(caller: Caller) -> None:
    order = bought(caller)
    answer = caller.post(f"/orders/{order['id']}/refunds", {"amount": 100, "lines": [{"line": 1}]})
    assert fields(answer) == {"lines": "invalid"}


def test_lines_bring_no_more_than_is_left(caller: Caller) -> None:
    order = bought(caller)
    caller.post(f"/orders/{order['id']}/refunds", {"amount": SUM - 10})
    before = ledger()
    answer = caller.post(f"/orders/{order['id']}/refunds", {"lines": [{"line": 2}]})
    assert (answer.status, answer["code"]) == (422, "refund_beyond_payment")
    assert ledger() == before
