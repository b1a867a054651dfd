"""Many endpoints at once: H7 of the protocols, senders beside each other, and a sender that is killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler

import pytest
from django.conf import settings
from django.db import connection, connections

from friendpay.kit import background, limits
from orders import sequence
from orders.models import Merchant, Order, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from orders.tasks import send_webhooks
from orders.webhooks import delivery, transport
from tests import shop
from tests.orders.webhooks.conftest import MakeReceiver, MoveTime, send, told
from tests.orders.webhooks.receivers import Receiver, say

pytestmark = pytest.mark.proof

PATIENCE = 60


class Gate:
    """Holds all calls of a server until it is opened: `held` of them. `waited` says whether each lived to see that."""

    def __init__(self, server: Receiver) -> None:
        self._open, self._server = threading.Event(), server
        self.waited: list[bool] = []
        self.held = 0
        server.respond = self

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        self.waited.append(self._open.wait(PATIENCE))
        say(handler, 204)

    def open(self, expected: int = 1) -> None:
        """Once as many are held as are expected, and those had their moment who should not be."""
        wait_for(lambda: self._server.at_once >= expected)
        time.sleep(0.05)
        self.held = self._server.at_once
        self._open.set()


def opens(gate: Gate, *, after: int, held: int = 1) -> Callable[[BaseHTTPRequestHandler], None]:
    """A quick answer; with the last of so many the gate opens."""
    lock, left = threading.Lock(), after

    def respond(handler: BaseHTTPRequestHandler) -> None:
        nonlocal left
        say(handler, 204)
        with lock:
            left -= 1
            if left == 0:
                gate.open(held)

    return respond


def busy(server: Receiver, merchant: Merchant, *, events: int, proven: bool = True) -> WebhookEndpoint:
    """An endpoint with so many events to get."""
    endpoint, _ = told(server, merchant, proven=proven)
    for _ in range(events):
        shop.make_order(endpoint.merchant)
    return endpoint


# H7


@pytest.mark.django_db
@pytest.mark.parametrize("proven", [True, False])
def test_H7_nobody_waits_for_a_slow_endpoint(proven: bool, listen: MakeReceiver) -> None:
    slow, quick = listen(), listen()
    gate = Gate(slow)
    most = limits.WEBHOOK_CALLS_TO_ENDPOINT if proven else 1
    quick.respond = opens(gate, after=12, held=most)
    busy(slow, shop.make_merchant("Slow"), events=20, proven=proven)
    for number in range(3):
        busy(quick, shop.make_merchant(f"Quick {number}"), events=4)
    send()
    assert all(gate.waited)
    assert (len(slow.heard), len(quick.heard)) == (20, 12)
    assert gate.held == most


@pytest.mark.django_db
def test_H7_nobody_waits_for_many_slow_endpoints(listen: MakeReceiver) -> None:
    slow, quick = listen(), listen()
    gate = Gate(slow)
    quick.respond = opens(gate, after=20, held=limits.WEBHOOK_CALLS_TO_SLOW)
    for number in range(40):
        busy(slow, shop.make_merchant(f"Slow {number}"), events=1, proven=False)
    busy(quick, shop.make_merchant("Quick"), events=20)
    send()
    assert all(gate.waited)
    assert gate.held == limits.WEBHOOK_CALLS_TO_SLOW
    assert (len(slow.heard), len(quick.heard)) == (40, 20)


@pytest.mark.django_db
def test_H7_a_merchant_with_many_endpoints_takes_no_more_than_its_share(listen: MakeReceiver) -> None:
    slow, quick = listen(), listen()
    gate = Gate(slow)
    quick.respond = opens(gate, after=4, held=limits.WEBHOOK_CALLS_TO_MERCHANT)
    greedy = shop.make_merchant("Greedy")
    for number in range(12):
        told(slow, greedy, url=f"{slow.url}?{number}")
    greedy.refresh_from_db()
    for _ in range(4):
        shop.make_order(greedy)
    busy(quick, shop.make_merchant("Quick"), events=4)
    send()
    assert all(gate.waited)
    assert gate.held == limits.WEBHOOK_CALLS_TO_MERCHANT < limits.WEBHOOK_CALLS
    assert len(slow.heard) == 48


@pytest.mark.django_db
def test_H7_a_long_backlog_of_one_does_not_hide_the_others(
    listen: MakeReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_CALLS", 2)
    order: list[str] = []
    first, second = listen(), listen()

    def note(name: str) -> Callable[[BaseHTTPRequestHandler], None]:
        def respond(handler: BaseHTTPRequestHandler) -> None:
            order.append(name)
            say(handler, 204)

        return respond

    first.respond, second.respond = note("backlog"), note("other")
    busy(first, shop.make_merchant("Backlog"), events=60)
    busy(second, shop.make_merchant("Other"), events=1)
    send()
    assert len(order) == 61
    assert order.index("other") < 50


@pytest.mark.django_db
def test_H7_a_new_event_is_told_while_slow_calls_are_under_way(listen: MakeReceiver) -> None:
    """The second event of the quick shop comes while the slow one is being called."""
    slow, quick = listen(), listen()
    gate = Gate(slow)
    busy(slow, shop.make_merchant("Slow"), events=1)
    endpoint = busy(quick, shop.make_merchant("Quick"), events=1)
    real = delivery._note
    came: list[Order] = []

    def note(sent: WebhookDelivery, answer: transport.Answer) -> None:
        real(sent, answer)
        if sent.endpoint_id == endpoint.pk and not came:
            came.append(shop.make_order(endpoint.merchant))
            sequence.publish()
            quick.respond = opens(gate, after=1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "_note", note)
        send()
    assert all(gate.waited)
    assert len(quick.heard) == 2


@pytest.mark.django_db
def test_an_endpoint_earns_room_by_a_quick_answer_and_loses_it_by_a_slow_one(listen: MakeReceiver) -> None:
    endpoint = busy(listen(), shop.make_merchant(), events=1, proven=False)
    sequence.publish()
    [taken] = delivery._take([])
    for answer, is_slow in (
        (transport.Answer(status=500, milliseconds=10), True),
        (transport.Answer(status=204, milliseconds=10), False),
        (transport.Answer(status=500, milliseconds=10), False),
        (transport.Answer(status=204, milliseconds=2001), True),
        (transport.Answer(status=204, milliseconds=10), False),
        (transport.Answer(error="timeout", milliseconds=15_000), True),
    ):
        delivery._note(taken, answer)
        endpoint.refresh_from_db()
        assert endpoint.is_slow == is_slow


# Senders beside each other, in real transactions


def in_thread(work: Callable[[], None]) -> None:
    try:
        work()
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_never_send_the_same_one(shop_server: Receiver) -> None:
    busy(shop_server, shop.make_merchant(), events=40)
    sequence.publish()
    with ThreadPoolExecutor(4) as pool:
        for sender in [pool.submit(in_thread, delivery.send_due) for _ in range(4)]:
            sender.result(60)
    assert len(set(shop_server.ids)) == len(shop_server.ids) == 40
    assert WebhookAttempt.objects.count() == 40


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_a_receiver_thinks(shop_server: Receiver) -> None:
    gate = Gate(shop_server)
    busy(shop_server, shop.make_merchant(), events=1)
    sequence.publish()
    with ThreadPoolExecutor(1) as pool:
        sender = pool.submit(in_thread, delivery.send_due)
        wait_for(lambda: bool(shop_server.heard))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND state LIKE 'idle in transaction%%'"
            )
            assert cursor.fetchone() == (0,)
        gate.open()
        sender.result(PATIENCE)


def lines_to_the_database() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
        )
        return {pid for (pid,) in cursor.fetchall()}


@pytest.mark.django_db(transaction=True)
def test_calls_know_nothing_of_the_database(shop_server: Receiver) -> None:
    """One connection sends to many: the sender's own."""
    gate = Gate(shop_server)
    for number in range(8):
        busy(shop_server, shop.make_merchant(f"Shop {number}"), events=2)
    sequence.publish()
    before = lines_to_the_database()
    with ThreadPoolExecutor(1) as pool:
        sender = pool.submit(in_thread, delivery.send_due)
        wait_for(lambda: len(shop_server.heard) == 16)
        assert len(lines_to_the_database() - before) == 1
        gate.open()
        sender.result(PATIENCE)


@pytest.mark.django_db(transaction=True)
def test_an_order_is_told_of_right_after_its_commit(shop_server: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[Callable[[], object]] = []

    def run_later(purpose: str, job: Callable[[], object]) -> None:
        assert not connection.in_atomic_block
        jobs.append(job)

    endpoint, _ = told(shop_server)
    monkeypatch.setattr(background, "run_later", run_later)
    monkeypatch.setattr(delivery, "run_later", run_later)
    shop.make_order(endpoint.merchant)
    assert len(jobs) == 1
    sent: list[str] = []
    monkeypatch.setattr("friendpay.celery.app.send_task", lambda name, **kwargs: sent.append(name))
    jobs.pop()()
    assert sent == ["orders.send_webhooks"]
    send_webhooks()
    jobs.pop()()
    assert len(shop_server.heard) == 1


@pytest.mark.django_db(transaction=True)
def test_one_sender_of_a_process_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[object] = []
    monkeypatch.setattr(delivery, "run_later", lambda purpose, job: jobs.append(job))
    with delivery._at_work:
        delivery.send_soon()
    assert jobs == []
    delivery.send_soon()
    assert len(jobs) == 1


SENDER = """
import django
django.setup()
from orders.webhooks import delivery
delivery.send_due()
"""


@pytest.mark.django_db(transaction=True)
def test_H6_a_sender_killed_with_kill_9_loses_nothing(shop_server: Receiver, move_time: MoveTime) -> None:
    gate = Gate(shop_server)
    busy(shop_server, shop.make_merchant(), events=3)
    sequence.publish()
    environment = {
        **os.environ,
        "DATABASE_URL": os.environ["DATABASE_URL"].replace("/friendpay?", f"/{connection.settings_dict['NAME']}?"),
        "WEBHOOK_ALLOW_LOOPBACK": "yes",
    }
    sender = subprocess.Popen([sys.executable, "-c", SENDER], cwd=settings.BASE_DIR, env=environment)
    try:
        wait_for(lambda: len(shop_server.heard) == 3)
    finally:
        sender.send_signal(signal.SIGKILL)
        sender.wait()
    gate.open()
    shop_server.respond = None
    assert not WebhookAttempt.objects.exists()
    move_time(61)
    send()
    assert len(shop_server.heard) == 6
    assert len({(message.id, message.body) for message in shop_server.heard}) == 3
    assert {row.status for row in WebhookDelivery.objects.all()} == {"delivered"}


def wait_for(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def test_the_calls_of_a_process_are_bounded() -> None:
    assert (
        1
        < limits.WEBHOOK_CALLS_TO_ENDPOINT
        < limits.WEBHOOK_CALLS_TO_MERCHANT
        < limits.WEBHOOK_CALLS_TO_SLOW
        < limits.WEBHOOK_CALLS
    )
