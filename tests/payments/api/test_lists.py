"""Lists of payments, refunds and requests by API, and refunds by the shop's own reference."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from friendpay.kit import clock
from orders.models import Order
from payments.models import Payment, PaymentRequest, Refund
from tests import shop
from tests.caller import Caller, fields, ledger

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller() -> Caller:
    return Caller()


def ids(caller: Caller, address: str, **query: object) -> list[str]:
    answer = caller.get(address, **query)
    assert answer.status == 200, answer.body
    return [row["id"] for row in answer["data"]]


@pytest.fixture
def three(caller: Caller) -> list[dict[str, str]]:
    """Three orders that were paid, a part of each refunded; each the ids of what it has."""
    made = []
    for number in range(3):
        asked, payment = caller.paid()
        back = caller.post(
            f"/payments/{payment.public_id}/refunds", {"amount": 100, "merchant_reference": f"RETURN-{number}"}
        )
        assert back.status == 201, back.body
        made.append(
            {
                "/payment-requests": asked["id"],
                "/payments": payment.public_id,
                "/refunds": back["id"],
                "order": asked["order"],
                "order_reference": asked["order_reference"],
            }
        )
    return made


LISTS = ("/payment-requests", "/payments", "/refunds")


@pytest.mark.parametrize("address", LISTS)
def test_a_list_is_newest_first_and_read_by_cursor(caller: Caller, three: list[dict[str, str]], address: str) -> None:
    newest = [one[address] for one in reversed(three)]
    assert ids(caller, address) == newest
    first = caller.get(address, limit=2)
    assert ([row["id"] for row in first["data"]], first["has_more"]) == (newest[:2], True)
    assert ids(caller, address, after=newest[1]) == newest[2:]
    assert ids(caller, address, before=newest[1]) == newest[:1]
    assert caller.get(address, limit=1)["data"][0] == caller.get(f"{address}/{newest[0]}").json


@pytest.mark.parametrize("address", LISTS)
def test_a_list_is_filtered_by_its_order_and_its_time(
    caller: Caller, three: list[dict[str, str]], address: str
) -> None:
    for one in three:
        for name in ("order", "order_reference"):
            assert ids(caller, address, **{name: one[name]}) == [one[address]]
    assert ids(caller, address, order_reference="A-9") == []
    model = {"/payment-requests": PaymentRequest, "/payments": Payment, "/refunds": Refund}[address]
    middle = three[1][address]
    now = clock.now()
    model.objects.filter(public_id=middle).update(  # type: ignore[attr-defined]
        created_at=now - timedelta(days=1)
    )
    since, before = (now - timedelta(hours=25)).isoformat(), (now - timedelta(hours=23)).isoformat()
    assert ids(caller, address, created_since=since, created_before=before) == [middle]
    assert ids(caller, address, created_before=since) == []
    exactly = (now - timedelta(days=1)).isoformat().replace("+00:00", "Z")
    assert ids(caller, address, created_since=exactly, created_before=before) == [middle]
    assert ids(caller, address, created_before=exactly) == []


@pytest.mark.parametrize("address", LISTS)
def test_a_list_is_filtered_by_the_buyer(caller: Caller, three: list[dict[str, str]], address: str) -> None:
    Order.objects.filter(public_id=three[1]["order"]).update(buyer_id="customer-18")
    assert ids(caller, address, buyer="customer-18") == [three[1][address]]
    assert ids(caller, address, buyer="customer-17") == [three[2][address], three[0][address]]
    assert ids(caller, address, buyer="customer-18", order=three[0]["order"]) == []
    assert ids(caller, address, buyer="nobody") == []


def test_a_payment_is_found_by_the_wallets_own_number(caller: Caller, three: list[dict[str, str]]) -> None:
    number = Payment.objects.get(public_id=three[1]["/payments"]).provider_ref
    assert ids(caller, "/payments", provider_reference=number) == [three[1]["/payments"]]
    assert ids(caller, "/payments", provider_reference="none") == []
    assert fields(caller.get("/refunds", provider_reference=number)) == {"provider_reference": "unknown_field"}


DAY = ("2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z")


@pytest.mark.parametrize(
    ("model", "column", "index"),
    [
        (Order, "created_at", "order_by_time"),
        (PaymentRequest, "created_at", "request_by_time"),
        (Payment, "created_at", "payment_by_time"),
        (Payment, "succeeded_at", "payment_by_time"),
        (Refund, "created_at", "refund_by_time"),
    ],
)
def test_a_day_has_an_index(model: Any, column: str, index: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
    assert index in model.objects.filter(**{f"{column}__range": DAY}).order_by().explain()


def test_a_buyers_orders_have_an_index() -> None:
    """Of many orders, as PostgreSQL has counted them: on an empty table every index is as good as another."""
    order = shop.make_order()
    others = [
        Order(
            merchant=order.merchant,
            reference=f"other-{number}",
            currency=order.currency,
            amount=order.amount,
            buyer_id=f"customer-{number}",
            created_at=order.created_at,
        )
        for number in range(500)
    ]
    Order.objects.bulk_create(others)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {Order._meta.db_table}")
    plan = Order.objects.filter(merchant=order.merchant, buyer_id="customer-17").order_by("-id").explain()
    assert "order_by_buyer" in plan


@pytest.mark.parametrize("address", LISTS)
def test_nothing_of_others_nor_of_the_other_mode_is_listed(
    caller: Caller, three: list[dict[str, str]], address: str
) -> None:
    assert ids(Caller(), address) == []
    assert ids(Caller(caller.merchant, live=True), address) == []
    assert Caller().get(address, after=three[0][address])["code"] == "unknown_cursor"
    assert Caller(caller.merchant, can_read=False).get(address).status == 403


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("status", "eaten", "invalid"),
        ("created_since", "2026-05-03", "wrong_type"),
        ("created_since", "1777832499", "wrong_type"),
        ("created_before", "2026-05-03T18:20:11", "invalid"),
        ("order", "7", "malformed"),
        ("colour", "green", "unknown_field"),
        ("limit", "101", "out_of_range"),
    ],
)
def test_a_filter_that_makes_no_sense_is_named(caller: Caller, address: str, name: str, value: str, code: str) -> None:
    answer = caller.get(address, **{name: value})
    assert (answer.status, fields(answer)) == (422, {name: code})


def test_requests_are_found_by_the_status_that_is_shown(caller: Caller) -> None:
    over, open, paid = caller.ask(), caller.ask(), caller.paid()[0]
    now = clock.now()
    PaymentRequest.objects.filter(public_id=over["id"]).update(
        created_at=now - timedelta(days=2), expires_at=now - timedelta(days=1)
    )
    found = {status: ids(caller, "/payment-requests", status=status) for status in PaymentRequest.Status.values}
    assert found == {"open": [open["id"]], "expired": [over["id"]], "paid": [paid["id"]], "cancelled": []}
    for status, rows in found.items():
        assert [caller.get(f"/payment-requests/{row}")["status"] for row in rows] == [status] * len(rows)


def test_payments_and_refunds_are_found_by_status(caller: Caller, three: list[dict[str, str]]) -> None:
    held = shop.hold(PaymentRequest.objects.get(public_id=caller.ask()["id"]))
    assert ids(caller, "/payments", status="pending") == [held.public_id]
    assert ids(caller, "/payments", status="succeeded") == [one["/payments"] for one in reversed(three)]
    assert ids(caller, "/refunds", status="requested") == [one["/refunds"] for one in reversed(three)]
    assert ids(caller, "/refunds", status="failed") == []


def test_a_list_asks_the_database_as_often_for_three_as_for_one(
    caller: Caller, three: list[dict[str, str]], django_assert_max_num_queries: Any
) -> None:
    for address, most in (("/payment-requests", 4), ("/payments", 3), ("/refunds", 2)):
        with django_assert_max_num_queries(most):
            caller.get(address)


# The shop's own reference of a refund


def test_a_refund_is_found_by_the_shops_own_reference(caller: Caller, three: list[dict[str, str]]) -> None:
    [found] = caller.get("/refunds", merchant_reference="RETURN-1")["data"]
    assert (found["id"], found["merchant_reference"]) == (three[1]["/refunds"], "RETURN-1")
    event = caller.get("/events", limit=100)["data"][-1]
    assert (event["type"], event["data"]["merchant_reference"]) == ("refund.requested", "RETURN-2")


def test_a_reference_used_before_refunds_nothing(caller: Caller, three: list[dict[str, str]]) -> None:
    before = ledger()
    for address in (f"/payments/{three[0]['/payments']}", f"/orders/{three[2]['order']}"):
        answer = caller.post(f"{address}/refunds", {"amount": 100, "merchant_reference": "RETURN-1"})
        assert (answer.status, fields(answer)) == (409, {"merchant_reference": "reference_used"})
    assert ledger() == before


def test_a_reference_is_the_shops_and_the_modes_own(caller: Caller, three: list[dict[str, str]]) -> None:
    other = Caller()
    _asked, payment = other.paid()
    body = {"amount": 100, "merchant_reference": "RETURN-1"}
    assert other.post(f"/payments/{payment.public_id}/refunds", body).status == 201


def test_all_parts_of_one_refund_of_an_order_share_its_reference(caller: Caller) -> None:
    asked = caller.ask(split={"max_payers": 2, "min_amount": 1000})
    request = PaymentRequest.objects.get(public_id=asked["id"])
    for amount in (6000, 3000):
        shop.succeed(shop.hold(request, amount, name=f"Friend {amount}"))
    body = {"amount": 900, "merchant_reference": "RETURN-1"}
    answer = caller.post(f"/orders/{asked['order']}/refunds", body)
    assert [back["amount"] for back in answer["refunds"]] == [600, 300]
    assert ids(caller, "/refunds", merchant_reference="RETURN-1") == [back["id"] for back in answer["refunds"]][::-1]
    before = ledger()
    assert caller.post(f"/orders/{asked['order']}/refunds", body)["code"] == "reference_used"
    assert ledger() == before
