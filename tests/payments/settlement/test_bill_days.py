"""Which days' bills are asked for, how long, and when a bill that cannot be had is work for support."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta

import pytest

from friendpay.kit import clock, limits
from payments import tasks
from payments.models import BillDay, BillMismatch, ProviderAccount
from payments.settlement import bill_days, bills
from payments.wallets import registry
from payments.wallets.base import BEIJING, BillLine, NeverBilled, ProviderError
from tests import shop

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception | None], None]:
    """What the sandbox wallet says when its bill is asked for; an empty bill without an error."""

    def arrange(error: Exception | None) -> None:
        def bill(_account: object, _day: date) -> Iterable[BillLine]:
            if error:
                raise error
            return []

        monkeypatch.setattr(registry.get("sandbox"), "bill", bill)

    return arrange


Answers = Callable[[Exception | None], None]


def yesterday() -> date:
    return clock.now().astimezone(BEIJING).date() - timedelta(days=1)


def missed(account: ProviderAccount, day: date, kind: str = "no_bill") -> BillMismatch:
    return BillMismatch.objects.create(account=account, day=day, kind=kind, about="bill", found_at=clock.now())


def test_an_account_without_bills_is_asked_for_none(answers: Answers, move_time: MoveTime) -> None:
    shop.make_merchant()
    answers(NeverBilled("it has no bills"))
    tasks.compare_bills()
    day = BillDay.objects.get()
    assert (day.next_attempt_at, day.compared_at) == (None, None)
    move_time(3 * 86400)
    tasks.compare_bills()
    assert not BillMismatch.objects.exists()


def test_after_a_long_pause_a_month_is_caught_up_on(answers: Answers, move_time: MoveTime) -> None:
    shop.make_merchant()
    answers(None)
    tasks.compare_bills()
    BillDay.objects.all().delete()
    account = ProviderAccount.objects.get()
    BillDay.objects.create(account=account, day=yesterday() - timedelta(days=50), compared_at=clock.now())
    tasks.compare_bills()
    days = list(BillDay.objects.order_by("day").values_list("day", flat=True))[1:]
    assert days == [yesterday() - timedelta(days=n) for n in reversed(range(limits.BILL_DAYS_CAUGHT_UP))]


def test_what_went_wrong_is_kept_with_its_day_as_far_as_there_is_room(answers: Answers) -> None:
    account = shop.make_merchant().provider_accounts.get()
    answers(ProviderError("w" * 400, permanent=False))
    day = BillDay.objects.create(account=account, day=yesterday() - timedelta(days=9), next_attempt_at=clock.now())
    bill_days._compare(day)
    day.refresh_from_db()
    assert (day.error, BillMismatch.objects.get().theirs) == ("w" * 300, "w" * 200)


@pytest.mark.parametrize(("seconds", "told"), [(-1, False), (0, True), (1, True)])
def test_a_bill_that_cannot_be_had_is_work_once_two_days_went_by(
    answers: Answers, move_stopped_time: MoveTime, seconds: int, told: bool
) -> None:
    account = shop.make_merchant().provider_accounts.get()
    answers(ProviderError("the line is dead", permanent=False))
    day = BillDay.objects.create(account=account, day=yesterday(), next_attempt_at=clock.now())
    due = bills.span(account, day.day)[1] + limits.BILL_MISSED_AFTER
    move_stopped_time((due - clock.now()).total_seconds() + seconds)
    bill_days._compare(day)
    assert BillMismatch.objects.exists() is told


def test_a_bill_that_was_there_in_the_end_is_missed_no_more_and_nothing_else_is_settled(answers: Answers) -> None:
    account, other = (shop.make_merchant(name).provider_accounts.get() for name in ("First", "Second"))
    answers(None)
    row = BillDay.objects.create(account=account, day=yesterday(), next_attempt_at=clock.now())
    there = missed(account, row.day)
    rest = [missed(other, row.day), missed(account, row.day - timedelta(days=1)), missed(account, row.day, "amount")]
    bill_days._compare(row)
    there.refresh_from_db()
    assert (there.settled_at is not None, there.note) == (True, "The bill was compared.")
    assert list(BillMismatch.objects.filter(settled_at=None).order_by("id")) == rest
