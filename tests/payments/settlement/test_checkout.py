"""A payer begins: who steps aside for whom, what is held, and what happens when the wallet does not answer."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from unittest import mock

import pytest
from django.utils import translation

from friendpay.kit import limits
from friendpay.kit.errors import Refused
from payments.models import Payment, PaymentRequest, Refund
from payments.offers import weighing
from payments.settlement import checkout, lifecycle, reconcile, taps
from payments.settlement.chip_in import Share
from payments.settlement.rules import Attempt, Payer, Split
from payments.wallets import registry
from payments.wallets.base import Account, NextStep, ProviderError, Rail, Start
from sandbox import bank
from sandbox.models import Charge
from tests import shop
from tests.payments.conftest import Fault

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]
DESKTOP = weighing.Surface()


def begin(request: PaymentRequest, name: str = "Mei", **how: object) -> Payment:
    return shop.begin(
        request,
        method="sandbox",
        payer=Payer(name=name, visitor=name),
        surface=DESKTOP,
        **how,
    )


def held(request: PaymentRequest) -> int:
    return PaymentRequest.objects.get(pk=request.pk).amount_held


def test_the_payer_is_sent_to_the_wallet_and_the_amount_is_held() -> None:
    request = shop.make_request()
    payment = begin(request)
    charge = Charge.objects.get()
    assert payment.status == "pending"
    assert payment.next_step["url"] == f"http://127.0.0.1:8000/sandbox/{charge.ref}/"
    assert (charge.amount, charge.reference) == (9000, payment.reference)
    assert payment.held_until == payment.created_at + shop.HOLD
    assert charge.deadline == payment.held_until + limits.MORE_TIMES * limits.MORE_TIME
    assert held(request) == 9000


def test_no_text_of_the_buyer_reaches_the_wallet() -> None:
    order = shop.make_order(reference="A&total_amount=1")
    request = shop.make_request(order)
    PaymentRequest.objects.filter(pk=request.pk).update(message="&subject=free")
    begin(request)
    assert Charge.objects.get().subject == "Harbour Tea A total amount 1"


def test_a_double_tap_gives_the_same_attempt() -> None:
    request = shop.make_request()
    assert begin(request).pk == begin(request).pk
    assert Charge.objects.count() == 1


@pytest.mark.parametrize("ends", ["end_payment", "let_go"])
def test_who_taps_again_while_the_wallet_fails_is_told_so(monkeypatch: pytest.MonkeyPatch, ends: str) -> None:
    request = shop.make_request()
    attempt = Attempt(shop.account_of(request), "sandbox", "redirect", 9000, timedelta(minutes=5))
    payment = lifecycle.hold(request.pk, attempt, Payer("Mei", "Mei"))
    fails = {
        "end_payment": lambda _seconds: lifecycle.end_payment(payment.pk, cancelled=False),
        "let_go": lambda _seconds: lifecycle.let_go(payment.pk),
    }
    monkeypatch.setattr(time, "sleep", fails[ends])
    with pytest.raises(Refused, match="wallet_unavailable"):
        begin(request)
    assert Payment.objects.count() == 1


def test_an_attempt_whose_process_died_is_not_waited_for(move_time: MoveTime) -> None:
    request = shop.make_request()
    attempt = Attempt(shop.account_of(request), "sandbox", "redirect", 9000, timedelta(minutes=5))
    lost = lifecycle.hold(request.pk, attempt, Payer("Mei", "Mei"))
    move_time(21)
    assert begin(request).status == "pending"
    lost.refresh_from_db()
    assert (lost.held_until, held(request)) == (None, 9000)


def test_another_friend_is_told_that_somebody_is_paying() -> None:
    request = shop.make_request()
    begin(request)
    with pytest.raises(Refused, match="held"):
        begin(request, "Ann")
    assert Payment.objects.count() == 1


def test_taking_over_within_a_minute_is_refused(move_stopped_time: MoveTime) -> None:
    request = shop.make_request()
    begin(request)
    move_stopped_time(59)
    with pytest.raises(Refused, match="held"):
        begin(request, "Ann", take_over=True)
    move_stopped_time(1)
    assert begin(request, "Ann", take_over=True).status == "pending"


def test_taking_over_after_a_minute_closes_the_earlier_attempt_at_the_wallet(move_time: MoveTime) -> None:
    request = shop.make_request()
    first = begin(request)
    move_time(61)
    with pytest.raises(Refused, match="held"):
        begin(request, "Ann")  # she did not say so
    second = begin(request, "Ann", take_over=True)
    first.refresh_from_db()
    assert (first.status, second.status, held(request)) == ("cancelled", "pending", 9000)
    with pytest.raises(bank.Rejected, match="closed"):
        bank.approve(Charge.objects.get(reference=first.reference).ref)


def test_taking_over_from_somebody_who_has_paid_settles_that_payment(move_time: MoveTime) -> None:
    request = shop.make_request()
    begin(request)
    move_time(61)
    bank.approve(Charge.objects.get().ref, tell=False)
    with pytest.raises(Refused, match="request_paid"):
        begin(request, "Ann", take_over=True)
    assert PaymentRequest.objects.get().status == "paid"
    assert not Refund.objects.exists()


def test_taking_over_waits_for_a_wallet_that_does_not_answer(move_time: MoveTime, faulty: Fault) -> None:
    request = shop.make_request()
    first = begin(request)
    move_time(61)
    faulty("close")
    with pytest.raises(Refused, match="held") as refused:
        begin(request, "Ann", take_over=True)
    assert "their wallet isn't answering" in str(refused.value.message)
    first.refresh_from_db()
    assert (first.status, held(request)) == ("pending", 9000)


def test_changing_ones_mind_about_the_part_closes_the_earlier_attempt() -> None:
    request = shop.make_request(amount=10000, split=Split(3))
    first = begin(request, amount=3000)
    begin(request, amount=5000)
    first.refresh_from_db()
    assert (first.status, held(request)) == ("cancelled", 5000)


@pytest.mark.parametrize("after", [False, True])
def test_a_wallet_that_does_not_answer_holds_nothing_and_is_asked_later(faulty: Fault, after: bool) -> None:
    request = shop.make_request()
    faulty("start", after=after)
    with pytest.raises(Refused, match="wallet_unavailable"):
        begin(request)
    payment = Payment.objects.get()
    assert (payment.status, payment.closing, held(request)) == ("created", True, 0)
    assert begin(request).status == "pending"


def test_a_charge_the_wallet_took_although_it_did_not_answer_is_closed_there(faulty: Fault) -> None:
    request = shop.make_request()
    faulty("start", after=True)
    with pytest.raises(Refused, match="wallet_unavailable"):
        begin(request)
    reconcile.ask(Payment.objects.get().pk)
    assert (Payment.objects.get().status, Charge.objects.get().status) == ("cancelled", "closed")


def test_a_wallet_that_refuses_fails_the_attempt(faulty: Fault) -> None:
    request = shop.make_request()
    faulty("start", permanent=True)
    with pytest.raises(Refused, match="wallet_refused"):
        begin(request)
    payment = Payment.objects.get()
    assert (payment.status, payment.code, payment.words, held(request)) == ("failed", "DEAD", "the line is dead", 0)


def test_nobody_holds_a_link_again_and_again(move_time: MoveTime) -> None:
    request = shop.make_request()
    for _time in range(5):
        lifecycle.end_payment(begin(request).pk, cancelled=True)
    with pytest.raises(Refused, match="too_many_tries") as caught:
        begin(request)
    assert (caught.value.status, held(request)) == (429, 0)
    begin(request, "Ann")
    move_time(3601)
    begin(request, take_over=True)


def test_a_network_of_many_visitors_is_limited_too() -> None:
    request = shop.make_request()
    for number in range(15):
        payer = Payer(visitor=f"cookie {number}", network="one house")
        lifecycle.end_payment(shop.begin(request, method="sandbox", payer=payer, surface=DESKTOP).pk, cancelled=True)
    with pytest.raises(Refused, match="too_many_tries"):
        shop.begin(request, method="sandbox", payer=Payer(visitor="new", network="one house"), surface=DESKTOP)


def test_a_method_that_is_not_on_the_page_is_refused() -> None:
    request = shop.make_request()
    with pytest.raises(Refused, match="method_not_offered"):
        shop.begin(request, method="wechatpay", payer=Payer(), surface=DESKTOP)
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"enabled": False}, "account_disabled"), ({"provider": "alipay", "live": True}, "account_is_for_live_orders")],
)
def test_what_withholds_a_method_is_told_to_the_merchant(changes: dict[str, object], reason: str) -> None:
    request = shop.make_request()
    account = shop.account_of(request)
    type(account).objects.update(**changes)
    assert [offer.reason for offer in weighing.consider(request.order, DESKTOP)] == [reason]
    assert weighing.for_page(request.order, DESKTOP) == []


def test_the_wallet_stops_taking_the_money_no_earlier_than_the_hold_ends(move_stopped_time: MoveTime) -> None:
    request = shop.make_request(expires_in=timedelta(seconds=60))
    move_stopped_time(59)
    payment = begin(request)
    assert payment.held_until is not None
    assert payment.held_until > request.expires_at
    assert Charge.objects.get().deadline >= payment.held_until


@pytest.mark.parametrize(("longest", "lasts", "at_most"), [(120, 120, 120), (600, 300, 600), (86_400, 300, 3300)])
def test_a_payer_has_no_longer_than_the_wallet_takes(
    monkeypatch: pytest.MonkeyPatch, longest: int, lasts: int, at_most: int
) -> None:
    monkeypatch.setattr(registry.get("sandbox"), "max_hold", longest)
    payment = begin(shop.make_request())
    assert payment.held_until == payment.created_at + timedelta(seconds=lasts)
    assert Charge.objects.get().deadline == payment.created_at + timedelta(seconds=at_most)


# What the wallet says, as what it is


@pytest.mark.parametrize(
    ("error", "told", "words"),
    [
        (ProviderError("no", permanent=True, code="X"), ("wallet_refused", 409), "This wallet refused."),
        (
            ProviderError("no", permanent=True, code="X", for_shop=True),
            ("wallet_not_permitted", 409),
            "This shop cannot take",
        ),
        (
            ProviderError("no", permanent=True, code="configuration"),
            ("wallet_not_permitted", 409),
            "This shop cannot take",
        ),
        (ProviderError("no", permanent=True, over_limit=True), ("amount_not_taken", 422), "does not take this amount"),
        (ProviderError("no", permanent=False, code="transport"), ("wallet_unavailable", 503), "does not answer"),
    ],
)
def test_a_refusal_is_told_as_what_it_is(
    monkeypatch: pytest.MonkeyPatch, error: ProviderError, told: tuple[str, int], words: str
) -> None:
    def refuse(account: Account, start: Start) -> NextStep:
        raise error

    monkeypatch.setattr(registry.get("sandbox"), "start", refuse)
    request = shop.make_request()
    with pytest.raises(Refused) as refused:
        begin(request)
    assert (refused.value.code, refused.value.status) == told
    assert words in str(refused.value.message)
    assert "Nothing was paid" in str(refused.value.message)
    assert held(request) == 0


def test_a_part_below_what_the_wallet_takes_is_refused_before_anything_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = registry.get("sandbox")
    monkeypatch.setattr(sandbox, "methods", (replace(sandbox.methods[0], smallest={"CNY": 500}),))
    request = shop.make_request(amount=10000, split=Split(3, 1))
    with pytest.raises(Refused) as refused:
        begin(request, amount=499)
    assert (refused.value.code, refused.value.field) == ("below_minimum", "amount")
    assert "5.00" in str(refused.value.message)
    assert not Payment.objects.exists()
    assert begin(request, amount=500).status == "pending"


def test_who_may_not_begin_ends_nobodys_attempt(move_time: MoveTime) -> None:
    request = shop.make_request()
    for _time in range(5):
        lifecycle.end_payment(begin(request, "Eve").pk, cancelled=True)
    first = begin(request)
    move_time(61)
    for wrong, how in (("too_many_tries", {}), ("amount_changed", {"amount": 1}), ("amount_changed", {"price": 1})):
        with pytest.raises(Refused, match=wrong):
            begin(request, "Eve" if wrong == "too_many_tries" else "Ann", take_over=True, **how)
    first.refresh_from_db()
    assert (first.status, Charge.objects.get(reference=first.reference).status) == ("pending", "open")


def test_taking_over_closes_only_what_must_go_and_says_so(move_time: MoveTime) -> None:
    request = shop.make_request(amount=10000, split=Split(5))
    first, second, third = (begin(request, name, amount=3000) for name in ("Mei", "Ann", "Bo"))
    move_time(61)
    begin(request, "Eve", amount=4000, take_over=True)
    for payment in (first, second, third):
        payment.refresh_from_db()
    assert [payment.status for payment in (first, second, third)] == ["cancelled", "pending", "pending"]
    assert [payment.was_taken_over for payment in (first, second, third)] == [True, False, False]


@pytest.mark.parametrize("who", ["buyer", "known"])
def test_a_crowded_network_keeps_neither_the_buyer_nor_a_known_friend_out(who: str) -> None:
    if who == "known":
        shop.succeed(shop.hold(shop.make_request(), name="Ann"))
    request = shop.make_request()
    for number in range(15):
        payer = Payer(visitor=f"cookie {number}", network="one house")
        lifecycle.end_payment(shop.begin(request, method="sandbox", payer=payer, surface=DESKTOP).pk, cancelled=True)
    payer = Payer(visitor="Ann", network="one house", by_buyer=who == "buyer")
    assert shop.begin(request, method="sandbox", payer=payer, surface=DESKTOP).status == "pending"


def test_where_the_other_wallet_does_not_answer_nobody_is_taken_over(faulty: Fault) -> None:
    request = shop.make_request()
    mei = begin(request)
    faulty("close")
    with pytest.raises(Refused, match="held"):
        begin(request, "Ann", take_over=True)
    mei.refresh_from_db()
    assert (mei.status, Payment.objects.count(), held(request)) == ("pending", 1, 9000)


def test_below_what_the_wallet_takes_is_an_input_to_be_put_right() -> None:
    request = shop.make_request(split=Split(3))
    tap = taps.read(request.token, "Mei")
    offer = replace(tap.offer("sandbox", DESKTOP), least=4000)
    with pytest.raises(Refused, match="below_minimum") as no:
        checkout.begin(tap, offer, payer=Payer("Mei", "Mei"), amount=3000)
    assert (no.value.status, no.value.field, Payment.objects.count()) == (422, "amount", 0)


def test_the_wallet_is_told_the_payers_language_and_a_subject_it_has_room_for() -> None:
    request = shop.make_request(shop.make_order(shop.make_merchant("Harbour Tea " * 6)))
    with translation.override("zh-hans"), mock.patch.object(registry.get("sandbox"), "start") as start:
        start.return_value = NextStep(Rail.REDIRECT, url="/")
        begin(request)
    told = start.call_args.args[1]
    assert (told.locale, len(told.subject)) == ("zh-hans", 60)


def test_a_shop_and_number_without_a_letter_have_a_subject_all_the_same() -> None:
    request = shop.make_request(shop.make_order(shop.make_merchant("☆☆☆"), reference="№ ☃"))
    with mock.patch.object(registry.get("sandbox"), "start") as start:
        start.return_value = NextStep(Rail.REDIRECT, url="/")
        begin(request)
    assert start.call_args.args[1].subject == "Order"


def tapped(request: PaymentRequest, *rails: Rail, name: str = "Mei") -> Callable[..., Payment]:
    """A tap on a wallet that can be paid with on these rails: what is read then, and `begin` with it, later."""
    tap = taps.read(request.token, name)
    offer = replace(tap.offer("sandbox", DESKTOP), rails=rails or (Rail.REDIRECT,))
    return lambda **how: checkout.begin(tap, offer, payer=Payer(name, name), **how)


def test_of_two_taps_at_once_the_later_is_led_where_the_earlier_goes() -> None:
    request = shop.make_request(amount=10000, split=Split(3))
    first, second, other = tapped(request), tapped(request), tapped(request)
    payment = first(amount=3000)
    assert second(amount=3000).pk == payment.pk
    with pytest.raises(Refused, match="begun"):
        other(amount=4000)
    assert (Payment.objects.count(), held(request)) == (1, 3000)


def test_the_wallets_own_page_is_opened_where_it_is_wished_for_and_there_is_one() -> None:
    both = (Rail.NATIVE, Rail.REDIRECT)
    assert tapped(shop.make_request(), *both)().rail == "native"
    assert tapped(shop.make_request(), *both)(on_page=True).rail == "redirect"
    assert tapped(shop.make_request(), Rail.NATIVE)(on_page=True).rail == "native"


def test_another_way_to_pay_is_another_attempt_with_room_for_what_the_first_held() -> None:
    request = shop.make_request(amount=10000, split=Split(3))
    first = tapped(request)(amount=3000)
    second = tapped(request, Rail.NATIVE)()
    first.refresh_from_db()
    assert (first.status, second.amount, second.rail, held(request)) == ("cancelled", 10000, "native", 10000)


def test_an_attempt_that_is_nearly_over_is_not_gone_on_with(move_stopped_time: MoveTime) -> None:
    request = shop.make_request()
    first = begin(request)
    move_stopped_time((shop.HOLD - limits.RESUME_MARGIN).total_seconds() - 1)
    assert begin(request).pk == first.pk
    move_stopped_time(2)
    assert begin(request).pk != first.pk


def test_who_takes_over_without_naming_a_part_pays_all_that_is_missing(move_time: MoveTime) -> None:
    request = shop.make_request(amount=10000, split=Split(4))
    shop.succeed(begin(request, "Mei", amount=3000))
    begin(request, "Ann", amount=7000)
    move_time(61)
    assert begin(request, "Bo", take_over=True).amount == 7000


def test_where_all_who_could_go_would_not_be_enough_nobody_is_closed(move_time: MoveTime) -> None:
    request = shop.make_request(amount=10000, split=Split(4))
    early = begin(request, "Mei", amount=3000)
    move_time(61)
    begin(request, "Ann", amount=4000)
    with pytest.raises(Refused, match="held"):
        begin(request, "Bo", amount=8000, take_over=True)
    early.refresh_from_db()
    assert (early.status, early.closing, held(request)) == ("pending", False, 7000)


def test_ones_own_hold_counts_as_room_before_anybody_else_has_to_go(move_time: MoveTime) -> None:
    request = shop.make_request(amount=10000, split=Split(4))
    ann, mine = begin(request, "Ann", amount=4000), begin(request, "Mei", amount=3000)
    move_time(61)
    begin(request, "Mei", amount=6000, take_over=True)
    ann.refresh_from_db()
    mine.refresh_from_db()
    assert (ann.status, mine.status, held(request)) == ("pending", "cancelled", 10000)


def test_ones_own_hold_of_another_share_makes_no_room_in_this_one(move_time: MoveTime) -> None:
    request = shop.make_request(amount=9000, split=Split.among([Share("Mei", 4500), Share("Jun", 4500)]))
    mine, theirs = begin(request, "Mei", share=0), begin(request, "Jun", share=1)
    move_time(61)
    assert begin(request, "Mei", share=1, take_over=True).share == 1
    for payment in (mine, theirs):
        payment.refresh_from_db()
    assert (mine.status, theirs.status, held(request)) == ("cancelled", "cancelled", 4500)


def test_an_attempt_let_go_while_the_wallet_opened_it_is_not_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    request = shop.make_request()
    attempt = Attempt(shop.account_of(request), "sandbox", "redirect", 9000, timedelta(minutes=5))
    payment = lifecycle.hold(request.pk, attempt, Payer("Mei", "Mei"))

    def meanwhile(_seconds: float) -> None:
        lifecycle.start_payment(Payment.objects.get(), next_step={"rail": "redirect", "url": "/"}, session="")
        lifecycle.let_go(payment.pk)

    monkeypatch.setattr(time, "sleep", meanwhile)
    assert begin(request).pk != payment.pk


def test_what_a_wallet_takes_at_least_is_said_in_the_payers_language() -> None:
    request = shop.make_request(amount=900000, currency="EUR", split=Split(3))
    tap = taps.read(request.token, "Mei")
    offer = replace(tap.offer("sandbox", DESKTOP), least=123456)
    with translation.override("de"), pytest.raises(Refused) as refused:
        checkout.begin(tap, offer, payer=Payer("Mei", "Mei"), amount=3000)
    assert "1.234,56" in str(refused.value.message)


def test_there_is_nothing_to_tap_on_behind_a_link_that_nobody_gave_out() -> None:
    shop.make_request()
    with pytest.raises(PaymentRequest.DoesNotExist):
        taps.read("nobody-gave-this-out", "Mei")


def test_what_a_tap_knows_was_read_at_once(
    django_assert_num_queries: Callable[..., AbstractContextManager[object]],
) -> None:
    request = shop.make_request()
    begin(request)
    tap = taps.read(request.token, "Mei")
    with django_assert_num_queries(0):
        assert tap.request.order.merchant.name == tap.request.merchant.name == "Harbour Tea"
        assert [(it.request.pk, it.account.provider) for it in tap.own] == [(request.pk, "sandbox")]
        assert tap.goods == (("Spring oolong, 100 g", ""),)


def test_nobodys_attempt_is_closed_for_one_that_may_not_begin() -> None:
    request = shop.make_request(amount=9000, split=Split(3, 1000))
    own, other = begin(request, "Mei", amount=3000), begin(request, "Ann", amount=6000)
    with pytest.raises(Refused, match="crumb_left"):
        begin(request, "Mei", amount=8500, take_over=True)
    assert held(request) == 9000
    for payment in (own, other):
        payment.refresh_from_db()
        assert (payment.status, payment.closing) == ("pending", False)
