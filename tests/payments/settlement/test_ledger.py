"""The ledger check finds every way in which the books could be wrong."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoDbBlocker

from friendpay.kit import clock
from friendpay.kit.money import Money
from payments import tasks
from payments.models import LedgerAlarm
from payments.settlement import ledger, lifecycle, outside, refund_moves, refunds
from payments.settlement.rules import Split
from payments.wallets.base import Outcome, State
from tests import shop
from tests.conftest import moving

pytestmark = pytest.mark.django_db


def everything(move_time: Callable[[float], None]) -> None:
    """A shop where all that can happen has happened."""
    shop.make_request()
    paid = shop.make_request()
    first, second = shop.attempts(paid, 2)
    shop.succeed(first)
    shop.succeed(second)
    refunds.refund_payment(first.pk, 100, actor="merchant")
    refund = refunds.refund_payment(first.pk, 200, actor="merchant")
    refund_moves.move_refund(refund.pk, "succeeded")
    shop.succeed(shop.hold(shop.make_request()), amount=1)
    disputed = shop.succeed(shop.hold(shop.make_request()))
    outside.hear_dispute(disputed.pk, Outcome(State.PENDING, "", "dp_1", Money(5000, "CNY")))
    outside.hear_dispute(disputed.pk, Outcome(State.SUCCEEDED, "", "dp_2", Money(5000, "CNY")))
    lifecycle.cancel_request(shop.hold(shop.make_request()).request_id, actor="buyer")
    short = shop.make_request(amount=10000, split=Split(3), expires_in=timedelta(seconds=60))
    shop.succeed(shop.hold(short, 3000))
    shop.hold(shop.make_request(amount=10000, split=Split(3)), 2000)
    move_time(61)
    lifecycle.expire_request(short.pk)


def test_right_books_pass(move_time: Callable[[float], None], capsys: pytest.CaptureFixture[str]) -> None:
    everything(move_time)
    assert ledger.check() == []
    call_command("check_ledger")
    assert "right" in capsys.readouterr().out


SQL = Callable[[str], object]


@pytest.fixture(scope="module")
def books(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """`everything`, kept once for all tests of this module, which write within it and are rolled back to it."""
    with django_db_blocker.unblock(), suppress(Rollback), transaction.atomic():
        with pytest.MonkeyPatch.context() as patch:
            everything(moving(clock.told, patch))
        yield
        raise Rollback


@pytest.fixture
def corrupt(books: None, db: None, move_time: Callable[[float], None]) -> Iterator[SQL]:
    """Make a row wrong, as nothing of ours ever does. It is rolled back before the test ends and is checked."""
    move_time(61)
    with suppress(Rollback), transaction.atomic():
        yield _execute
        raise Rollback


class Rollback(Exception):
    pass


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        assert cursor.rowcount


WRONG = {
    "lost refund": "DELETE FROM payments_refund WHERE reason = 'duplicate'",
    "refund of another amount": "UPDATE payments_refund SET amount = 2 WHERE reason = 'mismatch'",
    "refunded twice": "UPDATE payments_refund SET amount = 9000 WHERE reason = 'merchant'",
    "applied to nothing": "UPDATE payments_payment SET amount_applied = 1 WHERE amount_captured = 1",
    "hold forgotten": "UPDATE payments_paymentrequest SET amount_held = 0 WHERE amount_held > 0",
    "hold left over": "UPDATE payments_paymentrequest SET amount_held = 1 WHERE status = 'open'",
    "order's sum": "UPDATE orders_order SET amount_paid = 1 WHERE status = 'awaiting_payment'",
    "order's refunds": "UPDATE orders_order SET amount_refunded = 1 WHERE status = 'paid'",
    "request's event lost": "DELETE FROM orders_event WHERE type = 'payment.succeeded'",
    "order's event lost": "DELETE FROM orders_event WHERE type = 'order.paid'",
    "a dispute has what nobody counts": "UPDATE payments_dispute SET amount_taken = 4000 WHERE status = 'open'",
    "dispute that has nothing": "UPDATE payments_payment SET amount_disputed = 0 WHERE amount_disputed > 0",
    "disputed, and refunded as well": "UPDATE payments_payment SET amount_disputed = 1 WHERE amount_captured = 1",
    "more than was disputed": (
        "UPDATE payments_dispute SET amount_taken = 5001 WHERE status = 'open'; "
        "UPDATE payments_payment SET amount_disputed = 5001 WHERE amount_disputed > 0"
    ),
    "applied less, and refunded to nobody": (
        "UPDATE payments_payment SET amount_applied = 3000 WHERE amount_disputed > 0"
    ),
    "order over and not told": (
        "UPDATE orders_order SET status = 'expired', expires_at = now(), expired_at = now() "
        "WHERE status = 'awaiting_payment' AND amount_paid = 0"
    ),
    "order told to be over": "UPDATE orders_event SET type = 'order.expired' WHERE type = 'order.created'",
    "order's event twice": "UPDATE orders_event SET type = 'order.paid' WHERE type = 'order.created'",
    "price changed under an open request": "UPDATE orders_order SET amount = 9005 WHERE status = 'awaiting_payment'",
    "a line's price": "UPDATE orders_orderline SET amount = amount + 1, unit_amount = NULL",
    "a discount nobody counted": """UPDATE orders_order
        SET adjustments = '[{"kind": "discount", "name": "10%", "amount": -900, "included": false}]'""",
    "live account for a test order": "UPDATE payments_provideraccount SET provider = 'stripe', live = true",
    "test account for a live order": "UPDATE orders_order SET live = true",
}
"""What the ledger alone can see."""

REFUSED = {
    "refund in another currency": "UPDATE payments_refund SET currency = 'USD'",
    "refund of another shop": "UPDATE payments_refund SET merchant_id = (SELECT max(id) FROM orders_merchant)",
    "refund through another account": (
        "UPDATE payments_refund SET account_id = (SELECT max(id) FROM payments_provideraccount)"
    ),
    "payment in another currency": "UPDATE payments_payment SET currency = 'USD' WHERE status = 'pending'",
    "payment of another shop": "UPDATE payments_payment SET merchant_id = (SELECT min(id) FROM orders_merchant)",
    "payment through another shop's account": (
        "UPDATE payments_payment SET account_id = (SELECT min(id) FROM payments_provideraccount)"
    ),
    "request in another currency": "UPDATE payments_paymentrequest SET currency = 'USD' WHERE status = 'open'",
    "request of another shop": "UPDATE payments_paymentrequest SET merchant_id = (SELECT min(id) FROM orders_merchant)",
    "order in another currency": "UPDATE orders_order SET currency = 'USD'",
    "payment nobody will ask about": "UPDATE payments_payment SET next_attempt_at = NULL WHERE status = 'pending'",
    "refund nobody will send": "UPDATE payments_refund SET next_attempt_at = NULL WHERE status = 'requested'",
    "more disputed than was taken": "UPDATE payments_payment SET amount_disputed = 9001 WHERE amount_disputed > 0",
    "won, and the bank has it": "UPDATE payments_dispute SET amount_taken = 5000 WHERE status = 'won'",
    "dispute in another account": (
        "UPDATE payments_dispute SET account_id = (SELECT max(id) FROM payments_provideraccount)"
    ),
    "cancelled though paid": (
        "UPDATE orders_order SET status = 'cancelled', cancelled_at = now(), paid_at = NULL WHERE status = 'paid'"
    ),
    "expired though paid": (
        "UPDATE orders_order SET status = 'expired', expires_at = now(), expired_at = now(), paid_at = NULL "
        "WHERE status = 'paid'"
    ),
    "paid here and elsewhere": "UPDATE orders_order SET paid_elsewhere = true WHERE status = 'paid'",
    "paid elsewhere without being paid": "UPDATE orders_order SET paid_elsewhere = true WHERE status <> 'paid'",
}
"""What the database does not even take."""

WITHOUT_CONSTRAINTS = """
DO $$
DECLARE held record;
BEGIN
    FOR pass IN 1..2 LOOP  -- what parts of a divided table have of it goes with it, what they have besides goes then
        FOR held IN SELECT conname, conrelid::regclass AS on_table FROM pg_constraint
            WHERE contype IN ('c', 'f') AND conrelid::regclass::text ~ '^(orders|payments)_'
            AND coninhcount = 0 AND conparentid = 0
        LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', held.on_table, held.conname); END LOOP;
    END LOOP;
END $$
"""


@pytest.mark.parametrize("wrong", WRONG)
def test_every_wrong_row_is_found_and_is_loud(wrong: str, corrupt: SQL, settings: object) -> None:
    settings.ADMINS = [("Ada", "ada@example.com")]  # type: ignore[attr-defined]
    corrupt(WRONG[wrong])
    assert ledger.check()
    with pytest.raises(CommandError, match="wrong in"):
        call_command("check_ledger")
    tasks.check_ledger()
    assert "ledger is wrong" in mail.outbox[0].subject


@pytest.mark.parametrize("wrong", REFUSED)
def test_what_the_database_can_refuse_it_refuses(wrong: str, corrupt: SQL) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        corrupt(REFUSED[wrong])
    assert ledger.check() == []


def test_what_the_database_refuses_the_ledger_would_find_by_itself(corrupt: SQL) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(WITHOUT_CONSTRAINTS)
    blind = []
    for wrong, sql in REFUSED.items():
        savepoint = transaction.savepoint()
        corrupt(sql)
        blind += [] if ledger.check() else [wrong]
        transaction.savepoint_rollback(savepoint)
    assert blind == []


def test_an_alarm_is_kept_since_it_was_first_found_and_goes_when_all_is_right_again(
    move_time: Callable[[float], None],
) -> None:
    long, short = ledger.Finding("r" * 300, "o" * 60, "d" * 400), ledger.Finding("rule", "7", "why")
    ledger.alarm([long, short])
    first = {(row.rule, row.object_id, row.detail): row.found_at for row in LedgerAlarm.objects.all()}
    assert set(first) == {("r" * 200, "o" * 40, "d" * 300), ("rule", "7", "why")}
    move_time(60)
    ledger.alarm([short])
    row = LedgerAlarm.objects.get()
    assert (row.rule, row.found_at) == ("rule", first["rule", "7", "why"])
    ledger.alarm([])
    assert not LedgerAlarm.objects.exists()
