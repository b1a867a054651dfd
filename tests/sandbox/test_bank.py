"""The wallet's own rules, one caller at a time."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from sandbox import bank
from sandbox.models import Charge, ChargeRefund, Notice
from tests.sandbox.conftest import MakeCharge

MoveTime = Callable[[float], None]


def said() -> list[dict[str, Any]]:
    return [json.loads(body) for body in Notice.objects.order_by("id").values_list("body", flat=True)]


def paid(new_charge: bank.NewCharge) -> bank.ChargeDetails:
    return bank.approve(bank.open_charge(new_charge).ref)


def back(of: bank.ChargeDetails, amount: int, **changes: Any) -> bank.RefundDetails:
    asked = {
        "reference": "refund-1",
        "charge": of.reference,
        "transaction_id": of.transaction,
        "charged": of.amount,
        "amount": amount,
        "currency": of.currency,
    }
    return bank.refund("acc_shop", **{**asked, **changes})


def test_a_charge_waits_for_its_payer(new_charge: MakeCharge) -> None:
    charge = bank.open_charge(new_charge())
    assert (charge.status, charge.transaction) == ("open", "")
    assert len(charge.ref) >= 24
    assert bank.find("acc_shop", "ref-1") == bank.view(charge.ref) == charge
    assert said() == []


def test_the_same_reference_is_the_same_charge_whatever_became_of_it(
    new_charge: MakeCharge, move_time: MoveTime
) -> None:
    charge = paid(new_charge())
    move_time(3600)
    assert bank.open_charge(new_charge()) == charge
    assert Charge.objects.count() == 1


@pytest.mark.parametrize("changes", [{"amount": 9001}, {"currency": "EUR"}])
def test_a_reference_is_not_used_for_another_amount(new_charge: MakeCharge, changes: dict[str, Any]) -> None:
    charge = bank.open_charge(new_charge())
    with pytest.raises(bank.Rejected) as refused:
        bank.open_charge(new_charge(**changes))
    assert refused.value.code == "reference_used"
    assert bank.find("acc_shop", "ref-1") == charge


def test_accounts_do_not_see_each_other(new_charge: MakeCharge) -> None:
    ours = bank.open_charge(new_charge())
    theirs = bank.open_charge(new_charge(account="acc_other", amount=1))
    assert ours.ref != theirs.ref
    assert bank.find("acc_nobody", "ref-1") is None
    assert bank.close("acc_nobody", "ref-1") is None
    bank.approve(ours.ref)
    assert bank.find("acc_other", "ref-1") == theirs


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 0},
        {"amount": -1},
        {"secret": ""},
        {"reference": ""},
        {"reference": "r" * 65},
        {"subject": ""},
        {"subject": "s" * 201},
        {"currency": "EURO"},
        {"notify_url": ""},
        {"notify_url": "http:///path"},
        {"return_url": "javascript:alert(1)"},
        {"return_url": "//evil.example/"},
        {"return_url": "http://h/" + "x" * 500},
        {"deadline": datetime(2020, 1, 1, tzinfo=UTC)},
    ],
)
def test_a_malformed_charge_is_refused(new_charge: MakeCharge, changes: dict[str, Any]) -> None:
    with pytest.raises(bank.Rejected):
        bank.open_charge(new_charge(**changes))
    assert not Charge.objects.exists()


def test_approval_moves_the_money_once_and_tells_the_shop(new_charge: MakeCharge) -> None:
    charge = bank.approve(bank.open_charge(new_charge()).ref)
    assert charge.status == "paid"
    assert charge.transaction
    assert bank.approve(charge.ref) == charge
    [told] = said()
    assert told["kind"] == "charge.paid"
    assert told["account"] == "acc_shop"
    assert told["charge"] == {
        "reference": "ref-1",
        "status": "paid",
        "transaction": charge.transaction,
        "amount": 9000,
        "currency": "CNY",
    }


def test_a_refusal_is_final(new_charge: MakeCharge) -> None:
    charge = bank.refuse(bank.open_charge(new_charge()).ref)
    assert charge.status == "refused"
    assert bank.refuse(charge.ref) == charge
    for attempt in (bank.approve, lambda ref: bank.approve(ref, late=True)):
        with pytest.raises(bank.Rejected):
            attempt(charge.ref)
    assert bank.close("acc_shop", "ref-1") == charge
    assert [told["kind"] for told in said()] == ["charge.refused"]


def test_what_is_paid_cannot_be_refused_or_closed(new_charge: MakeCharge) -> None:
    charge = paid(new_charge())
    with pytest.raises(bank.Rejected):
        bank.refuse(charge.ref)
    assert bank.close("acc_shop", "ref-1") == charge
    assert len(said()) == 1


def test_a_closed_charge_is_neither_approved_nor_refused(new_charge: MakeCharge) -> None:
    charge = bank.open_charge(new_charge())
    closed = bank.close("acc_shop", "ref-1")
    assert closed is not None
    assert closed.status == "closed"
    assert bank.close("acc_shop", "ref-1") == closed
    for decide in (bank.approve, bank.refuse):
        with pytest.raises(bank.Rejected):
            decide(charge.ref)
    assert bank.find("acc_shop", "ref-1") == closed
    assert said() == []


@pytest.mark.parametrize("decide", [bank.approve, bank.refuse])
def test_nothing_is_decided_from_the_deadline_on(new_charge: MakeCharge, move_time: MoveTime, decide: Any) -> None:
    charge = bank.open_charge(new_charge())
    move_time(301)
    with pytest.raises(bank.Rejected):
        decide(charge.ref)
    assert Charge.objects.get().status == "open"
    assert said() == []


def test_a_charge_past_its_deadline_says_closed_and_stays_so(new_charge: MakeCharge, move_time: MoveTime) -> None:
    charge = bank.open_charge(new_charge())
    move_time(301)
    found = bank.find("acc_shop", "ref-1")
    assert found is not None
    assert found.status == "closed"
    move_time(-301)  # even if the clock were set back: what the wallet has said stays true
    with pytest.raises(bank.Rejected):
        bank.approve(charge.ref)


def test_looking_writes_nothing(new_charge: MakeCharge, move_time: MoveTime) -> None:
    charge = bank.open_charge(new_charge())
    move_time(301)
    seen = bank.view(charge.ref)
    assert seen is not None
    assert seen.status == "closed"
    assert Charge.objects.get().status == "open"
    assert bank.view("nobody") is None


def test_money_may_come_late_on_purpose(new_charge: MakeCharge) -> None:
    charge = bank.open_charge(new_charge())
    bank.close("acc_shop", "ref-1")
    late = bank.approve(charge.ref, late=True)
    assert late.status == "paid"
    assert bank.find("acc_shop", "ref-1") == late
    assert [told["kind"] for told in said()] == ["charge.paid"]


def test_refunds_go_back_in_parts_and_never_beyond_the_charge(new_charge: MakeCharge) -> None:
    charge = paid(new_charge())
    back(charge, 4000)
    back(charge, 5000, reference="refund-2")
    with pytest.raises(bank.Rejected) as refused:
        back(charge, 1, reference="refund-3")
    assert refused.value.code == "more_than_paid"
    assert Charge.objects.get().refunded == 9000
    assert bank.find_refund("acc_shop", "refund-3") is None
    assert [told["kind"] for told in said()] == ["charge.paid", "refund.succeeded", "refund.succeeded"]


def test_a_repeated_refund_sends_nothing_twice(new_charge: MakeCharge) -> None:
    charge = paid(new_charge())
    first = back(charge, 9000)
    assert back(charge, 9000) == first == bank.find_refund("acc_shop", "refund-1")
    assert ChargeRefund.objects.count() == 1
    assert len(said()) == 2
    assert said()[1]["refund"] == {
        "reference": "refund-1",
        "transaction": first.transaction,
        "amount": 9000,
        "currency": "CNY",
        "charge": "ref-1",
        "charge_transaction": charge.transaction,
    }


def test_a_refund_reference_is_not_used_for_another_refund(new_charge: MakeCharge) -> None:
    charge, other = paid(new_charge()), paid(new_charge(reference="ref-2"))
    back(charge, 4000)
    for of, amount in ((charge, 4001), (other, 4000)):
        with pytest.raises(bank.Rejected) as refused:
            back(of, amount)
        assert refused.value.code == "reference_used"
    assert list(ChargeRefund.objects.values_list("amount", flat=True)) == [4000]


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 0},
        {"amount": -5},
        {"amount": 9001},
        {"charge": "ref-9"},
        {"transaction_id": "txn_other"},
        {"charged": 8999},
        {"currency": "USD"},
    ],
)
def test_a_refund_that_does_not_fit_its_payment_is_refused(new_charge: MakeCharge, changes: dict[str, Any]) -> None:
    charge = paid(new_charge())
    with pytest.raises(bank.Rejected):
        back(charge, **{"amount": 100, **changes})
    assert not ChargeRefund.objects.exists()
    assert Charge.objects.get().refunded == 0


def test_only_what_was_paid_goes_back(new_charge: MakeCharge) -> None:
    charge = bank.open_charge(new_charge())
    with pytest.raises(bank.Rejected):
        back(charge, 100)


def test_the_bill_holds_what_moved_on_that_day(new_charge: MakeCharge) -> None:
    day = datetime(2031, 5, 4, tzinfo=UTC)
    first, last = paid(new_charge()), paid(new_charge(reference="ref-2"))
    paid(new_charge(reference="ref-3"))
    paid(new_charge(account="acc_other"))
    bank.open_charge(new_charge(reference="ref-4"))
    made = back(first, 100)
    moved = {"ref-1": day, "ref-2": day + timedelta(days=1, microseconds=-1), "ref-3": day + timedelta(days=1)}
    for reference, moment in moved.items():
        Charge.objects.filter(reference=reference).update(decided_at=moment)
    ChargeRefund.objects.update(created_at=day + timedelta(hours=5))
    assert list(bank.bill("acc_shop", day, day + timedelta(days=1))) == [
        bank.BillEntry("charge", "ref-1", first.transaction, 9000, "CNY"),
        bank.BillEntry("charge", "ref-2", last.transaction, 9000, "CNY"),
        bank.BillEntry("refund", "refund-1", made.transaction, 100, "CNY", "ref-1", first.transaction),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"refunded": 9001},
        {"refunded": -1},
        {"amount": 0},
        {"transaction": ""},
        {"status": "open"},
        {"decided_at": None},
    ],
)
def test_the_database_holds_the_rules_too(new_charge: MakeCharge, change: dict[str, Any]) -> None:
    paid(new_charge())
    with pytest.raises(IntegrityError), transaction.atomic():
        Charge.objects.update(**change)


def test_two_payments_never_share_a_transaction(new_charge: MakeCharge) -> None:
    charge = paid(new_charge())
    paid(new_charge(reference="ref-2"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Charge.objects.filter(reference="ref-2").update(transaction=charge.transaction)


@pytest.mark.django_db(transaction=True)
def test_the_wallet_will_not_be_called_inside_a_transaction(new_charge: MakeCharge) -> None:
    charge = bank.open_charge(new_charge())
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        bank.approve(charge.ref)
    assert bank.find("acc_shop", "ref-1") == charge


@pytest.mark.parametrize(
    ("simulated", "states"),
    [("disputed", [None, "open", "open"]), ("dispute_won", [None, "open", "won"]), ("", [None, None, None])],
)
def test_a_dispute_can_be_asked_about_from_when_it_is_told_of(
    new_charge: MakeCharge, move_time: MoveTime, simulated: str, states: list[str | None]
) -> None:
    charge = bank.open_charge(new_charge())
    bank.simulate("acc_shop", "ref-1", Charge.Simulated(simulated) if simulated else None)
    number = f"dsp_{bank.approve(charge.ref).transaction}"
    for status in states:
        found = bank.find_dispute("acc_shop", number)
        assert found == (bank.DisputeDetails(number, status, 9000, "CNY") if status else None)
        assert bank.find_dispute("acc_other", number) is None
        assert bank.find_dispute("acc_shop", number.removeprefix("dsp_")) is None
        move_time(3)
    told = {it["dispute"]["number"]: it["dispute"]["status"] for it in said() if "dispute" in it}
    assert told == ({number: states[-1]} if simulated else {})
