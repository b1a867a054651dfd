"""Which refunds a round takes, which it leaves, and what a row keeps of the wallet's words."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from friendpay.kit import clock
from friendpay.kit.errors import Refused
from payments import tasks
from payments.models import Payment, Refund
from payments.settlement import refund_moves, refunds
from payments.wallets import registry
from payments.wallets.base import Outcome, ProviderError, State
from sandbox.models import ChargeRefund
from tests.payments.settlement.test_refunds import paid

pytestmark = pytest.mark.django_db
Says = Callable[[str, Outcome | Exception], list[str]]


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Says:
    """Let the sandbox answer one call so; gives the references it was called for."""

    def arrange(call: str, answer: Outcome | Exception) -> list[str]:
        called: list[str] = []

        def answering(_account: object, refund: object = None, *, reference: str = "", **_named: object) -> Outcome:
            called.append(reference or refund.reference)  # type: ignore[attr-defined]
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(registry.get("sandbox"), call, answering)
        return called

    return arrange


def two() -> tuple[Refund, Refund]:
    """Two refunds of one shop, to two payers, nothing sent of either."""
    first, second = paid(), paid()
    asked = [refunds.refund_payment(it.payments.get().pk, 2500, actor="merchant") for it in (first, second)]
    return asked[0], asked[1]


def test_a_refund_that_was_decided_on_older_figures_is_refused() -> None:
    paid()
    payment = Payment.objects.get()
    refunds.refund_payment(payment.pk, 1, actor="support:ada", seen=9000)
    with pytest.raises(Refused, match="refundable_changed"):
        refunds.refund_payment(payment.pk, 1, actor="support:ada", seen=9000)
    assert Refund.objects.count() == 1


def test_an_order_sends_back_the_money_of_its_own_payers_to_the_last_unit() -> None:
    other, request = paid(), paid(amount=1, currency="JPY")
    back = refunds.refund_order(request.order, actor="merchant")
    assert [refund.amount for refund in back] == [1]
    assert not Refund.objects.filter(payment__request=other).exists()


def test_a_task_sends_its_own_refund_alone_and_once() -> None:
    first, second = two()
    assert refunds.send(second.pk) == 1
    assert list(ChargeRefund.objects.values_list("reference", flat=True)) == [second.reference]
    assert refunds.send(second.pk) == 0
    first.refresh_from_db()
    assert (first.status, first.attempts) == ("requested", 0)


def test_what_waits_for_the_shop_is_due_at_once_and_nothing_else_is() -> None:
    elsewhere, _other = two()
    request = paid(parts=[3000, 3000, 3000])
    waiting, other, decided = refunds.refund_order(request.order, actor="merchant")
    refunds.send(decided.pk)
    later = clock.now() + timedelta(days=1)
    Refund.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at=later)
    Refund.objects.exclude(pk=other.pk).update(waits_for_shop=True)
    refunds.try_now(waiting.account)
    for refund in (waiting, other, decided, elsewhere):
        refund.refresh_from_db()
    assert waiting.next_attempt_at
    assert waiting.next_attempt_at <= clock.now()
    assert (other.next_attempt_at, decided.next_attempt_at, elsewhere.next_attempt_at) == (later, None, later)


def test_the_wallets_words_stay_with_their_own_refund_as_far_as_there_is_room(says: Says) -> None:
    refund, other = two()
    says("refund", ProviderError("w" * 301, permanent=False, code="c" * 81))
    refunds.send(refund.pk)
    refund.refresh_from_db()
    other.refresh_from_db()
    assert (refund.status, refund.code, refund.words) == ("requested", "c" * 80, "w" * 300)
    assert (other.code, other.words) == ("", "")


def test_an_error_that_comes_after_the_notification_writes_nothing_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    refund, _other = two()

    def told_meanwhile(*_given: object) -> Outcome:
        refund_moves.move_refund(refund.pk, Refund.Status.SUCCEEDED, outcome=Outcome(State.SUCCEEDED, refund.reference))
        raise ProviderError("the line is dead", permanent=False, code="DEAD")

    monkeypatch.setattr(registry.get("sandbox"), "refund", told_meanwhile)
    refunds.send(refund.pk)
    refund.refresh_from_db()
    assert (refund.status, refund.code, refund.words) == ("succeeded", "", "")


def test_a_refund_under_way_of_which_the_wallet_says_no_has_failed_and_is_not_sent_again(says: Says) -> None:
    refund, _other = two()
    says("refund", Outcome(State.PENDING, refund.reference))
    refunds.send(refund.pk)
    sent = says("refund", Outcome(State.SUCCEEDED, refund.reference))
    says("fetch_refund", Outcome(State.FAILED, refund.reference, code="NO", message="no such bank"))
    refunds.send(refund.pk)
    refund.refresh_from_db()
    assert (refund.status, refund.code, sent) == ("failed", "NO", [])


def test_a_refund_that_got_through_though_its_answer_was_lost_is_not_sent_again(says: Says) -> None:
    refund, _other = two()
    says("refund", ProviderError("the line is dead", permanent=False))
    refunds.send(refund.pk)
    sent = says("refund", Outcome(State.SUCCEEDED, refund.reference))
    says("fetch_refund", Outcome(State.SUCCEEDED, refund.reference))
    refunds.send(refund.pk)
    refund.refresh_from_db()
    assert (refund.status, sent) == ("succeeded", [])


def test_the_sweep_takes_both() -> None:
    two()
    tasks.sweep_refunds()
    assert set(Refund.objects.values_list("status", flat=True)) == {"succeeded"}
