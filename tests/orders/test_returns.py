"""What was paid for each line of an order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders import returns
from orders.models import Order, OrderLine
from orders.models.adjustment import TAKE_AWAY


def worth(lines: list[int], *adjustments: tuple[str, int]) -> list[int]:
    stored: list[dict[str, Any]] = [
        {"kind": kind.removesuffix("!"), "name": "x", "amount": amount, "included": kind.endswith("!")}
        for kind, amount in adjustments
    ]
    total = sum(lines) + sum(it["amount"] for it in stored if not it["included"])
    order = Order(amount=total, adjustments=stored)
    return returns.worth(order, [OrderLine(amount=amount) for amount in lines])


@pytest.mark.parametrize(
    ("lines", "adjustments", "paid"),
    [
        ([1000, 9000], [], [1000, 9000]),
        ([1000, 9000], [("discount", -1000)], [900, 8100]),
        ([1000, 9000], [("discount", -1000), ("shipping", 600)], [900, 8100]),
        ([1000, 9000], [("tax!", 1597)], [1000, 9000]),
        ([1000, 9000], [("tax", 1900)], [1190, 10710]),
        ([1000, 9000], [("credit", -2000)], [800, 7200]),
        ([5000], [("shipping", 5000), ("credit", -5000)], [2500]),  # the card paid half of both
        ([1000, 0], [("discount", -100)], [900, 0]),
        ([1000], [("discount", -1200), ("shipping", 600)], [0]),
        ([333, 333, 334], [("rounding", -1)], [332, 333, 334]),
        ([0], [("fee", 100)], [0]),
    ],
)
def test_a_line_bears_its_share(lines: list[int], adjustments: list[tuple[str, int]], paid: list[int]) -> None:
    assert worth(lines, *adjustments) == paid


amounts = st.lists(st.integers(0, 10**6), min_size=1, max_size=8)
kinds = st.sampled_from(["shipping", "tax", "tax!", "discount", "fee", "credit", "rounding"])
adjustments = st.lists(st.tuples(kinds, st.integers(0, 10**5)), max_size=6)


@given(amounts, adjustments)
def test_lines_are_never_worth_less_than_nothing_nor_more_than_was_paid(
    lines: list[int], adjustments: list[tuple[str, int]]
) -> None:
    signed = [(kind, -amount if kind in TAKE_AWAY else amount) for kind, amount in adjustments]
    total = sum(lines) + sum(amount for kind, amount in signed if not kind.endswith("!"))
    if total > 0:
        paid = worth(lines, *signed)
        assert all(it >= 0 for it in paid)
        assert sum(paid) <= total
        if not any(kind in ("shipping", "fee") and amount for kind, amount in signed) and any(paid):
            assert sum(paid) == total
