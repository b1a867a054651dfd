"""Which row of ours a line of a bill stands for, what is missed on the bills, and when."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from friendpay.kit import clock
from friendpay.kit.money import Money
from payments import tasks
from payments.models import BillDay, BillMismatch, Fee, Payment, ProviderAccount, ProviderEvent, Refund
from payments.settlement import bills, fees, inbox, lifecycle, orphans, outside, refunds
from payments.wallets import registry
from payments.wallets.base import BEIJING, BillLine, NoBill, ProviderError, State
from tests import shop
from tests.payments.conftest import Fault
from tests.payments.settlement.test_bills import Edit, edit_bill, found, noon, today, with_a_refund
from tests.payments.settlement.test_refunds import paid

__all__ = ["edit_bill", "noon"]

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]
Bill = Callable[[Callable[[date], Iterable[BillLine]]], None]


@pytest.fixture
def bill(monkeypatch: pytest.MonkeyPatch) -> Bill:
    """What the sandbox wallet's bill of a day says."""

    def arrange(lines: Callable[[date], Iterable[BillLine]]) -> None:
        monkeypatch.setattr(registry.get("sandbox"), "bill", lambda _account, day: lines(day))

    return arrange


def none_there(_day: date) -> list[BillLine]:
    raise NoBill("there is none", code="NONE")


def paid_at(moment: datetime, *, created: datetime | None = None) -> ProviderAccount:
    """A payment of that time."""
    payment = shop.succeed(shop.hold(shop.make_request()))
    Payment.objects.filter(pk=payment.pk).update(created_at=created or moment, succeeded_at=moment)
    return payment.account


def noon_of(day: date) -> datetime:
    return datetime.combine(day, time(12), BEIJING)


def kinds() -> list[str]:
    return list(BillMismatch.objects.values_list("kind", flat=True))


# Lines


def test_a_refund_that_got_through_though_we_had_no_answer_is_settled_not_reported(faulty: Fault) -> None:
    request = paid()
    refund = refunds.refund_payment(Payment.objects.get().pk, 1000, actor="merchant")
    faulty("refund", after=True)
    refunds.send(refund.pk)
    assert found(shop.account_of(request)) == []
    assert Refund.objects.get().status == "succeeded"


def test_another_amount_says_both_and_leaves_no_orphan(edit_bill: Edit) -> None:
    account = with_a_refund()
    edit_bill(lambda lines: [replace(lines[0], amount=Money(9001, "CNY"))])
    found(account)
    mismatch = BillMismatch.objects.get(about="charge")
    assert (mismatch.ours, mismatch.theirs) == ("90.00 CNY succeeded", "90.01 CNY succeeded")
    assert not ProviderEvent.objects.filter(applied_at=None).exists()


def test_a_charge_that_failed_before_it_succeeded_has_both_lines(edit_bill: Edit) -> None:
    account = shop.account_of(paid())
    payment = Payment.objects.get()
    failed = BillLine("charge", payment.reference, "", payment.captured, State.FAILED)
    edit_bill(lambda lines: [failed, *lines])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bills, "_ask_again", lambda _row: None)
        assert found(account) == [("status", "charge")]


def test_a_line_of_what_failed_and_was_never_ours_is_nothing(edit_bill: Edit) -> None:
    account = shop.account_of(paid())
    stray = BillLine("charge", "fp-stray", "txn-stray", Money(500, "CNY"), State.FAILED)
    edit_bill(lambda lines: [*lines, stray])
    assert found(account) == []
    assert not ProviderEvent.objects.filter(applied_at=None).exists()


def test_a_number_of_another_account_is_none_of_ours(bill: Bill) -> None:
    other = shop.succeed(shop.hold(shop.make_request()), ref="txn-1")
    account = shop.make_merchant("Second").provider_accounts.get()
    line = BillLine("charge", other.reference, "txn-1", other.captured, State.SUCCEEDED)
    bill(lambda _day: [line])
    assert found(account) == [("missing_here", "charge")]
    other.refresh_from_db()
    assert other.billed_on is None


@pytest.mark.parametrize("reference", ["fp-1", ""])
def test_a_fee_bears_our_number_and_a_refund_by_hand_the_bills_or_else_the_wallets(bill: Bill, reference: str) -> None:
    payment = shop.succeed(shop.hold(shop.make_request()), ref="txn-1")
    Payment.objects.update(reference="fp-1")
    charge = BillLine("charge", reference, "txn-1", payment.captured, State.SUCCEEDED, fee=Money(54, "CNY"))
    by_hand = BillLine("refund", reference and "by-hand", "re-1", Money(1, "CNY"), State.SUCCEEDED, "fp-1", "txn-1")
    bill(lambda _day: [charge, by_hand])
    found(payment.account)
    assert Fee.objects.get().reference == "fp-1"
    assert Refund.objects.get().reference == ("by-hand" if reference else "re-1")


@pytest.mark.parametrize("is_known", [True, False])
def test_two_charges_of_one_attempt_have_a_fee_each(bill: Bill, is_known: bool) -> None:
    """On the bill they share our reference."""
    payment = shop.succeed(shop.hold(shop.make_request()), ref="txn-1")
    if is_known:
        lifecycle.settle(payment.pk, provider_ref="txn-2", amount=payment.captured)
    lines = [
        BillLine("charge", payment.reference, number, payment.captured, State.SUCCEEDED, fee=Money(fee, "CNY"))
        for number, fee in (("txn-1", 54), ("txn-2", 55))
    ]
    bill(lambda _day: lines)
    found(payment.account)
    if not is_known:
        orphans.send_back(ProviderEvent.objects.get().pk, actor="support:ada")
    found(payment.account)
    kept = Fee.objects.order_by("amount").values_list("payment__provider_ref", "amount")
    assert list(kept) == [("txn-1", 54), ("txn-2", 55)]


@pytest.mark.parametrize("reference", ["fp-stray", ""])
@pytest.mark.parametrize("is_billed_first", [True, False])
@pytest.mark.parametrize("act", ["adopt", "send_back"])
def test_the_fee_of_an_orphan_is_booked_once_with_its_money(
    bill: Bill, move_time: MoveTime, act: str, is_billed_first: bool, reference: str
) -> None:
    request = shop.make_request(expires_in=timedelta(days=9))
    account, day = shop.account_of(request), today()
    line = BillLine("charge", reference, "txn-stray", Money(9000, "CNY"), State.SUCCEEDED, fee=Money(54, "CNY"))
    bill(lambda of: [line] if of == day else [])
    if is_billed_first:
        bills.compare(account, day)
    else:
        inbox.keep_from_bill(account, line)  # as its notification had
    event = ProviderEvent.objects.get()
    assert not Fee.objects.exists()
    if act == "adopt":
        payment = orphans.adopt(event.pk, request, actor="support:ada")
    else:
        payment = orphans.send_back(event.pk, actor="support:ada")
    assert Fee.objects.exists() is is_billed_first
    bills.compare(account, day)
    for _day in range(2):
        move_time(86400)
        tasks.compare_bills()
    fee = Fee.objects.get()
    assert (fee.payment, fee.day, fee.amount, fee.currency, fee.about) == (payment, day, 54, "CNY", "charge")
    assert kinds() == (["missing_here"] if is_billed_first else [])


def test_the_fee_of_money_that_a_bill_had_before_us_is_booked_however_it_came_in(
    bill: Bill, move_time: MoveTime
) -> None:
    request = shop.make_request(expires_in=timedelta(days=9))
    account, day = shop.account_of(request), today()
    line = BillLine("charge", "fp-stray", "txn-stray", Money(9000, "CNY"), State.SUCCEEDED, fee=Money(54, "CNY"))
    bill(lambda of: [line] if of == day else [])
    bills.compare(account, day)
    payment = shop.succeed(shop.hold(request), ref="txn-stray")
    for _day in range(2):
        move_time(86400)
        tasks.compare_bills()
    assert (Fee.objects.get().payment, Fee.objects.get().day, kinds()) == (payment, day, ["missing_here"])


def test_a_refund_by_hand_that_its_wallet_alone_numbers_is_not_missed_once_it_is_booked(
    bill: Bill, move_time: MoveTime
) -> None:
    """Its charge was nobody's when the bill came."""
    request = shop.make_request(expires_in=timedelta(days=9))
    account, day = shop.account_of(request), today()
    money = Money(9000, "CNY")
    charge = BillLine("charge", "", "txn-stray", money, State.SUCCEEDED)
    by_hand = BillLine("refund", "", "re-1", money, State.SUCCEEDED, charge_ref="txn-stray", fee=Money(-54, "CNY"))
    bill(lambda of: [charge, by_hand] if of == day else [])
    bills.compare(account, day)
    orphans.adopt(ProviderEvent.objects.get(about="charge").pk, request, actor="support:ada")
    inbox.apply()
    assert (Refund.objects.get().status, Refund.objects.get().reference) == ("succeeded", "re-1")
    for _day in range(2):
        move_time(86400)
        tasks.compare_bills()
    assert kinds() == ["missing_here"] * 2
    assert (Fee.objects.get().amount, Fee.objects.get().about, Refund.objects.get().billed_on) == (-54, "refund", day)


def test_of_refunds_that_a_bill_had_before_us_each_has_its_own_fee_alone() -> None:
    """By its reference, or, where the wallet alone numbers it, by that number; others may have that number, too."""
    payment = shop.succeed(shop.hold(shop.make_request()), ref="txn-1")
    now = clock.now()
    for reference, number, fee in (("by-hand", "re-1", -4), ("", "re-1", -1), ("", "re-2", -2), ("re-3", "re-9", -8)):
        BillMismatch.objects.create(
            account=payment.account,
            day=now.date(),
            kind="missing_here",
            about="refund",
            reference=reference,
            provider_ref=number,
            fee=fee,
            fee_currency="CNY",
            found_at=now,
        )
    for number in ("re-1", "re-3"):
        fees.book_kept(outside.book_refund(payment.pk, number, Money(100, "CNY"), provider_ref=number))
    assert dict(Fee.objects.values_list("reference", "amount")) == {"re-1": -1, "re-3": -8}


@pytest.mark.parametrize(("given_back", "kept"), [(0, [1500]), (-1000, [500]), (-1500, [])])
def test_what_a_wallet_kept_for_a_dispute_in_a_day_is_one_fee(bill: Bill, given_back: int, kept: list[int]) -> None:
    payment = shop.succeed(shop.hold(shop.make_request()), ref="txn-1")
    lines = [
        BillLine("dispute", "", "dp-1", payment.captured, State.PENDING, charge_ref="txn-1", fee=Money(fee, "CNY"))
        for fee in (1500, given_back)
    ]
    bill(lambda _day: lines)
    for _time in range(2):
        found(payment.account)
    assert list(Fee.objects.filter(payment=payment, about="dispute").values_list("amount", flat=True)) == kept


# What is missed


@pytest.mark.parametrize(
    ("hours", "believed"),
    [(-12, True), (0.5, True), (1.5, False), (12, False), (22.5, False), (23.5, True), (25.5, True)],
)
def test_no_bill_is_believed_unless_something_is_known_well_within_its_day(
    bill: Bill, hours: float, believed: bool
) -> None:
    day = today() - timedelta(days=3)
    account = paid_at(noon_of(day) + timedelta(hours=hours - 12))
    bill(none_there)
    if believed:
        assert bills._lines(account, day) == []
    else:
        with pytest.raises(NoBill):
            bills._lines(account, day)
    assert bills._lines(shop.make_merchant("Another").provider_accounts.get(), day) == []


def test_a_row_is_missed_only_where_each_bill_since_its_beginning_was_seen(bill: Bill, move_time: MoveTime) -> None:
    first = today()
    account = paid_at(noon_of(first) + timedelta(days=1, minutes=1), created=noon_of(first))
    seen = {first, first + timedelta(days=2)}

    def empty(day: date) -> list[BillLine]:
        if day not in seen:
            raise ProviderError("the line is dead", permanent=False)
        return []

    bill(empty)
    for _day in range(3):
        move_time(86400)
        tasks.compare_bills()
    assert set(BillDay.objects.filter(compared_at__isnull=False).values_list("day", flat=True)) == seen
    assert kinds() == []
    other = shop.make_merchant("Another").provider_accounts.get()  # which has seen the bill of every day
    BillDay.objects.create(account=other, day=first + timedelta(days=1), compared_at=clock.now())
    bills.compare(account, first + timedelta(days=2))
    assert kinds() == []
    seen.add(first + timedelta(days=1))
    move_time(86400)
    tasks.compare_bills()
    assert kinds() == ["missing_there"]


@pytest.mark.parametrize(("days", "missed"), [(0, True), (6, True), (8, False)])
def test_a_row_is_missed_for_a_week(bill: Bill, days: int, missed: bool) -> None:
    day = today() - timedelta(days=1)
    account = paid_at(noon_of(day - timedelta(days=days)))
    for number in range(12):
        BillDay.objects.create(account=account, day=day - timedelta(days=number), compared_at=clock.now())
    bill(lambda _day: [])
    bills.compare(shop.make_merchant("Another").provider_accounts.get(), day)
    assert kinds() == []
    bills.compare(account, day)
    assert kinds() == ["missing_there"] * missed


@pytest.mark.parametrize(
    ("told", "missed"),
    [
        ({}, False),
        ({"about": "refund"}, True),
        ({"kind": "amount"}, True),
        ({"provider_ref": "txn-2"}, True),
        ({"account": None}, True),
    ],
)
def test_only_a_bill_that_told_of_this_very_row_excuses_it(bill: Bill, told: dict[str, object], missed: bool) -> None:
    day = today() - timedelta(days=1)
    account = paid_at(noon_of(day))
    Payment.objects.update(provider_ref="txn-1")
    row = {
        "account": account,
        "about": "charge",
        "kind": "missing_here",
        "reference": "fp",
        "provider_ref": "txn-1",
        **told,
    }
    row["account"] = row["account"] or shop.make_merchant("Another").provider_accounts.get()
    mismatch = BillMismatch.objects.create(day=day - timedelta(days=2), found_at=clock.now(), **row)
    BillDay.objects.create(account=account, day=day, compared_at=clock.now())
    bill(lambda _day: [])
    bills.compare(account, day)
    assert kinds().count("missing_there") == missed
    mismatch.refresh_from_db()
    assert mismatch.note == ("" if missed else f"{Payment.objects.get()} was booked later")
