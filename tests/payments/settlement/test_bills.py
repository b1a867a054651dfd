"""A provider's bill against our books: every seeded mismatch is reported, once, and nothing else is."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, timedelta, tzinfo

import pytest

from friendpay.kit import clock, limits
from friendpay.kit.money import Money
from payments import tasks
from payments.models import BillDay, BillMismatch, Payment, PaymentRequest, ProviderAccount, Refund
from payments.settlement import bills, lifecycle, refund_moves, refunds
from payments.wallets import registry
from payments.wallets.base import BEIJING, BillLine, NoBill, ProviderError, State
from sandbox import bank
from sandbox.models import Charge
from tests import shop
from tests.payments.conftest import Fault
from tests.payments.settlement.test_checkout import begin
from tests.payments.settlement.test_refunds import paid

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]


@pytest.fixture(autouse=True)
def noon(move_time: MoveTime) -> None:
    """It is twelve o'clock in Beijing."""
    now = clock.now().astimezone(BEIJING)
    move_time((now.replace(hour=12, minute=0) + timedelta(days=1) - now).total_seconds())


def today() -> date:
    return clock.now().astimezone(BEIJING).date()


def found(account: ProviderAccount) -> list[tuple[str, str]]:
    bills.compare(account, today())
    return sorted(BillMismatch.objects.values_list("kind", "about"))


@pytest.fixture
def edit_bill(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[list[BillLine]], Iterable[BillLine]]], None]:
    """Change what the sandbox wallet's bill says."""
    provider = registry.get("sandbox")
    real = provider.bill

    def arrange(edit: Callable[[list[BillLine]], Iterable[BillLine]]) -> None:
        monkeypatch.setattr(provider, "bill", lambda account, day: edit(list(real(account, day))))

    return arrange


Edit = Callable[[Callable[[list[BillLine]], Iterable[BillLine]]], None]


def with_a_refund() -> ProviderAccount:
    request = paid()
    refunds.refund_payment(Payment.objects.get().pk, 1000, actor="merchant")
    tasks.sweep_refunds()
    return shop.account_of(request)


def test_books_that_agree_give_no_mismatch() -> None:
    assert found(with_a_refund()) == []


def test_money_we_had_not_heard_of_is_settled_not_reported() -> None:
    request = shop.make_request()
    begin(request)
    bank.approve(Charge.objects.get().ref, tell=False)
    assert found(shop.account_of(request)) == []
    assert PaymentRequest.objects.get().status == "paid"


def test_what_the_bill_lacks_is_reported(edit_bill: Edit) -> None:
    account = with_a_refund()
    edit_bill(lambda _lines: [])
    assert found(account) == [("missing_there", "charge"), ("missing_there", "refund")]


def test_what_our_books_lack_is_reported(edit_bill: Edit) -> None:
    account = with_a_refund()
    stray = BillLine("charge", "fp-stray", "txn-stray", Money(500, "CNY"), State.SUCCEEDED)
    edit_bill(lambda lines: [*lines, stray])
    assert found(account) == [("missing_here", "charge")]
    mismatch = BillMismatch.objects.get()
    assert (mismatch.reference, mismatch.theirs) == ("fp-stray", "5.00 CNY succeeded")


def test_another_amount_is_reported(edit_bill: Edit) -> None:
    account = with_a_refund()

    def dearer(lines: list[BillLine]) -> list[BillLine]:
        return [BillLine(x.about, x.reference, x.provider_ref, x.amount + Money(1, "CNY"), x.state) for x in lines]

    edit_bill(dearer)
    assert found(account) == [("amount", "charge"), ("amount", "refund")]


def test_another_status_is_reported() -> None:
    account = with_a_refund()
    Refund.objects.update(status="failed", succeeded_at=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bills, "_ask_again", lambda _row: None)
        assert found(account) == [("status", "refund")]


def test_a_mismatch_is_reported_once_however_often_it_is_found(edit_bill: Edit) -> None:
    account = with_a_refund()
    edit_bill(lambda _lines: [])
    assert found(account) == found(account)


def test_what_was_billed_before_we_heard_of_it_is_no_mismatch(move_time: MoveTime, faulty: Fault) -> None:
    request = shop.make_request(expires_in=timedelta(days=9))
    begin(request)
    bank.approve(Charge.objects.get().ref, tell=False)
    move_time(86400)
    faulty("fetch", times=1)
    tasks.compare_bills()
    assert BillMismatch.objects.get().kind == "status"
    move_time(86400)
    tasks.sweep_payments()
    assert Payment.objects.get().status == "succeeded"
    for _day in range(3):
        tasks.compare_bills()
        move_time(86400)
    assert [mismatch.kind for mismatch in BillMismatch.objects.all()] == ["status"]


# One line, one row


def test_a_line_that_comes_twice_is_reported_once_more_than_our_row(edit_bill: Edit) -> None:
    account = with_a_refund()
    edit_bill(lambda lines: [*lines, *lines])
    assert found(account) == [("missing_here", "charge"), ("missing_here", "refund")]


def test_a_line_of_another_day_does_not_stand_for_the_same_row_again(edit_bill: Edit, move_time: MoveTime) -> None:
    account = with_a_refund()
    lines = list(registry.get("sandbox").bill(account.as_data(), today()))
    edit_bill(lambda _lines: lines)
    assert found(account) == []
    move_time(86400)
    assert found(account) == [("missing_here", "charge"), ("missing_here", "refund")]


def test_a_second_charge_under_our_reference_is_not_taken_for_the_first(edit_bill: Edit) -> None:
    account = with_a_refund()
    payment = Payment.objects.get()
    second = BillLine("charge", payment.reference, "txn-second", payment.captured, State.SUCCEEDED)
    edit_bill(lambda lines: [second, *lines])
    assert found(account) == [("missing_here", "charge")]
    assert BillMismatch.objects.get().provider_ref == "txn-second"


def test_refunds_that_share_the_trades_number_are_told_apart_by_their_own(edit_bill: Edit) -> None:
    """As at Alipay: a refund of ours, and one of the same amount by hand."""
    request = paid()
    payment = Payment.objects.get()
    refund = refunds.refund_payment(payment.pk, 1000, actor="merchant")
    tasks.sweep_refunds()
    Refund.objects.update(provider_ref=payment.provider_ref)

    def alike(lines: list[BillLine]) -> list[BillLine]:
        numbers = payment.reference, payment.provider_ref
        both = ("by-hand", refund.reference)
        return [lines[0], *(BillLine("refund", it, "", refund.money, State.SUCCEEDED, *numbers) for it in both)]

    edit_bill(alike)
    assert ("missing_there", "refund") not in found(shop.account_of(request))
    assert BillMismatch.objects.get().reference == "by-hand"


def test_a_refund_that_was_under_way_when_the_bill_was_made_agrees(edit_bill: Edit) -> None:
    account = with_a_refund()

    def pending(lines: list[BillLine]) -> list[BillLine]:
        return [lines[0], BillLine("refund", lines[1].reference, "", lines[1].amount, State.PENDING)]

    edit_bill(pending)
    assert found(account) == []


def test_a_refund_that_came_back_and_went_again_has_a_line_each_time(move_time: MoveTime) -> None:
    account = with_a_refund()
    assert found(account) == []
    refund = Refund.objects.get()
    refund_moves.move_refund(refund.pk, "failed")
    assert Refund.objects.get().billed_on is None


# Days


@pytest.mark.parametrize("hour", [0, 1, 7, 9, 15, 17, 23])
@pytest.mark.parametrize("zone", [UTC, BEIJING])
def test_a_payment_at_any_hour_agrees_with_the_bill_of_its_own_day(
    zone: tzinfo, hour: int, monkeypatch: pytest.MonkeyPatch, move_time: MoveTime
) -> None:
    paid()
    when = (clock.now() - timedelta(days=1)).replace(hour=hour)
    Payment.objects.update(created_at=when, succeeded_at=when)
    payment, provider = Payment.objects.get(), registry.get("sandbox")
    line = BillLine("charge", payment.reference, payment.provider_ref, payment.captured, State.SUCCEEDED)
    asked = []

    def bill(_account: object, day: date) -> list[BillLine]:
        asked.append(day)
        return [line] if day == when.astimezone(zone).date() else []

    monkeypatch.setattr(provider, "zone", zone)
    monkeypatch.setattr(provider, "bill", bill)
    for _day in range(4):
        tasks.compare_bills()
        move_time(86400)
    assert not BillMismatch.objects.exists()
    assert len(asked) == len(set(asked)) == 4
    assert Payment.objects.get().billed_on == when.astimezone(zone).date()


def test_what_was_done_at_midnight_is_looked_for_on_the_next_bill_first(edit_bill: Edit, move_time: MoveTime) -> None:
    paid()
    late = clock.now().astimezone(BEIJING).replace(hour=23, minute=59)
    Payment.objects.update(succeeded_at=late, created_at=late)
    edit_bill(lambda _lines: [])
    move_time(86400)
    tasks.compare_bills()
    assert not BillMismatch.objects.exists()
    move_time(86400)
    tasks.compare_bills()
    assert [it.kind for it in BillMismatch.objects.all()] == ["missing_there"]


def test_a_bill_that_was_not_ready_is_fetched_later(faulty: Fault, move_time: MoveTime) -> None:
    request = shop.make_request(expires_in=timedelta(days=9))
    begin(request)
    bank.approve(Charge.objects.get().ref, tell=False)
    faulty("bill", times=3)
    day = today()
    move_time(86400)
    for _hour in range(4):
        tasks.compare_bills()
        move_time(3600)
    row = BillDay.objects.get()
    assert (row.day, row.attempts, row.next_attempt_at, row.error) == (day, 4, None, "")
    assert PaymentRequest.objects.get().status == "paid"


def test_days_without_a_bill_are_caught_up_after_a_pause(move_time: MoveTime) -> None:
    paid()
    move_time(86400)
    tasks.compare_bills()
    move_time(5 * 86400)
    tasks.compare_bills()
    assert [row.day for row in BillDay.objects.filter(compared_at__isnull=False)] == [
        today() - timedelta(days=n) for n in range(1, 7)
    ]


def test_an_account_that_was_not_compared_yet_begins_with_the_day_of_its_first_payment(move_time: MoveTime) -> None:
    paid()
    move_time(3 * 86400)
    tasks.compare_bills()
    assert [row.day for row in BillDay.objects.filter(compared_at__isnull=False)] == [
        today() - timedelta(days=n) for n in range(1, 4)
    ]


def test_no_bill_is_an_empty_day_only_once_it_is_well_over_and_we_know_of_nothing(
    monkeypatch: pytest.MonkeyPatch, move_time: MoveTime
) -> None:
    def none(*_asked: object) -> list[BillLine]:
        raise NoBill("there is none", code="NONE")

    account = shop.account_of(shop.make_request())
    monkeypatch.setattr(registry.get("sandbox"), "bill", none)
    with pytest.raises(ProviderError):
        bills.compare(account, today() - timedelta(days=1))  # noon: it may not be made yet
    assert bills.compare(account, today() - timedelta(days=2)) == []
    day = today()
    shop.succeed(shop.hold(shop.make_request(shop.make_order(account.merchant))))
    move_time(2 * 86400)
    with pytest.raises(ProviderError):
        bills.compare(account, day)
    assert not BillMismatch.objects.exists()


def test_a_bill_that_cannot_be_had_for_days_is_work_until_it_is_there(faulty: Fault, move_time: MoveTime) -> None:
    shop.make_merchant()
    faulty("bill", times=60)
    tasks.compare_bills()
    assert not BillMismatch.objects.exists()
    for _hour in range(3 * 24):
        move_time(3600)
        tasks.compare_bills()
    missed = BillMismatch.objects.filter(kind="no_bill", settled_at=None)
    assert missed.count() >= 1
    assert "the line is dead" in missed[0].theirs
    for _day in range(7):
        move_time(86400)
        tasks.compare_bills()
    assert not missed.exists()


# Accounts


def test_a_switched_off_account_is_compared_as_long_as_it_has_payments(move_time: MoveTime) -> None:
    request = shop.make_request()
    begin(request)
    bank.approve(Charge.objects.get().ref, late=False, tell=False)
    lifecycle.end_payment(Payment.objects.get().pk, cancelled=True)  # given up; only the bill knows of the money now
    unused = shop.account_of(shop.make_request(shop.make_order(shop.make_merchant("Unused"))))
    ProviderAccount.objects.update(enabled=False)
    move_time(86400)
    tasks.compare_bills()
    assert Payment.objects.get().status == "succeeded"
    assert not BillDay.objects.filter(account=unused).exists()
    move_time(400 * 86400)
    Payment.objects.update(created_at=clock.now() - limits.REFUNDS_REACH - timedelta(days=1))
    before = BillDay.objects.count()
    tasks.compare_bills()
    assert BillDay.objects.count() == before


@pytest.mark.parametrize("fault", ["provider", "credentials", "bug", "unknown"])
def test_one_account_that_fails_in_any_way_stops_no_other(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = (shop.make_merchant(name).provider_accounts.get() for name in ("First", "Second"))
    provider = registry.get("sandbox")
    real = provider.bill

    def bill(account: object, day: date) -> Iterable[BillLine]:
        if getattr(account, "id", "") == bad.public_id:
            raise ProviderError("no", permanent=True) if fault == "provider" else KeyError("a new column")
        return real(account, day)  # type: ignore[arg-type]

    if fault in ("provider", "bug"):
        monkeypatch.setattr(provider, "bill", bill)
    changes = {"credentials": {"sealed": "no key of ours opens this"}, "unknown": {"provider": "gone"}}
    if fault in changes:
        ProviderAccount.objects.filter(pk=bad.pk).update(**changes[fault])
    tasks.compare_bills()
    assert BillDay.objects.get(account=good).compared_at
    assert not BillDay.objects.filter(account=bad, compared_at__isnull=False).exists()


def test_what_a_bill_spoke_of_before_it_was_booked_is_not_missed_on_a_later_one(
    edit_bill: Edit, move_time: MoveTime
) -> None:
    """An orphan that the bill knew, and that support counted for a request two days later."""
    request = shop.make_request(expires_in=timedelta(days=9))
    stray = BillLine("charge", "fp-stray", "txn-stray", Money(9000, "CNY"), State.SUCCEEDED)
    edit_bill(lambda _lines: [stray])
    day = today()
    found(shop.account_of(request))
    edit_bill(lambda _lines: [])
    move_time(86400)
    tasks.compare_bills()
    shop.succeed(shop.hold(request), ref="txn-stray")
    move_time(86400)
    tasks.compare_bills()
    mismatch = BillMismatch.objects.get()
    assert (mismatch.kind, mismatch.settled_at is not None) == ("missing_here", True)
    assert Payment.objects.get().billed_on == day
