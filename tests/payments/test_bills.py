"""A provider's bill against our books: every seeded mismatch is reported, once, and nothing else is."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta

import pytest

from friendpay import clock
from orders.money import Money
from payments import bills, providers, refunds, tasks
from payments.models import BillMismatch, Payment, PaymentRequest, ProviderAccount, Refund
from payments.providers.base import BillLine, State
from sandbox import bank
from sandbox.models import Charge
from tests import shop
from tests.payments.conftest import Fault
from tests.payments.test_checkout import begin
from tests.payments.test_refunds import paid

pytestmark = pytest.mark.django_db


def today() -> date:
    return clock.now().date()


def found(account: ProviderAccount) -> list[tuple[str, str]]:
    bills.compare(account, today())
    return sorted(BillMismatch.objects.values_list("kind", "about"))


@pytest.fixture
def edit_bill(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[list[BillLine]], Iterable[BillLine]]], None]:
    """Change what the sandbox wallet's bill says."""
    provider = providers.get("sandbox")
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


def test_what_was_billed_before_we_heard_of_it_is_no_mismatch(move_time: Callable[[float], None]) -> None:
    request = shop.make_request(expires_in=timedelta(days=9))
    begin(request)
    bank.approve(Charge.objects.get().ref, tell=False)
    move_time(2 * 86400)
    tasks.sweep_payments()
    assert Payment.objects.get().status == "succeeded"
    assert found(shop.account_of(request)) == []


def test_one_account_without_a_bill_stops_no_other(faulty: Fault, caplog: pytest.LogCaptureFixture) -> None:
    shop.make_merchant("First")
    shop.make_merchant("Second")
    faulty("bill", times=1)
    tasks.compare_bills()
    assert "could not be had" in caplog.text
