"""Simulated outcomes: by one call, or by the amount, a test order lives through anything."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from friendpay.kit import background, clock, ids
from orders.models import Event, Order
from payments.models import Dispute, Payment, PaymentRequest, Refund
from payments.settlement import inbox, ledger, lifecycle, reconcile, refunds, simulation
from sandbox import outcomes
from sandbox.models import Notice
from sandbox.signing import sign
from tests.caller import Caller
from tests.caller import ledger as moved

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]
GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "testing.md").read_text()
PAID = {"payment.created", "payment.succeeded", "payment_request.paid", "order.paid"}


@pytest.fixture(autouse=True)
def _no_background_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is told by a thread in the background: a test delivers when it likes."""
    monkeypatch.setattr(background, "run_later", lambda purpose, job: None)


@pytest.fixture
def caller() -> Caller:
    return Caller()


def priced(caller: Caller, amount: int) -> Any:
    lines = [{"name": "Tea", "quantity": 1, "unit_amount": amount}]
    return caller.ask(caller.order(lines=lines))


def simulate(caller: Caller, asked: Any, **body: object) -> Any:
    answer = caller.post(f"/payment-requests/{asked['id']}/simulate", body)
    assert answer.status == 200, answer.body
    return answer.json


def hear(move_time: MoveTime) -> None:
    """All that the sandbox wallet still has to tell, in the order of its times."""
    for notice in Notice.objects.filter(delivered_at=None, next_attempt_at__isnull=False).order_by("next_attempt_at"):
        wait = (notice.next_attempt_at - clock.now()).total_seconds()  # type: ignore[operator]
        move_time(max(wait, 0))
        body, at, nonce = notice.body.encode(), str(int(clock.now().timestamp())), ids.token()
        signature = sign(notice.charge.secret, at, nonce, body)
        headers = {"sandbox-timestamp": at, "sandbox-nonce": nonce, "sandbox-signature": signature}
        answer = Client().generic(
            "POST", f"/notify/sandbox/{notice.charge.account}/", body, content_type="application/json", headers=headers
        )
        assert answer.status_code == 204
        notice.delivered_at, notice.next_attempt_at = clock.now(), None
        notice.save()
    inbox.apply()


def told() -> set[str]:
    return set(Event.objects.values_list("type", flat=True)) - {"order.created", "payment_request.created"}


EXPECTED: dict[str, set[str]] = {
    "paid": PAID,
    "refused": {"payment.created", "payment.failed"},
    "begun": {"payment.created"},
    "abandoned": {"payment.created", "payment.released", "payment.cancelled"},
    "twice": PAID | {"refund.requested", "refund.succeeded"},
    "late": {"payment.created", "payment_request.expired", "payment.succeeded", "refund.requested", "refund.succeeded"},
    "disputed": PAID | {"payment.disputed"},
    "dispute_won": PAID | {"payment.disputed", "payment.dispute_won"},
    "dispute_lost": PAID | {"payment.disputed", "payment.dispute_lost"},
    "refund_refused": PAID,
    "refund_slow": PAID,
    "refunded_by_hand": PAID | {"refund.external", "order.refunded"},
    "opened": {"payment_request.opened", "payment_request.considered"},
    "declined": {"payment_request.declined"},
    "expired": {"payment_request.expired"},
    "untold": PAID,
}


@pytest.mark.parametrize("outcome", EXPECTED)
def test_every_outcome_tells_its_events_and_the_books_are_right(
    caller: Caller, move_time: MoveTime, outcome: str
) -> None:
    simulate(caller, priced(caller, 9000), outcome=outcome, payer_name="Mei")
    if outcome == "untold":
        assert told() == {"payment.created"}
        move_time(30)
        reconcile.ask()
    hear(move_time)
    refunds.send()
    hear(move_time)
    assert told() - {"payment.released", "refund.submitted"} == EXPECTED[outcome] - {"payment.released"}
    assert ledger.check() == []


def test_the_answer_is_the_request_as_it_stands_then(caller: Caller) -> None:
    answer = simulate(caller, priced(caller, 9000), outcome="paid", payer_name="Mei")
    assert (answer["status"], answer["amount_paid"], answer["payments"][0]["payer_name"]) == ("paid", 9000, "Mei")


def test_friends_chip_in_by_calls_alone(caller: Caller) -> None:
    asked = caller.ask(caller.order(), split={"max_payers": 3})
    simulate(caller, asked, amount=4000)
    assert simulate(caller, asked)["status"] == "paid"
    assert Payment.objects.filter(status="succeeded").count() == 2


def test_the_buyer_thanks_once_it_is_paid(caller: Caller) -> None:
    asked = priced(caller, 9000)
    early = caller.post(f"/payment-requests/{asked['id']}/simulate", {"outcome": "thanked"})
    assert (early.status, early["code"]) == (409, "request_not_paid")
    simulate(caller, asked)
    simulate(caller, asked, outcome="thanked")
    assert "payment_request.thanked" in told()


@pytest.mark.parametrize(("amount", "outcome"), outcomes.BY_AMOUNT.items())
def test_an_amount_brings_its_outcome(caller: Caller, move_time: MoveTime, amount: int, outcome: str) -> None:
    simulate(caller, priced(caller, amount))
    if outcome == "untold":
        move_time(30)
        reconcile.ask()
    hear(move_time)
    assert told() == EXPECTED[outcome]


def test_a_named_outcome_counts_more_than_the_amount(caller: Caller) -> None:
    assert simulate(caller, priced(caller, 4001), outcome="paid")["status"] == "paid"


def test_a_refund_that_is_refused_stays_owed(caller: Caller) -> None:
    asked = simulate(caller, priced(caller, 9000), outcome="refund_refused")
    assert caller.post(f"/orders/{asked['order']}/refunds").status == 201
    refunds.send()
    refund = Refund.objects.get()
    assert (refund.status, refund.code, ledger.check()) == ("failed", "refund_refused", [])


def test_a_slow_refund_is_under_way_first(caller: Caller, move_time: MoveTime) -> None:
    asked = simulate(caller, priced(caller, 9000), outcome="refund_slow")
    caller.post(f"/orders/{asked['order']}/refunds")
    refunds.send()
    assert Refund.objects.get().status == "submitted"
    hear(move_time)
    assert Refund.objects.get().status == "succeeded"


def test_a_lost_dispute_takes_the_money_for_good(caller: Caller, move_time: MoveTime) -> None:
    asked = simulate(caller, priced(caller, 9000), outcome="dispute_lost")
    hear(move_time)
    assert (Dispute.objects.get().status, Payment.objects.get().amount_disputed) == ("lost", 9000)
    answer = caller.post(f"/orders/{asked['order']}/refunds")
    assert (answer.status, answer["code"]) == (422, "refund_beyond_payment")


def test_a_friend_who_is_paying_is_waited_for(caller: Caller) -> None:
    asked = priced(caller, 9000)
    simulate(caller, asked, outcome="begun")
    simulate(caller, asked, outcome="expired")
    assert PaymentRequest.objects.get().status == "open"
    refused = caller.post(f"/payment-requests/{asked['id']}/simulate", {"outcome": "paid"})
    assert refused.status == 409


@pytest.mark.parametrize("outcome", simulation.Outcome)
def test_a_live_request_is_never_simulated(caller: Caller, outcome: str) -> None:
    live = Caller(caller.merchant, live=True)
    order = live.order()
    request = lifecycle.open_request(Order.objects.get(public_id=order["id"]).pk, actor="buyer", shared=True)
    before = moved()
    answer = live.post(f"/payment-requests/{request.public_id}/simulate", {"outcome": outcome})
    assert (answer.status, answer["code"]) == (403, "test_mode_only")
    assert moved() == before


def test_another_shops_request_is_not_found(caller: Caller) -> None:
    asked = priced(caller, 9000)
    assert Caller().post(f"/payment-requests/{asked['id']}/simulate").status == 404


def test_an_idempotency_key_does_no_harm(caller: Caller) -> None:
    asked = priced(caller, 9000)
    assert caller.post(f"/payment-requests/{asked['id']}/simulate", {}, key="once")["status"] == "paid"


def test_the_guide_names_every_outcome_and_every_amount() -> None:
    by_call, by_amount = GUIDE.split("## By the amount")
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", by_call)) - {"outcome"} == set(simulation.Outcome)
    assert {int(a): o for a, o in re.findall(r"(?m)^\| (\d+) \| `(\w+)` \|$", by_amount)} == outcomes.BY_AMOUNT
    assert EXPECTED.keys() | {"thanked"} == set(simulation.Outcome)
