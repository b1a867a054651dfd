"""Disputes on a bill that name no payment we know: of an orphan, of an attempt's second charge, of nothing of ours."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date

import pytest

from friendpay.kit import clock
from friendpay.kit.money import Money
from orders.models import Event
from payments.models import BillMismatch, Dispute, Fee, Payment, ProviderAccount, ProviderEvent, Refund
from payments.settlement import bills, inbox, ledger, lifecycle, orphans, refund_moves
from payments.settlement.outcomes import pack
from payments.wallets import registry
from payments.wallets.base import BillLine, Outcome, State
from tests import desk, shop
from tests.payments.scene import Scene
from tests.payments.settlement.test_bill_rows import bill
from tests.payments.settlement.test_bills import today
from tests.payments.settlement.test_disputes import _book, a_day_later, nothing_comes, stripe_only
from tests.payments.settlement.test_disputes import today as today_of

__all__ = ["bill"]

pytestmark = pytest.mark.django_db
Bill = Callable[[Callable[[date], Iterable[BillLine]]], None]

SUM = Money(9000, "CNY")
CHARGE = BillLine("charge", "fp-stray", "txn-stray", SUM, State.SUCCEEDED)
ASKED: list[str] = []


@pytest.fixture(autouse=True)
def _wallet_knows(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It says that each dispute is open, and none of ours; the books are right in the end."""

    def answer(_account: object, number: str) -> Outcome:
        ASKED.append(number)
        return Outcome(State.PENDING, "", number, SUM)

    ASKED.clear()
    monkeypatch.setattr(registry.get("sandbox"), "fetch_dispute", answer)
    yield
    assert ledger.check() == []


OF_ORPHAN = {"charge_ref": "txn-stray"}


def dispute(fee: int = 1500, of: dict[str, str] = OF_ORPHAN) -> BillLine:
    return BillLine("dispute", "", "dp-1", SUM, State.SUCCEEDED, fee=Money(fee, "CNY"), code="fraudulent", **of)


def compared(account: ProviderAccount, times: int = 1) -> None:
    """The bill of today, and whatever is due after it."""
    for _time in range(times):
        bills.compare(account, today())
        ProviderEvent.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at=clock.now())
        inbox.apply()


def told(about: str = "dispute") -> ProviderEvent:
    return ProviderEvent.objects.get(about=about)


def mismatches() -> list[tuple[str, bool]]:
    """What the bill has and we have not, and whether that is put right."""
    rows = BillMismatch.objects.filter(kind="missing_here").order_by("about").values_list("about", "settled_at")
    return [(about, settled is not None) for about, settled in rows]


@pytest.mark.parametrize("of", [{"charge_ref": "txn-stray"}, {"charge": "fp-stray"}])
def test_a_dispute_of_an_orphan_is_work_and_holds_what_support_books(bill: Bill, of: dict[str, str]) -> None:
    request = shop.make_request()
    account = shop.account_of(request)
    bill(lambda _day: [CHARGE, dispute(of=of), dispute(-500, of)])
    compared(account, times=2)
    event = told()
    assert (event.is_waiting, event.reference, Dispute.objects.count(), ASKED) == (True, "dp-1", 0, [])
    assert mismatches() == [("charge", False), ("dispute", False)]
    assert "dp-1" in desk.text(desk.staff(*desk.READ), desk.page(event))
    payment = orphans.adopt(told("charge").pk, request, actor="support:ada")
    inbox.apply()
    row = Dispute.objects.get()
    assert (row.payment, row.provider_ref, row.code, row.status) == (payment, "dp-1", "fraudulent", "open")
    assert (row.amount_taken, refund_moves.refundable(Payment.objects.get())) == (9000, 0)
    assert (told().is_waiting, told().next_attempt_at, told().applied_at is None) == (False, None, False)
    assert BillMismatch.objects.get(about="dispute").note == "It was booked by support's new try."
    assert mismatches() == [("charge", True), ("dispute", True)]
    compared(account, times=2)
    fees = Fee.objects.values_list("payment", "about", "reference", "currency", "amount", "day")
    assert list(fees) == [(payment.pk, "dispute", "dp-1", "CNY", 1000, today())]
    assert (Dispute.objects.count(), ProviderEvent.objects.count(), len(mismatches())) == (1, 2, 2)
    assert Event.objects.filter(type="payment.disputed").count() == 1


def test_money_that_is_disputed_and_sent_back_goes_one_way_alone(bill: Bill) -> None:
    account = shop.account_of(shop.make_request())
    bill(lambda _day: [CHARGE, dispute()])
    compared(account)
    payment = orphans.send_back(told("charge").pk, actor="support:ada")
    inbox.apply()
    assert (Dispute.objects.get().payment, Dispute.objects.get().amount_taken) == (payment, 0)
    refused = Outcome(State.FAILED, "", code="disputed")
    refund_moves.move_refund(Refund.objects.get().pk, "failed", outcome=refused)
    assert (Dispute.objects.get().amount_taken, Refund.objects.get().status) == (9000, "withdrawn")


def test_a_dispute_whose_orphan_comes_later_waits_from_then_on(bill: Bill) -> None:
    """Its charge is on a bill that could not be had until then."""
    request = shop.make_request()
    account = shop.account_of(request)
    bill(lambda _day: [dispute()])
    compared(account)
    assert (told().is_waiting, told().applied_at is None, mismatches()) == (False, False, [("dispute", True)])
    bill(lambda _day: [CHARGE])
    compared(account)
    assert (told().is_waiting, told().applied_at) == (True, None)
    payment = orphans.adopt(told("charge").pk, request, actor="support:ada")
    inbox.apply()
    assert (Dispute.objects.get().payment, Fee.objects.get().amount) == (payment, 1500)


def test_a_dispute_whose_orphan_is_told_of_later_waits_from_then_on(bill: Bill) -> None:
    account = shop.account_of(shop.make_request())
    bill(lambda _day: [dispute()])
    compared(account)
    news = {"reference": "fp-stray", "outcome": pack(Outcome(State.SUCCEEDED, "fp-stray", "txn-stray", SUM))}
    now = clock.now()
    row = {"account": account, "event_id": "evt-1", "about": "charge", "body": b"", "received_at": now}
    ProviderEvent.objects.create(next_attempt_at=now, **row, **news)
    inbox.apply()
    inbox.apply()
    assert (told("charge").is_waiting, told().is_waiting) == (True, True)


def test_a_dispute_of_an_orphan_that_was_told_of_is_on_the_bill_nothing_new(bill: Bill) -> None:
    request = shop.make_request()
    account = shop.account_of(request)
    now = clock.now()
    row = {"account": account, "event_id": "evt-1", "about": "dispute", "body": b"", "received_at": now}
    news = pack(Outcome(State.PENDING, "", "dp-1", SUM))
    ProviderEvent.objects.create(next_attempt_at=now, charge_ref="txn-stray", number="dp-1", outcome=news, **row)
    bill(lambda _day: [CHARGE, dispute()])
    compared(account)
    assert (told().event_id, told().is_waiting, mismatches()) == (
        "evt-1",
        True,
        [("charge", False), ("dispute", False)],
    )
    orphans.adopt(told("charge").pk, request, actor="support:ada")
    inbox.apply()
    assert (Dispute.objects.count(), Fee.objects.get().amount, mismatches()[1]) == (1, 1500, ("dispute", True))


@pytest.mark.parametrize("is_set_aside", [True, False])
@pytest.mark.parametrize("of", [{"charge_ref": "txn-2"}, {"charge": "", "charge_ref": "txn-2"}])
def test_a_dispute_of_a_second_charge_is_tried_until_that_is_known(
    bill: Bill, is_set_aside: bool, of: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = shop.succeed(shop.hold(shop.make_request()), ref="txn-1")
    if "charge" in of:  # the wallet alone knows our number of it
        stands = Outcome(State.PENDING, first.reference, "dp-1", SUM)
        monkeypatch.setattr(registry.get("sandbox"), "fetch_dispute", lambda *_asked: stands)
    else:
        of = {**of, "charge": first.reference}
    bill(lambda _day: [dispute(of=of)])
    for _time in range(20 if is_set_aside else 3):
        compared(first.account)
    assert (told().is_waiting, told().applied_at, Dispute.objects.count()) == (is_set_aside, None, 0)
    assert mismatches() == [("dispute", False)]
    second = lifecycle.settle(first.pk, provider_ref="txn-2", amount=SUM)
    inbox.apply()
    assert (Dispute.objects.get().payment, told().is_waiting) == (second, False)
    assert (Fee.objects.get().payment, mismatches()) == (second, [("dispute", True)])
    compared(first.account)
    assert (Dispute.objects.count(), Fee.objects.count(), ProviderEvent.objects.count()) == (1, 1, 1)


def test_a_dispute_of_nothing_of_ours_is_asked_about_once_and_no_work(bill: Bill) -> None:
    account = shop.account_of(shop.make_request())
    bill(lambda _day: [dispute()])
    compared(account, times=3)
    assert (told().applied_at is None, told().is_waiting, ASKED) == (False, False, ["dp-1"])
    assert (Dispute.objects.count(), Fee.objects.count(), mismatches()) == (0, 0, [("dispute", True)])
    assert BillMismatch.objects.get().note == "It is about nothing of ours."


def test_a_dispute_the_wallet_does_not_know_is_tried_again(bill: Bill, monkeypatch: pytest.MonkeyPatch) -> None:
    """It told of it: what it says now is not believed before it is set aside for support."""
    account = shop.account_of(shop.make_request())
    monkeypatch.setattr(registry.get("sandbox"), "fetch_dispute", lambda *_asked: Outcome(State.UNKNOWN, ""))
    bill(lambda _day: [dispute()])
    compared(account)
    assert (told().applied_at, "does not know" in told().error, mismatches()) == (None, True, [("dispute", False)])


def test_a_refund_that_is_none_of_ours_makes_no_dispute_due_again(bill: Bill) -> None:
    """At some wallets it bears the number of its charge."""
    account = shop.account_of(shop.make_request())
    bill(lambda _day: [dispute()])
    compared(account)
    bill(lambda _day: [BillLine("refund", "re-1", "txn-stray", SUM, State.SUCCEEDED)])
    compared(account)
    assert (told("refund").is_waiting, told().is_waiting, len(ASKED)) == (True, False, 1)


def test_what_support_put_away_is_no_work_again(bill: Bill) -> None:
    account = shop.account_of(shop.make_request())
    bill(lambda _day: [CHARGE, dispute()])
    compared(account)
    inbox.put_away(told("charge").pk, "of the shop's other business")
    inbox.put_away(told().pk, "so is this")
    compared(account)
    assert (told().is_waiting, mismatches()) == (False, [("charge", True), ("dispute", True)])
    BillMismatch.objects.all().delete()
    compared(account)
    assert BillMismatch.objects.get(about="dispute").note == "so is this"


def test_a_dispute_of_an_orphan_that_was_put_away_is_nothing_to_us(bill: Bill) -> None:
    account = shop.account_of(shop.make_request())
    bill(lambda _day: [CHARGE, dispute()])
    compared(account)
    inbox.put_away(told("charge").pk, "of the shop's other business")
    inbox.try_again(told().pk)
    inbox.apply()
    assert (told().is_waiting, told().applied_at is None, mismatches()[1]) == (False, False, ("dispute", True))


def test_only_news_of_this_very_dispute_stands_for_its_line() -> None:
    mine, other = (shop.account_of(shop.make_request(shop.make_order(shop.make_merchant(name)))) for name in "AB")
    now, body = clock.now(), {"body": b"", "received_at": clock.now()}
    for number, (account, about, of) in enumerate(
        [(other, "dispute", "dp-1"), (mine, "charge", "dp-1"), (mine, "dispute", "dp-0")]
    ):
        news = pack(Outcome(State.PENDING, "", of, SUM))
        row = {"account": account, "event_id": f"evt-{number}", "about": about, "outcome": news, "applied_at": now}
        ProviderEvent.objects.create(**row, **body)
    kept = [inbox.keep_dispute_from_bill(mine, dispute()) for _time in range(2)]
    assert (kept[0], kept[0].event_id) == (kept[1], "bill dispute dp-1")
    long = inbox.keep_dispute_from_bill(mine, replace(dispute(), provider_ref="x" * 200))
    assert len(long.event_id) == 128


def test_orphans_of_another_account_or_charge_are_none_of_its(bill: Bill) -> None:
    mine, other = (shop.account_of(shop.make_request(shop.make_order(shop.make_merchant(name)))) for name in "AB")
    inbox.keep_from_bill(other, CHARGE)
    orphan = inbox.keep_from_bill(mine, BillLine("charge", "", "txn-other", SUM, State.SUCCEEDED))
    assert orphan
    assert (orphan.reference, orphan.is_waiting) == ("txn-other", True)
    bill(lambda _day: [dispute()])
    compared(mine)
    assert (told().is_waiting, told().applied_at is None) == (False, False)


@stripe_only
def test_stripes_dispute_of_a_second_charge_is_known_from_its_bill(scene: Scene) -> None:
    scene.pay()
    scene.hear()
    first, day = scene.payment, today_of(scene)
    again = _book(scene).charge_again(first.reference)
    _book(scene).open_dispute(_book(scene).things[again])
    nothing_comes(scene)
    for _time in range(2):
        a_day_later(scene, day)
        inbox.apply()
    waiting = ProviderEvent.objects.waiting()
    assert sorted(waiting.values_list("about", flat=True)) == ["charge", "dispute"]
    second = orphans.send_back(waiting.get(about="charge").pk, actor="support:ada")
    inbox.apply()
    assert (second.provider_ref, Dispute.objects.get().payment) == (again, second)
    assert set(Fee.objects.filter(about="dispute").values_list("payment", "amount")) == {(second.pk, 1500)}
    assert not ProviderEvent.objects.waiting().exists()


def test_a_dispute_of_money_that_is_not_known_yet_takes_it_once_it_is(
    bill: Bill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were it booked before its money, and lost, it would never be weighed again."""
    payment = shop.hold(shop.make_request())
    says = [State.PENDING, State.SUCCEEDED]
    stands = lambda *_asked: Outcome(says[0], payment.reference, "txn-1", SUM)  # noqa: E731
    monkeypatch.setattr(registry.get("sandbox"), "fetch", stands)
    bill(lambda _day: [dispute(of={"charge": payment.reference, "charge_ref": "txn-1"})])
    compared(payment.account)
    assert (Dispute.objects.count(), told().applied_at) == (0, None)
    del says[0]
    compared(payment.account)
    row = Dispute.objects.get()
    assert (row.payment, row.amount_taken, row.status) == (payment, 9000, "open")
    assert (Fee.objects.get().amount, mismatches()) == (1500, [("dispute", True)])
