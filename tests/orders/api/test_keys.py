"""Who is let in, to what, and how often."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from friendpay.kit import counters
from orders.models import ApiKey
from tests.caller import ORDER, Caller, ledger

pytestmark = pytest.mark.django_db

PAST = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer sk_test_wrong", "Basic c2s6", "sk_test_wrong", "Bearer sk test", "Bearer \xff"],
)
def test_without_a_key_nothing_is_shown_or_done(header: str) -> None:
    caller = Caller(key="")
    before = ledger()
    for method, body in (("GET", b""), ("POST", b"{}")):
        answer = caller.send(method, "/orders", body, headers={"Authorization": header} if header else {})
        assert (answer.status, answer["code"]) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert ledger() == before


def test_a_key_is_kept_as_a_hash() -> None:
    caller = Caller()
    assert caller.key not in str(ApiKey.objects.values())
    assert caller.get("/orders").status == 200


def test_the_scheme_is_read_in_any_case() -> None:
    caller = Caller()
    assert caller.send("GET", "/orders", headers={"Authorization": f"bearer {caller.key}"}).status == 200


def test_a_revoked_key_opens_nothing() -> None:
    caller = Caller()
    caller.row.revoke()
    assert caller.get("/orders").status == 401


def test_a_key_ends_at_its_time() -> None:
    caller = Caller()
    ApiKey.objects.update(expires_at=PAST)
    assert caller.get("/orders").status == 401


def test_a_rolled_key_overlaps_with_the_new_one_and_then_ends() -> None:
    caller = Caller(can_refund=False)
    new, secret = caller.row.roll(timedelta(days=1))
    assert Caller(caller.merchant, key=secret).get("/orders").status == caller.get("/orders").status == 200
    assert (new.live, new.can_read, new.can_write, new.can_refund) == (False, True, True, False)
    ApiKey.objects.filter(pk=caller.row.pk).update(expires_at=PAST)
    assert caller.get("/orders").status == 401
    assert Caller(caller.merchant, key=secret).get("/orders").status == 200


def test_rolling_never_lengthens_a_keys_life() -> None:
    caller = Caller()
    caller.row.expires_at = PAST
    caller.row.roll(timedelta(days=1))
    assert ApiKey.objects.get(pk=caller.row.pk).expires_at == PAST


@pytest.mark.parametrize(
    ("right", "refused"),
    [
        ("can_read", ["GET /orders", "GET /events", "GET /payments/{payment}", "GET /orders/{order}/offers"]),
        ("can_write", ["POST /orders", "POST /orders/{order}/cancel", "POST /payment-requests/{request}/cancel"]),
        ("can_refund", ["POST /payments/{payment}/refunds", "POST /orders/{order}/refunds"]),
    ],
)
def test_a_key_does_what_it_has_the_right_to_and_no_more(right: str, refused: list[str]) -> None:
    full = Caller()
    asked, payment = full.paid()
    limited = Caller(full.merchant, **{right: False})  # type: ignore[arg-type]
    before = ledger()
    for call in refused:
        method, _, address = call.partition(" ")
        address = address.format(order=asked["order"], request=asked["id"], payment=payment.public_id)
        answer = limited.send(method, address, b"{}" if method == "POST" else b"")
        assert (answer.status, answer["code"]) == (403, "right_missing"), call
    assert ledger() == before


@pytest.mark.parametrize("other", ["merchant", "mode"])
def test_what_belongs_to_others_is_not_there(other: str) -> None:
    owner = Caller()
    asked, payment = owner.paid()
    refund = owner.post(f"/payments/{payment.public_id}/refunds", {"amount": 1}).json
    event = owner.get("/events").json["data"][0]
    stranger = Caller() if other == "merchant" else Caller(owner.merchant, live=True)
    order, request, pay, back = asked["order"], asked["id"], payment.public_id, refund["id"]
    before = ledger()
    unknown = stranger.get("/orders/ord_unknown")
    for address in (
        f"/orders/{order}", f"/orders/{order}/offers", f"/orders/{order}/payment-requests",
        f"/payment-requests/{request}", f"/payments/{pay}", f"/refunds/{back}",
    ):  # fmt: skip
        answer = stranger.get(address)
        assert (answer.status, answer.problem) == (404, unknown.problem), address
    for address, body in (
        (f"/orders/{order}/cancel", None), (f"/orders/{order}/mark-paid", None), (f"/orders/{order}/refunds", {}),
        (f"/orders/{order}/lines", {"lines": ORDER["lines"]}), (f"/orders/{order}/payment-requests", {}),
        (f"/payment-requests/{request}/cancel", None), (f"/payment-requests/{request}/extend", {"expires_in": 60}),
        (f"/payments/{pay}/refunds", {}),
    ):  # fmt: skip
        answer = stranger.post(address, body, key="a-key")
        assert (answer.status, answer.problem) == (404, unknown.problem), address
    assert ledger() == before
    assert stranger.get("/orders").json == {"data": [], "has_more": False}
    assert stranger.get("/events").json == {"data": [], "has_more": False}
    assert stranger.get("/events", after=event["id"])["code"] == "unknown_cursor"


def test_every_answer_says_what_is_left() -> None:
    caller = Caller()
    first, second = caller.get("/orders"), caller.get("/orders/ord_unknown")
    assert first.headers["RateLimit-Policy"] == '"key";q=1000;w=10'
    assert first.headers["RateLimit"].startswith('"key";r=999;t=')
    assert second.headers["RateLimit"].startswith('"key";r=998;t=')


def test_too_many_calls_with_a_key_are_turned_away_and_do_nothing(settings: Any) -> None:
    settings.API_CALLS_PER_SECOND = 1
    caller, patient = Caller(), Caller()
    before = ledger()
    statuses = [caller.get("/orders").status for _ in range(10)]
    answer = caller.post("/orders", ORDER, key="k")
    assert statuses == [200] * 10
    assert (answer.status, answer["code"]) == (429, "too_many_requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 10
    assert answer.headers["RateLimit"].startswith('"key";r=0;t=')
    assert ledger() == before
    assert patient.get("/orders").status == 200


def test_two_at_once_are_both_counted() -> None:
    key = Caller().row.pk
    threads = [threading.Thread(target=counters.take, args=[key]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters.take(key).left == 1000 - 9


def test_a_key_that_may_only_read_gets_no_buyers_link() -> None:
    shop = Caller()
    order = shop.order()
    reader = Caller(shop.merchant, can_write=False)
    assert order["checkout_url"]
    assert reader.get(f"/orders/{order['id']}")["checkout_url"] == ""
    assert [row["checkout_url"] for row in reader.get("/orders")["data"]] == [""]
    assert shop.get(f"/orders/{order['id']}")["checkout_url"] == order["checkout_url"]


def test_every_answer_has_an_id_of_its_own_and_the_log_names_that_of_a_fault_of_ours(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caller = Caller()
    answers = [caller.get("/orders"), caller.get("/orders"), caller.get("/orders/ord_1"), Caller(key="").get("/orders")]
    names = [answer.headers["Request-Id"] for answer in answers]
    assert len(set(names)) == 4
    assert all(name.startswith("req_") for name in names)
    assert not any(name in caplog.text for name in names)
    monkeypatch.setattr("orders.api.routes.newest_first", lambda *_args, **_more: 1 / 0)
    failed = caller.get("/orders")
    assert failed.status == 500
    assert failed.headers["Request-Id"] in caplog.text
