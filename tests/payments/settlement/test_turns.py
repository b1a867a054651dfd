"""Who steps aside for whom, and strangers who hold a link for ever."""

from collections.abc import Callable
from contextlib import suppress
from itertools import count

import pytest
from django.db import transaction
from django.test import Client

from friendpay.kit import clock, limits
from friendpay.kit.errors import Refused
from payments.models import Payment, PaymentRequest, Refund
from payments.offers.weighing import Surface
from payments.settlement import ledger, lifecycle, reconcile, refunds, turns
from payments.settlement.rules import Attempt, Payer, Split
from sandbox import bank
from sandbox.models import Charge
from tests import shop
from tests.pages import words

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]


def begin(request: PaymentRequest, name: str, amount: int | None = None, *, network: str = "") -> Payment:
    payer = Payer(name=name, visitor=name, network=network or name)
    return shop.begin(request, method="sandbox", payer=payer, surface=Surface(), amount=amount, take_over=True)


def in_vain(request: PaymentRequest, times: int = 2) -> None:
    """So many strangers begin and leave."""
    for number in range(times):
        bank.refuse(charge(begin(request, f"stranger {number}")).ref)
        reconcile.ask(Payment.objects.latest("pk").pk)


def charge(payment: Payment) -> Charge:
    return Charge.objects.get(reference=payment.reference)


def pay(payment: Payment) -> Payment:
    """The payer says yes in her wallet, and we hear of it."""
    bank.approve(charge(payment).ref, tell=False)
    reconcile.ask(payment.pk)
    return again(payment)


def again(payment: Payment) -> Payment:
    return Payment.objects.get(pk=payment.pk)


def test_a_first_attempt_in_vain_changes_nothing() -> None:
    request = shop.make_request()
    in_vain(request, 1)
    begin(request, "Mei")
    with pytest.raises(Refused, match="held"):
        begin(request, "Ann")


@pytest.mark.parametrize("first", ["aside", "holder"])
def test_whoever_pays_first_pays_it_and_the_other_has_it_back(first: str) -> None:
    request = shop.make_request()
    in_vain(request)
    mei = begin(request, "Mei")
    ann = begin(request, "Ann")
    aside = again(mei)
    assert (aside.status, aside.held_until, aside.closing, charge(mei).status) == ("pending", None, False, "open")
    request.refresh_from_db()
    assert request.amount_held == 9000
    early, late = (mei, ann) if first == "aside" else (ann, mei)
    bank.approve(charge(late).ref, tell=False)  # both said yes before either was heard of
    assert pay(early).amount_applied == 9000
    reconcile.ask(late.pk)
    refunds.send()
    refund = Refund.objects.get()
    assert (refund.payment_id, refund.amount, refund.reason) == (late.pk, 9000, Refund.Reason.DUPLICATE)
    request.refresh_from_db()
    assert (request.status, request.amount_held) == ("paid", 0)
    assert ledger.check() == []


def test_who_stepped_aside_is_closed_when_it_is_paid_or_her_time_is_over(move_time: MoveTime) -> None:
    request = shop.make_request()
    in_vain(request)
    mei = begin(request, "Mei")
    move_time(200)
    ann = begin(request, "Ann")
    reconcile.ask(mei.pk)
    assert again(mei).status == "pending"
    move_time(101)  # five minutes since she began
    reconcile.ask(mei.pk)
    assert (again(mei).status, charge(mei).status, again(ann).status) == ("cancelled", "closed", "pending")
    bo = begin(request, "Bo")
    pay(bo)
    reconcile.ask(ann.pk)
    assert (again(ann).status, charge(ann).status) == ("cancelled", "closed")


def test_who_stepped_aside_has_one_attempt_all_the_same() -> None:
    request = shop.make_request(amount=9000)
    in_vain(request)
    mei = begin(request, "Mei")
    begin(request, "Ann")
    assert begin(request, "Mei").pk == mei.pk
    PaymentRequest.objects.filter(pk=request.pk).update(split_max_payers=3, split_min_amount=1)
    other = begin(request, "Mei", 4000)
    assert other.pk != mei.pk
    assert (again(mei).status, charge(mei).status) == ("cancelled", "closed")


def test_of_several_only_as_many_step_aside_as_must() -> None:
    request = shop.make_request(amount=10000, split=Split(9))
    for number in range(2):
        bank.refuse(charge(begin(request, f"stranger {number}", 3000)).ref)
        reconcile.ask(Payment.objects.latest("pk").pk)
    parts = [begin(request, name, 3000) for name in ("Mei", "Ann", "Bo")]
    begin(request, "Eve", 4000)
    assert [bool(again(payment).held_until) for payment in parts] == [False, True, True]
    assert pay(parts[0]).amount_applied == 3000
    assert ledger.check() == []


def test_the_pages_tell_who_stepped_aside_and_who_pays_as_well() -> None:
    request = shop.make_request()
    in_vain(request)
    mei, ann = Client(REMOTE_ADDR="203.0.113.1"), Client(REMOTE_ADDR="203.0.113.2")
    mei.post(f"/p/{request.token}/pay/", {"method": "sandbox"})
    page = words(ann.get(f"/p/{request.token}/"))
    assert "You can pay as well. Whatever arrives first counts; the rest is refunded automatically." in page
    assert "closed first" not in page
    ann.post(f"/p/{request.token}/pay/", {"method": "sandbox", "take_over": "1"})
    first = Payment.objects.order_by("-pk")[1]
    told = "Someone else is paying this too."
    assert told in words(mei.get(f"/p/{request.token}/"))
    assert "Continue to payment" in words(mei.get(f"/p/{request.token}/"))
    assert told in words(mei.get(f"/r/{first.token}/"))
    assert told not in words(ann.get(f"/p/{request.token}/"))


EVERY = 18
"""Seconds: two hundred in an hour."""


@pytest.mark.proof
def test_two_hundred_strangers_and_an_hour_keep_no_friend_away(move_time: MoveTime) -> None:
    """At whatever minute an honest friend comes, who needs 90 seconds for her code, she pays."""
    request = shop.make_request()
    strangers = count()

    def stranger() -> None:
        """Takes over; every third leaves the wallet at once, so that the next one need not."""
        number = next(strangers)
        try:
            payment = begin(request, f"stranger {number}")
        except Refused:
            return
        if number % 3 == 0:
            bank.refuse(charge(payment).ref)
            reconcile.ask(payment.pk)

    def friend() -> tuple[int, int]:
        """She tries until it is paid: how many seconds she could not begin, and how many attempts she lost."""
        refused, lost, mine, since = 0, 0, None, 0
        for _turn in range(40):
            if mine is None:
                try:
                    mine, since = begin(request, "Mei"), 0
                except Refused:
                    refused += EVERY
            elif since >= 90:
                assert pay(mine).amount_applied == 9000
                return refused, lost
            move_time(EVERY)
            stranger()
            since += EVERY
            if mine and again(mine).status != "pending":
                mine, lost = None, lost + 1
        raise AssertionError("she was kept away")

    for turn in range(200):
        if turn in (0, 1, 3, 6, 10, 100, 199):
            point = transaction.savepoint()
            refused, lost = friend()
            assert PaymentRequest.objects.get(pk=request.pk).status == "paid"
            assert ledger.check() == []
            assert not Refund.objects.exists()
            assert refused <= (120 if turn < 10 else 0)
            assert lost <= (1 if turn < 10 else 0)
            transaction.savepoint_rollback(point)
        move_time(EVERY)
        if turn < 10:
            stranger()
        else:  # the same for our books, without a wallet
            attempt = Attempt(shop.account_of(request), "sandbox", "redirect", 9000, shop.HOLD)
            lifecycle.hold(request.pk, attempt, Payer(visitor=f"stranger {turn}"), take_over=True)


@pytest.mark.proof
def test_strangers_who_hold_every_part_for_an_hour_keep_no_friend_away(move_time: MoveTime) -> None:
    """Three may give parts, and strangers hold all there is as long as they can, each from an address of his own."""
    request = shop.make_request(amount=9000, split=Split(3))
    strangers = count()

    def crowd() -> None:
        for part in (4500, 3000, 1500):
            with suppress(Refused):
                begin(request, f"stranger {next(strangers)}", part)

    for _minute in range(5):
        crowd()
        move_time(60)
    for minute in range(5, 60, 11):
        point = transaction.savepoint()
        for name, amount in (("Mei", 3000), ("Ann", 3000), ("Bo", 3000)):
            mine = begin(request, name, amount)
            crowd()
            assert pay(mine).amount_applied == amount, minute
        assert PaymentRequest.objects.get(pk=request.pk).status == "paid"
        assert ledger.check() == []
        assert not Refund.objects.exists()
        transaction.savepoint_rollback(point)
        for _minute in range(11):
            move_time(60)
            crowd()


def test_what_came_to_nothing_is_counted_for_an_hour(move_time: Callable[[float], None]) -> None:
    request = shop.make_request()
    lifecycle.end_payment(shop.hold(request, name="Mei").pk, cancelled=True)
    move_time(limits.FRUITLESS_WITHIN.total_seconds() - 60)
    lifecycle.end_payment(shop.hold(request, name="Ann").pk, cancelled=True)
    holds = shop.hold(request, name="Bo")
    shop.succeed(shop.hold(shop.make_request(shop.make_order(request.merchant)), name="Eve"))
    assert turns.in_vain(request, clock.now()).count() == 2
    move_time(120)
    assert [it.visitor for it in turns.in_vain(request, clock.now())] == ["Ann"]
    shop.succeed(holds)
    assert turns.in_vain(request, clock.now()).count() == 1


def test_the_smallest_amount_missing_makes_somebody_step_aside() -> None:
    payment = shop.hold(shop.make_request(amount=1))
    assert turns.making_room([payment], 1) == [payment]
    assert turns.making_room([payment], 0) == []
