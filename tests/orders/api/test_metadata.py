"""A shop's own data on orders and requests, lists by it, and references that come free."""

from typing import Any

import pytest
from django.test import Client

from orders.models import Event, Order
from payments.settlement import lifecycle
from tests.caller import ORDER, Caller, fields, ledger

pytestmark = pytest.mark.django_db

OURS = {"cart": "17", "till:2": "Größe 茶 🍵", "note": "two\nlines", "empty": ""}


@pytest.fixture
def caller() -> Caller:
    return Caller()


def test_it_comes_back_in_answers_and_events_and_on_no_page(caller: Caller) -> None:
    secret = {"cart": "nobody-else-sees-this"}
    order = caller.order(metadata=OURS | secret, payment_request={"metadata": secret})
    assert order["metadata"] == OURS | secret
    assert order["payment_request"]["metadata"] == secret
    assert caller.get(f"/orders/{order['id']}")["metadata"] == OURS | secret
    assert caller.get(f"/payment-requests/{order['payment_request']['id']}")["metadata"] == secret
    assert Event.objects.get(type="order.created").data["metadata"] == OURS | secret
    assert Event.objects.get(type="payment_request.created").data["metadata"] == secret
    for url in (order["checkout_url"], order["payment_request"]["url"]):
        page = Client().get(url.removeprefix("http://127.0.0.1:8000")).content.decode()
        assert "Spring oolong" in page
        assert secret["cart"] not in page


def test_a_request_of_its_own_call_has_some_too(caller: Caller) -> None:
    assert caller.ask(metadata=OURS)["metadata"] == OURS
    assert caller.ask()["metadata"] == {}


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({f"key{number}": "" for number in range(51)}, "too_many"),
        ({"k" * 41: "x"}, "too_long"),
        ({"": "x"}, "too_short"),
        ({"a[b]": "x"}, "malformed"),
        ({"key": "x" * 501}, "too_long"),
        ({"key": "\x00"}, "malformed"),
        ({"key": 5}, "wrong_type"),
        ({"key": None}, "wrong_type"),
        ({"key": {}}, "wrong_type"),
        (["key"], "wrong_type"),
    ],
)
def test_what_does_not_fit_is_refused_and_makes_nothing(caller: Caller, metadata: Any, code: str) -> None:
    before = ledger()
    answer = caller.post("/orders", {**ORDER, "metadata": metadata})
    assert answer.status == 422
    assert set(fields(answer).values()) == {code}
    assert all(field.startswith("metadata") for field in fields(answer))
    assert ledger() == before


def test_as_much_as_fits_is_kept(caller: Caller) -> None:
    most = {f"{number:040}": "茶" * 500 for number in range(50)}
    assert caller.order(metadata=most)["metadata"] == most


def test_orders_are_listed_by_it(caller: Caller) -> None:
    first = caller.order(metadata={"cart": "17", "till": "2"})["id"]
    second = caller.order(metadata={"cart": "17"})["id"]
    caller.order()
    Caller().order(metadata={"cart": "17"})  # another shop's

    def listed(**wanted: str) -> list[str]:
        return [
            it["id"] for it in caller.get("/orders", **{f"metadata[{key}]": to for key, to in wanted.items()})["data"]
        ]

    assert listed(cart="17") == [second, first]
    assert listed(cart="17", till="2") == [first]
    assert listed(cart="1") == listed(carts="17") == listed(cart="17\x00") == listed(cart="17", till="") == []


def test_requests_are_listed_by_it(caller: Caller) -> None:
    asked = caller.ask(metadata={"cart": "17"})["id"]
    caller.ask(metadata={"cart": "18"})
    assert [it["id"] for it in caller.get("/payment-requests", **{"metadata[cart]": "17"})["data"]] == [asked]


@pytest.mark.parametrize("name", ["metadata", "metadata[]", "metadata[a][b]", "metadata[a", "xmetadata[a]"])
def test_other_names_are_no_filter(caller: Caller, name: str) -> None:
    assert fields(caller.get("/orders", **{name: "17"})) == {name: "unknown_field"}


def test_lists_without_the_filter_refuse_it(caller: Caller) -> None:
    assert fields(caller.get("/payments", **{"metadata[cart]": "17"})) == {"metadata[cart]": "unknown_field"}


def test_a_cancelled_order_frees_its_reference(caller: Caller) -> None:
    first = caller.order(reference="A-1")["id"]
    assert caller.post("/orders", {**ORDER, "reference": "A-1"}).status == 409
    caller.post(f"/orders/{first}/cancel")
    second = caller.order(reference="A-1")["id"]
    assert [it["id"] for it in caller.get("/orders", reference="A-1")["data"]] == [second, first]
    assert caller.post("/orders", {**ORDER, "reference": "A-1"}).status == 409
    caller.post(f"/orders/{second}/cancel")
    assert caller.order(reference="A-1")["status"] == "awaiting_payment"


def test_a_paid_one_keeps_it_and_an_expired_one_does_not(caller: Caller) -> None:
    elsewhere = caller.order(reference="A-1")["id"]
    caller.post(f"/orders/{elsewhere}/mark-paid")
    assert caller.post("/orders", {**ORDER, "reference": "A-1"}).status == 409
    over = caller.order(reference="A-2", expires_in=60)["id"]
    Order.objects.filter(public_id=over).update(expires_at="2020-01-01T00:00:00Z")
    lifecycle.expire_order(Order.objects.get(public_id=over).pk)
    assert caller.order(reference="A-2")["id"] != over
