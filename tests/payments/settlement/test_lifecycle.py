"""What must be true of a request, its payments and the money, whatever happens in whatever order."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from friendpay.kit import limits
from friendpay.kit.errors import Refused
from orders.models import Event, Order
from orders.services import LineDraft
from payments.models import Movement, Payment, PaymentRequest, Refund
from payments.settlement import holds, lifecycle, requests
from payments.settlement.rules import Attempt, Payer, Split
from tests import shop

pytestmark = pytest.mark.django_db

MoveTime = Callable[[float], None]


def reload(thing: PaymentRequest) -> PaymentRequest:
    return PaymentRequest.objects.select_related("order").get(pk=thing.pk)


def types(request: PaymentRequest) -> list[str]:
    return list(Event.objects.filter(request=request.public_id).values_list("type", flat=True))


def test_a_success_pays_request_and_order_once() -> None:
    request = shop.make_request()
    payment = shop.hold(request)
    shop.succeed(payment)
    request = reload(request)
    assert (request.status, request.amount_paid, request.amount_held) == ("paid", 9000, 0)
    assert (request.order.status, request.order.amount_paid) == ("paid", 9000)
    assert types(request) == ["payment_request.created", "payment.created", "payment.succeeded", "payment_request.paid"]


def test_the_same_success_told_again_changes_nothing() -> None:
    request = shop.make_request()
    payment = shop.hold(request)
    shop.succeed(payment)
    before = (reload(request).seq, Event.objects.count())
    shop.succeed(payment)
    assert (reload(request).seq, Event.objects.count()) == before
    assert not Refund.objects.exists()


def test_asking_twice_gives_the_same_open_request() -> None:
    order = shop.make_order()
    first, second = shop.make_request(order), shop.make_request(order)
    assert first.pk == second.pk
    with pytest.raises(Refused, match="request_open"):
        lifecycle.open_request(order.pk, actor="merchant", shared=True, reuse=False)


def test_friends_are_asked_once_and_the_first_words_stay() -> None:
    order = shop.make_order()
    request = lifecycle.open_request(order.pk, actor="buyer", shared=False)
    assert reload(request).shared_at is None
    lifecycle.open_request(order.pk, actor="buyer", shared=True, message="Please?")
    shared = reload(request)
    lifecycle.open_request(order.pk, actor="buyer", shared=True, message="Again")
    lifecycle.open_request(order.pk, actor="buyer", shared=False)
    assert shared.shared_at is not None
    assert (reload(request).shared_at, reload(request).message) == (shared.shared_at, "Please?")
    assert types(request) == ["payment_request.created", "payment_request.shared"]


def test_what_was_unusual_when_friends_were_asked_is_kept_with_a_request_that_was_open() -> None:
    order = shop.make_order()
    request = lifecycle.open_request(order.pk, actor="buyer", shared=False)
    lifecycle.open_request(order.pk, actor="buyer", shared=True, more={"hint": "first", "network": "n"})
    assert (reload(request).hint, reload(request).network) == ("first", "n")


def test_the_database_allows_one_open_request_an_order() -> None:
    request = shop.make_request()
    with pytest.raises(IntegrityError, match="one_open_request_per_order"), transaction.atomic():
        PaymentRequest.objects.create(
            merchant=request.merchant,
            order=request.order,
            currency="CNY",
            amount=1,
            code="OTHER",
            created_at=request.created_at,
            expires_at=request.expires_at,
        )


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"amount_held": 9001}, "request_never_overcommitted"),
        ({"amount_paid": 1, "amount_held": 9000}, "request_never_overcommitted"),
        ({"status": "paid"}, "request_paid_exactly_when_settled"),
        ({"amount_paid": 9000}, "request_paid_exactly_when_settled"),
        ({"status": "expired"}, "request_ended_keeps_nothing"),
        ({"amount": 0}, "request_amount_positive"),
    ],
)
def test_the_database_refuses_a_request_that_breaks_the_rules(changes: dict[str, object], constraint: str) -> None:
    request = shop.make_request()
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        PaymentRequest.objects.filter(pk=request.pk).update(**changes)
    assert constraint in str(caught.value) or "request_" in str(caught.value)


def test_nobody_can_hold_what_another_holds() -> None:
    request = shop.make_request()
    shop.hold(request)
    with pytest.raises(Refused, match="held"):
        shop.hold(request, name="Ann")
    assert reload(request).amount_held == 9000


def test_second_friend_is_refunded() -> None:
    request = shop.make_request()
    first, second = shop.attempts(request, 2)
    shop.succeed(first)
    shop.succeed(second)
    refund = Refund.objects.get()
    assert (refund.payment_id, refund.amount, refund.reason, refund.status) == (
        second.pk,
        9000,
        "duplicate",
        "requested",
    )
    assert reload(request).order.amount_paid == 9000


def test_money_for_a_lost_hold_beats_a_live_hold() -> None:
    request = shop.make_request()
    slow = shop.hold(request, name="Slow")
    lifecycle.let_go(slow.pk)
    quick = shop.hold(request, name="Quick")
    shop.succeed(slow)
    quick.refresh_from_db()
    assert (quick.held_until, quick.closing, quick.status) == (None, True, "pending")
    assert (reload(request).status, reload(request).amount_held) == ("paid", 0)
    shop.succeed(quick)
    assert Refund.objects.get().reason == "duplicate"


def test_money_after_cancelling_goes_back_as_late() -> None:
    request = shop.make_request()
    payment = shop.hold(request)
    lifecycle.cancel_request(request.pk, actor="buyer")
    shop.succeed(payment)
    assert (Refund.objects.get().reason, Refund.objects.get().amount) == ("late", 9000)
    assert reload(request).status == "cancelled"
    assert reload(request).order.status == "awaiting_payment"


def test_money_after_the_provider_gave_up_on_it_still_pays() -> None:
    request = shop.make_request()
    payment = shop.hold(request)
    lifecycle.end_payment(payment.pk, cancelled=False, code="TIMEOUT")
    shop.succeed(payment)
    assert reload(request).status == "paid"


@pytest.mark.parametrize("taken", [8999, 9001, 1])
def test_a_wrong_amount_is_never_applied(taken: int) -> None:
    request = shop.make_request()
    payment = shop.succeed(shop.hold(request), amount=taken)
    assert (payment.amount_captured, payment.amount_applied) == (taken, 0)
    assert (Refund.objects.get().reason, Refund.objects.get().amount) == ("mismatch", taken)
    assert reload(request).status == "open"


def test_another_currency_moves_nothing() -> None:
    request = shop.make_request()
    payment = shop.hold(request)
    with pytest.raises(ValueError, match="CNY"):
        shop.succeed(payment, currency="USD")
    payment.refresh_from_db()
    assert (payment.status, payment.amount_captured, reload(request).amount_held) == ("pending", 0, 9000)


def test_a_success_without_money_moves_nothing() -> None:
    payment = shop.hold(shop.make_request())
    with pytest.raises(ValueError, match="took"):
        shop.succeed(payment, amount=0)
    payment.refresh_from_db()
    assert (payment.status, payment.amount_captured) == ("pending", 0)


def test_what_a_wallet_says_of_a_failure_is_kept_as_far_as_there_is_room() -> None:
    payment = shop.hold(shop.make_request())
    ended = lifecycle.end_payment(payment.pk, cancelled=False, code="C" * 200, words="w" * 1000)
    ended.refresh_from_db()
    assert (ended.status, ended.code, ended.words, ended.next_attempt_at) == ("failed", "C" * 80, "w" * 300, None)


def test_why_an_attempt_was_let_go_stays_when_its_wallet_has_closed_it() -> None:
    request = shop.make_request()
    payment = shop.hold(request)
    lifecycle.let_go(payment.pk, code="taken_over")
    lifecycle.let_go(payment.pk, code="again")
    ended = lifecycle.end_payment(payment.pk, cancelled=True, code="CLOSED")
    assert (ended.status, ended.code, reload(request).amount_held) == ("cancelled", "taken_over", 0)
    assert types(request).count("payment.released") == 1


def test_what_is_let_go_is_asked_about_from_now_on_as_if_for_the_first_time() -> None:
    payment = shop.hold(shop.make_request())
    Payment.objects.update(attempts=5)
    lifecycle.let_go(payment.pk)
    payment.refresh_from_db()
    assert payment.attempts == 0


def test_an_attempt_keeps_the_language_its_payer_reads() -> None:
    with translation.override("de"):
        assert shop.hold(shop.make_request()).language == "de"


def test_what_is_let_go_and_what_goes_back_is_seen_to_at_once(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    tasks: list[tuple[object, ...]] = []
    monkeypatch.setattr(holds, "enqueue", lambda *task: tasks.append(task))
    request = shop.make_request()
    payment = shop.hold(request)
    with django_capture_on_commit_callbacks(execute=True):
        lifecycle.cancel_request(request.pk, actor="buyer")
        shop.succeed(payment)
    assert tasks == [("payments.ask", payment.pk), ("payments.refund", Refund.objects.get().pk)]


def test_a_second_charge_for_one_attempt_goes_back() -> None:
    request = shop.make_request()
    payment = shop.hold(request)
    shop.succeed(payment, ref="txn-a")
    shop.succeed(payment, ref="txn-b")
    shop.succeed(payment, ref="txn-b")
    refund = Refund.objects.get()
    assert (refund.amount, refund.reason, refund.payment.provider_ref) == (9000, "duplicate", "txn-b")
    assert reload(request).order.amount_paid == 9000


def test_a_request_past_its_time_is_neither_shown_nor_accepted_as_open(move_time: MoveTime) -> None:
    request = shop.make_request(expires_in=timedelta(seconds=60))
    move_time(61)
    from friendpay.kit import clock

    assert request.status == "open"
    assert request.status_at(clock.now()) == "expired"
    with pytest.raises(Refused, match="request_expired"):
        shop.hold(request)


def test_a_live_hold_keeps_a_request_from_expiring(move_time: MoveTime) -> None:
    request = shop.make_request(expires_in=timedelta(seconds=60))
    payment = shop.hold(request)
    move_time(120)
    lifecycle.expire_request(request.pk)
    assert lifecycle.expire_plain(10) == 0
    assert reload(request).status == "open"
    shop.succeed(payment)
    assert reload(request).status == "paid"


def test_an_expired_order_can_be_asked_for_again_before_the_sweep_came(move_time: MoveTime) -> None:
    order = shop.make_order()
    first = shop.make_request(order, expires_in=timedelta(seconds=60))
    move_time(61)
    second = shop.make_request(order)
    assert first.pk != second.pk
    assert (reload(first).status, second.status) == ("expired", "open")


def test_the_sweep_expires_what_nobody_came_for(move_time: MoveTime) -> None:
    request = shop.make_request(expires_in=timedelta(seconds=60))
    young = shop.make_request()
    move_time(61)
    assert lifecycle.expire_plain(10) == 1
    assert (reload(request).status, reload(young).status) == ("expired", "open")
    assert types(request)[-1] == "payment_request.expired"
    assert reload(request).closed_at is not None


def test_a_sweep_ends_no_more_than_it_was_told_to(move_time: MoveTime) -> None:
    for _number in range(3):
        shop.make_request(expires_in=timedelta(seconds=60))
    move_time(61)
    assert (lifecycle.expire_plain(2), lifecycle.expire_plain(2), lifecycle.expire_plain(2)) == (2, 1, 0)


def test_expired_with_two_of_three_parts_paid_returns_both(move_time: MoveTime) -> None:
    request = shop.make_request(amount=10000, split=Split(3), expires_in=timedelta(seconds=60))
    for amount, name in ((3334, "Mei"), (3333, "Ann")):
        shop.succeed(shop.hold(request, amount, name=name))
    assert reload(request).order.amount_paid == 6667
    move_time(61)
    lifecycle.expire_request(request.pk)
    request = reload(request)
    assert (request.status, request.amount_paid, request.order.amount_paid) == ("expired", 0, 0)
    assert sorted(Refund.objects.values_list("amount", "reason")) == [(3333, "underfunded"), (3334, "underfunded")]


def test_the_smallest_part_goes_back_too() -> None:
    request = shop.make_request(amount=100, split=Split(3, 1))
    shop.succeed(shop.hold(request, 1))
    lifecycle.cancel_request(request.pk, actor="buyer")
    assert list(Refund.objects.values_list("amount", "reason")) == [(1, "underfunded")]
    assert list(Movement.objects.values_list("kind", "amount")) == [("unapplied", 1)]


def test_parts_add_up_to_paid() -> None:
    request = shop.make_request(amount=10000, split=Split(3, 1000))
    for amount in (3334, 3333, 3333):
        shop.succeed(shop.hold(request, amount))
    assert reload(request).status == "paid"
    assert not Refund.objects.exists()


def test_a_surplus_part_is_applied_as_far_as_it_fits() -> None:
    request = shop.make_request(amount=10000, split=Split(5))
    late = shop.hold(request, 6000, name="Slow")
    lifecycle.let_go(late.pk)
    shop.succeed(shop.hold(request, 7000, name="Quick"))
    late = shop.succeed(late)
    assert (late.amount_applied, Refund.objects.get().amount, Refund.objects.get().reason) == (3000, 3000, "surplus")
    assert reload(request).status == "paid"


@pytest.mark.parametrize(
    ("amount", "code"),
    [(999, "amount_out_of_range"), (10001, "amount_out_of_range"), (9500, "crumb_left"), (9999, "crumb_left")],
)
def test_a_part_outside_the_rules_is_refused(amount: int, code: str) -> None:
    request = shop.make_request(amount=10000, split=Split(3, 1000))
    with pytest.raises(Refused, match=code) as refused:
        shop.hold(request, amount)
    assert (refused.value.status, refused.value.field) == (422, "amount")
    assert not Payment.objects.exists()


def test_the_last_friend_gives_what_is_missing() -> None:
    request = shop.make_request(amount=10000, split=Split(2))
    shop.succeed(shop.hold(request, 5000))
    with pytest.raises(Refused, match="last_part") as refused:
        shop.hold(request, 4999)
    assert refused.value.status == 422
    shop.succeed(shop.hold(request, 5000))
    assert reload(request).status == "paid"


def test_an_order_paid_elsewhere_closes_the_request_and_returns_what_comes() -> None:
    request = shop.make_request()
    payment = shop.hold(request)
    lifecycle.close_order(request.order_id, paid_elsewhere=True)
    payment.refresh_from_db()
    assert (reload(request).status, reload(request).order.status, payment.closing) == ("cancelled", "paid", True)
    shop.succeed(payment)
    assert Refund.objects.get().reason == "late"
    assert reload(request).order.amount_paid == 0


def test_an_order_that_was_paid_here_was_not_paid_elsewhere_in_silence() -> None:
    request = shop.make_request()
    shop.succeed(shop.hold(request))
    before = (reload(request).seq, Event.objects.count())
    with pytest.raises(Refused, match="order_paid"):
        lifecycle.close_order(request.order_id, paid_elsewhere=True)
    assert (reload(request).seq, Event.objects.count()) == before
    assert not reload(request).order.paid_elsewhere


def test_who_cancels_an_order_paid_elsewhere_is_told_what_comes_first() -> None:
    request = shop.make_request()
    lifecycle.close_order(request.order_id, paid_elsewhere=True)
    with pytest.raises(Refused, match="order_paid") as no:
        lifecycle.close_order(request.order_id, paid_elsewhere=False)
    assert "Take that back first" in str(no.value.message)
    requests.reopen_order(request.order_id)
    assert lifecycle.close_order(request.order_id, paid_elsewhere=False).status == "cancelled"


def test_paid_elsewhere_may_be_said_twice() -> None:
    request = shop.make_request()
    lifecycle.close_order(request.order_id, paid_elsewhere=True)
    before = Event.objects.count()
    assert lifecycle.close_order(request.order_id, paid_elsewhere=True).paid_elsewhere
    assert Event.objects.count() == before


@pytest.mark.parametrize("split", [None, Split(3), Split(2, 100)])
def test_a_second_charge_of_one_attempt_is_never_applied(split: Split | None) -> None:
    request = shop.make_request(amount=10000, split=split)
    payment = shop.hold(request, 5000 if split else 10000)
    shop.succeed(payment, ref="txn-a")
    second = shop.succeed(payment, ref="txn-b")
    assert (second.amount_captured, second.amount_applied) == (payment.amount, 0)
    assert (Refund.objects.get().payment, Refund.objects.get().reason) == (second, "duplicate")
    assert reload(request).amount_paid == payment.amount


def test_a_second_charge_is_not_applied_where_the_first_was_not_either() -> None:
    """The first was of a wrong amount; the second happens to be the right one."""
    request = shop.make_request()
    payment = shop.hold(request)
    shop.succeed(payment, ref="txn-a", amount=8999)
    shop.succeed(payment, ref="txn-b")
    assert sorted(Refund.objects.values_list("amount", "reason")) == [(8999, "mismatch"), (9000, "duplicate")]
    assert (reload(request).status, reload(request).amount_paid) == ("open", 0)


def test_a_paid_order_cannot_be_cancelled() -> None:
    request = shop.make_request()
    shop.succeed(shop.hold(request))
    with pytest.raises(Refused, match="order_paid"):
        lifecycle.close_order(request.order_id, paid_elsewhere=False)
    with pytest.raises(Refused, match="request_paid"):
        lifecycle.cancel_request(request.pk, actor="buyer")
    assert reload(request).order.status == Order.Status.PAID


def test_a_new_price_makes_the_old_one_unpayable() -> None:
    request = shop.make_request()
    old = shop.hold(request)
    requests.change_order(request.order_id, [LineDraft("Spring oolong, 100 g", 1, 8000)])
    assert (reload(request).amount, reload(request).amount_held) == (8000, 0)
    with pytest.raises(Refused, match="amount_changed"):
        shop.hold(request, 9000)
    shop.succeed(old)
    assert (Refund.objects.get().amount, Refund.objects.get().reason) == (9000, "mismatch")
    shop.succeed(shop.hold(request, 8000))
    assert reload(request).order.status == "paid"


def test_seq_counts_every_event_of_a_request() -> None:
    request = shop.make_request()
    shop.succeed(shop.hold(request))
    seqs = list(Event.objects.filter(request=request.public_id).values_list("seq", flat=True))
    assert seqs == list(range(1, len(seqs) + 1))
    assert reload(request).seq == seqs[-1]


STEPS: dict[str, Callable[[Payment], object]] = {
    "success": lambda payment: shop.succeed(payment, ref="txn"),
    "success again": lambda payment: shop.succeed(payment, ref="txn"),
    "close": lambda payment: lifecycle.end_payment(payment.pk, cancelled=True),
    "cancel": lambda payment: lifecycle.cancel_request(payment.request_id, actor="buyer"),
    "expiry": lambda payment: lifecycle.expire_request(payment.request_id),
}


@pytest.mark.proof
@pytest.mark.parametrize("order", list(permutations(STEPS)), ids="-".join)
def test_every_order_of_news_ends_in_one_consistent_state(order: tuple[str, ...], move_time: MoveTime) -> None:
    """Whatever comes first, the money is applied once or returned once, and nothing is held."""
    request = shop.make_request(expires_in=timedelta(seconds=60))
    payment = shop.hold(request)
    move_time(61)
    for step in order:
        try:
            STEPS[step](payment)
        except Refused as refused:
            assert refused.code == "request_paid"  # noqa: PT017
    request = reload(request)
    payment.refresh_from_db()
    back = sum(Refund.objects.values_list("amount", flat=True))
    assert payment.amount_captured == 9000
    assert payment.amount_applied + back == 9000
    assert request.amount_held == 0
    assert (request.status == "paid") == (payment.amount_applied == 9000) == (request.order.status == "paid")


def test_who_has_an_attempt_open_holds_no_second_one() -> None:
    request = shop.make_request(split=Split(3))
    shop.hold(request, 3000)
    with pytest.raises(Refused, match="begun"):
        shop.hold(request, 3000)
    assert (Payment.objects.count(), reload(request).amount_held) == (1, 3000)


def test_an_attempt_ended_while_the_wallet_opened_it_stays_ended() -> None:
    request = shop.make_request()
    attempt = Attempt(shop.account_of(request), "sandbox", "redirect", 9000, shop.HOLD)
    payment = lifecycle.hold(request.pk, attempt, Payer("Mei", "Mei"))
    lifecycle.end_payment(payment.pk, cancelled=True, code="gone")
    opened = lifecycle.start_payment(payment, next_step={"rail": "redirect", "url": "/"}, session="s")
    assert (opened.status, opened.code, opened.next_step) == ("cancelled", "gone", {})


def test_opening_an_attempt_opens_no_other() -> None:
    request = shop.make_request(split=Split(3))
    attempt = Attempt(shop.account_of(request), "sandbox", "redirect", 3000, shop.HOLD)
    mei, ann = (lifecycle.hold(request.pk, attempt, Payer(name, name)) for name in ("Mei", "Ann"))
    opened = lifecycle.start_payment(mei, next_step={"rail": "redirect", "url": "/"}, session="s")
    assert (opened.status, opened.next_step, opened.provider_session) == (
        "pending",
        {"rail": "redirect", "url": "/"},
        "s",
    )
    ann.refresh_from_db()
    assert (ann.status, ann.next_step, ann.provider_session) == ("created", {}, "")


def test_no_status_is_reached_but_by_the_moves_there_are() -> None:
    payment = shop.succeed(shop.hold(shop.make_request()))
    with pytest.raises(AssertionError, match="from succeeded to cancelled"):
        lifecycle.move(payment, Payment.Status.CANCELLED)
    assert payment.status == "succeeded"


def test_a_hold_lasts_as_long_as_agreed_and_is_asked_about_within() -> None:
    payment = shop.hold(shop.make_request())
    assert payment.held_until == payment.created_at + shop.HOLD
    assert payment.next_attempt_at == payment.created_at + limits.FIRST_QUESTION_AFTER
    short = shop.hold(shop.make_request(), lasts=timedelta(seconds=1))
    assert short.next_attempt_at == short.created_at + timedelta(seconds=1)


def test_nobody_steps_aside_unless_taken_over_and_who_does_is_told_of() -> None:
    request = shop.make_request()
    for number in range(limits.FRUITLESS_TRIES):
        lifecycle.end_payment(shop.hold(request, name=f"Friend {number}").pk, cancelled=True)
    mei = shop.hold(request)
    attempt = Attempt(mei.account, "sandbox", "redirect", 9000, shop.HOLD)
    with pytest.raises(Refused, match="held"):
        lifecycle.hold(request.pk, attempt, Payer("Ann", "Ann"))
    assert "payment.released" not in types(request)
    lifecycle.hold(request.pk, attempt, Payer("Ann", "Ann"), take_over=True)
    assert types(request)[-2:] == ["payment.released", "payment.created"]
