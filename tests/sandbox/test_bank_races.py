"""The wallet under many callers at once, in real transactions."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections

from sandbox import bank, notices
from sandbox.models import Charge, ChargeRefund, Notice
from tests.sandbox.conftest import MakeCharge

pytestmark = [pytest.mark.proof, pytest.mark.django_db(transaction=True)]


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Run every call on a thread of its own, all let go together; the answers, or what the wallet refused with."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        try:
            connection.ensure_connection()
            gate.wait(60)
            return call()
        except bank.Rejected as refused:
            return refused.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_24_approvals_at_once_pay_once(new_charge: MakeCharge) -> None:
    charge = bank.open_charge(new_charge())
    answers = at_once(*[lambda: bank.approve(charge.ref)] * 24)
    assert len(set(answers)) == 1
    assert Notice.objects.count() == 1
    assert bank.find("acc_shop", "ref-1") == answers[0]


def test_24_starts_at_once_open_one_charge(new_charge: MakeCharge) -> None:
    wanted = new_charge()
    answers = at_once(*[lambda: bank.open_charge(wanted)] * 24)
    assert len(set(answers)) == 1
    assert Charge.objects.count() == 1


def test_of_yes_no_and_close_at_once_one_wins_and_all_agree(new_charge: MakeCharge) -> None:
    for number in range(8):
        charge = bank.open_charge(new_charge(reference=f"ref-{number}"))
        reference = charge.reference
        at_once(
            *[lambda ref=charge.ref: bank.approve(ref)] * 3,
            *[lambda ref=charge.ref: bank.refuse(ref)] * 3,
            *[lambda reference=reference: bank.close("acc_shop", reference)] * 3,
        )
        end = bank.find("acc_shop", reference)
        assert end is not None
        told = list(Notice.objects.filter(charge__reference=reference).values_list("kind", flat=True))
        assert told == {"paid": ["charge.paid"], "refused": ["charge.refused"], "closed": []}[end.status]


def test_a_refund_retried_24_times_at_once_goes_back_once(new_charge: MakeCharge) -> None:
    charge = bank.approve(bank.open_charge(new_charge()).ref)
    answers = at_once(*[lambda: refund(charge, "refund-1", 9000)] * 24)
    assert len(set(answers)) == 1
    assert Charge.objects.get().refunded == 9000


def test_24_refunds_at_once_never_exceed_the_charge(new_charge: MakeCharge) -> None:
    charge = bank.approve(bank.open_charge(new_charge()).ref)
    answers = at_once(*[lambda n=n: refund(charge, f"refund-{n}", 1000) for n in range(24)])
    assert answers.count("more_than_paid") == 15
    assert Charge.objects.get().refunded == 9000
    assert ChargeRefund.objects.count() == 9


def test_one_refund_reference_for_two_charges_at_once_goes_back_once(new_charge: MakeCharge) -> None:
    for number in range(8):
        charges = [bank.approve(bank.open_charge(new_charge(reference=f"ref-{number}-{side}")).ref) for side in "ab"]
        answers = at_once(*[lambda charge=charge, n=number: refund(charge, f"refund-{n}", 100) for charge in charges])
        assert answers.count("reference_used") == 1
        assert ChargeRefund.objects.filter(reference=f"refund-{number}").count() == 1


def test_a_look_at_the_deadline_waits_for_the_approval_on_its_way(
    new_charge: MakeCharge, move_time: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An approval made in time but not yet committed must not be answered with a final no."""
    charge = bank.open_charge(new_charge())
    written, looked = threading.Event(), threading.Event()
    write = notices.write

    def slowly(*args: Any, **named: Any) -> None:
        write(*args, **named)
        written.set()
        looked.wait(0.3)  # the look must be waiting for us; were it not, it would be done well before

    monkeypatch.setattr(notices, "write", slowly)

    def look() -> object:
        assert written.wait(60)
        move_time(301)
        found = bank.find("acc_shop", "ref-1")
        looked.set()
        return found

    approved, found = at_once(lambda: bank.approve(charge.ref), look)
    assert found == approved
    assert isinstance(found, bank.ChargeDetails)
    assert found.status == "paid"


def refund(charge: bank.ChargeDetails, reference: str, amount: int) -> bank.RefundDetails:
    return bank.refund(
        "acc_shop",
        reference=reference,
        charge=charge.reference,
        transaction_id=charge.transaction,
        charged=charge.amount,
        amount=amount,
        currency=charge.currency,
    )
