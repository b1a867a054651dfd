"""Payments nobody told us about, holds that end, wallets that cannot be reached."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from unittest import mock

import pytest

from friendpay.kit import clock
from friendpay.kit.money import Money
from payments import tasks
from payments.models import Payment, PaymentRequest, Refund
from payments.settlement import lifecycle, reconcile
from payments.settlement.rules import Split
from payments.wallets.base import Outcome, State
from sandbox import bank
from sandbox.models import Charge
from tests import shop
from tests.payments.conftest import Fault
from tests.payments.settlement.test_checkout import begin, held

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]


def sweep() -> None:
    tasks.sweep_payments()
    tasks.sweep_requests()
    tasks.sweep_refunds()


def state() -> str:
    return PaymentRequest.objects.get().status


def test_a_lost_notification_is_found_by_asking(move_time: MoveTime) -> None:
    begin(shop.make_request())
    bank.approve(Charge.objects.get().ref, tell=False)
    move_time(15)
    sweep()
    assert state() == "paid"


def test_a_success_that_names_no_amount_moves_nothing() -> None:
    payment = begin(shop.make_request())
    with pytest.raises(ValueError, match="without an amount"):
        reconcile.apply(payment, Outcome(State.SUCCEEDED, payment.reference))
    payment.refresh_from_db()
    assert (payment.status, state()) == ("pending", "open")


def test_a_task_asks_about_its_own_payment_alone() -> None:
    first, second = begin(shop.make_request()), begin(shop.make_request())
    for charge in Charge.objects.all():
        bank.approve(charge.ref, tell=False)
    assert reconcile.ask(second.pk) == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("pending", "succeeded")


def test_asking_comes_at_growing_intervals(move_time: MoveTime) -> None:
    begin(shop.make_request())
    asked = 0
    for _second in range(240):
        move_time(1)
        asked += reconcile.ask()
    assert 3 <= asked <= 6


def test_the_first_question_comes_twenty_seconds_after_the_last_and_at_the_end_of_the_hold(move_time: MoveTime) -> None:
    began = begin(shop.make_request()).created_at
    passed, asked_at = 0.0, []
    while passed < 303:  # by the database's clock, whose seconds the test itself takes some of
        move_time(1)
        passed = (clock.now() - began).total_seconds()
        if reconcile.ask():
            asked_at.append(passed)
    assert [later - earlier for earlier, later in pairwise(asked_at)][:3] == pytest.approx([20, 20, 30], abs=2)
    assert asked_at[-1] == pytest.approx(300.5, abs=2)  # the hold is of 300 seconds


def test_what_is_being_closed_is_asked_about_at_its_own_pace_and_not_at_the_end_of_its_hold(
    move_time: MoveTime, faulty: Fault
) -> None:
    payment = begin(shop.make_request())
    lifecycle.let_go(payment.pk)
    faulty("close", times=1)
    reconcile.ask()
    before = Payment.objects.get().next_attempt_at
    assert before
    move_time(19)
    assert reconcile.ask() == 0
    move_time(1)
    assert reconcile.ask() == 1


def test_a_hold_whose_wallet_knows_nothing_of_it_is_freed_by_its_own_question(
    move_time: MoveTime, faulty: Fault
) -> None:
    request = shop.make_request()
    faulty("start")
    with pytest.raises(Exception, match="wallet_unavailable"):
        begin(request)
    Payment.objects.update(closing=False, held_until=clock.now())
    PaymentRequest.objects.update(amount_held=9000)
    assert reconcile.ask(Payment.objects.get().pk) == 1
    assert (held(request), Payment.objects.get().closing) == (0, True)


def test_a_refusal_in_the_wallet_frees_the_hold(move_time: MoveTime) -> None:
    request = shop.make_request()
    payment = begin(request)
    bank.refuse(Charge.objects.get().ref)
    move_time(15)
    sweep()
    payment.refresh_from_db()
    assert (payment.status, held(request), state()) == ("failed", 0, "open")


def test_a_hold_that_ends_is_closed_at_the_wallet(move_time: MoveTime) -> None:
    request = shop.make_request()
    payment = begin(request)
    move_time(301)
    sweep()
    payment.refresh_from_db()
    assert (payment.status, held(request), Charge.objects.get().status) == ("cancelled", 0, "closed")
    assert state() == "open"


def test_money_is_counted_before_expiry(move_time: MoveTime) -> None:
    begin(shop.make_request(expires_in=timedelta(seconds=60)))
    bank.approve(Charge.objects.get().ref, tell=False)
    move_time(400)
    tasks.sweep_requests()
    assert state() == "open"
    sweep()
    assert state() == "paid"


def test_expiry_waits_a_while_for_a_wallet_that_is_silent_but_not_for_ever(move_time: MoveTime, faulty: Fault) -> None:
    begin(shop.make_request(expires_in=timedelta(seconds=60)))
    bank.approve(Charge.objects.get().ref, tell=False)
    faulty("close", times=20)
    move_time(301)
    sweep()
    assert state() == "open"
    for _minute in range(4):
        move_time(60)
        sweep()
    assert state() == "expired"


def test_money_found_after_all_goes_back(move_time: MoveTime, faulty: Fault) -> None:
    request = shop.make_request(expires_in=timedelta(seconds=60))
    begin(request)
    bank.approve(Charge.objects.get().ref, tell=False)
    faulty("fetch", times=50)
    faulty("close", times=5)
    for _minute in range(40):
        move_time(60)
        sweep()
    refund = Refund.objects.get()
    assert (state(), refund.reason, refund.status) == ("expired", "late", "succeeded")
    assert Charge.objects.get().refunded == 9000


def test_cancelling_closes_the_attempt_at_the_wallet(move_time: MoveTime) -> None:
    request = shop.make_request()
    begin(request)
    lifecycle.cancel_request(request.pk, actor="buyer")
    move_time(1)
    sweep()
    assert (Payment.objects.get().status, Charge.objects.get().status) == ("cancelled", "closed")


def test_an_approval_that_beat_the_cancelling_goes_back(move_time: MoveTime) -> None:
    request = shop.make_request()
    begin(request)
    bank.approve(Charge.objects.get().ref, tell=False)
    lifecycle.cancel_request(request.pk, actor="buyer")
    move_time(1)
    sweep()
    assert (Refund.objects.get().reason, Refund.objects.get().status) == ("late", "succeeded")


def test_a_worker_whose_clock_is_wrong_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    begin(shop.make_request(expires_in=timedelta(seconds=60)))
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 600)
    sweep()
    assert (state(), Payment.objects.get().status) == ("open", "pending")


def test_an_attempt_the_wallet_never_heard_of_is_given_up_in_the_end(move_time: MoveTime, faulty: Fault) -> None:
    request = shop.make_request()
    faulty("start")
    with pytest.raises(Exception, match="wallet_unavailable"):
        begin(request)
    for _hour in range(2):  # it may have opened it all the same
        move_time(3600)
        sweep()
        assert (Payment.objects.get().status, held(request)) == ("created", 0)
    for _hour in range(3):
        move_time(3600)
        sweep()
    assert (Payment.objects.get().status, state()) == ("cancelled", "open")


def test_an_attempt_that_was_open_is_never_unknown_and_so_cancelled(move_time: MoveTime) -> None:
    """Somebody else's account answers, say. The hold is freed, and the question stays."""
    request = shop.make_request()
    payment = begin(request)
    Charge.objects.all().delete()
    for _hour in range(5):
        move_time(3600)
        sweep()
    payment.refresh_from_db()
    assert (payment.status, held(request), payment.next_attempt_at is not None) == ("pending", 0, True)


def test_asking_at_once_does_what_the_answer_means() -> None:
    payment = begin(shop.make_request())
    bank.approve(Charge.objects.get().ref, tell=False)
    assert reconcile.ask_now(payment.pk).state == State.SUCCEEDED
    assert state() == "paid"


@pytest.mark.parametrize(("by_buyer", "late", "counted"), [(False, False, 1), (True, False, 0), (False, True, 0)])
def test_a_friends_payment_that_pays_is_a_step_and_nothing_else_is(by_buyer: bool, late: bool, counted: int) -> None:
    payment = shop.hold(shop.make_request())
    Payment.objects.update(by_buyer=by_buyer)
    if late:
        lifecycle.cancel_request(payment.request_id, actor="buyer")
    with mock.patch("payments.settlement.reconcile.steps.record") as record:
        reconcile.apply(payment, Outcome(State.SUCCEEDED, payment.reference, "txn", Money(9000, "CNY")))
    assert record.call_count == counted


def test_a_part_that_does_not_pay_all_is_no_such_step() -> None:
    payment = shop.hold(shop.make_request(split=Split(3)), 3000)
    with mock.patch("payments.settlement.reconcile.steps.record") as record:
        reconcile.apply(payment, Outcome(State.SUCCEEDED, payment.reference, "txn", Money(3000, "CNY")))
    assert not record.called
