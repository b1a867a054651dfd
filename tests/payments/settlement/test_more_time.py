"""A payer who is not done is given more time: what moves, what does not, and what comes in between."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from friendpay.kit import clock, limits
from friendpay.kit.errors import Refused
from orders.models import Event, Merchant
from payments.live import snapshot
from payments.models import Payment, PaymentRequest, Refund
from payments.offers.weighing import Surface
from payments.settlement import batches, ledger, lifecycle, reconcile, requests, turns
from payments.settlement.rules import Payer
from payments.wallets import registry
from sandbox import bank
from sandbox.models import Charge
from tests import shop
from tests.payments.scene import CALLED, Scene

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]
LATE = 4 * 60  # a minute before the end


def begin(request: PaymentRequest, name: str = "Mei", **how: Any) -> Payment:
    payer = Payer(name=name, visitor=name, network=name)
    return shop.begin(request, method="sandbox", payer=payer, surface=Surface(), **how)


def state(payment: Payment) -> tuple[datetime | None, int | None, int]:
    """Until when it holds, how often it was given more time, and where its request's events are."""
    found = Payment.objects.select_related("request").get(pk=payment.pk)
    return found.held_until, found.extensions, found.request.seq


def told(type: str) -> int:
    return Event.objects.filter(type=type).count()


def test_near_the_end_a_payer_has_five_minutes_more_and_everybody_is_told(move_stopped_time: MoveTime) -> None:
    payment = begin(shop.make_request())
    ends, given, seq = state(payment)
    assert ends
    assert given == 0
    move_stopped_time(LATE)
    requests.extend_payment(payment.pk)
    assert state(payment) == (ends + timedelta(minutes=5), 1, seq + 1)
    event = Event.objects.latest("pk")
    assert (event.type, event.actor, event.object_id) == ("payment.extended", "payer", payment.public_id)
    (holder,) = snapshot.snapshot(PaymentRequest.objects.get())["holders"]
    assert holder["seconds_left"] == 6 * 60
    assert ledger.check() == []


def test_two_taps_give_it_once(move_stopped_time: MoveTime) -> None:
    payment = begin(shop.make_request())
    move_stopped_time(LATE)
    requests.extend_payment(payment.pk)
    once = state(payment)
    requests.extend_payment(payment.pk)
    assert state(payment) == once
    assert told("payment.extended") == 1


def test_none_is_given_too_early_nor_too_late(move_stopped_time: MoveTime) -> None:
    payment = begin(shop.make_request())
    before = state(payment)
    move_stopped_time(3 * 60 - 1)
    requests.extend_payment(payment.pk)
    assert state(payment) == before
    move_stopped_time(2 * 60 + 1)
    requests.extend_payment(payment.pk)
    assert state(payment) == before


def test_it_is_given_ten_times_and_the_wallet_waits_as_long(move_stopped_time: MoveTime) -> None:
    payment = begin(shop.make_request())
    for number in range(1, 12):
        move_stopped_time(LATE if number == 1 else 5 * 60)
        requests.extend_payment(payment.pk)
        ends, given, _seq = state(payment)
        assert given == min(number, 10)
        assert ends
        assert ends <= Charge.objects.get().deadline
    assert ends == payment.created_at + timedelta(minutes=55)
    bank.approve(Charge.objects.get().ref, tell=False)
    reconcile.ask(payment.pk)
    assert PaymentRequest.objects.get().status == "paid"


def test_an_attempt_that_began_before_its_wallet_was_told_is_given_none(move_stopped_time: MoveTime) -> None:
    payment = begin(shop.make_request())
    Payment.objects.update(extensions=None)
    before = state(payment)
    move_stopped_time(LATE)
    requests.extend_payment(payment.pk)
    assert state(payment) == before


def end_request(payment: Payment) -> None:
    PaymentRequest.objects.update(expires_at=clock.now())


def freeze(payment: Payment) -> None:
    Merchant.objects.update(is_frozen=True)


def cancel(payment: Payment) -> None:
    lifecycle.cancel_request(payment.request_id, actor="buyer")


def let_go(payment: Payment) -> None:
    lifecycle.let_go(payment.pk)


def settle(payment: Payment) -> None:
    shop.succeed(payment)


@pytest.mark.parametrize("happens", [end_request, freeze, cancel, let_go, settle])
def test_none_is_given_where_nobody_could_begin_or_it_is_over(
    move_stopped_time: MoveTime, happens: Callable[[Payment], None]
) -> None:
    payment = begin(shop.make_request())
    move_stopped_time(LATE)
    happens(payment)
    before = state(payment)
    requests.extend_payment(payment.pk)
    assert state(payment) == before
    assert told("payment.extended") == 0


def test_it_keeps_nobody_waiting_longer(move_time: MoveTime) -> None:
    """From a minute after the first tap on another may take over, whatever was given since."""
    request = shop.make_request()
    mei = begin(request)
    move_time(LATE)
    requests.extend_payment(mei.pk)
    with pytest.raises(Refused) as refused:
        begin(request, "Ann")
    assert refused.value.code == "held"
    ann = begin(request, "Ann", take_over=True)
    mei.refresh_from_db()
    assert (mei.status, mei.was_taken_over, mei.held_until) == ("cancelled", True, None)
    assert Charge.objects.get(reference=mei.reference).status == "closed"
    requests.extend_payment(mei.pk)
    bank.approve(Charge.objects.get(reference=ann.reference).ref, tell=False)
    reconcile.ask(ann.pk)
    assert PaymentRequest.objects.get().status == "paid"
    assert not Refund.objects.exists()


def test_who_stepped_aside_keeps_what_she_was_given_and_may_have_more(move_stopped_time: MoveTime) -> None:
    request = shop.make_request()
    for number in range(2):  # from now on it is contested
        bank.refuse(Charge.objects.get(reference=begin(request, f"stranger {number}").reference).ref)
        reconcile.ask(Payment.objects.latest("pk").pk)
    mei = begin(request, take_over=True)
    move_stopped_time(LATE)
    requests.extend_payment(mei.pk)
    begin(request, "Ann", take_over=True)
    move_stopped_time(5 * 60)
    requests.extend_payment(mei.pk)
    mei.refresh_from_db()
    assert (mei.held_until, mei.extensions) == (None, 2)
    assert turns.ends_at(mei) == mei.created_at + timedelta(minutes=15)
    move_stopped_time(3 * 60)
    bank.approve(Charge.objects.get(reference=mei.reference).ref, tell=False)
    reconcile.ask(mei.pk)
    assert (PaymentRequest.objects.get().status, ledger.check()) == ("paid", [])


def test_the_sweeps_leave_alone_what_was_given_more_time(move_stopped_time: MoveTime) -> None:
    payment = begin(shop.make_request())
    move_stopped_time(LATE)
    requests.extend_payment(payment.pk)
    move_stopped_time(4 * 60)  # three past the first end
    reconcile.ask()
    batches.let_go_lapsed(clock.now() - limits.HOLD_PATIENCE, 10)
    payment.refresh_from_db()
    assert (payment.status, payment.closing, payment.held_until is not None) == ("pending", False, True)
    move_stopped_time(3 * 60)
    reconcile.ask()
    payment.refresh_from_db()
    assert (payment.status, payment.held_until) == ("cancelled", None)
    assert PaymentRequest.objects.get().amount_held == 0
    begin(PaymentRequest.objects.get(), "Ann")


def test_a_question_that_was_under_way_closes_nothing_that_was_given_more_time(
    move_stopped_time: MoveTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep read the attempt before she tapped, and comes to it after its first end."""
    payment = begin(shop.make_request())
    move_stopped_time(LATE)
    stale = Payment.objects.select_related("account").get(pk=payment.pk)
    requests.extend_payment(payment.pk)
    move_stopped_time(2 * 60)
    monkeypatch.setattr(registry.get("sandbox"), "close", lambda *_: pytest.fail("closed"))
    reconcile._ask(stale)
    payment.refresh_from_db()
    assert (payment.status, payment.held_until is not None) == ("pending", True)


def test_every_wallet_takes_the_money_of_who_was_given_more_time(scene: Scene, move_time: MoveTime) -> None:
    def wait(seconds: float) -> None:
        move_time(seconds)
        scene.wallet.clock.advance(seconds)

    scene.look()  # Alipay hears of an attempt only then
    lasts = turns.lasts(scene.account.provider).total_seconds()
    wait(lasts - 60)
    for _time in range(limits.MORE_TIMES):
        requests.extend_payment(scene.payment.pk)
        wait(5 * 60)
        reconcile.ask()
        assert scene.stands() == ("open", "pending", 0)
    assert scene.payment.extensions == limits.MORE_TIMES
    scene.pay()
    wait(70)
    reconcile.ask()
    assert scene.stands() == ("paid", "succeeded", 9000)
    assert scene.moved() == ([9000], [])


@pytest.mark.parametrize("stage", CALLED, indirect=True)
def test_after_the_last_minute_every_wallet_is_closed_as_ever(scene: Scene, move_time: MoveTime) -> None:
    scene.look()
    ends = turns.lasts(scene.account.provider).total_seconds() + 5 * 60
    for seconds in (ends - 5 * 60 - 60, 6 * 60 + 1):
        move_time(seconds)
        scene.wallet.clock.advance(seconds)
        requests.extend_payment(scene.payment.pk)
    assert scene.payment.extensions == 1
    reconcile.ask()
    assert scene.stands() == ("open", "cancelled", 0)
    httpx.post(scene.page(), data={"choice": "approve", "card": "4242424242424242"}, trust_env=False)
    scene.hear()
    assert scene.moved() == ([], [])
