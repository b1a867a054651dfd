"""The checker of bench/chaos.py finds each kind of loss, and nothing where nothing was lost."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from bench import checker
from bench.ends import End
from bench.wallets import Books, Contested, Sandbox
from friendpay.kit import clock
from friendpay.kit.money import Money
from orders import sequence
from orders.models import Event, Order
from payments import tasks
from payments.models import Payment, PaymentRequest, Refund
from payments.settlement import holds, ledger, lifecycle, outside, refunds
from payments.wallets.base import Outcome, State
from sandbox import bank
from sandbox.models import Charge
from tests import shop
from tests.payments.settlement.test_checkout import begin
from tests.payments.settlement.test_refunds import paid

pytestmark = [pytest.mark.proof, pytest.mark.django_db(transaction=True)]

History = list[dict[str, Any]]


class Bank(Sandbox):
    """A wallet whose payers have a bank that takes money back."""

    def __init__(self) -> None:
        super().__init__()
        self.contested: list[Contested] = []

    def books(self, database: "psycopg.Connection[tuple[Any, ...]]") -> Books:
        return *super().books(database)[:2], self.contested


@pytest.fixture
def wallet() -> Bank:
    return Bank()


@pytest.fixture
def losses(wallet: Bank) -> Iterator[Callable[[History], list[str]]]:
    """Which kinds of loss are found."""
    with psycopg.connect(settings.DATABASE_URL, dbname=connection.settings_dict["NAME"], autocommit=True) as database:
        yield lambda told: [kind for kind, found in checker.check(told, database, wallet).items() if found]


def a_day() -> History:
    """A friend paid, the shop refunded a part, and everybody was told the truth."""
    request = paid()
    payment = Payment.objects.get()
    refund = refunds.refund_payment(payment.pk, 2500, actor="merchant")
    tasks.sweep_refunds()
    back = {"for_order": request.order.public_id, "amount": 2500}
    return [
        {"who": "shop", "did": "listen", "listens": ["order.paid", "payment.succeeded"]},
        expects(request, End.ALONE),
        {"who": "shop", "did": "order", "order": request.order.public_id},
        {"who": "shop", "did": "request", "asked": request.public_id},
        {"who": "mei", "did": "status", "request": request.token, "seq": 1, "state": "open"},
        {"who": "mei", "did": "approve", "approved": f"http://127.0.0.1/r/{payment.token}/"},
        {"who": "mei", "did": "status", "request": request.token, "seq": 3, "state": "paid"},
        {"who": "ann", "did": "status", "request": request.token, "seq": 2, "state": "open"},
        *heard(),
        {**back, "who": "shop", "did": "refund", "refunds": [refund.public_id]},
    ]


def expects(request: PaymentRequest, end: End) -> dict[str, Any]:
    return {"who": "shop", "did": "order", "for_order": request.order.public_id, "expects": end}


def heard() -> History:
    """What the shop's server is told, once each."""
    while sequence.publish():
        pass
    events = [event.told() for event in Event.objects.filter(type__in=["order.paid", "payment.succeeded"])]
    return [{"who": "shop", "did": "hear", "webhook": event["id"], "said": event, "signed": True} for event in events]


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
        ({"approved": "http://127.0.0.1/r/{receipt}/", "page": "another"}, "money booked for another"),
        ({"webhook": "evt_none", "said": {"id": "evt_none", "type": "a"}, "signed": True}, "webhooks lost or false"),
        ({"webhook": "{event}", "said": {"id": "{event}", "type": "a"}, "signed": True}, "webhooks lost or false"),
    ],
)
def test_what_somebody_was_told_must_be_so(
    losses: Callable[[History], list[str]], fact: dict[str, Any], loss: str
) -> None:
    told = a_day()
    names = {"receipt": Payment.objects.get().token, "event": Event.objects.get(type="payment.succeeded").public_id}
    fact = json.loads(re.sub(r"{(\w+)}", lambda name: names[name[1]], json.dumps(fact)))
    assert losses([*told, {"who": "mei", "did": "ask", **fact}]) == [loss]


def test_a_request_never_goes_back_before_anybodys_eyes(losses: Callable[[History], list[str]]) -> None:
    told = a_day()
    token = PaymentRequest.objects.get().token
    assert losses([*told, {"who": "mei", "request": token, "seq": 2, "state": "open"}]) == ["seq went back"]


def test_a_refund_nobody_was_told_of_was_made_twice(losses: Callable[[History], list[str]]) -> None:
    assert losses(a_day()[:-1]) == ["refunds asked for twice", "stories that ended otherwise"]


def test_one_refund_for_two_keys_is_found(losses: Callable[[History], list[str]]) -> None:
    told = a_day()
    assert "refunds asked for twice" in losses([*told, told[-1]])


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
        (lambda: Event.objects.filter(type="order.paid").delete(), "events out of order or false"),
        (
            lambda: Event.objects.filter(type="payment.created").update(data={"amount": 1}),
            "events out of order or false",
        ),
        (lambda: Event.objects.filter(type="payment.succeeded").update(sequence=10**6), "events out of order or false"),
    ],
)
def test_wrong_books_are_found(
    losses: Callable[[History], list[str]], corrupt: Callable[[], object], loss: str
) -> None:
    told = a_day()
    corrupt()
    assert loss in losses(told)


def test_a_webhook_that_never_came_is_found(losses: Callable[[History], list[str]]) -> None:
    told = a_day()
    for lost in heard():
        left = [fact for fact in told if fact.get("webhook") != lost["webhook"]]
        assert "webhooks lost or false" in losses(left)


def test_a_webhook_that_came_twice_is_as_good_as_once(losses: Callable[[History], list[str]]) -> None:
    told = a_day()
    assert losses([*told, *heard()]) == []


def test_an_app_that_refunds_every_payment_is_found(
    losses: Callable[[History], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "fitting", lambda request, payment, taken: 0)
    request = paid()
    tasks.sweep_refunds()
    lifecycle.cancel_request(request.pk, actor="buyer")
    assert ledger.check() == []
    assert losses([expects(request, End.ALONE)]) == ["stories that ended otherwise"]


def test_two_charges_of_one_order_both_kept_are_found(losses: Callable[[History], list[str]]) -> None:
    request = shop.make_request()
    first, second = begin(request, "Mei"), None
    lifecycle.let_go(first.pk)
    second = begin(request, "Ann")
    for payment in (first, second):
        charge = Charge.objects.get(reference=payment.reference)
        bank.approve(charge.ref)
        shop.succeed(payment, ref=bank.find(charge.account, charge.reference).transaction)  # type: ignore[union-attr]
    Refund.objects.all().delete()
    assert "stories that ended otherwise" in losses([expects(request, End.ONE)])


def test_money_counted_for_another_order_is_found(losses: Callable[[History], list[str]]) -> None:
    """Two friends pay 90.00 for two orders of a shop; the news are crossed."""
    merchant = shop.make_merchant()
    payments = [begin(shop.make_request(shop.make_order(merchant))) for _order in range(2)]
    charges = [Charge.objects.get(reference=payment.reference) for payment in payments]
    transactions = [bank.approve(charge.ref).transaction for charge in charges]
    for payment, transaction in zip(payments, reversed(transactions), strict=True):
        shop.succeed(payment, ref=transaction)
    assert ledger.check() == []
    assert losses([expects(payment.request, End.ALONE) for payment in payments]) == ["money booked for another"]


def test_a_refund_made_by_hand_has_to_stand_in_our_books(losses: Callable[[History], list[str]]) -> None:
    told = a_day()
    request, payment = PaymentRequest.objects.get(), Payment.objects.get()
    Charge.objects.get().refunds.create(
        account=payment.account.public_id, reference="by-hand", amount=1000, created_at=clock.now()
    )
    fact = {"who": "shop", "did": "refund by hand", "for_order": request.order.public_id, "by_hand": 1000}
    told += [expects(request, End.BY_HAND), fact]
    assert losses(told) == ["wallet and books differ", "stories that ended otherwise"]
    outside.book_refund(payment.pk, "by-hand", Money(1000, "CNY"))
    assert losses([*told, *heard()]) == []
    assert losses([fact for fact in told if "by_hand" not in fact]) == ["stories that ended otherwise"]


@pytest.mark.parametrize(("state", "held"), [(State.PENDING, 6500), (State.FAILED, 6500), (State.SUCCEEDED, 0)])
def test_what_a_dispute_has_has_to_stand_in_our_books(
    losses: Callable[[History], list[str]], wallet: Bank, state: State, held: int
) -> None:
    told = a_day()
    request, payment = PaymentRequest.objects.get(), Payment.objects.get()
    told.append(expects(request, End.DISPUTED))
    wallet.contested = [Contested(payment.account.public_id, "dp_1", payment.reference, 6500, state == State.FAILED)]
    wrong = ["wallet and books differ", "stories that ended otherwise"]
    assert losses(told) == wrong
    outside.hear_dispute(payment.pk, Outcome(state, "", "dp_1", Money(6500, "CNY")))
    assert losses(told) == ([] if held else wrong)
    wallet.contested = []
    assert losses(told) == (wrong if held else [])


def test_a_dispute_that_is_lost_at_the_wallet_and_open_here_is_found(
    losses: Callable[[History], list[str]], wallet: Bank
) -> None:
    """The bank has the same either way."""
    told = a_day()
    request, payment = PaymentRequest.objects.get(), Payment.objects.get()
    told.append(expects(request, End.DISPUTED))
    outside.hear_dispute(payment.pk, Outcome(State.PENDING, "", "dp_1", Money(6500, "CNY")))
    wallet.contested = [Contested(payment.account.public_id, "dp_1", payment.reference, 6500, lost=True)]
    assert losses(told) == ["wallet and books differ"]


def test_more_disputed_and_refunded_than_there_was_is_found(losses: Callable[[History], list[str]]) -> None:
    told = a_day()
    Payment.objects.update(amount_disputed=6501)
    assert "refunds beyond captures" in losses(told)


def test_a_refund_whose_answer_nobody_waited_for_may_be_done_or_not(losses: Callable[[History], list[str]]) -> None:
    told = a_day()
    order = PaymentRequest.objects.get().order.public_id
    told[-1] = {"who": "shop", "did": "refund", "for_order": order, "unsure": 2500}
    assert losses(told) == []
    told[-1]["unsure"] = 2400
    assert losses(told) == ["stories that ended otherwise"]


def test_only_what_ended_as_expected_counts_as_settled() -> None:
    told = a_day()
    with psycopg.connect(settings.DATABASE_URL, dbname=connection.settings_dict["NAME"], autocommit=True) as database:
        assert checker.settled(told, database, Sandbox()) == 1
        assert checker.settled([fact for fact in told if "refunds" not in fact], database, Sandbox()) == 0


def test_a_line_of_the_history_that_was_broken_off_is_left_out(tmp_path: Any) -> None:
    history = tmp_path / "history.jsonl"
    history.write_text('{"who": "mei"}\n{"who": "a')
    assert list(checker.read(history)) == [{"who": "mei"}]
