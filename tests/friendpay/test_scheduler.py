"""Sweeps are sent when something is due, by one worker at a time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from statistics import median
from typing import Any

import psycopg
import pytest
from django.db import connection

from friendpay import scheduler
from friendpay.celery import app
from friendpay.kit import clock, limits, pooler
from orders import sequence
from orders.models import Event, Order, WebhookDelivery, WebhookEndpoint
from orders.webhooks import endpoints
from payments.models import Dispute, Mail, MailAddress, Payment, PaymentRequest, ProviderEvent, Refund
from payments.settlement import expiry, lifecycle, outside
from payments.wallets.base import Outcome, State
from sandbox.models import Charge, Notice
from tests import shop

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


class Sent(scheduler.Scheduler):
    """One that notes what it sends, and knows no broker."""

    def __init__(self) -> None:
        super().__init__(app)
        self.names: list[str] = []
        self._app: Any = self
        self.now = app.now

    def send_task(self, name: str, **options: Any) -> None:
        self.names.append(name)


def ask(sent: Sent) -> tuple[list[str], float]:
    """What one look sends, and how long it then sleeps. In the test's own transaction."""
    sent.names.clear()
    connection.ensure_connection()
    wait = sent.tick(connection.connection)
    return list(sent.names), wait


@pytest.fixture
def sent() -> Sent:
    return Sent()


def request() -> PaymentRequest:
    made = shop.make_request()
    sequence.publish()
    return made


def refund() -> Refund:
    made = request()
    payment = shop.hold(made)
    lifecycle.cancel_request(made.pk, actor="buyer")
    shop.succeed(payment)
    sequence.publish()
    return Refund.objects.get()


def dispute() -> Dispute:
    payment = shop.succeed(shop.hold(request()))
    made = outside.hear_dispute(payment.pk, Outcome(State.PENDING, "", "dp_1", payment.captured))
    sequence.publish()
    return made


def notification(*, asks: bool) -> ProviderEvent:
    account, now = shop.account_of(request()), clock.now()
    fields = {"account": account, "event_id": "1", "kind": "k", "about": "payment", "body": b"", "received_at": now}
    return ProviderEvent.objects.create(**fields, asks=asks, next_attempt_at=now + HOUR)


def delivery() -> WebhookDelivery:
    made = request()
    endpoints.create(made.merchant, live=False, url="https://shop.example/", event_types=[])
    lifecycle.cancel_request(made.pk, actor="buyer")
    sequence.publish()
    return WebhookDelivery.objects.get()


def mail() -> Mail:
    made, now = request(), clock.now()
    row = MailAddress.objects.create(
        role="buyer", order=made.order, request=made, digest="", language="en", created_at=now, ends_at=now + HOUR
    )
    return Mail.objects.create(to=row, kind="paid", next_attempt_at=now + HOUR)


def endpoint() -> WebhookEndpoint:
    made = request()
    endpoints.create(made.merchant, live=False, url="https://shop.example/", event_types=[])
    return WebhookEndpoint.objects.get()


def order() -> Order:
    made = shop.make_order()
    sequence.publish()
    return made


def hold() -> Payment:
    made = shop.hold(request())
    sequence.publish()
    Payment.objects.update(next_attempt_at=clock.now() + HOUR)
    return made


def event() -> Event:
    shop.make_order()
    Event.objects.update(sequence=1)
    return Event.objects.get()


def put(row: Any, field: str, value: Any) -> None:
    """Without what else belongs to it: here only the time counts."""
    type(row)._default_manager.filter(pk=row.pk).update(**{field: value})


WORK: list[tuple[str, Callable[[], Any], str]] = [
    ("payments.sweep_requests", request, "expires_at"),
    ("payments.sweep_requests", order, "expires_at"),
    ("payments.sweep_requests", hold, "held_until"),
    ("payments.sweep_payments", hold, "next_attempt_at"),
    ("payments.sweep_refunds", refund, "next_attempt_at"),
    ("payments.sweep_disputes", dispute, "next_attempt_at"),
    ("payments.sweep_notifications", lambda: notification(asks=False), "next_attempt_at"),
    ("payments.sweep_hints", lambda: notification(asks=True), "next_attempt_at"),
    ("payments.sweep_mail", mail, "next_attempt_at"),
    ("orders.send_webhooks", delivery, "next_attempt_at"),
    ("orders.send_webhook_mails", endpoint, "mail_due_at"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("task", "make", "field"), WORK)
def test_a_sweep_is_sent_when_its_work_is_due_and_never_before(
    task: str, make: Callable[[], Any], field: str, sent: Sent
) -> None:
    row = make()
    PaymentRequest.objects.update(created_at=clock.now() - HOUR)
    patience = limits.HOLD_PATIENCE if field == "held_until" else timedelta(0)
    put(row, field, clock.now() - patience + HOUR)
    for other in (Payment, Refund, Mail):
        if type(row) is not other:
            other.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at=clock.now() + HOUR)
    assert ask(sent)[0] == []
    put(row, field, clock.now() - patience + 0.3 * SECOND)
    names, wait = ask(sent)
    assert (names, 0 < wait <= 0.3) == ([], True)
    put(row, field, clock.now() - patience)
    assert ask(sent)[0] == [task]


@pytest.mark.django_db
def test_an_event_without_its_place_is_work(sent: Sent) -> None:
    made = event()
    assert ask(sent)[0] == []
    put(made, "sequence", None)
    assert ask(sent)[0] == ["orders.send_webhooks"]


@pytest.mark.django_db
def test_a_notice_of_the_sandbox_wallet_is_work(sent: Sent) -> None:
    now = clock.now()
    charge = Charge.objects.create(reference="r", amount=1, exponent=2, currency="CNY", created_at=now, deadline=now)
    notice = Notice.objects.create(charge=charge, event_id="1", created_at=now)
    assert ask(sent)[0] == []
    put(notice, "next_attempt_at", now)
    assert ask(sent)[0] == ["sandbox.send_notices"]


@pytest.mark.django_db
def test_while_there_is_work_its_sweep_is_sent_no_more_often_than_it_is_to_be(sent: Sent) -> None:
    put(request(), "created_at", clock.now() - HOUR)
    PaymentRequest.objects.update(expires_at=clock.now())
    assert ask(sent)[0] == ["payments.sweep_requests"]
    names, wait = ask(sent)
    assert (names, 0 < wait <= 0.5) == ([], True)
    sent._sent["payments.sweep_requests"] -= 0.5
    assert ask(sent)[0] == ["payments.sweep_requests"]


@pytest.mark.django_db
def test_while_nothing_is_due_one_statement_is_asked_and_nothing_sent(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    connection.ensure_connection()
    raw = connection.connection

    class Counted:
        def execute(self, sql: str) -> Any:
            asked.append(sql)
            return raw.execute(sql)

    counted: Any = Counted()
    assert (sent.tick(counted), sent.names, len(asked)) == (limits.SCHEDULER_SECONDS, [], 1)


@pytest.mark.django_db
def test_what_has_a_time_of_its_own_is_sent_at_that_time(sent: Sent) -> None:
    sent._last = dict.fromkeys(app.conf.beat_schedule, app.now())
    assert ask(sent)[0] == []
    sent._last["payments.beat"] -= 20 * SECOND
    assert ask(sent)[0] == ["payments.beat"]
    assert ask(sent)[0] == []


def test_whatever_is_sent_is_a_task() -> None:
    app.loader.import_default_modules()
    assert {*scheduler.DUE, *app.conf.beat_schedule} <= set(app.tasks)


# Many workers


@contextmanager
def at_work(*workers: Sent) -> Iterator[Callable[[int], None]]:
    """Workers on threads of their own, each in line or at work before the next; gives what kills the session of one."""
    settings = connection.settings_dict
    threads, sessions = [], [list[int]() for _ in workers]

    def run(worker: Sent, own: list[int]) -> None:
        dsn = {"host": settings["HOST"], "port": settings["PORT"], "user": settings["USER"], "dbname": settings["NAME"]}
        with psycopg.connect(**dsn, autocommit=True) as session:
            own.append(session.info.backend_pid)
            with suppress(psycopg.Error):
                worker.work(session)

    for worker, own in zip(workers, sessions, strict=True):
        threads.append(threading.Thread(target=run, args=(worker, own)))
        threads[-1].start()
        assert becomes(lambda own=own, worker=worker: bool(worker.names or own and stands_in_line(own[0])))  # type: ignore[misc]

    def kill(number: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", sessions[number])

    try:
        yield kill
    finally:
        for worker in workers:
            worker.stop()
        for number, thread in enumerate(threads):
            kill(number)
            thread.join(60)


def stands_in_line(session: int) -> bool:
    """It has the place, or waits for it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = %s", [session])
        return bool(cursor.fetchone() != (0,))


def becomes(true: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.django_db(transaction=True)
def test_of_several_workers_one_sends_and_the_next_goes_on_when_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SCHEDULER_SECONDS", 0.05)
    shop.make_order()  # whose event has no place yet
    first, second, third = Sent(), Sent(), Sent()
    with at_work(first, second, third) as kill:
        assert becomes(lambda: len(first.names) == 2)
        assert (second.names, third.names) == ([], [])
        kill(0)
        assert becomes(lambda: bool(second.names))
        assert third.names == []


@pytest.mark.django_db(transaction=True)
def test_through_a_pooler_none_waits_and_all_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SCHEDULER_SECONDS", 0.05)
    monkeypatch.setattr(pooler, "is_between", lambda connection: True)
    shop.make_order()
    first, second = Sent(), Sent()
    with at_work(first, second):
        assert becomes(lambda: bool(first.names and second.names))


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_falls_silent_loses_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "LOST_AFTER", "200ms")
    monkeypatch.setattr(limits, "SCHEDULER_SECONDS", 0.05)
    shop.make_order()
    silent, second = Sent(), Sent()
    goes_on = threading.Event()
    monkeypatch.setattr(silent, "send_task", lambda *args, **options: goes_on.wait(60))
    with at_work(silent, second):
        assert becomes(lambda: bool(second.names))
        goes_on.set()


@pytest.mark.django_db(transaction=True)
def test_a_request_expires_at_its_time_and_one_written_meanwhile_a_second_late_at_most() -> None:
    """Nobody enqueues a task, and nobody tells the scheduler: it asks."""

    class Sweeps(Sent):
        def send_task(self, name: str, **options: Any) -> None:
            if name == "payments.sweep_requests":
                expiry.sweep()

    requests, written_later = [[shop.make_request() for _ in range(5)] for _ in range(2)]
    worker = Sweeps()

    def end_in(seconds: float, made: PaymentRequest) -> None:
        now = clock.now()
        PaymentRequest.objects.filter(pk=made.pk).update(created_at=now - HOUR, expires_at=now + seconds * SECOND)

    def late(made: PaymentRequest) -> float:
        assert becomes(lambda: PaymentRequest.objects.get(pk=made.pk).status == "expired")
        made.refresh_from_db()
        assert made.closed_at
        return (made.closed_at - made.expires_at).total_seconds()

    def written_now(made: PaymentRequest) -> float:
        end_in(0, made)
        return late(made)

    for number, made in enumerate(requests):
        end_in(0.5 + 0.6 * number, made)  # a sweep is sent every half a second at most
    with at_work(worker):
        # Whatever slow moments a busy machine has; who asks every second would be late by half a second in the mean.
        assert median(map(late, requests)) < 0.5
        assert any(written_now(made) < limits.SCHEDULER_SECONDS + 0.5 for made in written_later)


@pytest.mark.django_db
def test_a_dispute_that_is_decided_is_no_work_whatever_its_time_says(sent: Sent) -> None:
    """The version before closes one and leaves the time as it is."""
    made = dispute()
    put(made, "next_attempt_at", clock.now())
    assert "payments.sweep_disputes" in ask(sent)[0]
    Dispute.objects.update(status="won", amount_taken=0, closed_at=clock.now())
    assert "payments.sweep_disputes" not in ask(sent)[0]
