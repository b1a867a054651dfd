"""What a shop's program may do with orders, and what it is refused."""

import json
from typing import Any

import pytest
from pytest_django import Settings

from orders.models import Event, Order
from tests.caller import ORDER, Caller, fields, ledger

pytestmark = pytest.mark.django_db

LINE: dict[str, Any] = ORDER["lines"][0]


@pytest.fixture
def caller() -> Caller:
    return Caller()


def test_an_order_is_made_and_shown(caller: Caller) -> None:
    made = caller.post("/orders", {**ORDER, "locale": "zh-Hans"})
    assert made.status == 201
    order = Order.objects.get()
    shown = made.json
    assert shown.pop("created_at").endswith("Z")
    assert shown == {
        "id": order.public_id,
        "reference": "A-1001",
        "live": False,
        "status": "awaiting_payment",
        "currency": "CNY",
        "amount": 9000,
        "amount_paid": 0,
        "amount_refunded": 0,
        "metadata": {},
        "paid_elsewhere": False,
        "paid_elsewhere_note": "",
        "lines": [{**LINE, "unit": "", "amount": 9000, "quantity_returned": 0, "image_url": "", "image": None}],
        "adjustments": [],
        "buyer": {"id": "customer-17", "name": "Lin"},
        "checkout_url": f"http://127.0.0.1:8000/checkout/{order.token}/",
        "return_url": "",
        "locale": "zh-Hans",
        "expires_at": None,
        "paid_at": None,
        "cancelled_at": None,
        "expired_at": None,
    }
    assert caller.get(f"/orders/{order.public_id}").json == made.json
    assert list(Event.objects.values_list("type", "actor")) == [("order.created", "merchant")]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"currency": "XXX"}, "currency", "unknown_currency"),
        ({"currency": "cny"}, "currency", "unknown_currency"),
        ({"currency": "\u0000\u0000\u0000"}, "currency", "unknown_currency"),
        ({"currency": 156}, "currency", "wrong_type"),
        ({"reference": ""}, "reference", "malformed"),
        ({"reference": "  "}, "reference", "malformed"),
        ({"reference": "x" * 65}, "reference", "too_long"),
        ({"reference": 1001}, "reference", "wrong_type"),
        ({"reference": "A\u0000"}, "reference", "malformed"),
        ({"reference": None}, "reference", "wrong_type"),
        ({"lines": []}, "lines", "too_few"),
        ({"lines": [LINE] * 101}, "lines", "too_many"),
        ({"lines": {}}, "lines", "wrong_type"),
        ({"lines": [{**LINE, "unit_amount": 0}]}, "lines", "amount_out_of_range"),
        ({"lines": [{**LINE, "quantity": 1_000_000, "unit_amount": 10**12}]}, "lines", "amount_out_of_range"),
        ({"lines": [{**LINE, "unit_amount": "4500"}]}, "lines.0.unit_amount", "wrong_type"),
        ({"lines": [{**LINE, "unit_amount": 45.5}]}, "lines.0.unit_amount", "wrong_type"),
        ({"lines": [{**LINE, "unit_amount": 4500.0}]}, "lines.0.unit_amount", "wrong_type"),
        ({"lines": [{**LINE, "unit_amount": True}]}, "lines.0.unit_amount", "wrong_type"),
        ({"lines": [{**LINE, "unit_amount": -1}]}, "lines.0.unit_amount", "out_of_range"),
        ({"lines": [{**LINE, "unit_amount": 10**30}]}, "lines.0.unit_amount", "out_of_range"),
        ({"lines": [{**LINE, "quantity": 0}]}, "lines.0.quantity", "out_of_range"),
        ({"lines": [{**LINE, "colour": "green"}]}, "lines.0.colour", "unknown_field"),
        ({"lines": [{**LINE, "image_url": "javascript:alert(1)"}]}, "lines.0.image_url", "malformed"),
        ({"buyer": {"id": "17\u202e", "name": "Lin"}}, "buyer.id", "malformed"),
        ({"buyer": {"id": "17", "name": " \n"}}, "buyer.name", "malformed"),
        ({"locale": 5}, "locale", "wrong_type"),
        ({"buyer": {"id": "17", "name": "\ud800"}}, "buyer.name", "invalid"),
        ({"buyer": {"name": "Lin"}}, "buyer.id", "required"),
        ({"buyer": "Lin"}, "buyer", "wrong_type"),
    ],
)
def test_a_wrong_order_names_the_field_and_makes_nothing(
    caller: Caller, change: dict[str, Any], field: str, code: str
) -> None:
    before = ledger()
    answer = caller.post("/orders", ORDER | change)
    assert answer.status == 422
    assert fields(answer)[field] == code
    assert ledger() == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"", 422),
        (b"[]", 422),
        (b"null", 422),
        (b"\xff\xfe{}", 400),
        (b'{"reference": "A", "lines": ' + b"[" * 100_000, 400),
        (b'{"amount": ' + b"9" * 5000 + b"}", 400),
        (json.dumps({**ORDER, "reference": "x" * 1024 * 1024}).encode(), 413),
        (b" " * 1024 * 1024, 413),
    ],
)
def test_a_body_that_cannot_be_read_is_a_plain_refusal(caller: Caller, body: bytes, status: int) -> None:
    before = ledger()
    assert caller.send("POST", "/orders", body).status == status
    assert ledger() == before


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_read(caller: Caller, kind: str) -> None:
    answer = caller.send("POST", "/orders", json.dumps(ORDER).encode(), content_type=kind)
    assert answer.status == 415
    assert not Order.objects.exists()


def test_many_faults_do_not_make_a_long_answer(caller: Caller) -> None:
    answer = caller.post("/orders", {**ORDER, **{f"field{i}": i for i in range(1000)}})
    assert len(answer["errors"]) == 20


def test_emoji_and_any_script_are_kept(caller: Caller) -> None:
    order = caller.order(reference="订单-①", buyer={"id": "ß", "name": "Līna 👩‍👩‍👧"})
    assert (order["reference"], order["buyer"]["name"]) == ("订单-①", "Līna 👩‍👩‍👧")
    assert caller.get("/orders", reference="订单-①")["data"][0]["id"] == order["id"]


def test_a_reference_is_used_once_per_mode(caller: Caller) -> None:
    caller.order(reference="A-1")
    before = ledger()
    again = caller.post("/orders", {**ORDER, "reference": "A-1"})
    assert (again.status, again["code"], fields(again)) == (409, "reference_used", {"reference": "reference_used"})
    assert ledger() == before
    assert Caller(caller.merchant, live=True).order(reference="A-1")["live"] is True


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example",
        "https://shop.example/thanks?order=1#top",
        "https://SHOP.example:443/",
        "http://localhost:9000/",
    ],
)
def test_the_buyer_may_return_to_a_registered_origin(caller: Caller, url: str) -> None:
    _register(caller)
    assert caller.order(return_url=url)["return_url"] == url


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "https://shop.example:8443/",
        "http://localhost/",
        "https://www.shop.example/",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
        "https://evil.example/https://shop.example/",
        "https://evil.example\\@shop.example/",
        "https://shop.example\\.evil.example/",
        "https:shop.example",
        "https:///shop.example",
        "//evil.example",
        "\\evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        " https://shop.example/",
        "https://shop.example/\n",
        "https://shop.example/ x",
        "",
    ],
)
def test_the_buyer_is_sent_nowhere_else(caller: Caller, url: str) -> None:
    _register(caller)
    before = ledger()
    answer = caller.post("/orders", {**ORDER, "return_url": url})
    assert answer.status == 422
    assert list(fields(answer)) == ["return_url"]
    assert ledger() == before


@pytest.mark.parametrize("demo", [True, False])
@pytest.mark.parametrize("host", ["127.0.0.1:8001", "localhost", "[::1]:8001"])
def test_a_shop_on_this_machine_needs_no_registration_in_the_demo(
    caller: Caller, settings: Settings, host: str, demo: bool
) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = demo
    answer = caller.post("/orders", {**ORDER, "return_url": f"http://{host}/done"})
    assert answer.status == (201 if demo else 422)


@pytest.mark.parametrize("host", ["10.0.0.1", "127.0.0.1.example", "localhost.example", "localhost@evil.example"])
def test_elsewhere_the_demo_asks_for_it_too(caller: Caller, settings: Settings, host: str) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    answer = caller.post("/orders", {**ORDER, "return_url": f"http://{host}/done"})
    assert list(fields(answer)) == ["return_url"]


def _register(caller: Caller) -> None:
    caller.merchant.return_origins = ["https://shop.example", "http://localhost:9000"]
    caller.merchant.save()


def test_lists_are_read_page_by_page_in_both_directions(caller: Caller) -> None:
    ids = [caller.order()["id"] for _ in range(5)][::-1]
    first = caller.get("/orders", limit=2).json
    assert ([order["id"] for order in first["data"]], first["has_more"]) == (ids[:2], True)
    caller.order()  # what is added meanwhile shifts nothing
    second = caller.get("/orders", limit=2, after=ids[1]).json
    third = caller.get("/orders", limit=2, after=ids[3]).json
    assert [order["id"] for order in second["data"] + third["data"]] == ids[2:]
    assert (second["has_more"], third["has_more"]) == (True, False)
    back = caller.get("/orders", limit=2, before=ids[4]).json
    assert ([order["id"] for order in back["data"]], back["has_more"]) == (ids[2:4], True)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"after": "ord_unknown"}, "after"),
        ({"after": "1' OR 1=1"}, "after"),
        ({"reference": "\x00"}, "reference"),
    ],
)
def test_a_wrong_query_names_the_field(caller: Caller, query: dict[str, object], field: str) -> None:
    answer = caller.get("/orders", **query)
    assert answer.status == 422
    assert list(fields(answer)) == [field]


def test_two_cursors_are_the_ends_of_a_range(caller: Caller) -> None:
    ids = [caller.order()["id"] for _ in range(5)][::-1]
    between = caller.get("/orders", after=ids[0], before=ids[4], limit=2).json
    assert ([order["id"] for order in between["data"]], between["has_more"]) == (ids[1:3], True)


def test_another_merchants_cursor_is_as_unknown_as_any(caller: Caller) -> None:
    others = Caller().order()
    answer = caller.get("/orders", after=others["id"])
    assert (answer.status, answer["code"]) == (422, "unknown_cursor")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_other_methods_are_refused_by_name(caller: Caller, method: str) -> None:
    if method == "HEAD":
        assert caller.client.head("/api/v1/orders").status_code == 405
        return
    answer = caller.send(method, "/orders")
    assert (answer.status, answer["code"]) == (405, "method_not_allowed")
    assert sorted(answer.headers["Allow"].split(", ")) == ["GET", "POST"]


@pytest.mark.parametrize(
    "address", ["/", "/nothing", "/orders/", "/orders/ord_unknown", "/orders/%00", "/orders/1/2/3"]
)
def test_what_is_not_there_is_a_problem_too(caller: Caller, address: str) -> None:
    assert caller.get(address).status == 404


def test_a_fault_of_ours_tells_no_secrets(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the secret of the shop")

    before = ledger()
    monkeypatch.setattr("orders.services.place_order", broken)
    answer = caller.post("/orders", ORDER, key="k")
    assert (answer.status, answer["code"]) == (500, "server_error")
    assert b"secret" not in answer.body
    assert ledger() == before


def test_a_wrong_host_is_a_problem(caller: Caller) -> None:
    assert caller.send("GET", "/orders", headers={"Host": "evil.example"}).status == 400


@pytest.mark.parametrize("query", [{"refrence": "A-1"}, {"status": "paid"}, {"limit": 5, "page": 2}, {"": "x"}])
def test_an_unknown_query_parameter_is_refused_and_named(caller: Caller, query: dict[str, object]) -> None:
    answer = caller.get("/orders", **query)
    assert answer.status == 422
    assert set(fields(answer).values()) == {"unknown_field"}
    assert set(fields(answer)) == set(query) - {"limit"}


def test_no_query_parameter_is_passed_over_where_there_is_none(caller: Caller) -> None:
    order = caller.order()
    assert caller.get(f"/orders/{order['id']}", expand="lines").status == 422
    assert caller.send("POST", f"/orders/{order['id']}/cancel", query={"dry_run": "yes"}).status == 422
    assert caller.get(f"/orders/{order['id']}")["status"] == "awaiting_payment"
