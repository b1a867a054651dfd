"""The request log: the latest calls of each key, without secrets, written after the answer."""

import json
from typing import Any

import pytest

from friendpay.kit import background, clock, ids, limits
from orders import request_log
from orders.models import ApiCall, ApiKey
from tests import desk, shop
from tests.caller import ORDER, Answer, Caller
from tests.explained import steps

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller() -> Caller:
    return Caller()


def logged(caller: Caller, answer: Answer) -> Any:
    request_log.write()
    found = caller.get(f"/request-logs/{answer.headers['Request-Id']}")
    assert found.status == 200, found.body
    return found.json


def test_a_call_is_on_the_log_with_what_was_asked_and_answered(caller: Caller) -> None:
    answer = caller.post("/orders", ORDER)
    call = logged(caller, answer)
    assert (call["method"], call["path"], call["status"], call["code"]) == ("POST", "/orders", 201, "")
    assert (call["key"], call["live"]) == (caller.row.start, False)
    assert json.loads(call["answer"]) == {"id": answer["id"]}
    sent = json.loads(call["body"])
    assert (sent["reference"], sent["lines"][0]["unit_amount"], sent["lines"][0]["category"]) == ("A-1001", 4500, "tea")


def test_what_is_secret_or_about_somebody_is_not_kept(caller: Caller) -> None:
    body = {
        **ORDER,
        "buyer": {"id": "customer-17", "name": "Lin Dan"},
        "metadata": {"phone": "13800138000", "reference": "Lin's"},
        "payment_request": {"message": "Mama, please pay"},
        "Lin Dan wrote this": 1,
        "reference": caller.key,
    }
    logged(caller, caller.post("/orders", body))
    logged(caller, caller.get("/orders", reference=caller.key))
    logged(caller, caller.get(f"/orders/{caller.key}"))
    logged(caller, caller.post("/webhook-endpoints", {"url": "https://shop.example/hook?token=t0ps3cret"}))
    for row in ApiCall.objects.values():
        for secret in (caller.key, "Lin", "customer-17", "13800138000", "Mama", "t0ps3cret", "whsec_"):
            assert secret not in str(row)


def test_a_refusal_leads_to_its_call_and_the_log_tells_why(caller: Caller) -> None:
    answer = caller.post("/orders", {**ORDER, "currency": "XXX"})
    assert answer["instance"] == f"/api/v1/request-logs/{answer.headers['Request-Id']}"
    call = logged(caller, answer)
    assert (call["status"], call["code"]) == (422, "unknown_currency")
    assert json.loads(call["answer"])["errors"][0]["field"] == "currency"


def test_a_key_that_lacks_the_right_finds_its_call_too(caller: Caller) -> None:
    reader = Caller(caller.merchant, can_write=False)
    answer = reader.post("/orders", ORDER)
    assert (answer.status, logged(caller, answer)["code"]) == (403, "right_missing")


def test_a_call_without_a_key_is_on_no_log_and_leads_nowhere() -> None:
    answer = Caller(key="sk_test_unknown").get("/orders")
    assert (answer.status, "instance" in answer.json, len(request_log._waiting)) == (401, False, 0)


def test_reading_the_log_is_not_on_it(caller: Caller) -> None:
    caller.get("/request-logs")
    assert request_log.write() == 0


def test_a_shop_sees_the_calls_of_its_own_mode_alone(caller: Caller) -> None:
    own = caller.get("/orders")
    others = [Caller(caller.merchant, live=True), Caller()]
    for other in others:
        other.get("/account")
    request_log.write()
    assert [call["path"] for call in caller.get("/request-logs")["data"]] == ["/orders"]
    for other in others:
        assert other.get(f"/request-logs/{own.headers['Request-Id']}").status == 404


def test_the_list_is_newest_first_and_filtered(caller: Caller) -> None:
    caller.get("/orders")
    caller.get("/nothing")
    caller.post("/orders", {})
    request_log.write()
    assert [call["status"] for call in caller.get("/request-logs")["data"]] == [422, 200]
    assert [call["path"] for call in caller.get("/request-logs", status=422, code="invalid")["data"]] == ["/orders"]
    page = caller.get("/request-logs", limit=1)
    assert (page["has_more"], caller.get("/request-logs", after=page["data"][0]["id"])["data"][0]["status"]) == (
        True,
        200,
    )


def entry(key: ApiKey, **changes: Any) -> request_log.Entry:
    plain: dict[str, Any] = {"method": "GET", "path": "/orders", "query": {}, "body": b"", "status": 200}
    plain |= {"answer": b"{}", "milliseconds": 1, "agent": "", "at": clock.now(), "id": ids.public_id("req")}
    return request_log.Entry(key=key.pk, **plain | changes)


def test_the_last_thousand_of_each_key_are_kept(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "API_CALLS_KEPT", 3)
    other = Caller(caller.merchant)
    request_log.note(entry(other.row))
    kept = [entry(caller.row) for _number in range(5)]
    for one in kept:
        request_log.note(one)
    request_log.write()
    assert list(caller.row.calls.values_list("public_id", flat=True)) == [one.id for one in reversed(kept[-3:])]
    assert other.row.calls.count() == 1


def test_what_is_to_be_forgotten_is_looked_for_once_however_many_calls_there_are(caller: Caller) -> None:
    for _number in range(40):
        request_log.note(entry(caller.row))
    request_log.write()
    looked = [step for step in steps(request_log._FORGET, [30, [caller.row.pk]]) if step["Node Type"] == "Limit"]
    assert [(step["Actual Loops"], step["Actual Rows"]) for step in looked] == [(1, 1)]
    assert caller.row.calls.count() == 30


def test_where_too_much_waits_calls_are_left_out_and_nobody_waits(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "API_CALLS_WAITING", 2)
    monkeypatch.setattr(background, "run_later", lambda *args: None)
    for _number in range(5):
        request_log.note(entry(caller.row))
    assert len(request_log._waiting) == 2


def test_a_key_that_is_gone_takes_its_calls_with_it(caller: Caller) -> None:
    request_log.note(entry(caller.row))
    caller.row.delete()
    assert request_log.write() == 0


@pytest.mark.parametrize(
    "body", [b"\xff\x00", b'{"a": "\\u0000"}', b"[" * 9000, b'"x"', b"{" + b" " * limits.API_CALL_READ_BYTES, b"1e999"]
)
def test_a_body_of_nonsense_is_told_in_short(caller: Caller, body: bytes) -> None:
    request_log.note(entry(caller.row, body=body, agent="\x00é", path="/\x00", query={"\x00": "\x00"}, answer=body))
    assert request_log.write() == 1
    assert len(ApiCall.objects.get().body) <= limits.API_CALL_KEPT_CHARACTERS


def test_the_desk_shows_the_log_and_finds_a_call_by_its_id(caller: Caller) -> None:
    answer = caller.post("/orders", {**ORDER, "currency": "XXX"})
    call = logged(caller, answer)
    client = desk.staff(*desk.READ, "orders.view_apicall")
    row = ApiCall.objects.get(public_id=call["id"])
    assert desk.found(client, ApiCall, call["id"]) == [row.pk]
    assert "unknown_currency" in desk.text(client, desk.page(row))
    assert desk.staff(*desk.READ, name="bert").get(desk.rows(ApiCall)).status_code == 403


def test_a_call_costs_the_database_nothing_more(caller: Caller, django_assert_num_queries: Any) -> None:
    shop.make_order(caller.merchant)
    caller.get("/orders")
    with django_assert_num_queries(3):
        caller.get("/orders")
