"""No refund is a dead end: what failed is sent again, asked for in another shape, withdrawn, or returned elsewhere."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from friendpay.kit import clock, limits
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from orders.models import Event, Order
from payments import tasks
from payments.models import Payment, Refund
from payments.settlement import ledger, lifecycle, outside, refund_moves, refunds, remedies
from payments.settlement.rules import Split
from payments.wallets import registry
from payments.wallets.base import Outcome, State
from tests import shop

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]


@pytest.fixture(autouse=True)
def _books_are_right() -> object:
    yield
    assert ledger.check() == []


def failed(amount: int = 9000, payment: Payment | None = None) -> Refund:
    """The merchant asked for it, and the wallet refused."""
    payment = payment or shop.succeed(shop.hold(shop.make_request()))
    return fail(refunds.refund_payment(payment.pk, amount, actor="merchant"))


def failed_by_itself(*, dead: bool = False) -> Refund:
    """It came too late, and the wallet would not send it back."""
    payment = shop.hold(shop.make_request())
    lifecycle.cancel_request(payment.request_id, actor="buyer")
    shop.succeed(payment)
    return fail(Refund.objects.get(), dead=dead)


def fail(refund: Refund, *, dead: bool = False) -> Refund:
    told = Outcome(State.FAILED, refund.reference, code="REFUND_FEE_ERR", dead=dead)
    return refund_moves.move_refund(refund.pk, "failed", outcome=told)


def rows() -> list[tuple[str, int]]:
    return list(Refund.objects.order_by("id").values_list("status", "amount"))


def refunded() -> int:
    return Order.objects.get().amount_refunded


def told() -> list[str]:
    return list(Event.objects.filter(type__startswith="refund.").order_by("id").values_list("type", flat=True))


# Another shape


@pytest.mark.parametrize("amounts", [[6000], [6000, 3000], [3000, 3000, 3000], [9000], [None]])
def test_a_failed_refund_does_not_block_another_shape(amounts: list[int | None]) -> None:
    payment = failed().payment
    for amount in amounts:
        refunds.refund_payment(payment.pk, amount, actor="merchant")
    assert rows() == [("withdrawn", 9000), *(("requested", amount or 9000) for amount in amounts)]
    assert told()[:4] == ["refund.requested", "refund.failed", "refund.withdrawn", "refund.requested"]


def test_only_what_there_is_no_room_for_is_withdrawn_the_oldest_first() -> None:
    first = failed(3000)
    failed(2000, first.payment)
    refunds.refund_payment(first.payment_id, 4000, actor="merchant")  # there is still room for all three
    assert rows() == [("failed", 3000), ("failed", 2000), ("requested", 4000)]
    refunds.refund_payment(first.payment_id, 1000, actor="merchant")
    assert rows() == [("withdrawn", 3000), ("failed", 2000), ("requested", 4000), ("requested", 1000)]


def test_what_failed_frees_no_more_than_it_claimed() -> None:
    payment = failed(5000).payment
    refunds.refund_payment(payment.pk, 4000, actor="merchant")
    with pytest.raises(Refused, match="refund_beyond_payment"):
        refunds.refund_payment(payment.pk, 5001, actor="merchant")
    assert rows() == [("failed", 5000), ("requested", 4000)]


def test_a_whole_order_can_be_refunded_again_after_a_part_failed() -> None:
    order = failed(3000).payment.request.order
    refunds.refund_order(order, actor="merchant")
    assert rows() == [("withdrawn", 3000), ("requested", 9000)]


# Withdrawn


def test_a_withdrawn_refund_is_never_sent(move_time: MoveTime) -> None:
    refund = failed()
    remedies.withdraw(refund.pk, actor="support:ada")
    move_time(86400)
    tasks.sweep_refunds()
    assert (rows(), refunded(), refund_moves.refundable(refund.payment)) == ([("withdrawn", 9000)], 0, 9000)
    for remedy in (remedies.send_again, remedies.withdraw):
        with pytest.raises(Refused, match="refund_not_failed"):
            remedy(refund.pk, actor="support:ada")
    assert rows() == [("withdrawn", 9000)]


def test_money_that_is_the_payers_is_never_withdrawn() -> None:
    refund = failed_by_itself()
    with pytest.raises(Refused, match="refund_owed"):
        remedies.withdraw(refund.pk, actor="support:ada")
    assert rows() == [("failed", 9000)]


@pytest.mark.parametrize("status", ["requested", "submitted", "succeeded"])
def test_what_has_not_failed_is_not_withdrawn(status: str) -> None:
    payment = shop.succeed(shop.hold(shop.make_request()))
    refund = refunds.refund_payment(payment.pk, actor="merchant")
    refund_moves.move_refund(refund.pk, status)
    before = rows()
    for remedy in (remedies.withdraw, remedies.send_again):
        with pytest.raises(Refused, match="refund_not_failed"):
            remedy(refund.pk, actor="support:ada")
    assert rows() == before


def test_a_withdrawn_refund_that_went_through_after_all_is_believed() -> None:
    refund = failed()
    remedies.withdraw(refund.pk, actor="support:ada")
    failed(2000, refund.payment)
    refunds.apply(refund, Outcome(State.SUCCEEDED, refund.reference, provider_ref="R1"))
    assert (rows(), refunded()) == ([("succeeded", 9000), ("withdrawn", 2000)], 9000)
    for state in (State.PENDING, State.FAILED):  # old news, and a bounce
        refunds.apply(Refund.objects.get(pk=refund.pk), Outcome(state, refund.reference))
    assert (rows()[0], refunded()) == (("failed", 9000), 0)


def test_a_withdrawn_refund_that_went_through_beside_its_successor_is_loud_and_changes_nothing() -> None:
    refund = failed()
    refunds.refund_payment(refund.payment_id, 6000, actor="merchant")
    with pytest.raises(ValueError, match="took its place"):
        refunds.apply(refund, Outcome(State.SUCCEEDED, refund.reference, provider_ref="R1"))
    assert (rows(), refunded()) == ([("withdrawn", 9000), ("requested", 6000)], 0)


# In parts


def test_a_failed_refund_is_sent_in_parts(move_time: MoveTime) -> None:
    refund = failed_by_itself()
    remedies.send_in_parts(refund.pk, 2500, actor="support:ada")
    assert rows() == [("withdrawn", 9000), ("requested", 2500), ("requested", 6500)]
    assert {row.reason for row in Refund.objects.all()} == {"late"}
    assert len({row.reference for row in Refund.objects.all()}) == 3


@pytest.mark.parametrize("amount", [-1, 0, 9000, 9001])
def test_a_part_is_a_part(amount: int) -> None:
    refund = failed()
    with pytest.raises(Refused, match="amount_out_of_range"):
        remedies.send_in_parts(refund.pk, amount, actor="support:ada")
    assert rows() == [("failed", 9000)]


# By other means


def test_what_was_returned_by_other_means_counts_as_refunded() -> None:
    refund = failed()
    remedies.return_elsewhere(refund.pk, "in cash", actor="support:ada")
    refund.refresh_from_db()
    assert (rows(), refunded(), refund.is_back, refund.back_at) == (
        [("returned_elsewhere", 9000)],
        9000,
        True,
        refund.closed_at,
    )
    event = Event.objects.get(type="refund.returned_elsewhere")
    assert (event.actor, event.data["returned_how"], event.data["amount"]) == ("support:ada", "in cash", 9000)
    assert Event.objects.filter(type="order.refunded").count() == 1
    with pytest.raises(Refused, match="refund_beyond_payment"):
        refunds.refund_payment(refund.payment_id, 1, actor="merchant")


@pytest.mark.parametrize("make", [failed, failed_by_itself])
def test_a_part_was_returned_by_other_means_and_the_rest_is_sent(make: Callable[[], Refund]) -> None:
    refund = make()
    remedies.return_elsewhere(refund.pk, "in the wallet's own site", 3000, actor="support:ada")
    assert rows() == [("withdrawn", 9000), ("returned_elsewhere", 3000), ("requested", 6000)]


@pytest.mark.parametrize("how", ["", "  "])
def test_without_a_word_how_nothing_is_booked(how: str) -> None:
    refund = failed()
    with pytest.raises(Refused, match="how_missing"):
        remedies.return_elsewhere(refund.pk, how, actor="support:ada")
    assert rows() == [("failed", 9000)]


@pytest.mark.parametrize(("status", "amount"), [("requested", None), ("succeeded", None), ("submitted", 3000)])
def test_what_may_still_be_sent_is_not_booked_as_returned(status: str, amount: int | None) -> None:
    payment = shop.succeed(shop.hold(shop.make_request()))
    refund = refunds.refund_payment(payment.pk, actor="merchant")
    refund_moves.move_refund(refund.pk, status)
    with pytest.raises(Refused, match="refund_not_failed"):
        remedies.return_elsewhere(refund.pk, "in cash", amount, actor="support:ada")
    assert rows() == [(status, 9000)]


def test_what_a_wallet_never_decides_is_closed_and_its_late_word_counted_once() -> None:
    payment = shop.succeed(shop.hold(shop.make_request()))
    refund = refunds.refund_payment(payment.pk, actor="merchant")
    refund_moves.move_refund(refund.pk, "submitted")
    remedies.return_elsewhere(refund.pk, "by bank transfer", actor="support:ada")
    refunds.apply(refund, Outcome(State.SUCCEEDED, refund.reference, provider_ref="R1"))
    assert (rows(), refunded()) == ([("succeeded", 9000)], 9000)


# What goes by itself


def test_money_nobody_asked_to_send_back_is_sent_again_by_itself_where_only_its_number_was_dead(
    move_time: MoveTime,
) -> None:
    failed_by_itself(dead=True)
    move_time(86300)
    tasks.sweep_refunds()
    assert rows() == [("failed", 9000)]
    move_time(200)
    tasks.sweep_refunds()
    assert rows() == [("requested", 9000)]


def test_the_merchants_own_refund_is_for_the_merchant_to_send_again(move_time: MoveTime) -> None:
    payment = shop.succeed(shop.hold(shop.make_request()))
    fail(refunds.refund_payment(payment.pk, actor="merchant"), dead=True)
    move_time(3 * 86400)
    tasks.sweep_refunds()
    assert rows() == [("failed", 9000)]


# New numbers


def test_a_number_is_replaced_once() -> None:
    refund = failed()
    remedies.send_again(refund.pk, actor="support:ada")
    first = refund.reference
    renewed = refund_moves.renumber(refund.pk, first)
    assert refund_moves.renumber(refund.pk, first).reference == renewed.reference != first
    assert (renewed.past_references, told().count("refund.renumbered")) == ([first], 1)


def test_a_late_word_about_a_dead_number_changes_nothing_and_is_loud_if_it_says_that_money_went() -> None:
    refund = failed()
    remedies.send_again(refund.pk, actor="support:ada")
    dead, refund = refund.reference, refund_moves.renumber(refund.pk, refund.reference)
    assert Refund.objects.numbered(refund.account, dead) == refund
    refunds.apply(refund, Outcome(State.FAILED, dead, code="CLOSED"))
    assert rows() == [("requested", 9000)]
    with pytest.raises(ValueError, match="dead"):
        refunds.apply(refund, Outcome(State.SUCCEEDED, dead))
    assert rows() == [("requested", 9000)]


def test_each_no_says_what_kind_it_is() -> None:
    refund = failed()
    for refused in (
        lambda: remedies.return_elsewhere(refund.pk, " ", actor="support:ada"),
        lambda: remedies.send_in_parts(refund.pk, 9000, actor="support:ada"),
    ):
        with pytest.raises(Refused) as no:
            refused()
        assert no.value.status == 422
    with pytest.raises(Refused) as no:
        remedies.withdraw(failed_by_itself_beside(refund).pk, actor="support:ada")
    assert no.value.status == 409


def failed_by_itself_beside(refund: Refund) -> Refund:
    """Money of the same order that came too late, and that the wallet would not send back."""
    late = shop.attempts(shop.make_request(shop.make_order(refund.merchant)), 1)[0]
    lifecycle.cancel_request(late.request_id, actor="buyer")
    shop.succeed(late)
    return fail(Refund.objects.get(payment=late))


def test_the_smallest_part_is_one_and_both_parts_are_told() -> None:
    refund = failed()
    remedies.send_in_parts(refund.pk, 1, actor="support:ada")
    assert rows() == [("withdrawn", 9000), ("requested", 1), ("requested", 8999)]
    assert told()[-3:] == ["refund.withdrawn", "refund.requested", "refund.requested"]


def test_a_part_that_the_wallet_cannot_send_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    refund = failed()
    monkeypatch.setattr(registry, "step", lambda *_: 1000)
    with pytest.raises(Refused):
        remedies.send_in_parts(refund.pk, 2500, actor="support:ada")
    assert rows() == [("failed", 9000)]


def test_a_refund_takes_the_number_the_wallet_gave_it_and_keeps_it() -> None:
    refund = failed()
    remedies.send_again(refund.pk, actor="support:ada")
    for state, number in ((State.PENDING, "R1"), (State.SUCCEEDED, "")):
        refunds.apply(Refund.objects.get(), Outcome(state, refund.reference, provider_ref=number))
        assert Refund.objects.get().provider_ref == "R1"


def test_the_shop_tries_again_with_its_own_money_alone() -> None:
    """A surplus that the wallet would not send back is the payer's, and older than what the shop tries again."""
    payment = failed_surplus()
    assert refund_moves.refundable(payment) == 3000
    failed(3000, payment)
    assert refund_moves.refundable(payment) == 3000
    refunds.refund_payment(payment.pk, actor="merchant")
    assert rows() == [("failed", 3000), ("withdrawn", 3000), ("requested", 3000)]


def failed_surplus() -> Payment:
    """3000 of it counted, 3000 were more than was needed, and the wallet would not send those back."""
    request = shop.make_request(amount=10000, split=Split(5))
    late = shop.hold(request, 6000, name="Slow")
    lifecycle.let_go(late.pk)
    shop.succeed(shop.hold(request, 7000, name="Quick"))
    payment = shop.succeed(late)
    fail(Refund.objects.get())
    return Payment.objects.get(pk=payment.pk)


def test_what_a_disputed_payment_owes_is_sent_in_parts_and_not_once_more() -> None:
    refund = failed_by_itself()
    asks = Outcome(State.PENDING, "", "dp_1", Money(9000, "CNY"), inquiry=True)
    outside.hear_dispute(refund.payment_id, asks)
    remedies.send_in_parts(refund.pk, 4000, actor="support:ada")
    assert rows() == [("withdrawn", 9000), ("requested", 4000), ("requested", 5000)]


def test_a_wallets_long_words_are_kept_as_far_as_there_is_room() -> None:
    refund = refunds.refund_payment(shop.succeed(shop.hold(shop.make_request())).pk, actor="merchant")
    refunds.apply(refund, Outcome(State.FAILED, refund.reference, code="c" * 81, message="w" * 301))
    refund.refresh_from_db()
    assert (refund.status, refund.code, refund.words) == ("failed", "c" * 80, "w" * 300)


def test_accepted_again_is_asked_about_at_its_own_time_and_what_waits_for_the_shop_a_day_later() -> None:
    refund = refunds.refund_payment(shop.succeed(shop.hold(shop.make_request())).pk, actor="merchant")
    soon = clock.now() + timedelta(minutes=7)
    Refund.objects.update(next_attempt_at=soon)
    refunds.apply(refund, Outcome(State.PENDING, refund.reference))
    assert Refund.objects.get().next_attempt_at == soon
    refunds.apply(refund, Outcome(State.PENDING, refund.reference, code="NOT_ENOUGH", for_shop=True))
    waiting = Refund.objects.get()
    assert waiting.waits_for_shop
    assert waiting.next_attempt_at
    assert waiting.next_attempt_at >= soon + limits.REFUND_AGAIN_AFTER - timedelta(minutes=7)
    refunds.apply(refund, Outcome(State.SUCCEEDED, refund.reference))
    assert not Refund.objects.get().waits_for_shop


@pytest.mark.parametrize(("disputed", "status"), [(6000, "failed"), (6001, "withdrawn")])
def test_a_dispute_withdraws_only_what_it_leaves_no_room_for(disputed: int, status: str) -> None:
    refund = failed(3000)
    outside.hear_dispute(refund.payment_id, Outcome(State.PENDING, "", "dp_1", Money(disputed, "CNY")))
    assert rows() == [(status, 3000)]
