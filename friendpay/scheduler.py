"""When background jobs are sent: a thread in every worker of our own queue, of which one at a time is at work.

What is due stands in the tables. One statement says when the next work of each kind is due, and the thread sleeps until
then, for a second at most: nothing is sent while nothing is due, what a time was written down for is found to the
moment, and what was written in between, with its task lost, a second later. Nobody has to tell this thread anything,
so nothing told can be lost; and a NOTIFY with every change, which makes commits wait for each other, would cost more
than this one statement a second.

Who is at work holds a lock of its database session. A session that asks nothing for ten seconds is ended by PostgreSQL,
whatever became of its process or machine, and the next worker goes on. Two at once would do no harm: tasks may run
twice. Behind a pooler there is no such session, so this connection is made to PostgreSQL itself; where it is not, no
lock is waited for, which would keep the pooler's connections for ever, and every worker sends.
"""

import logging
import threading
import time
from datetime import datetime
from typing import Any, Protocol

import psycopg
from celery import Celery, bootsteps
from celery.schedules import maybe_schedule
from django.conf import settings

from friendpay.celery import OURS
from friendpay.kit import limits, pooler

logger = logging.getLogger(__name__)

LOST_AFTER = "10s"
_LOCK = 0x66726965_6E647063  # any number nobody else locks

_NEXT = "SELECT min(next_attempt_at) FROM {} WHERE next_attempt_at IS NOT NULL"
DUE: dict[str, tuple[float, list[str]]] = {
    "orders.send_webhooks": (
        1.0,
        [
            "SELECT clock_timestamp() FROM orders_event WHERE sequence IS NULL LIMIT 1",
            """SELECT min(first.at) FROM orders_webhookendpoint AS endpoint, LATERAL (
                SELECT next_attempt_at AS at FROM orders_webhookdelivery
                WHERE endpoint_id = endpoint.id AND next_attempt_at IS NOT NULL ORDER BY next_attempt_at LIMIT 1
            ) AS first WHERE endpoint.disabled_at IS NULL""",
        ],
    ),
    "orders.send_webhook_mails": (
        60.0,
        ["SELECT min(mail_due_at) FROM orders_webhookendpoint WHERE mail_due_at IS NOT NULL"],
    ),
    "orders.fetch_pictures": (2.0, [_NEXT.format("orders_picture")]),
    "payments.sweep_requests": (
        0.5,
        [
            "SELECT min(expires_at) FROM payments_paymentrequest WHERE status = 'open' AND amount_held = 0",
            "SELECT min(expires_at) FROM orders_order WHERE status = 'awaiting_payment' AND expires_at IS NOT NULL",
            f"SELECT min(held_until) + interval '{limits.HOLD_PATIENCE.total_seconds()} seconds' FROM payments_payment"
            " WHERE held_until IS NOT NULL",
        ],
    ),
    "payments.sweep_notifications": (2.0, [f"{_NEXT.format('payments_providerevent')} AND NOT asks"]),
    "payments.sweep_hints": (2.0, [f"{_NEXT.format('payments_providerevent')} AND asks"]),
    "payments.sweep_payments": (2.0, [_NEXT.format("payments_payment")]),
    "payments.sweep_refunds": (2.0, [_NEXT.format("payments_refund")]),
    "payments.sweep_disputes": (2.0, [f"{_NEXT.format('payments_dispute')} AND closed_at IS NULL"]),
    "payments.sweep_mail": (15.0, [_NEXT.format("payments_mail")]),
    "sandbox.send_notices": (5.0, [_NEXT.format("sandbox_notice")]),
}
"""Each sweep, the seconds from one to the next while there is work, and what says when the next of it is due."""

_WHEN = ", ".join(
    f"extract(epoch FROM least({', '.join(f'({sql})' for sql in asked)}) - clock_timestamp())"
    for _seconds, asked in DUE.values()
)


class Asked(Protocol):
    """A connection or cursor of psycopg's, or Django's around one."""

    def execute(self, query: Any, /) -> Any: ...


def due(connection: Asked) -> dict[str, float | None]:
    """In how many seconds the next work of each sweep is due, below zero for how long it has been; None: there is
    none.
    """
    row = connection.execute(f"SELECT {_WHEN}").fetchone() or ()
    return {name: None if seconds is None else float(seconds) for name, seconds in zip(DUE, row, strict=True)}


class Scheduler:
    """Sends each sweep when there is work for it, and what is in the app's schedule at its time."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._sent = dict.fromkeys(DUE, float("-inf"))
        self._timed = {
            name: (maybe_schedule(entry["schedule"], app=app), entry) for name, entry in app.conf.beat_schedule.items()
        }
        self._last: dict[str, datetime] = dict.fromkeys(self._timed, app.now())
        self._stopping = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="scheduler", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with psycopg.connect(
                    settings.DIRECT_DATABASE_URL, autocommit=True, connect_timeout=limits.SCHEDULER_CONNECT_SECONDS
                ) as connection:
                    self.work(connection)
            except Exception as error:  # the database is away, or the broker: both come back
                logger.warning("the scheduler has to begin anew: %s", error)
                self._stopping.wait(limits.SCHEDULER_SECONDS)

    def work(self, connection: psycopg.Connection) -> None:
        """Wait for the place, and keep it as long as the session lives."""
        if pooler.is_between(connection):
            logger.error("set DIRECT_DATABASE_URL to PostgreSQL itself: through a pooler every worker sends the sweeps")
        else:
            connection.execute("SELECT set_config('idle_session_timeout', %s, false)", [LOST_AFTER])
            connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        self._last = dict.fromkeys(self._timed, self._app.now())
        while not self._stopping.is_set():
            self._stopping.wait(self.tick(connection))

    def tick(self, connection: psycopg.Connection) -> float:
        """Send what it is time for; says for how many seconds there is nothing more to do."""
        waits = [limits.SCHEDULER_SECONDS]
        for name, in_seconds in due(connection).items():
            if in_seconds is not None:
                seconds, _sql = DUE[name]
                wait = max(in_seconds, self._sent[name] + seconds - time.monotonic())
                if wait <= 0:
                    self._app.send_task(name, expires=max(seconds, limits.SCHEDULER_SECONDS), retry=False)
                    self._sent[name], wait = time.monotonic(), seconds
                waits.append(wait)
        for name, (schedule, entry) in self._timed.items():
            is_due, wait = schedule.is_due(self._last[name])
            if is_due:
                self._app.send_task(entry["task"], retry=False, **entry["options"])
                self._last[name] = self._app.now()
            waits.append(wait)
        return min(waits)


class Step(bootsteps.StartStopStep):
    """Celery's way to start a thing with a worker: one that serves our own queue."""

    def include_if(self, worker: object) -> bool:
        return OURS in worker.app.amqp.queues.consume_from  # type: ignore[attr-defined]

    def create(self, worker: object) -> Scheduler:
        return Scheduler(worker.app)  # type: ignore[attr-defined]
