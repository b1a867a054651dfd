"""The checker of bench/chaos.py finds each kind of loss, and nothing where nothing was lost."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from bench import checker
from bench.wallets import Sandbox
from orders.models import Order
from payments import refunds, tasks
from payments.models import Payment, PaymentRequest, Refund
from sandbox.models import Charge
from tests.payments.test_refunds import paid

pytestmark = [pytest.mark.proof, pytest.mark.django_db(transaction=True)]

History = list[dict[str, Any]]


@pytest.fixture
def losses() -> Iterator[Callable[[History], list[str]]]:
    """Which kinds of loss are found."""
    with psycopg.connect(settings.DATABASE_URL, dbname=connection.settings_dict["NAME"], autocommit=True) as database:
        yield lambda told: [kind for kind, found in checker.check(told, database, Sandbox()).items() if found]


def a_day() -> History:
    """A friend paid, the shop refunded a part, and everybody was told the truth."""
    request = paid()
    payment = Payment.objects.get()
    refund = refunds.refund_payment(payment.pk, 2500, actor="merchant")
    tasks.sweep_refunds()
    return [
        {"who": "shop", "did": "order", "order": request.order.public_id},
        {"who": "shop", "did": "request", "asked": request.public_id},
        {"who": "mei", "did": "status", "request": request.token, "seq": 1, "state": "open"},
        {"who": "mei", "did": "approve", "approved": f"http://127.0.0.1/r/{payment.token}/"},
        {"who": "mei", "did": "status", "request": request.token, "seq": 3, "state": "paid"},
        {"who": "ann", "did": "status", "request": request.token, "seq": 2, "state": "open"},
        {"who": "shop", "did": "refund", "refunds": [refund.public_id]},
    ]


def test_a_day_without_loss(losses: Callable[[History], list[str]]) -> None:
    assert losses(a_day()) == []


@pytest.mark.parametrize(
    ("fact", "loss"),
    [
        ({"approved": "http://127.0.0.1/r/nobody/"}, "acknowledged payments lost"),
        ({"request": "nobody", "state": "paid", "seq": 1}, "acknowledged payments lost"),
        ({"order": "ord_lost"}, "acknowledged requests lost"),
        ({"asked": "pr_lost"}, "acknowledged requests lost"),
        ({"cancelled": "pr_lost"}, "acknowledged requests lost"),
        ({"paid_order": "ord_lost"}, "acknowledged requests lost"),
        ({"refunds": ["re_lost"]}, "acknowledged requests lost"),
    ],
)
def test_what_somebody_was_told_must_be_so(
    losses: Callable[[History], list[str]], fact: dict[str, Any], loss: str
) -> None:
    assert losses([*a_day(), {"who": "mei", "did": "ask", **fact}]) == [loss]


def test_a_request_never_goes_back_before_anybodys_eyes(losses: Callable[[History], list[str]]) -> None:
    told = a_day()
    token = PaymentRequest.objects.get().token
    assert losses([*told, {"who": "mei", "request": token, "seq": 2, "state": "open"}]) == ["seq went back"]


def test_a_refund_nobody_was_told_of_was_made_twice(losses: Callable[[History], list[str]]) -> None:
    assert losses(a_day()[:-1]) == ["refunds asked for twice"]


def test_one_refund_for_two_keys_is_found(losses: Callable[[History], list[str]]) -> None:
    told = a_day()
    assert losses([*told, told[-1]]) == ["refunds asked for twice"]


@pytest.mark.parametrize(
    ("corrupt", "loss"),
    [
        (lambda: Charge.objects.update(transaction="other"), "wallet and books differ"),
        (lambda: Charge.objects.update(amount=9001), "wallet and books differ"),
        (lambda: Charge.objects.get().refunds.update(amount=2501), "wallet and books differ"),
        (lambda: Charge.objects.get().refunds.all().delete(), "wallet and books differ"),
        (lambda: Order.objects.update(amount_refunded=2400), "wallet and books differ"),
        (lambda: Order.objects.update(amount=8000, amount_paid=8000), "double-settled"),
        (lambda: Refund.objects.update(amount=9001), "refunds beyond captures"),
    ],
)
def test_wrong_books_are_found(
    losses: Callable[[History], list[str]], corrupt: Callable[[], object], loss: str
) -> None:
    told = a_day()
    corrupt()
    assert loss in losses(told)


def test_a_line_of_the_history_that_was_broken_off_is_left_out(tmp_path: Any) -> None:
    history = tmp_path / "history.jsonl"
    history.write_text('{"who": "mei"}\n{"who": "a')
    assert list(checker.read(history)) == [{"who": "mei"}]
