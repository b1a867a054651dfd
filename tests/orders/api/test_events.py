"""The order events are told in: nobody who reads on from the last one misses any."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.db.models import F

from friendpay import scheduler
from friendpay.kit import limits
from orders import sequence
from orders.models import Event, Merchant
from orders.tasks import send_webhooks
from tests import shop
from tests.caller import Caller, fields
from tests.explained import steps

pytestmark = pytest.mark.django_db


def _told(caller: Caller, after: str | None = None, **query: object) -> list[Any]:
    answer = caller.get("/events", **({"after": after} if after else {}), **query)
    data: list[Any] = answer["data"]
    return data


def test_the_last_sequence_of_a_shop_is_looked_for_once_however_many_events_wait() -> None:
    caller = Caller()
    for _number in range(10):
        caller.ask()
    shops = [caller.merchant.pk]
    done = steps(sequence._NUMBER, [shops, 100, shops])
    looked = {step["Actual Loops"] for step in done if step.get("Index Name") == "event_sequence_once"}
    assert looked == {1}, "by the look for those that wait, too, where PostgreSQL takes that index for it"
    assert sorted(event["sequence"] for event in _told(caller)) == list(range(1, 21))


def test_an_event_tells_what_happened_to_what() -> None:
    caller = Caller()
    asked = caller.ask()
    order, request = _told(caller)
    assert order["created_at"].endswith("Z")
    assert order["sequence"] < request["sequence"]
    event = Event.objects.last()
    assert event is not None
    assert {name: request[name] for name in request if name not in ("created_at", "sequence", "data")} == {
        "id": event.public_id,
        "type": "payment_request.created",
        "live": False,
        "actor": "merchant",
        "object": asked["id"],
        "order": asked["order"],
        "payment_request": asked["id"],
    }
    assert (request["data"]["amount"], order["payment_request"]) == (9000, None)
    assert request["data"]["expires_at"] == asked["expires_at"]


def test_events_are_read_page_by_page_from_the_first_to_the_last() -> None:
    caller = Caller()
    for _ in range(3):
        caller.order()
    first = caller.get("/events", limit=2).json
    assert ([event["type"] for event in first["data"]], first["has_more"]) == (["order.created"] * 2, True)
    second = caller.get("/events", limit=2, after=first["data"][-1]["id"]).json
    assert (len(second["data"]), second["has_more"]) == (1, False)
    assert _told(caller, second["data"][-1]["id"]) == []
    caller.order()
    assert len(_told(caller, second["data"][-1]["id"])) == 1


@pytest.mark.parametrize(
    ("query", "code"), [({"after": "evt_unknown"}, "unknown_cursor"), ({"after": "1"}, "malformed")]
)
def test_a_cursor_that_is_none_is_named(query: dict[str, object], code: str) -> None:
    answer = Caller().get("/events", **query)
    assert (answer.status, fields(answer)) == (422, {"after": code})


def test_the_beat_publishes_what_nobody_has_read() -> None:
    shop.make_order()
    send_webhooks()
    assert not Event.objects.filter(sequence=None).exists()
    assert sequence.publish() == 0


def test_more_than_a_batch_is_published_in_the_order_of_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EVENTS_BATCH_ROWS", 2)
    merchant = shop.make_merchant()
    for _ in range(5):
        shop.make_order(merchant)
    assert sequence.publish() == 5
    rows = list(Event.objects.order_by("id").values_list("sequence", flat=True))
    assert rows == sorted(rows)  # type: ignore[type-var]
    assert len(set(rows)) == 5


class Writer:
    """A transaction of its own that has written an order and not committed."""

    def __init__(self, merchant: Merchant) -> None:
        self._merchant = merchant
        self._written, self._go_on = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()
        assert self._written.wait(60)

    def _write(self) -> None:
        try:
            with transaction.atomic():
                self.order = shop.make_order(self._merchant, reference="late")
                self._written.set()
                self._go_on.wait(60)
        finally:
            connections.close_all()

    def commit(self) -> None:
        self._go_on.set()
        self._thread.join(60)


@pytest.mark.django_db(transaction=True)
def test_an_event_that_commits_late_is_not_skipped() -> None:
    """Two transactions: the one that wrote first commits last, and a reader comes between."""
    caller = Caller()
    late = Writer(caller.merchant)
    early = caller.order()
    seen = _told(caller)
    late.commit()
    assert [event["object"] for event in seen] == [early["id"]]
    assert [event["object"] for event in _told(caller, seen[-1]["id"])] == [late.order.public_id]
    assert [event["object"] for event in _told(caller)] == [early["id"], late.order.public_id]
    written = Event.objects.order_by("id").values_list("object_id", flat=True)
    assert list(written) == [late.order.public_id, early["id"]]


@pytest.mark.django_db(transaction=True)
def test_one_publisher_waits_for_the_other() -> None:
    merchant = shop.make_order().merchant
    elsewhere = shop.make_order(shop.make_merchant(name="Elsewhere"))
    other = connections.create_connection("default")
    other.set_autocommit(False)
    with other.cursor() as cursor, connection.cursor() as own:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"events of shop {merchant.pk}"])
        own.execute("SET lock_timeout = '50ms'")
        with pytest.raises(OperationalError, match="lock timeout"):
            sequence.publish()
        assert sequence.publish(elsewhere.merchant_id) == 1  # another shop's events wait for nobody
        own.execute("RESET lock_timeout")
    other.commit()
    other.close()
    assert sequence.publish() == 1


def test_a_publisher_that_comes_too_late_has_nothing_to_do() -> None:
    """Another one was done between its look and its lock."""
    shop.make_order()

    def other_first(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        if "pg_advisory_xact_lock" in sql:
            Event.objects.update(sequence=F("id"))
        return execute(sql, *more)

    with connection.execute_wrapper(other_first):
        assert sequence.publish() == 0


@pytest.mark.django_db(transaction=True)
def test_no_shops_publisher_waits_for_the_scheduler() -> None:
    """Whose lock a worker holds for as long as it lives."""
    for number in range(1, 5):  # whatever is made of their keys
        Merchant.objects.get_or_create(pk=number, defaults={"name": f"Shop {number}", "contact": "help@shop.example"})
    other = connections.create_connection("default")
    with other.cursor() as cursor, connection.cursor() as own:
        cursor.execute("SELECT pg_advisory_lock(%s)", [scheduler._LOCK])
        own.execute("SET lock_timeout = '50ms'")
        for merchant in Merchant.objects.all():
            shop.make_order(merchant)
            assert sequence.publish(merchant.pk) == 1
        own.execute("RESET lock_timeout")
    other.close()


@pytest.mark.parametrize("batch", [3, 100])
def test_each_shop_counts_its_own_events(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EVENTS_BATCH_ROWS", batch)
    merchants = [shop.make_merchant(name=name) for name in ("Tea", "Books")]
    for number in range(4):
        for merchant in merchants:
            shop.make_order(merchant, reference=f"A-{number}")
    assert sequence.publish() == 8
    for merchant in merchants:
        rows = Event.objects.filter(merchant=merchant).order_by("id")
        assert list(rows.values_list("sequence", flat=True)) == [1, 2, 3, 4]
