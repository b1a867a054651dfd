"""Money going back: to the unit, once, and followed until the provider has confirmed it."""

from collections.abc import Callable

import pytest

from friendpay.kit.errors import Refused
from friendpay.kit.money import Money, share_out
from orders.models import Order
from payments import tasks
from payments.models import Payment, PaymentRequest, Refund
from payments.settlement import ledger, lifecycle, refund_moves, refunds
from payments.settlement.rules import Split
from payments.wallets import registry
from payments.wallets.base import Outcome, State
from sandbox import bank
from sandbox.models import Charge, ChargeRefund
from tests import shop
from tests.payments.conftest import Fault
from tests.payments.settlement.test_checkout import begin

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]


def paid(amount: int = 9000, currency: str = "CNY", parts: list[int] | None = None) -> PaymentRequest:
    """A request paid through the sandbox wallet, by one friend or several."""
    request = shop.make_request(amount=amount, currency=currency, split=Split(len(parts)) if parts else None)
    for number, part in enumerate(parts or [amount]):
        payment = begin(request, f"Friend {number}", amount=part)
        bank.approve(Charge.objects.get(reference=payment.reference).ref)
        shop.succeed(payment, ref=Charge.objects.get(reference=payment.reference).transaction)
    return request


def test_a_refund_reaches_the_payer_and_the_order_tells() -> None:
    request = paid()
    refund = refunds.refund_payment(Payment.objects.get().pk, 2500, text="one pot broken", actor="merchant")
    tasks.sweep_refunds()
    refund.refresh_from_db()
    assert (refund.status, Charge.objects.get().refunded) == ("succeeded", 2500)
    assert Order.objects.get(pk=request.order_id).amount_refunded == 2500


def test_several_refunds_never_exceed_what_was_paid() -> None:
    paid()
    payment = Payment.objects.get()
    refunds.refund_payment(payment.pk, 5000, actor="merchant")
    with pytest.raises(Refused, match="refund_beyond_payment"):
        refunds.refund_payment(payment.pk, 4001, actor="merchant")
    refunds.refund_payment(payment.pk, actor="merchant")
    with pytest.raises(Refused, match="refund_beyond_payment"):
        refunds.refund_payment(payment.pk, actor="merchant")
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [4000, 5000]


def test_a_part_of_an_open_request_is_not_refunded_but_goes_back_whole() -> None:
    request = shop.make_request(amount=9000, split=Split(3))
    part = shop.succeed(begin(request, "Mei", amount=3000))
    with pytest.raises(Refused, match="request_open"):
        refunds.refund_payment(part.pk, 1, actor="merchant")
    with pytest.raises(Refused, match="request_open"):
        refunds.refund_order(request.order, 1, actor="merchant")
    assert (refund_moves.refundable(part), refunds.left_of(request.order), Refund.objects.count()) == (0, 0, 0)
    lifecycle.cancel_request(request.pk, actor="buyer")
    assert list(Refund.objects.values_list("amount", "reason")) == [(3000, "underfunded")]
    assert ledger.check() == []


@pytest.mark.parametrize("amount", [0, -1, 9001])
def test_an_impossible_amount_is_refused(amount: int) -> None:
    paid()
    with pytest.raises(Refused, match="refund_beyond_payment"):
        refunds.refund_payment(Payment.objects.get().pk, amount, actor="merchant")
    assert not Refund.objects.exists()


@pytest.mark.parametrize(
    ("total", "currency", "parts", "back", "expected"),
    [
        (10000, "CNY", [3334, 3333, 3333], 1000, [334, 333, 333]),
        (10000, "JPY", [3334, 3333, 3333], 1000, [334, 333, 333]),
        (100000, "KWD", [33334, 33333, 33333], 10000, [3334, 3333, 3333]),
        (100, "JPY", [34, 33, 33], 1, [1, 0, 0]),
        (100, "JPY", [34, 33, 33], 100, [34, 33, 33]),
    ],
)
def test_a_refund_of_parts_goes_back_pro_rata(
    total: int, currency: str, parts: list[int], back: int, expected: list[int]
) -> None:
    request = paid(total, currency, parts)
    refunds.refund_order(request.order, back, actor="merchant")
    tasks.sweep_refunds()
    got = [sum(payment.refunds.values_list("amount", flat=True)) for payment in Payment.objects.order_by("id")]
    assert got == expected
    assert Order.objects.get(pk=request.order_id).amount_refunded == back


def test_many_small_refunds_of_parts_add_up_to_each_part() -> None:
    request = paid(10000, "CNY", [3334, 3333, 3333])
    for _time in range(20):
        refunds.refund_order(request.order, 500, actor="merchant")
    got = [sum(payment.refunds.values_list("amount", flat=True)) for payment in Payment.objects.order_by("id")]
    assert got == [3334, 3333, 3333]


def test_shares_are_exact_for_any_weights() -> None:
    for total in (1, 7, 100, 9999):
        weights = [5000, 4999, 1, 0]
        parts = share_out(total, weights)
        assert sum(parts) == total
        assert all(part <= weight for part, weight in zip(parts, weights, strict=True))


@pytest.mark.parametrize(
    ("total", "weights", "steps", "expected"),
    [
        (10_000, [33_340, 33_330, 33_330], [10, 10, 10], [3340, 3330, 3330]),
        (10, [30, 30, 30], [10, 10, 10], [10, 0, 0]),
        (90, [30, 30, 30], [10, 10, 10], [30, 30, 30]),
        (12, [10, 4], [10, 1], [10, 2]),  # in proportion 8.57 and 3.43, which are no steps
        (7, [10, 7], [10, 1], [0, 7]),
        (300, [500, 200, 50], [100, 100, 1], [200, 100, 0]),
    ],
)
def test_shares_are_in_the_steps_of_each_wallet(
    total: int, weights: list[int], steps: list[int], expected: list[int]
) -> None:
    assert share_out(total, weights, steps) == expected


@pytest.mark.parametrize(("total", "weights", "steps"), [(15, [20, 20], [10, 10]), (8, [10, 7], [10, 1])])
def test_a_total_between_the_steps_is_no_share(total: int, weights: list[int], steps: list[int]) -> None:
    with pytest.raises(ValueError, match="steps"):
        share_out(total, weights, steps)


@pytest.mark.parametrize("after", [False, True])
def test_a_retry_uses_the_same_reference_and_refunds_once(move_time: MoveTime, faulty: Fault, after: bool) -> None:
    paid()
    refund = refunds.refund_payment(Payment.objects.get().pk, 9000, actor="merchant")
    faulty("refund", after=after, times=2)
    for _minute in range(3):
        move_time(60)
        tasks.sweep_refunds()
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert list(ChargeRefund.objects.values_list("reference", "amount")) == [(refund.reference, 9000)]


def test_a_refused_refund_stays_visible_and_can_be_sent_again(move_time: MoveTime, faulty: Fault) -> None:
    paid()
    refund = refunds.refund_payment(Payment.objects.get().pk, 9000, actor="merchant")
    faulty("refund", permanent=True)
    tasks.sweep_refunds()
    refund.refresh_from_db()
    assert (refund.status, refund.code, refund.words) == ("failed", "DEAD", "the line is dead")
    move_time(7200)
    tasks.sweep_refunds()
    assert not ChargeRefund.objects.exists()
    refund_moves.move_refund(refund.pk, Refund.Status.REQUESTED, actor="support:ada")
    tasks.sweep_refunds()
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert ChargeRefund.objects.count() == 1


def test_accepted_is_not_refunded_and_a_bounce_reopens_the_debt() -> None:
    request = paid()
    refund = refunds.refund_payment(Payment.objects.get().pk, 9000, actor="merchant")

    def told(state: State) -> tuple[str, int]:
        refunds.apply(refund, Outcome(state, refund.reference, code="X"))
        refund.refresh_from_db()
        return refund.status, Order.objects.get(pk=request.order_id).amount_refunded

    assert told(State.PENDING) == ("submitted", 0)
    assert told(State.SUCCEEDED) == ("succeeded", 9000)
    assert told(State.PENDING) == ("succeeded", 9000)
    assert told(State.FAILED) == ("failed", 0)
    assert told(State.PENDING) == ("failed", 0)


@pytest.mark.parametrize("said", [Money(999, "CNY"), Money(9000, "CNY"), Money(1000, "USD")])
def test_another_amount_than_the_refunds_is_not_believed_and_stays_work(said: Money) -> None:
    payment = shop.succeed(shop.hold(shop.make_request()))
    refund = refunds.refund_payment(payment.pk, 1000, actor="merchant")
    with pytest.raises(ValueError, match="is said to have gone back"):
        refunds.apply(refund, Outcome(State.SUCCEEDED, refund.reference, "back-1", said))
    refund.refresh_from_db()
    assert (refund.status, refund.next_attempt_at is not None) == ("submitted", True)
    assert payment.request.order.amount_refunded == 0
    assert ledger.check() == []
    refunds.apply(refund, Outcome(State.SUCCEEDED, refund.reference, "back-1", refund.money))
    refund.refresh_from_db()
    assert refund.status == "succeeded"


def test_a_shops_own_number_names_one_refund() -> None:
    request = paid()
    for number in ("R-1", "R-2", "R-3", "R-4"):
        refunds.refund_order(request.order, 100, merchant_reference=number, actor="merchant")
    with pytest.raises(Refused, match="reference_used"):
        refunds.refund_order(request.order, 200, merchant_reference="R-1", actor="merchant")
    with pytest.raises(Refused, match="reference_used"):
        refunds.refund_payment(Payment.objects.get().pk, 200, merchant_reference="R-1", actor="merchant")
    other = shop.make_request(shop.make_order(shop.make_merchant("Other")))
    shop.succeed(shop.hold(other))
    refunds.refund_order(other.order, 200, merchant_reference="R-1", actor="merchant")
    assert Refund.objects.filter(merchant_reference="R-1").count() == 2


def test_what_was_refundable_on_the_page_is_what_is_refunded() -> None:
    request = paid()
    refunds.refund_payment(Payment.objects.get().pk, 2500, actor="merchant")
    with pytest.raises(Refused, match="refundable_changed"):
        refunds.refund_order(request.order, seen=9000, actor="merchant")
    refunds.refund_order(request.order, seen=6500, actor="merchant")
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [2500, 6500]


def test_a_payment_is_refunded_in_its_wallets_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    paid()
    monkeypatch.setattr(registry, "step", lambda *_: 1000)
    with pytest.raises(Refused):
        refunds.refund_payment(Payment.objects.get().pk, 2500, actor="merchant")
    assert not Refund.objects.exists()
    refunds.refund_payment(Payment.objects.get().pk, 3000, actor="merchant")
