"""Deliveries are divided by month: where they lie, how a month ends and another begins, and how an old one goes."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Self

import pytest
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection, transaction
from pytest_django import DjangoDbBlocker

from friendpay.kit import clock, limits, months
from orders.models import Event, Merchant, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from orders.tasks import make_months
from orders.webhooks import endpoints, outbox
from tests import databases, shop
from tests.orders.webhooks.conftest import MoveTime

DAY = 24 * 3600
MONTH = 31 * DAY


@pytest.fixture
def told(db: None) -> WebhookEndpoint:
    return listening()


@pytest.fixture
def own_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """For what is committed: tables of months, and where the numbers are."""
    with django_db_blocker.unblock(), databases.another("months"):
        yield


def listening() -> WebhookEndpoint:
    return endpoints.create(shop.make_merchant(), live=False, url="https://shop.example/hooks")[0]


def write(endpoint: WebhookEndpoint, **fields: Any) -> WebhookDelivery:
    """A delivery as it is written with every event, and what became of it."""
    shop.make_order(Merchant.objects.get(pk=endpoint.merchant_id))
    made = WebhookDelivery.objects.filter(endpoint=endpoint).latest("id")
    if fields.get("status"):
        WebhookDelivery.objects.filter(pk=made.pk).update(next_attempt_at=None, **fields)
        WebhookAttempt.objects.create(delivery=made, at=made.created_at, milliseconds=1, status_code=500)
    if connection.in_atomic_block:
        connection.check_constraints()  # as a commit does, before tables are touched
    return made


def settled(endpoint: WebhookEndpoint) -> WebhookDelivery:
    return write(endpoint, status="given_up")


def lies_in(row: WebhookDelivery | WebhookAttempt) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tableoid::regclass::text FROM {row._meta.db_table} WHERE id = %s", [row.pk])  # noqa: S608
        return str(cursor.fetchone()[0])


def in_month(offset: int = 0) -> str:
    """The end of the names of the tables of that month from now."""
    whole = months.number(clock.now()) - 1 + offset
    return f"{2026 + whole // 12}_{whole % 12 + 1:02}"


def ahead() -> int:
    return months.ahead(outbox.BY_MONTH, clock.now())


def counted() -> tuple[int, int]:
    return WebhookDelivery.objects.count(), WebhookAttempt.objects.count()


@pytest.mark.parametrize(
    ("moment", "month"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), 1),
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), 12),
        (datetime(2027, 1, 1, tzinfo=UTC), 13),
    ],
)
def test_months_are_counted_and_named(moment: datetime, month: int) -> None:
    assert months.number(moment) == month
    assert outbox.BY_MONTH.of(month)[0] == f"orders_webhookdelivery_{moment:%Y_%m}"


def test_rows_lie_in_the_table_of_their_month_and_attempts_with_them(
    told: WebhookEndpoint, move_time: MoveTime
) -> None:
    before = settled(told)
    make_months()
    now, then = settled(told), in_month()
    move_time(MONTH)
    make_months()
    later = settled(told)
    assert [lies_in(row) for row in (before, now, later)] == [
        f"orders_webhookdelivery_{end}" for end in ("first", then, in_month())
    ]
    assert [lies_in(row.calls.get()) for row in (before, now, later)] == [
        f"orders_webhookattempt_{end}" for end in ("first", then, in_month())
    ]
    assert before.pk < now.pk < later.pk
    assert list(WebhookDelivery.objects.all()) == [later, now, before]


def test_an_attempt_of_a_later_month_lies_with_its_delivery(told: WebhookEndpoint, move_time: MoveTime) -> None:
    make_months()
    made, end = settled(told), in_month()
    move_time(MONTH)
    make_months()
    again = WebhookAttempt.objects.create(delivery=made, at=clock.now(), milliseconds=1, status_code=204)
    assert lies_in(again) == f"orders_webhookattempt_{end}"
    assert made.calls.count() == 2


def test_months_are_made_ahead_and_once(told: WebhookEndpoint) -> None:
    assert ahead() == 0
    make_months()
    assert ahead() == limits.MONTHS_AHEAD
    first = write(told)
    make_months()
    assert write(told).pk == first.pk + 1
    assert ahead() == limits.MONTHS_AHEAD


def test_a_month_that_was_not_made_loses_nothing(told: WebhookEndpoint, move_time: MoveTime) -> None:
    make_months()
    here = in_month()
    move_time((limits.MONTHS_AHEAD + 1) * MONTH)  # no scheduler at work: this month's table is not there
    late = settled(told)
    assert lies_in(late) == f"orders_webhookdelivery_{here}"
    assert ahead() == 0
    make_months()
    assert lies_in(settled(told)) == f"orders_webhookdelivery_{in_month()}"
    assert ahead() == limits.MONTHS_AHEAD
    outbox.purge(late.created_at)
    assert WebhookDelivery.objects.filter(pk=late.pk).exists()  # by its own age, whatever its table is called


def test_an_old_month_goes_at_once_and_no_row_is_deleted(
    told: WebhookEndpoint, move_time: MoveTime, django_assert_max_num_queries: Any
) -> None:
    first = settled(told)
    make_months()
    for _ in range(3):
        settled(told)
    move_time(MONTH)
    make_months()
    kept = settled(told)
    with django_assert_max_num_queries(50) as captured:
        outbox.purge(kept.created_at)
    said = [query["sql"] for query in captured.captured_queries]
    assert not [sql for sql in said if sql.startswith("DELETE")]
    assert [sql.split()[0] for sql in said if "TABLE orders_webhookattempt_" in sql] == ["TRUNCATE", "DROP"]
    assert counted() == (1, 1)
    assert WebhookDelivery.objects.get() == kept
    assert lies_in(settled(told)) == lies_in(kept)
    assert not WebhookDelivery.objects.filter(pk=first.pk).exists()


def test_a_month_with_something_young_stays_whole(told: WebhookEndpoint, move_time: MoveTime) -> None:
    make_months()
    settled(told)
    young = settled(told)
    move_time(MONTH)
    make_months()
    outbox.purge(young.created_at)
    assert counted() == (2, 2)
    outbox.purge(young.created_at + timedelta(seconds=1))
    assert counted() == (0, 0)


def test_the_month_that_is_written_to_stays_whatever_its_age(told: WebhookEndpoint) -> None:
    make_months()
    settled(told)
    outbox.purge(clock.now() + timedelta(days=365))
    assert counted() == (1, 1)


def test_what_is_pending_is_kept_and_its_month_with_it(told: WebhookEndpoint, move_time: MoveTime) -> None:
    make_months()
    settled(told)
    pending, here = write(told), in_month()
    move_time(MONTH)
    make_months()
    outbox.purge(clock.now())
    assert WebhookDelivery.objects.get() == pending
    assert lies_in(pending) == f"orders_webhookdelivery_{here}"
    assert not WebhookAttempt.objects.exists()
    WebhookDelivery.objects.update(status="given_up", next_attempt_at=None)
    connection.check_constraints()
    outbox.purge(clock.now())
    assert counted() == (0, 0)


def test_what_is_asked_for_again_while_its_month_goes_is_kept(
    own_database: None, move_time: MoveTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look whether something is pending and the lock."""
    endpoint = listening()
    make_months()
    made = settled(endpoint)
    move_time(MONTH)
    make_months()
    real = months._finds
    redelivered: list[BaseException | None] = []

    def finds(cursor: Any, sql: str) -> bool:
        found = real(cursor, sql)
        if not redelivered and "next_attempt_at" in sql:
            redelivered.append(elsewhere(lambda: outbox.redeliver(made.pk)))
        return found

    monkeypatch.setattr(months, "_finds", finds)
    outbox.purge(clock.now())
    assert (redelivered, counted()) == ([None], (1, 1))
    assert WebhookDelivery.objects.get().status == "pending"


def test_who_holds_on_to_a_month_is_not_waited_for_long(own_database: None, move_time: MoveTime) -> None:
    endpoint = listening()
    make_months()
    settled(endpoint)
    move_time(MONTH)
    make_months()

    def purge() -> None:
        with pytest.raises(OperationalError, match="lock timeout"):
            outbox.purge(clock.now())

    with transaction.atomic():
        assert counted() == (1, 1)  # a long report
        assert elsewhere(purge) is None
    assert counted() == (1, 1)
    outbox.purge(clock.now())
    assert counted() == (0, 0)


def elsewhere(work: Any) -> BaseException | None:
    """Done on a connection of its own; what went wrong."""
    wrong: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            wrong.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(600)
    assert not thread.is_alive()
    return wrong[0] if wrong else None


class Sellers:
    """Shops that sell and sell, each on a thread of its own, from `with` to its end."""

    def __init__(self) -> None:
        self.shops = [listening() for _ in range(2)]
        self.written = 0
        self._wrong: list[BaseException] = []
        self._over, self._counting = threading.Event(), threading.Lock()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        for one in self.shops:
            self.beside(partial(self._sell, one))
        self.go_on()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(600)
        if self._wrong:
            raise self._wrong[0]
        told = WebhookDelivery.objects.filter(event__merchant__in=[one.merchant_id for one in self.shops])
        assert told.count() == Event.objects.filter(type="order.created").count() == self.written

    def beside(self, work: Callable[[], None]) -> threading.Thread:
        """Do that too, at the same time."""

        def run() -> None:
            if error := elsewhere(work):
                self._wrong.append(error)

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()
        return self._threads[-1]

    def go_on(self) -> None:
        """Some more are sold."""
        mark = self.written
        while self.written < mark + 4 and not self._wrong:
            self._over.wait(0.01)

    def _sell(self, endpoint: WebhookEndpoint) -> None:
        while not self._over.is_set():
            write(endpoint)
            with self._counting:
                self.written += 1


def until_done(work: Callable[[], object]) -> None:
    """Again where the tables are held for too long, as the next minute's task is, or whoever migrates."""
    for _ in range(1000):
        try:
            work()
        except OperationalError:
            continue
        return
    raise AssertionError("somebody holds the tables for ever")


def test_months_turn_while_shops_sell(own_database: None, move_time: MoveTime) -> None:
    """Two schedulers at once, and a year of months."""
    with Sellers() as sellers:
        for _ in range(12):
            move_time(MONTH)
            for scheduler in [sellers.beside(partial(until_done, make_months)) for _ in range(2)]:
                scheduler.join(600)
            sellers.go_on()
            outbox.purge(clock.now() - timedelta(days=10_000))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT tableoid), count(DISTINCT id >> 44) FROM orders_webhookdelivery")
        tables, of_months = cursor.fetchone()
    assert tables == of_months >= 12


def test_the_month_is_known_while_another_process_restarts_its_numbers(own_database: None) -> None:
    over = threading.Event()

    def restart() -> None:
        alone = f"SELECT pg_advisory_xact_lock({months._LOCK})".replace("%s", f"'{outbox.BY_MONTH.table}'")
        with connection.cursor() as cursor:
            while not over.is_set():  # in one message, as fast as can be
                cursor.execute(f"{alone}; ALTER SEQUENCE orders_webhookdelivery_id_seq RESTART WITH 1")

    thread = threading.Thread(target=elsewhere, args=[restart])
    thread.start()
    try:
        assert {months._at(outbox.BY_MONTH) for _ in range(3000)} == {0}
    finally:
        over.set()
        thread.join(600)


BEFORE, AFTER = "0026", "0028"


def rows() -> list[list[tuple[Any, ...]]]:
    return [list(model.objects.order_by("id").values_list()) for model in (WebhookDelivery, WebhookAttempt)]


def migrated(to: str) -> list[str]:
    """What PostgreSQL said of what it need not read."""
    said: list[str] = []
    connection.ensure_connection()
    assert connection.connection
    connection.connection.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
    with connection.cursor() as cursor:
        cursor.execute("SET client_min_messages = debug1")
    call_command("migrate", "orders", to, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("RESET client_min_messages")
    return [one for one in said if "is implied by existing constraints" in one]


def test_tables_are_divided_and_made_whole_again_while_shops_sell(own_database: None) -> None:
    with Sellers() as sellers:
        for to in (BEFORE, AFTER, BEFORE, AFTER):
            until_done(partial(call_command, "migrate", "orders", to, verbosity=0))
            sellers.go_on()
        until_done(make_months)
        sellers.go_on()
    assert ahead() == limits.MONTHS_AHEAD


def test_the_tables_that_are_there_become_the_first_ones_and_back(own_database: None, move_time: MoveTime) -> None:
    migrated(BEFORE)
    endpoint = listening()
    old = [settled(endpoint), write(endpoint), settled(endpoint)]
    before = rows()
    implied = migrated(AFTER)
    assert len(implied) == 2, "both are attached without a look at their rows"
    assert rows() == before
    new = settled(endpoint)
    assert (new.pk, lies_in(new)) == (old[-1].pk + 1, "orders_webhookdelivery_first")
    make_months()
    month = settled(endpoint)
    assert in_month() in lies_in(month)
    with pytest.raises(IntegrityError, match="endpoint_id_event_id"), transaction.atomic():
        WebhookDelivery.objects.create(merchant=endpoint.merchant, endpoint=endpoint, event=month.event)
    kept = rows()

    migrated(BEFORE)
    assert rows() == kept
    again = settled(endpoint)
    assert again.pk == month.pk + 2  # one was refused
    kept = rows()
    migrated(AFTER)
    assert rows() == kept
    assert lies_in(again) == "orders_webhookdelivery_first"
    make_months()
    assert lies_in(settled(endpoint)) == "orders_webhookdelivery_first"  # the month that it covers
    move_time(MONTH)
    make_months()
    assert in_month() in lies_in(settled(endpoint))
    assert ahead() == limits.MONTHS_AHEAD
