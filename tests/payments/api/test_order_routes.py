"""Placing an order and asking a friend by one call."""

from datetime import timedelta
from typing import Any

import pytest

from friendpay.kit import clock
from orders.models import Event, Merchant, Order, WebhookDelivery
from payments.models import PaymentRequest, RolloutRule, StoppedBuyer
from tests import shop
from tests.caller import ORDER, Caller, fields, ledger

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller() -> Caller:
    return Caller()


def test_an_order_and_its_request_are_made_by_one_call(caller: Caller) -> None:
    asked = {"message": "Please!", "expires_in": 3600, "split": {"max_payers": 3, "min_amount": 1000}}
    made = caller.order(payment_request=asked)
    asked = made.pop("payment_request")
    assert caller.get(f"/orders/{made['id']}").json == made
    assert caller.get(f"/payment-requests/{asked['id']}").json == asked
    assert (asked["order"], asked["status"], asked["amount"]) == (made["id"], "open", made["amount"])
    assert (asked["message"], asked["split"]) == ("Please!", {"max_payers": 3, "min_amount": 1000, "shares": []})
    told = [(event.type, event.seq, event.order and event.order.public_id) for event in Event.objects.order_by("id")]
    assert told == [("order.created", None, made["id"]), ("payment_request.created", 1, made["id"])]
    row = PaymentRequest.objects.get()
    assert (row.seq, row.expires_at - row.created_at) == (1, timedelta(hours=1))
    assert shop.succeed(shop.hold(row, 3000)).amount_applied == 3000


def test_a_plain_order_has_no_request(caller: Caller) -> None:
    for asked in ({}, {"payment_request": None}):
        assert "payment_request" not in caller.order(**asked)
    assert not PaymentRequest.objects.exists()


def test_both_are_repeated_by_the_same_key(caller: Caller) -> None:
    body = {**ORDER, "payment_request": {}}
    first, second = (caller.post("/orders", body, key="once") for _time in range(2))
    assert first["payment_request"]["url"]
    assert (first.status, second.status, first.body) == (201, 201, second.body)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert (Order.objects.count(), PaymentRequest.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("asked", "field", "code"),
    [
        ({"message": "see https://bad.example"}, "payment_request.message", "message_has_contact"),
        ({"message": 7}, "payment_request.message", "wrong_type"),
        ({"expires_in": 5}, "payment_request.expires_in", "out_of_range"),
        ({"words": ""}, "payment_request.words", "unknown_field"),
        ({"split": {"max_payers": 99}}, "payment_request.split.max_payers", "out_of_range"),
        (
            {"split": {"max_payers": 2, "min_amount": 8999}},
            "payment_request.split.min_amount",
            "min_amount_out_of_range",
        ),
    ],
)
def test_what_is_wrong_with_the_request_is_said_beside_it_and_no_order_is_made(
    caller: Caller, asked: Any, field: str, code: str
) -> None:
    before = ledger()
    answer = caller.post("/orders", {**ORDER, "payment_request": asked})
    assert answer.status == 422
    assert fields(answer) == {field: code}
    assert ledger() == before


def test_a_shop_that_may_not_ask_makes_no_order(caller: Caller) -> None:
    Merchant.objects.update(is_frozen=True)
    before = ledger()
    answer = caller.post("/orders", {**ORDER, "payment_request": {}})
    assert (answer.status, answer["code"]) == (403, "merchant_frozen")
    RolloutRule.objects.create(merchant=caller.merchant, method="friend", excluded_categories=["tea"])
    Merchant.objects.update(is_frozen=False)
    answer = caller.post("/orders", {**ORDER, "payment_request": {}})
    assert (answer.status, answer["code"]) == (403, "method_not_offered")
    assert ledger() == before


def test_a_buyer_who_was_stopped_gets_neither(caller: Caller) -> None:
    StoppedBuyer.objects.create(merchant=caller.merchant, buyer_id=ORDER["buyer"]["id"], stopped_at=clock.now())
    before = ledger()
    answer = caller.post("/orders", {**ORDER, "payment_request": {}}, key="once")
    assert (answer.status, answer["code"]) == (403, "method_not_offered")
    assert ledger() == before
    assert caller.post("/orders", ORDER, key="again").status == 201


def test_a_rule_for_other_screens_withholds_asking_as_in_a_call_of_its_own(caller: Caller) -> None:
    RolloutRule.objects.create(merchant=caller.merchant, method="friend", screens=["desktop"])
    body = {**ORDER, "payment_request": {}}
    refused = caller.post("/orders?screen=phone", body)
    assert not Order.objects.exists()
    order = caller.order()
    assert caller.post(f"/orders/{order['id']}/payment-requests?screen=phone", {}).problem == refused.problem
    assert caller.post("/orders", {**body, "reference": "A-2"}).status == 201


def test_a_reference_used_before_asks_nobody(caller: Caller) -> None:
    caller.order(reference=ORDER["reference"])
    before = ledger()
    answer = caller.post("/orders", {**ORDER, "payment_request": {}})
    assert (answer.status, fields(answer)) == (409, {"reference": "reference_used"})
    assert ledger() == before


def test_a_request_never_outlives_the_order_it_came_with(caller: Caller) -> None:
    made = caller.order(expires_in=600, payment_request={"expires_in": 3600})
    assert made["payment_request"]["expires_at"] == made["expires_at"]


def test_shops_are_told_of_both(caller: Caller) -> None:
    assert caller.post("/webhook-endpoints", {"url": "https://shop.example/hooks"}).status == 201
    caller.order(payment_request={})
    deliveries = WebhookDelivery.objects.order_by("event").values_list("event__type", flat=True)
    assert list(deliveries) == ["order.created", "payment_request.created"]
