"""What one stored notification does, whatever the wallet says when it is asked about it."""

from typing import Any
from unittest import mock

import pytest

from friendpay.kit import clock
from friendpay.kit.money import Money
from payments.models import BillMismatch, Payment, ProviderEvent, Refund
from payments.settlement import effects, ledger, lifecycle, refund_moves, refunds
from payments.settlement.outcomes import pack, unpack
from payments.wallets import registry
from payments.wallets.base import Outcome, ProviderError, State
from tests import shop

pytestmark = pytest.mark.django_db
CNY = Money(9000, "CNY")


class Wallet:
    """The sandbox wallet, which says this of any charge and of any refund; `asked` counts."""

    def __init__(self) -> None:
        self.charge = Outcome(State.UNKNOWN, "")
        self.refund = Outcome(State.UNKNOWN, "")
        self.asked = 0
        self.names: dict[str, object] = {}

    def fetch(self, *_about: object) -> Outcome:
        self.asked += 1
        return self.charge

    def fetch_refund(self, *_account: object, **names: object) -> Outcome:
        self.asked += 1
        self.names = names
        return self.refund


@pytest.fixture
def wallet(monkeypatch: pytest.MonkeyPatch) -> Wallet:
    wallet = Wallet()
    for call in ("fetch", "fetch_refund"):
        monkeypatch.setattr(registry.get("sandbox"), call, getattr(wallet, call))
    return wallet


def told(payment: Payment, about: str, outcome: Outcome | None, **more: Any) -> ProviderEvent:
    now = clock.now()
    facts = {"account": payment.account, "event_id": "evt", "kind": about, "about": about, "outcome": pack(outcome)}
    facts |= {"body": b"", "received_at": now, "next_attempt_at": now, "asks": True}
    return ProviderEvent.objects.create(**facts | more)


def of_charge(payment: Payment, outcome: Outcome, **more: Any) -> ProviderEvent:
    return told(payment, "charge", outcome, reference=payment.reference, **more)


def by_hand(payment: Payment, state: State | None = None, **more: Any) -> ProviderEvent:
    """Of a refund that we did not make."""
    outcome = Outcome(state, "", "re-1", Money(3000, "CNY")) if state else None
    return told(payment, "refund", outcome, **{"reference": "hand-1", "charge": payment.reference, **more})


def paid_for() -> Payment:
    return shop.succeed(shop.hold(shop.make_request()), ref="txn-1")


def is_done(event: ProviderEvent) -> bool:
    event.refresh_from_db()
    return event.applied_at is not None and event.next_attempt_at is None


@pytest.mark.parametrize("state", [State.FAILED, State.PENDING, State.UNKNOWN])
def test_money_told_of_for_an_ended_attempt_counts_only_where_the_wallet_has_it(state: State, wallet: Wallet) -> None:
    payment = shop.hold(shop.make_request())
    lifecycle.end_payment(payment.pk, cancelled=True)
    event = of_charge(payment, Outcome(State.SUCCEEDED, payment.reference, "txn-1", CNY))
    wallet.charge = Outcome(state, payment.reference)
    with pytest.raises(ProviderError) as error:
        effects.apply(event)
    assert not error.value.permanent
    payment.refresh_from_db()
    assert (payment.status, payment.amount_captured, is_done(event)) == ("cancelled", 0, False)
    wallet.charge = Outcome(State.SUCCEEDED, payment.reference, "txn-1", CNY)
    effects.apply(event)
    payment.refresh_from_db()
    assert (payment.status, payment.amount_applied, is_done(event), wallet.asked) == ("succeeded", 9000, True, 2)


def test_an_attempt_the_wallet_does_not_know_is_not_ended_by_a_hint(wallet: Wallet) -> None:
    payment = shop.hold(shop.make_request())
    event = of_charge(payment, Outcome(State.FAILED, payment.reference))
    with pytest.raises(ProviderError) as error:
        effects.apply(event)
    payment.refresh_from_db()
    assert (error.value.permanent, payment.status, is_done(event)) == (False, "pending", False)


def test_what_was_an_orphan_and_is_booked_now_is_explained_in_the_bill(wallet: Wallet) -> None:
    payment = shop.hold(shop.make_request())
    event = of_charge(payment, Outcome(State.SUCCEEDED, payment.reference, "txn-1", CNY))
    now = clock.now()
    facts = {"account": payment.account, "day": now.date(), "kind": "missing_here", "about": "charge", "found_at": now}
    for pk in (event.pk, event.pk + 1):
        BillMismatch.objects.create(**facts, reference=str(pk), ours=f"orphan {pk}")
    effects.apply(event)
    assert is_done(event)
    assert list(BillMismatch.objects.exclude(settled_at=None).values_list("ours", flat=True)) == [f"orphan {event.pk}"]


def test_nobody_is_asked_where_no_calls_are_made(wallet: Wallet) -> None:
    payment = shop.hold(shop.make_request())
    hint = of_charge(payment, Outcome(State.FAILED, payment.reference), asks=False)
    with pytest.raises(effects.Asks):
        effects.apply(hint)
    refund = refunds.refund_payment(paid_for().pk, 1000, actor="merchant")
    refund_moves.move_refund(refund.pk, "failed")
    said = Outcome(State.SUCCEEDED, refund.reference, "re-1", refund.money)
    event = told(refund.payment, "refund", said, reference=refund.reference, event_id="evt-2", asks=False)
    with pytest.raises(effects.Asks):
        effects.apply(event)
    assert wallet.asked == 0
    assert set(Payment.objects.values_list("status", flat=True)) == {"pending", "succeeded"}
    assert Refund.objects.get().status == "failed"


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.PENDING, None])
def test_a_refund_by_hand_is_booked_as_the_wallet_says_it_is(state: State | None, wallet: Wallet) -> None:
    """Its word that money went is believed; of all else it is asked."""
    payment = paid_for()
    wallet.refund = Outcome(State.SUCCEEDED, "", "re-1", Money(2000, "CNY"))
    event = by_hand(payment, state)
    effects.apply(event)
    refund = Refund.objects.get()
    assert (refund.external, refund.amount) == (True, 3000 if state == State.SUCCEEDED else 2000)
    assert (wallet.asked, is_done(event)) == (0 if state == State.SUCCEEDED else 1, True)
    names = {"reference": "hand-1", "charge": payment.reference, "charge_ref": payment.provider_ref}
    assert wallet.names == ({} if state == State.SUCCEEDED else names)
    stored = unpack(event.outcome)
    assert stored
    assert stored.amount == refund.money
    assert ledger.check() == []


def test_a_refund_by_hand_that_has_not_gone_yet_is_told_of_again(wallet: Wallet) -> None:
    wallet.refund = Outcome(State.PENDING, "", "re-1", Money(2000, "CNY"))
    event = by_hand(paid_for())
    effects.apply(event)
    assert (is_done(event), event.orphaned_at, Refund.objects.count()) == (True, None, 0)
    assert (event.outcome or {})["state"] == "pending"


def test_a_refund_that_the_wallet_does_not_know_is_asked_about_again() -> None:
    event = by_hand(paid_for())
    unknown = mock.Mock(return_value=Outcome(State.UNKNOWN, ""))
    with mock.patch.object(registry.get("sandbox"), "fetch_refund", unknown), pytest.raises(ProviderError) as error:
        effects.apply(event)
    assert (error.value.permanent, is_done(event), Refund.objects.count()) == (False, False, 0)


def test_a_refund_that_does_not_fit_waits_for_a_person_under_its_number() -> None:
    payment = paid_for()
    refunds.refund_payment(payment.pk, 9000, actor="merchant")
    event = by_hand(payment, State.SUCCEEDED, reference="", number="hand-1")
    effects.apply(event)
    event.refresh_from_db()
    assert (event.orphaned_at is not None, event.reference, event.applied_at) == (True, "hand-1", None)


def test_a_payment_is_asked_about_before_a_refund_of_it_is_booked_and_only_while_it_is_open(wallet: Wallet) -> None:
    payment = shop.hold(shop.make_request())
    wallet.charge = Outcome(State.SUCCEEDED, payment.reference, "txn-1", CNY)
    effects.apply(by_hand(payment, State.SUCCEEDED))
    payment.refresh_from_db()
    assert (payment.amount_applied, Refund.objects.get().amount, wallet.asked) == (9000, 3000, 1)
    effects.apply(by_hand(payment, State.SUCCEEDED, event_id="evt-2"))
    assert (Refund.objects.count(), wallet.asked) == (1, 1)


def test_a_refund_of_what_never_counted_is_nothing_to_book(wallet: Wallet) -> None:
    payment = shop.hold(shop.make_request())
    wallet.charge = Outcome(State.FAILED, payment.reference)
    event = by_hand(payment, State.SUCCEEDED)
    effects.apply(event)
    assert (is_done(event), event.orphaned_at, Refund.objects.count()) == (True, None, 0)


def test_a_dispute_is_ours_where_the_payment_is() -> None:
    payment = paid_for()
    said = Outcome(State.PENDING, "", "dp-1", CNY)
    ours = told(payment, "dispute", said, charge=payment.reference, reference="dp-1")
    others = told(payment, "dispute", said, charge="of another", event_id="evt-2")
    for event in (ours, others):
        effects.apply(event)
        assert is_done(event)
    payment.refresh_from_db()
    assert payment.disputes.count() == 1
