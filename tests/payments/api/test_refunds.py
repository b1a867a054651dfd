"""Payments and refunds by API."""

from typing import Any

import pytest

from payments.models import Payment, PaymentRequest, Refund
from tests import shop
from tests.caller import Caller, fields, ledger

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller() -> Caller:
    return Caller()


def test_a_payment_is_shown(caller: Caller) -> None:
    asked, payment = caller.paid()
    shown = caller.get(f"/payments/{payment.public_id}").json
    assert shown == caller.get(f"/payment-requests/{asked['id']}")["payments"][0]
    assert shown.pop("created_at").endswith("Z")
    assert shown.pop("succeeded_at").endswith("Z")
    assert shown == {
        "id": payment.public_id,
        "order": asked["order"],
        "order_reference": asked["order_reference"],
        "payment_request": asked["id"],
        "status": "succeeded",
        "method": "sandbox",
        "currency": "CNY",
        "amount": 9000,
        "amount_captured": 9000,
        "amount_applied": 9000,
        "amount_disputed": 0,
        "payer_name": "Mei",
        "by_buyer": False,
        "share": None,
        "reference": payment.reference,
        "provider_reference": payment.provider_ref,
        "failure_code": "",
        "refunds": [],
    }


def test_a_part_of_a_payment_goes_back(caller: Caller) -> None:
    asked, payment = caller.paid()
    answer = caller.post(f"/payments/{payment.public_id}/refunds", {"amount": 1500, "reason": "One tin was broken."})
    assert answer.status == 201
    shown = answer.json
    assert caller.get(f"/refunds/{shown['id']}").json == shown
    assert caller.get(f"/payments/{payment.public_id}")["refunds"] == [shown]
    assert shown.pop("created_at").endswith("Z")
    assert shown == {
        "id": Refund.objects.get().public_id,
        "order": asked["order"],
        "order_reference": asked["order_reference"],
        "payment_request": asked["id"],
        "payment": payment.public_id,
        "status": "requested",
        "reason": "merchant",
        "note": "One tin was broken.",
        "currency": "CNY",
        "amount": 1500,
        "reference": Refund.objects.get().reference,
        "merchant_reference": "",
        "failure_code": "",
        "succeeded_at": None,
        "closed_at": None,
        "returned_how": "",
        "external": False,
    }


def test_all_that_is_left_goes_back_where_no_amount_is_named(caller: Caller) -> None:
    _asked, payment = caller.paid()
    address = f"/payments/{payment.public_id}/refunds"
    assert [caller.post(address, body)["amount"] for body in ({"amount": 1500}, None)] == [1500, 7500]
    before = ledger()
    answer = caller.post(address)
    assert (answer.status, answer["code"], fields(answer)) == (
        422,
        "refund_beyond_payment",
        {"amount": "refund_beyond_payment"},
    )
    assert ledger() == before


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"amount": 9001}, "amount", "refund_beyond_payment"),
        ({"amount": 0}, "amount", "out_of_range"),
        ({"amount": -1}, "amount", "out_of_range"),
        ({"amount": 10**30}, "amount", "out_of_range"),
        ({"amount": "1500"}, "amount", "wrong_type"),
        ({"amount": 15.0}, "amount", "wrong_type"),
        ({"amount": True}, "amount", "wrong_type"),
        ({"amount": 1, "currency": "CNY"}, "currency", "unknown_field"),
        ({"reason": "x" * 201}, "reason", "too_long"),
        ({"reason": "\u001b[31m"}, "reason", "malformed"),
    ],
)
@pytest.mark.parametrize("of", ["payment", "order"])
def test_a_wrong_refund_names_the_field_and_moves_nothing(
    caller: Caller, of: str, body: dict[str, Any], field: str, code: str
) -> None:
    asked, payment = caller.paid()
    before = ledger()
    address = f"/orders/{asked['order']}" if of == "order" else f"/payments/{payment.public_id}"
    answer = caller.post(f"{address}/refunds", body, key="k")
    assert (answer.status, fields(answer)) == (422, {field: code})
    assert ledger() == before


def test_an_unpaid_order_or_payment_has_nothing_to_refund(caller: Caller) -> None:
    asked = caller.ask()
    payment = shop.hold(PaymentRequest.objects.get())
    addresses = f"/orders/{asked['order']}/refunds", f"/payments/{payment.public_id}/refunds"
    before = ledger()
    assert [caller.post(address).status for address in addresses] == [409, 409]
    assert ledger() == before
    assert caller.post(f"/payment-requests/{asked['id']}/cancel").status == 200
    before = ledger()
    assert [caller.post(address).status for address in addresses] == [422, 422]
    assert ledger() == before


def _three_friends(caller: Caller) -> tuple[Any, list[Payment]]:
    asked = caller.ask(split={"max_payers": 3, "min_amount": 1000})
    request = PaymentRequest.objects.get(public_id=asked["id"])
    return asked, [shop.succeed(shop.hold(request, amount, name=f"Friend {amount}")) for amount in (5000, 3000, 1000)]


def test_several_friends_are_refunded_in_proportion_to_the_cent(caller: Caller) -> None:
    asked, payments = _three_friends(caller)
    answer = caller.post(f"/orders/{asked['order']}/refunds", {"amount": 1000, "reason": "Sorry"})
    assert (answer.status, answer["amount"]) == (201, 1000)
    assert [(back["payment"], back["amount"], back["note"]) for back in answer["refunds"]] == [
        (payments[0].public_id, 556, "Sorry"),
        (payments[1].public_id, 333, "Sorry"),
        (payments[2].public_id, 111, "Sorry"),
    ]


def test_a_whole_order_goes_back_to_all_who_paid(caller: Caller) -> None:
    asked, payments = _three_friends(caller)
    caller.post(f"/payments/{payments[1].public_id}/refunds", {"amount": 500})
    answer = caller.post(f"/orders/{asked['order']}/refunds")
    assert (answer["amount"], [back["amount"] for back in answer["refunds"]]) == (8500, [5000, 2500, 1000])


def test_a_refund_repeated_with_its_key_is_one_refund(caller: Caller) -> None:
    _asked, payment = caller.paid()
    address = f"/payments/{payment.public_id}/refunds"
    first, second = (caller.post(address, {"amount": 1500}, key="refund-1") for _ in range(2))
    assert first.body == second.body
    assert (first.status, second.status, second.headers["Idempotent-Replayed"]) == (201, 201, "true")
    assert Refund.objects.count() == 1
