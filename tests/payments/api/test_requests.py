"""Asking a friend by API."""

from collections.abc import Callable
from typing import Any

import pytest

from orders.models import Event, Order
from payments.models import Payment, PaymentRequest, Refund
from payments.settlement.ledger import check
from tests import shop
from tests.caller import ORDER, Caller, fields, ledger

pytestmark = pytest.mark.django_db

MoveTime = Callable[[float], None]


@pytest.fixture
def caller() -> Caller:
    return Caller()


def test_a_request_is_made_and_shown(caller: Caller) -> None:
    order = caller.order()
    answer = caller.post(f"/orders/{order['id']}/payment-requests", {"message": "Please!", "expires_in": 3600})
    assert answer.status == 201
    request, shown = PaymentRequest.objects.get(), answer.json
    assert caller.get(f"/payment-requests/{request.public_id}").json == shown
    times = {name: shown.pop(name) for name in ("created_at", "expires_at")}
    assert all(moment.endswith("Z") for moment in times.values())
    assert request.expires_at.isoformat().replace("+00:00", "Z") == times["expires_at"]
    link, code = f"http://127.0.0.1:8000/p/{request.token}/", f"{request.code[:4]}-{request.code[4:]}"
    assert link in shown["share_text"]
    assert code in shown.pop("share_text")
    assert shown == {
        "id": request.public_id,
        "order": order["id"],
        "order_reference": order["reference"],
        "status": "open",
        "currency": "CNY",
        "amount": 9000,
        "amount_paid": 0,
        "amount_held": 0,
        "metadata": {},
        "message": "Please!",
        "split": None,
        "url": link,
        "code": code,
        "qr_url": f"{link}qr.svg",
        "paid_at": None,
        "closed_at": None,
        "payments": [],
    }
    assert request.shared_at is not None


def test_a_body_is_not_needed_to_ask(caller: Caller) -> None:
    order = caller.order()
    assert caller.post(f"/orders/{order['id']}/payment-requests").status == 201


def test_the_message_goes_out_in_the_buyers_language(caller: Caller) -> None:
    texts = [caller.ask(caller.order(locale=locale))["share_text"] for locale in ("zh-CN", "en", "fr", "sw")]
    assert "¥90.00" in texts[0] or "￥90.00" in texts[0]
    assert "CN¥90.00" in texts[1]
    assert "90,00\xa0CNY" in texts[2]
    assert "CN¥90.00" in texts[3]  # not spoken here


def test_one_request_is_open_at_a_time(caller: Caller) -> None:
    request = caller.ask()
    before = ledger()
    again = caller.post(f"/orders/{request['order']}/payment-requests", {})
    assert (again.status, again["code"]) == (409, "request_open")
    assert ledger() == before


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"expires_in": 59}, "expires_in", "out_of_range"),
        ({"expires_in": 30 * 86400 + 1}, "expires_in", "out_of_range"),
        ({"expires_in": 10**30}, "expires_in", "out_of_range"),
        ({"expires_in": "3600"}, "expires_in", "wrong_type"),
        ({"expires_in": 3600.5}, "expires_in", "wrong_type"),
        ({"expires_in": True}, "expires_in", "wrong_type"),
        ({"message": "x" * 201}, "message", "too_long"),
        ({"message": "a\u0007b"}, "message", "malformed"),
        ({"message": "a\u0000b"}, "message", "malformed"),
        ({"message": 7}, "message", "wrong_type"),
        ({"split": {"max_payers": 1}}, "split.max_payers", "out_of_range"),
        ({"split": {"max_payers": 51}}, "split.max_payers", "out_of_range"),
        ({"split": {"max_payers": 3, "min_amount": 0}}, "split.min_amount", "out_of_range"),
        ({"split": {"max_payers": 3, "min_amount": 4501}}, "split.min_amount", "min_amount_out_of_range"),
        ({"split": {}}, "split.max_payers", "required"),
        ({"split": {"shares": [{"name": "Mei", "amount": 9000}]}}, "split.shares", "too_few"),
        (
            {"split": {"shares": [{"name": "Mei", "amount": 4000}, {"name": "Jun", "amount": 5001}]}},
            "split.shares",
            "shares_do_not_add_up",
        ),
        ({"split": {"max_payers": 2, "names": []}}, "split.names", "unknown_field"),
        ({"amount": 1}, "amount", "unknown_field"),
    ],
)
def test_a_wrong_request_names_the_field_and_opens_nothing(
    caller: Caller, body: dict[str, Any], field: str, code: str
) -> None:
    order = caller.order()
    before = ledger()
    answer = caller.post(f"/orders/{order['id']}/payment-requests", body)
    assert (answer.status, fields(answer)) == (422, {field: code})
    assert ledger() == before


def test_words_over_several_lines_with_emoji_are_kept(caller: Caller) -> None:
    assert caller.ask(message="请帮我 🙏\n谢谢")["message"] == "请帮我 🙏\n谢谢"


def test_several_friends_may_pay_parts(caller: Caller) -> None:
    request = caller.ask(split={"max_payers": 3, "min_amount": 1000})
    assert request["split"] == {"max_payers": 3, "min_amount": 1000, "shares": []}
    row = PaymentRequest.objects.get()
    shop.succeed(shop.hold(row, 4000, name="Mei"))
    shop.hold(row, 2000, name="Bo")
    shown = caller.get(f"/payment-requests/{request['id']}").json
    assert (shown["status"], shown["amount_paid"], shown["amount_held"]) == ("open", 4000, 2000)
    assert [(pay["status"], pay["payer_name"], pay["amount_applied"]) for pay in shown["payments"]] == [
        ("succeeded", "Mei", 4000),
        ("pending", "Bo", 0),
    ]


def test_a_payers_secrets_stay_his(caller: Caller) -> None:
    asked, payment = caller.paid()
    Payment.objects.update(visitor="visitor-hash", network="network-hash", provider_session="the-session")
    for address in (f"/payment-requests/{asked['id']}", f"/payments/{payment.public_id}"):
        body = caller.get(address).body.decode()
        for secret in ("visitor-hash", "network-hash", "the-session", payment.token, str(payment.account.sealed)):
            assert secret not in body


def test_past_its_time_a_request_is_shown_as_expired_before_the_sweep_came(caller: Caller, move_time: MoveTime) -> None:
    request = caller.ask(expires_in=60)
    move_time(61)
    assert caller.get(f"/payment-requests/{request['id']}")["status"] == "expired"
    assert PaymentRequest.objects.get().status == "open"
    assert caller.ask({"id": request["order"]})["status"] == "open"


def test_a_cancelled_request_stays_cancelled_however_often_it_is_said(caller: Caller) -> None:
    request = caller.ask()
    first = caller.post(f"/payment-requests/{request['id']}/cancel")
    assert (first.status, first["status"]) == (200, "cancelled")
    before = ledger()
    assert caller.post(f"/payment-requests/{request['id']}/cancel").json == first.json
    assert ledger() == before


def test_a_paid_request_is_not_cancelled(caller: Caller) -> None:
    request, _payment = caller.paid()
    before = ledger()
    answer = caller.post(f"/payment-requests/{request['id']}/cancel")
    assert (answer.status, answer["code"]) == (409, "request_paid")
    assert ledger() == before


def test_more_time_is_given_and_never_taken(caller: Caller) -> None:
    request = caller.ask(expires_in=3600)
    longer = caller.post(f"/payment-requests/{request['id']}/extend", {"expires_in": 7200})
    assert (longer.status, longer["expires_at"] > request["expires_at"]) == (200, True)
    shorter = caller.post(f"/payment-requests/{request['id']}/extend", {"expires_in": 60})
    assert shorter["expires_at"] == longer["expires_at"]


def test_nobody_extends_what_has_ended(caller: Caller, move_time: MoveTime) -> None:
    request = caller.ask(expires_in=60)
    move_time(61)
    before = ledger()
    answer = caller.post(f"/payment-requests/{request['id']}/extend", {"expires_in": 60})
    assert (answer.status, answer["code"]) == (409, "request_expired")
    assert caller.post(f"/payment-requests/{request['id']}/extend").status == 422
    assert ledger() == before


def test_all_requests_of_an_order_are_listed(caller: Caller) -> None:
    first = caller.ask()
    caller.post(f"/payment-requests/{first['id']}/cancel")
    second = caller.ask({"id": first["order"]})
    caller.ask()
    listed = caller.get(f"/orders/{first['order']}/payment-requests").json
    assert [(row["id"], row["status"]) for row in listed["data"]] == [
        (second["id"], "open"),
        (first["id"], "cancelled"),
    ]
    older = caller.get(f"/orders/{first['order']}/payment-requests", after=second["id"]).json
    assert [row["id"] for row in older["data"]] == [first["id"]]


def test_a_list_asks_the_database_the_same_number_of_questions_however_long_it_is(
    caller: Caller, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    order = caller.order()
    for _ in range(5):
        request = caller.ask(order)
        shop.hold(PaymentRequest.objects.get(public_id=request["id"]))
        caller.post(f"/payment-requests/{request['id']}/cancel")
    with django_assert_max_num_queries(7):
        assert len(caller.get(f"/orders/{order['id']}/payment-requests")["data"]) == 5
    with django_assert_max_num_queries(4):
        caller.get("/orders")


# Orders, where payments are touched


def test_another_price_is_asked_for_from_then_on(caller: Caller) -> None:
    request = caller.ask()
    lines = [{"name": "White tea", "quantity": 1, "unit_amount": 8000}]
    changed = caller.post(f"/orders/{request['order']}/lines", {"lines": lines})
    assert (changed.status, changed["amount"], changed["lines"][0]["name"]) == (200, 8000, "White tea")
    assert caller.get(f"/payment-requests/{request['id']}")["amount"] == 8000


@pytest.mark.parametrize("body", [None, {}, {"lines": []}, {"lines": ORDER["lines"], "currency": "EUR"}])
def test_wrong_lines_change_nothing(caller: Caller, body: object) -> None:
    request = caller.ask()
    before = ledger()
    assert caller.post(f"/orders/{request['order']}/lines", body).status == 422
    assert ledger() == before


def test_what_is_partly_paid_keeps_its_price(caller: Caller) -> None:
    request, _payment = caller.paid(4000, split={"max_payers": 3})
    before = ledger()
    answer = caller.post(f"/orders/{request['order']}/lines", {"lines": ORDER["lines"]})
    assert (answer.status, answer["code"]) == (409, "partly_paid")
    assert ledger() == before


@pytest.mark.parametrize(("action", "status"), [("cancel", "cancelled"), ("mark-paid", "paid")])
def test_closing_an_order_ends_its_request_and_sends_parts_back(caller: Caller, action: str, status: str) -> None:
    request, payment = caller.paid(4000, split={"max_payers": 3})
    closed = caller.post(f"/orders/{request['order']}/{action}")
    assert (closed.status, closed["status"], closed["amount_paid"]) == (200, status, 0)
    assert closed["paid_elsewhere"] is (action == "mark-paid")
    assert caller.get(f"/payment-requests/{request['id']}")["status"] == "cancelled"
    assert list(Refund.objects.values_list("payment", "amount", "reason")) == [(payment.pk, 4000, "underfunded")]
    before = ledger()
    assert caller.post(f"/orders/{request['order']}/{action}").json == closed.json
    assert ledger() == before


@pytest.mark.parametrize("action", ["cancel", "mark-paid"])
def test_a_paid_order_is_neither_cancelled_nor_paid_elsewhere(caller: Caller, action: str) -> None:
    request, _payment = caller.paid()
    before = ledger()
    answer = caller.post(f"/orders/{request['order']}/{action}", {})
    assert (answer.status, answer["code"]) == (409, "order_paid")
    assert ledger() == before


@pytest.mark.parametrize("action", ["cancel", "mark-paid"])
def test_what_is_said_besides_is_refused(caller: Caller, action: str) -> None:
    order = caller.order()
    before = ledger()
    answer = caller.post(f"/orders/{order['id']}/{action}", {"reason": "changed my mind"})
    assert (answer.status, fields(answer)) == (422, {"reason": "unknown_field"})
    assert ledger() == before


def test_a_frozen_shop_asks_for_nothing(caller: Caller) -> None:
    order = caller.order()
    caller.merchant.is_frozen = True
    caller.merchant.save()
    answer = caller.post(f"/orders/{order['id']}/payment-requests", {})
    assert (answer.status, answer["code"]) == (403, "merchant_frozen")
    assert not PaymentRequest.objects.exists()


def test_offers_say_what_is_shown_and_why_not_the_rest(caller: Caller) -> None:
    order = caller.order()
    offers = caller.get(f"/orders/{order['id']}/offers").json
    sandbox = {"method": "sandbox", "label": "Sandbox wallet", "provider": "sandbox", "rail": "redirect"}
    assert sandbox in offers["shown"]
    Order.objects.update(live=True)
    live = Caller(caller.merchant, live=True)
    offers = live.get(f"/orders/{order['id']}/offers", screen="phone").json
    reasons = {offer["method"]: offer["reason"] for offer in offers["withheld"]}
    assert reasons["sandbox"] == "account_is_for_test_orders"
    assert "sandbox" not in {offer["method"] for offer in offers["shown"]}
    answer = live.get(f"/orders/{order['id']}/offers", screen="watch")
    assert (answer.status, list(fields(answer))) == (422, ["screen"])


def test_events_name_the_merchant_who_called(caller: Caller) -> None:
    request = caller.ask()
    caller.post(f"/payment-requests/{request['id']}/extend", {"expires_in": 30 * 86400})
    caller.post(f"/payment-requests/{request['id']}/cancel")
    told = Event.objects.filter(request=request["id"]).values_list("type", "actor")
    assert list(told) == [
        ("payment_request.created", "merchant"),
        ("payment_request.extended", "merchant"),
        ("payment_request.cancelled", "merchant"),
    ]


def test_paid_elsewhere_has_a_note_and_can_be_taken_back(caller: Caller) -> None:
    order = caller.order()
    request = caller.ask(order)
    marked = caller.post(f"/orders/{order['id']}/mark-paid", {"note": "By bank transfer, 4 May."})
    assert (marked["status"], marked["paid_elsewhere_note"]) == ("paid", "By bank transfer, 4 May.")
    for _twice in range(2):
        back = caller.post(f"/orders/{order['id']}/mark-unpaid")
        assert (back.status, back["status"], back["paid_at"]) == (200, "awaiting_payment", None)
        assert (back["paid_elsewhere"], back["paid_elsewhere_note"]) == (False, "")
    assert list(Event.objects.filter(type__startswith="order.").values_list("type", flat=True)) == [
        "order.created",
        "order.paid",
        "order.reopened",
    ]
    assert caller.get(f"/payment-requests/{request['id']}")["status"] == "cancelled"
    payment = shop.hold(PaymentRequest.objects.get(public_id=caller.ask(order)["id"]))
    shop.succeed(payment)
    assert caller.get(f"/orders/{order['id']}")["status"] == "paid"
    assert check() == []


def test_what_was_paid_here_or_is_over_is_not_taken_back(caller: Caller) -> None:
    paid, _payment = caller.paid()
    cancelled = caller.order()["id"]
    caller.post(f"/orders/{cancelled}/cancel")
    before = ledger()
    for order in (paid["order"], cancelled):
        answer = caller.post(f"/orders/{order}/mark-unpaid")
        assert (answer.status, answer["code"]) == (409, "not_paid_elsewhere")
    assert ledger() == before


def test_shares_are_named_and_each_has_its_link(caller: Caller) -> None:
    shares = [{"name": "Mei", "amount": 4000}, {"name": "Jun", "amount": 5000}]
    request = caller.ask(split={"shares": shares})
    link = request["url"]
    assert request["split"]["shares"] == [
        {**share, "url": f"{link}?share={number}", "paid": False} for number, share in enumerate(shares, 1)
    ]
    assert (request["split"]["max_payers"], request["split"]["min_amount"]) == (2, 4000)
    row = PaymentRequest.objects.get()
    shop.succeed(shop.hold_share(row, 1, name="Jun"))
    shown = caller.get(f"/payment-requests/{row.public_id}").json
    assert [share["paid"] for share in shown["split"]["shares"]] == [False, True]
    assert [payment["share"] for payment in shown["payments"]] == [2]
