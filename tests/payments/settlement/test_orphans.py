"""Money with a reference of nobody's: support counts it for a request or sends it back, once."""

from datetime import timedelta
from typing import Any

import pytest

from friendpay.kit import clock, limits
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from orders.models import Event, Merchant
from payments import tasks
from payments.models import BillMismatch, Dispute, Payment, PaymentRequest, ProviderAccount, ProviderEvent, Refund
from payments.settlement import inbox, ledger, orphans, refund_moves
from payments.settlement.outcomes import pack
from payments.wallets import registry
from payments.wallets.base import Outcome, State
from sandbox.models import Charge, ChargeRefund
from tests import desk, shop
from tests.payments.settlement.test_inbox import approved, deliver

pytestmark = pytest.mark.django_db

ASSIGN = "payments.assign_providerevent"


def told(  # noqa: PLR0913  # what a notification says, each by its name
    account: ProviderAccount,
    event_id: str = "evt-1",
    reference: str = "fp-lost",
    currency: str = "CNY",
    *,
    provider_ref: str = "txn-stray",
    **more: Any,
) -> ProviderEvent:
    """A notification that money came in: an orphan, unless it says otherwise."""
    now = clock.now()
    outcome = {"state": "succeeded", "reference": reference, "provider_ref": provider_ref, "code": "", "message": ""}
    fields = {"about": "charge", "outcome": outcome | {"amount": {"minor": 9000, "currency": currency}}, "body": b""}
    return ProviderEvent.objects.create(
        account=account,
        event_id=event_id,
        kind="charge.paid",
        reference=reference,
        received_at=now,
        **fields | ({"orphaned_at": now} if not more else {}) | more,
    )


def an_orphan() -> tuple[ProviderEvent, PaymentRequest]:
    """The sandbox wallet was paid, but for a charge we have no payment of."""
    request, account, notice = approved()
    body = notice.body.replace(Payment.objects.get().reference, "fp-lost").encode()
    Charge.objects.update(reference="fp-lost")
    assert deliver(notice, account, body=body) == 204
    inbox.apply()
    return ProviderEvent.objects.get(orphaned_at__isnull=False), request


def test_an_orphan_is_counted_for_the_request_it_was_meant_for() -> None:
    event, request = an_orphan()
    payment = orphans.adopt(event.pk, request, actor="support:ada")
    request.refresh_from_db()
    assert (request.status, payment.amount_applied, payment.reference) == ("paid", 9000, "fp-lost")
    assert ledger.check() == []
    with pytest.raises(Refused, match="notification_not_waiting"):
        orphans.adopt(event.pk, request, actor="support:ada")
    assert Payment.objects.filter(status="succeeded").count() == 1


def test_an_orphan_is_sent_back_to_whoever_paid_it() -> None:
    event, request = an_orphan()
    orphans.send_back(event.pk, actor="support:ada")
    tasks.sweep_refunds()
    assert (Refund.objects.get().status, Refund.objects.get().amount) == ("succeeded", 9000)
    assert ChargeRefund.objects.get().amount == 9000
    assert Refund.objects.get().payment.request.order.status == "cancelled"
    request.refresh_from_db()
    assert (request.status, ledger.check()) == ("open", [])
    with pytest.raises(Refused, match="notification_not_waiting"):
        orphans.send_back(event.pk, actor="support:ada")
    assert Refund.objects.count() == 1


@pytest.mark.parametrize("named", [{"charge_ref": "txn-stray"}, {"charge": "fp-lost"}])
@pytest.mark.parametrize("status", ["pending", "failed"])
def test_a_dispute_of_an_orphan_holds_its_money_once_it_is_booked(
    named: dict[str, str], status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nobody knows whose money it was, the dispute waits for support as well."""
    stands = Outcome(State(status), "", "dp_1", Money(9000, "CNY"))
    monkeypatch.setattr(registry.get("sandbox"), "fetch_dispute", lambda *_asked: stands)
    request = shop.make_request()
    account = shop.account_of(request)
    orphan, other = told(account), told(account, "evt-2", "fp-other", provider_ref="txn-other")
    news: dict[str, Any] = {
        "about": "dispute",
        "outcome": pack(stands),
        "next_attempt_at": clock.now(),
        "charge": "",
        "charge_ref": "",
        "number": "dp_1",
    }
    event = told(account, "evt-3", "", **news | named)
    inbox.apply()
    event.refresh_from_db()
    assert (event.is_waiting, event.applied_at, Dispute.objects.count()) == (True, None, 0)
    orphans.adopt(other.pk, shop.make_request(shop.make_order(request.merchant)), actor="support:ada")
    inbox.apply()
    assert not Dispute.objects.exists()
    payment = orphans.adopt(orphan.pk, request, actor="support:ada")
    inbox.apply()
    payment.refresh_from_db()
    assert (payment.amount_disputed, refund_moves.refundable(payment), ledger.check()) == (9000, 0, [])
    event.refresh_from_db()
    assert (event.applied_at is None, event.next_attempt_at, event.is_waiting) == (False, None, False)


def by_hand(account: ProviderAccount, reference: str = "hand-1", **more: Any) -> ProviderEvent:
    """News that a part of the orphan's money was sent back in the wallet's own site, heard by now."""
    gone = pack(Outcome(State.SUCCEEDED, reference, "hand-1", Money(3000, "CNY")))
    news: dict[str, Any] = {"about": "refund", "outcome": gone, "number": "hand-1", "next_attempt_at": clock.now()}
    event = told(account, "evt-hand", reference, **news | more)
    inbox.apply()
    event.refresh_from_db()
    return event


@pytest.mark.parametrize("named", [{"charge_ref": "txn-stray"}, {"charge": "fp-lost"}])
@pytest.mark.parametrize("reference", ["hand-1", ""])
def test_a_refund_by_hand_of_an_orphan_is_booked_once_its_money_is(named: dict[str, str], reference: str) -> None:
    """It waits until then, whether its wallet has one number for it or two."""
    request = shop.make_request()
    account = shop.account_of(request)
    orphan, other = told(account), told(account, "evt-2", "fp-other", provider_ref="txn-other")
    event = by_hand(account, reference, **named)
    assert (event.is_waiting, event.reference, event.applied_at) == (True, "hand-1", None)
    orphans.adopt(other.pk, shop.make_request(shop.make_order(request.merchant)), actor="support:ada")
    inbox.apply()
    assert not Refund.objects.exists()
    payment = orphans.adopt(orphan.pk, request, actor="support:ada")
    inbox.apply()
    refund, order = Refund.objects.get(), payment.request.order
    order.refresh_from_db()
    assert (refund.payment, refund.amount, refund.external, refund.status) == (payment, 3000, True, "succeeded")
    assert (order.status, order.amount_refunded, refund_moves.refundable(payment)) == ("paid", 3000, 6000)
    event.refresh_from_db()
    assert (event.is_waiting, event.applied_at is None, event.next_attempt_at) == (False, False, None)
    assert ledger.check() == []


def test_a_refund_by_hand_that_does_not_fit_once_its_money_is_sent_back_waits_on() -> None:
    orphan = told(shop.account_of(shop.make_request()))
    event = by_hand(orphan.account, charge_ref="txn-stray")
    orphans.send_back(orphan.pk, actor="support:ada")
    inbox.apply()
    event.refresh_from_db()
    assert (event.is_waiting, Refund.objects.get().external, ledger.check()) == (True, False, [])


def test_a_refund_by_hand_that_support_put_away_stays_away() -> None:
    request = shop.make_request()
    orphan = told(shop.account_of(request))
    event = by_hand(orphan.account, charge_ref="txn-stray")
    inbox.put_away(event.pk, "another shop's")
    orphans.adopt(orphan.pk, request, actor="support:ada")
    inbox.apply()
    event.refresh_from_db()
    assert (event.is_waiting, event.applied_at, Refund.objects.count()) == (False, None, 0)


def test_an_orphan_stays_with_its_shop() -> None:
    event, _request = an_orphan()
    other = shop.make_request(shop.make_order(shop.make_merchant("Other")))
    with pytest.raises(Refused, match="other_shop"):
        orphans.adopt(event.pk, other, actor="support:ada")
    assert ProviderEvent.objects.get(pk=event.pk).orphaned_at
    assert not Payment.objects.filter(status="succeeded").exists()


def test_support_has_a_button_for_each() -> None:
    event, request = an_orphan()
    client = desk.staff(*desk.READ, "payments.assign_providerevent")
    answer = client.post(desk.page(event, "count"), {"request": "7K3M-9QXW"})
    assert answer.status_code == 200
    assert ProviderEvent.objects.get(pk=event.pk).orphaned_at
    assert client.post(desk.page(event, "count"), {"request": request.public_id}).status_code == 302
    request.refresh_from_db()
    assert request.status == "paid"
    again = client.post(desk.page(event, "send_back"))
    assert again.status_code == 409
    assert not Refund.objects.exists()


def test_an_orphan_of_a_frozen_shop_can_be_sent_back() -> None:
    event, _request = an_orphan()
    Merchant.objects.update(is_frozen=True)
    orphans.send_back(event.pk, actor="support:ada")
    tasks.sweep_refunds()
    assert (Refund.objects.get().status, ledger.check()) == ("succeeded", [])


def test_of_two_orphans_of_one_charge_the_second_is_done_with_the_first() -> None:
    request = shop.make_request()
    first, second = (told(shop.account_of(request), event_id) for event_id in ("evt-1", "evt-2"))
    orphans.adopt(first.pk, request, actor="support:ada")
    second.refresh_from_db()
    assert second.applied_at
    other = shop.make_request(shop.make_order(request.merchant))
    client = desk.staff(*desk.READ, ASSIGN)
    for action, data in (("count", {"request": other.public_id}), ("send_back", {})):
        assert client.post(desk.page(second, action), data).status_code == 409
    assert (Payment.objects.count(), Refund.objects.count(), ledger.check()) == (1, 0, [])


@pytest.mark.parametrize("action", ["count", "send_back"])
def test_an_orphan_of_money_that_is_booked_is_put_away(action: str) -> None:
    """The first one became known some other way: by the bill, or by asking."""
    request = shop.make_request()
    shop.succeed(shop.hold(request), ref="txn-stray")
    event = told(shop.account_of(request))
    client = desk.staff(*desk.READ, ASSIGN)
    other = shop.make_request(shop.make_order(request.merchant))
    answer = client.post(desk.page(event, action), {"request": other.public_id})
    assert (answer.status_code, "Put this one away" in desk.words(answer)) == (409, True)
    assert (Payment.objects.count(), Refund.objects.count()) == (1, 0)
    assert client.post(desk.page(event, "put_away"), {"note": ""}).status_code == 200
    assert client.post(desk.page(event, "put_away"), {"note": "the same money twice"}).status_code == 302
    event.refresh_from_db()
    assert (event.is_waiting, event.note) == (False, "the same money twice")
    assert client.post(desk.page(event, "put_away"), {"note": "again"}).status_code == 409


@pytest.mark.parametrize("length", [32, 33, 64, 65, 200])
def test_a_number_of_any_length_is_no_hindrance(length: int) -> None:
    number = "x" * length
    request = shop.make_request()
    event = told(shop.account_of(request), reference=number)
    payment = orphans.send_back(event.pk, actor="support:ada")
    assert (payment.reference == number) == (length <= limits.PAYMENT_REFERENCE_CHARACTERS)
    again = told(event.account, "evt-2", reference=number, next_attempt_at=clock.now())
    inbox.apply()
    again.refresh_from_db()
    assert (again.is_waiting, Payment.objects.count(), Refund.objects.get().amount) == (False, 1, 9000)


def test_money_in_another_currency_than_asked_for_can_be_sent_back() -> None:
    payment = shop.hold(shop.make_request())
    event = told(payment.account, reference=payment.reference, currency="USD", set_aside_at=clock.now())
    back = orphans.send_back(event.pk, actor="support:ada")
    assert (back.currency, back.amount_applied, Refund.objects.get().currency) == ("USD", 0, "USD")
    payment.refresh_from_db()
    assert (payment.status, payment.next_attempt_at, payment.code) == ("failed", None, "booked_apart")
    assert ledger.check() == []
    request = PaymentRequest.objects.get(pk=payment.request_id)
    assert (request.status, request.amount_held) == ("open", 0)


@pytest.mark.parametrize("waits", ["orphaned_at", "set_aside_at"])
def test_a_refund_that_is_none_of_ours_can_be_put_away(waits: str) -> None:
    more: dict[str, Any] = {"about": "refund", "outcome": None, waits: clock.now()}
    event = told(shop.account_of(shop.make_request()), **more)
    client = desk.staff(*desk.READ, ASSIGN)
    assert client.post(desk.page(event, "put_away"), {"note": "a colleague did it"}).status_code == 302
    event.refresh_from_db()
    assert not event.is_waiting
    assert "put away" in desk.text(client, desk.page(event))


def test_what_was_counted_is_told_and_what_was_sent_back_is_booked_as_it_came() -> None:
    event, request = an_orphan()
    orphans.adopt(event.pk, request, actor="support:ada")
    assert Event.objects.get(type="payment.adopted").actor == "support:ada"
    back = orphans.send_back(told(event.account, "evt-2", "fp-other", provider_ref="txn-2").pk, actor="support:ada")
    assert (back.amount, back.request.order.amount) == (9000, 9000)


def test_an_orphan_counts_for_a_request_in_its_own_currency_alone() -> None:
    request = shop.make_request()
    event = told(shop.account_of(request), currency="USD")
    with pytest.raises(Refused, match="other_currency") as no:
        orphans.adopt(event.pk, request, actor="support:ada")
    assert no.value.status == 422
    other = shop.make_request(shop.make_order(shop.make_merchant("Other")))
    with pytest.raises(Refused, match="other_shop") as no:
        orphans.adopt(event.pk, other, actor="support:ada")
    assert (no.value.status, Payment.objects.count()) == (422, 0)


@pytest.mark.parametrize("wrong", [{"about": "refund"}, {"outcome": None}, {"state": "pending"}, {"amount": None}])
def test_what_tells_of_no_money_is_not_counted(wrong: dict[str, Any]) -> None:
    request = shop.make_request()
    event = told(shop.account_of(request))
    fields = {name: value for name, value in wrong.items() if name in ("about", "outcome")}
    outcome = {"outcome": event.outcome | wrong} if event.outcome and not fields else {}
    ProviderEvent.objects.filter(pk=event.pk).update(**fields, **outcome)
    with pytest.raises(Refused, match="no_money"):
        orphans.adopt(event.pk, request, actor="support:ada")
    assert (Payment.objects.count(), ProviderEvent.objects.get().is_waiting) == (0, True)


def test_a_wallets_number_is_booked_once_for_an_account_and_is_free_at_another() -> None:
    request = shop.make_request()
    other = shop.make_request(shop.make_order(shop.make_merchant("Other")))
    shop.succeed(shop.hold(other), ref="txn-stray")
    Payment.objects.update(reference="fp-lost")  # a number of ours that names it at the other shop
    adopted = orphans.adopt(told(shop.account_of(request)).pk, request, actor="support:ada")
    assert (adopted.amount_applied, adopted.reference) == (9000, "fp-lost")


def test_only_what_waits_and_tells_of_the_same_charge_at_the_same_account_is_done_with() -> None:
    request = shop.make_request()
    account = shop.account_of(request)
    other = shop.account_of(shop.make_request(shop.make_order(shop.make_merchant("Other"))))
    now = clock.now()
    first = told(account)
    kept = [
        told(other, "evt-2", orphaned_at=now),
        told(account, "evt-3", about="refund", orphaned_at=now),
        told(account, "evt-4", put_away_at=now),
        told(account, "evt-5", applied_at=now - timedelta(days=1)),
    ]
    before = [(it.applied_at, it.orphaned_at) for it in kept]
    orphans.adopt(first.pk, request, actor="support:ada")
    for it in kept:
        it.refresh_from_db()
    assert [(it.applied_at, it.orphaned_at) for it in kept] == before


def test_what_a_bill_said_of_an_orphan_is_put_right_once_it_is_booked() -> None:
    event, request = an_orphan()
    mismatch = BillMismatch.objects.create(
        account=event.account, day=clock.now().date(), kind="missing_here", about="charge", found_at=clock.now()
    )
    BillMismatch.objects.update(ours=f"orphan {event.pk}")
    orphans.adopt(event.pk, request, actor="support:ada")
    mismatch.refresh_from_db()
    assert (mismatch.settled_at is not None, mismatch.note) == (True, "Support booked the money.")
