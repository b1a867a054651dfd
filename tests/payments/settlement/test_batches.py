"""What is ended in batches ends as it would alone: the same rows, events, deliveries and mails."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from friendpay.kit import clock
from orders.models import Event, Order, WebhookDelivery
from orders.webhooks import endpoints
from payments.live import snapshot
from payments.models import Mail, MailAddress, Payment, PaymentRequest
from payments.settlement import batches, expiry, ledger, lifecycle
from payments.settlement.rules import Split
from tests import shop

pytestmark = pytest.mark.django_db

MoveTime = Callable[[float], None]
MINUTE = timedelta(minutes=1)
WHAT_IS_ANY = {
    "id",
    "public_id",
    "created_at",
    "sequence",
    "merchant_id",
    "order_id",
    "object_id",
    "request",
    "event_id",
}


def told(order: Order) -> list[dict[str, Any]]:
    """All events of an order, but for names and times: and whom they are told."""
    rows = []
    for event in order.events.order_by("id"):
        row: dict[str, Any] = {
            name: value for name, value in Event.objects.values().get(pk=event.pk).items() if name not in WHAT_IS_ANY
        }
        times = {name: type(value) for name, value in row["data"].items() if name.endswith("_at")}
        names = dict.fromkeys(("id", "order", "order_reference", "payment_request", "reference"))
        row["data"] |= times | {name: None for name in names if name in row["data"]}
        deliveries = WebhookDelivery.objects.filter(event=event).order_by("endpoint_id")
        row["deliveries"] = [
            (it.endpoint.description, it.status, it.attempts, it.next_attempt_at is not None) for it in deliveries
        ]
        row["mails"] = list(Mail.objects.filter(event=event).values_list("kind", "to__role", "attempts"))
        rows.append(row)
    return rows


def give_address(request: PaymentRequest, role: str) -> MailAddress:
    now = clock.now()
    return MailAddress.objects.create(
        role=role, order=request.order, request=request, address="a@b.example", digest="d", language="en",
        created_at=now, ends_at=now + timedelta(days=1),
    )  # fmt: skip


def stage(*, life: timedelta | None = None) -> PaymentRequest:
    """A request of a shop with three endpoints, of which one wants to hear of its end; the buyer and a friend gave
    their addresses.
    """
    order = shop.make_order()
    if life:
        Order.objects.filter(pk=order.pk).update(expires_at=clock.now() + life)
    for name, types in {
        "all": [],
        "ends": ["payment_request.expired", "order.expired"],
        "paid": ["order.paid"],
    }.items():
        url = f"https://shop.example/{name}"
        endpoints.create(order.merchant, live=False, url=url, description=name, event_types=types)
    request = shop.make_request(order, expires_in=MINUTE)
    give_address(request, "buyer")
    reminder = give_address(request, "friend")
    Mail.objects.create(to=reminder, kind="reminder", next_attempt_at=clock.now() + timedelta(hours=1))
    return request


def stands(request: PaymentRequest) -> dict[str, Any]:
    row = PaymentRequest.objects.values().get(pk=request.pk)
    order = Order.objects.values("status", "amount_paid").get(pk=request.order_id)
    return {
        "request": {name: row[name] for name in ("status", "seq", "amount_held", "amount_paid")},
        "closed": row["closed_at"] is not None,
        "order": order,
        "addresses": sorted(MailAddress.objects.filter(request=request).values_list("role", "address")),
        "reminders": Mail.objects.filter(to__request=request, event=None).count(),
    }


def test_a_batch_ends_requests_as_each_would_end_alone(move_time: MoveTime) -> None:
    alone, *others = [stage() for _ in range(3)]
    move_time(61)
    lifecycle.expire_request(alone.pk)
    assert lifecycle.expire_plain(10) == 2
    for other in others:
        assert stands(other) == stands(alone)
        assert told(other.order) == told(alone.order)
    assert stands(alone)["reminders"] == 0
    assert told(alone.order)[-1]["mails"] == [("expired", "buyer", 0)]
    assert [it[0] for it in told(alone.order)[-1]["deliveries"]] == ["all", "ends"]


def test_a_batch_ends_orders_as_each_would_end_alone(move_time: MoveTime) -> None:
    alone, *others = [stage(life=MINUTE) for _ in range(3)]
    move_time(61)
    lifecycle.expire_order(alone.order_id)
    assert lifecycle.expire_plain_orders(10) == 2
    for other in others:
        assert stands(other) == stands(alone)
        assert told(other.order) == told(alone.order)
    assert [row["type"] for row in told(alone.order)][-2:] == ["payment_request.expired", "order.expired"]


def test_a_batch_frees_lapsed_holds_as_each_would_be_freed_alone(move_time: MoveTime) -> None:
    requests = [shop.make_request(amount=9000, split=Split(3, 3000)) for _ in range(2)]
    payments = [[shop.hold(request, 3000, name=name, lasts=MINUTE) for name in ("Mei", "Ann")] for request in requests]
    late = [shop.hold(request, 3000, name="Bo") for request in requests]
    move_time(61)
    for payment in payments[0]:
        lifecycle.let_go(payment.pk)
    assert batches.let_go_lapsed(clock.now(), 10) == 2
    fields = ("status", "closing", "attempts", "held_until", "code")
    for one, other in zip(*payments, strict=True):
        row = Payment.objects.values(*fields).get(pk=one.pk)
        assert row == Payment.objects.values(*fields).get(pk=other.pk)
        assert (row["closing"], row["held_until"]) == (True, None)
    assert stands(requests[0]) == stands(requests[1])
    assert stands(requests[1])["request"]["amount_held"] == 3000
    assert told(requests[0].order) == told(requests[1].order)
    assert Payment.objects.due_for_question(clock.now()).filter(closing=True).count() == 4
    assert Payment.objects.filter(pk__in=[it.pk for it in late], held_until=None).count() == 0
    assert ledger.check() == []


def test_an_events_times_are_written_as_alone(move_time: MoveTime) -> None:
    request = shop.make_request(expires_in=MINUTE)
    whole = clock.now().replace(microsecond=0)
    PaymentRequest.objects.filter(pk=request.pk).update(created_at=whole - MINUTE, expires_at=whole)
    move_time(61)
    lifecycle.expire_plain(10)
    request.refresh_from_db()
    data = Event.objects.get(type="payment_request.expired").data
    for name in ("created_at", "expires_at", "closed_at"):
        assert data[name] == clock.rfc3339(getattr(request, name))
    assert data["paid_at"] is None


@pytest.mark.parametrize("kept_by", ["part", "undecided", "hold"])
def test_what_is_not_plain_is_left_to_the_careful_path(kept_by: str, move_time: MoveTime) -> None:
    order = shop.make_order()
    Order.objects.filter(pk=order.pk).update(expires_at=clock.now() + MINUTE)
    request = shop.make_request(order, amount=9000, split=Split(3, 3000))
    payment = shop.hold(request, 3000)
    if kept_by == "part":
        shop.succeed(payment)
    if kept_by == "undecided":
        lifecycle.let_go(payment.pk)
    move_time(61)
    before = stands(request), told(order)
    assert (lifecycle.expire_plain(10), lifecycle.expire_plain_orders(10)) == (0, 0)
    assert (stands(request), told(order)) == before
    expiry.sweep()
    assert stands(request)["request"]["status"] == ("open" if kept_by == "hold" else "expired")
    assert ledger.check() == []


def test_a_sweep_needs_no_more_statements_for_fifty_than_for_two(move_time: MoveTime) -> None:
    def statements(number: int) -> int:
        for _ in range(number):
            shop.make_request(expires_in=MINUTE)
        move_time(61)
        with CaptureQueriesContext(connection) as asked:
            expiry.sweep()
        assert not PaymentRequest.objects.filter(status="open").exists()
        return len(asked)

    assert statements(2) == statements(50)


def test_orders_end_together_whatever_ended_before_and_whatever_other_orders_wait_for(move_time: MoveTime) -> None:
    over = shop.make_order()
    lifecycle.cancel_request(shop.make_request(over).pk, actor="buyer")
    Order.objects.filter(pk=over.pk).update(expires_at=clock.now() + MINUTE)
    shop.hold(shop.make_request(expires_in=MINUTE))  # of another order, whose money is on its way
    move_time(61)
    assert lifecycle.expire_plain_orders(10) == 1
    over.refresh_from_db()
    assert over.status == "expired"


def test_an_order_that_needs_care_ends_although_money_is_on_its_way_to_another(move_time: MoveTime) -> None:
    order = shop.make_order()
    Order.objects.filter(pk=order.pk).update(expires_at=clock.now() + MINUTE)
    request = shop.make_request(order, split=Split(3, 3000))
    shop.succeed(shop.hold(request, 3000))
    shop.hold(shop.make_request(expires_in=MINUTE))
    move_time(61)
    expiry.sweep()
    assert stands(request)["order"] == {"status": "expired", "amount_paid": 0}


def test_an_order_is_kept_by_its_open_request_alone() -> None:
    kept, free, ended = (shop.make_order() for _ in range(3))
    shop.make_request(kept)
    lifecycle.cancel_request(shop.make_request(ended).pk, actor="buyer")
    assert batches.without_open_request([kept.pk, free.pk, ended.pk]) == [free.pk, ended.pk]


def test_what_is_done_to_many_is_shown_and_seen_to_once_it_is_committed(
    monkeypatch: pytest.MonkeyPatch, move_time: MoveTime, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    shown: list[list[int]] = []
    sent: list[str] = []
    monkeypatch.setattr(snapshot, "push_all", lambda request_ids: shown.append(list(request_ids)))
    monkeypatch.setattr(batches, "enqueue", sent.append)
    stale, held = shop.make_request(expires_in=MINUTE), shop.make_request()
    payment = shop.hold(held, lasts=MINUTE)
    move_time(61)
    Payment.objects.update(next_attempt_at=clock.now() + MINUTE)
    with django_capture_on_commit_callbacks(execute=True):
        assert (lifecycle.expire_plain(10), batches.let_go_lapsed(clock.now(), 10)) == (1, 1)
        assert (shown, sent) == ([], [])
    assert (shown, sent) == ([[stale.pk], [held.pk]], ["payments.sweep_payments"])
    payment.refresh_from_db()
    assert payment.next_attempt_at
    assert payment.next_attempt_at <= clock.now()
