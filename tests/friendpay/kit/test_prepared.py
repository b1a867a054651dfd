"""Statements that go together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from friendpay.kit import prepared, reads
from friendpay.kit.compiled import Compiled, Given
from orders.models import Order
from tests import shop
from tests.trips import Trips

LOCKED = Compiled(lambda: Order.objects.select_for_update().filter(pk=Given("pk")))
LOCALE = "SELECT locale FROM orders_order WHERE id = %(pk)s"
BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
"""By us."""


@transaction.atomic
def lock_and_look(pk: int) -> tuple[Order, str]:
    with prepared.together():
        locked, seen = LOCKED.ask(pk=pk), reads.ask(LOCALE, {"pk": pk})
    (order,) = locked()
    return order, (seen() or ("",))[0]


@pytest.mark.django_db
def test_what_is_asked_together_is_one_round_trip() -> None:
    order, trips = shop.make_order(), Trips()
    with connection.execute_wrapper(trips):
        assert lock_and_look(order.pk) == (order, "")
    assert trips.count == 3, "the savepoint's two, and one for both"


@pytest.mark.django_db(transaction=True)
def test_what_is_asked_after_a_lock_sees_what_was_committed_while_it_was_waited_for() -> None:
    order = shop.make_order()

    def wait() -> str:
        try:
            return lock_and_look(order.pk)[1]
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, connection.cursor() as cursor:
        with transaction.atomic():
            LOCKED(pk=order.pk)
            waiting, blocked = pool.submit(wait), 0
            while not blocked:
                assert not waiting.done()
                cursor.execute(BLOCKED)
                blocked = cursor.fetchone()[0]
            Order.objects.filter(pk=order.pk).update(locale="fr")
        assert waiting.result(60) == "fr"


@pytest.mark.django_db(transaction=True)
def test_an_error_is_djangos_and_ends_its_transaction() -> None:
    order = shop.make_order()

    @transaction.atomic
    def change() -> None:
        with prepared.together():
            reads.ask("UPDATE orders_order SET locale = 'fr' WHERE id = %(pk)s RETURNING id", {"pk": order.pk})
            reads.ask("UPDATE orders_order SET amount = -1 WHERE id = %(pk)s RETURNING id", {"pk": order.pk})

    with pytest.raises(IntegrityError):
        change()
    order.refresh_from_db()
    assert (order.amount, order.locale) == (9000, "")


@pytest.mark.django_db
def test_whoever_wants_to_know_what_is_asked_is_told() -> None:
    told = list[str]()

    def watch(run: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        told.append(f"before {sql}")
        try:
            return run(sql, params, many, context)
        finally:
            told.append(f"after {sql}")

    with connection.execute_wrapper(watch), CaptureQueriesContext(connection) as captured:
        asked = prepared.ask("SELECT %s::int", [1])
    assert (asked.rows, told) == ([(1,)], ["before SELECT %s::int", "after SELECT %s::int"])
    assert [each["sql"] for each in captured.captured_queries] == ["SELECT %s::int"]


@pytest.mark.django_db
def test_what_was_never_answered_is_not_taken_for_nothing() -> None:
    order = shop.make_order()
    with transaction.atomic(), prepared.together():
        with pytest.raises(AttributeError):
            LOCKED(pk=order.pk)
        with pytest.raises(transaction.TransactionManagementError):
            Order.objects.count()
