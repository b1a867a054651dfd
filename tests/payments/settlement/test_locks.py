"""Locks: of what there is, whom they keep waiting and whom not; and what is written is shown once it is committed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import Model

from friendpay.kit.money import Money
from orders.models import Order
from payments.live import snapshot
from payments.models import Payment, PaymentRequest, Refund
from payments.settlement import batches, locks, reconcile, refunds
from payments.wallets.base import Outcome, State
from tests import shop

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("lock", "kind"),
    [
        (locks.lock_order, Order),
        (locks.lock_request, PaymentRequest),
        (locks.lock_payment, Payment),
        (locks.lock_refund, Refund),
    ],
)
def test_what_there_is_not_cannot_be_locked(lock: Callable[[int], object], kind: Any) -> None:
    with pytest.raises(kind.DoesNotExist):
        lock(1)


def test_a_change_is_shown_to_whoever_is_looking_once_it_is_committed(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    shown: list[int] = []
    request = shop.make_request()
    monkeypatch.setattr(snapshot, "push", lambda request, **_known: shown.append(request.seq))
    with django_capture_on_commit_callbacks(execute=True):
        shop.hold(request)
        assert shown == []
    assert shown == [2]


def test_an_order_and_its_request_are_locked_as_one() -> None:
    """What is changed of the order is what the request's events tell of it."""
    order, request, _now = locks.lock_order(shop.make_request().order_id)
    assert request
    assert request.order is order


def test_what_is_locked_is_there_with_all_it_belongs_to(django_assert_num_queries: Callable[[int], Any]) -> None:
    payment = shop.succeed(shop.hold(shop.make_request()))
    refund = refunds.refund_payment(payment.pk, actor="merchant")
    pending = shop.hold(shop.make_request())
    found = (
        locks.lock_request(pending.request_id)[1],
        locks.lock_payment(payment.pk)[1],
        locks.lock_refund(refund.pk)[1],
    )
    (begun,) = locks.lock_begun(pending.request_id, "", "")[1].undecided
    with django_assert_num_queries(0):
        assert [request.merchant for request in found] == [request.order.merchant for request in found]
        assert begun.request.merchant == begun.request.order.merchant
        assert begun.account.provider == "sandbox"


# Whom they keep waiting


def beside(call: Callable[[], Any]) -> Any:
    """What comes of it on a connection of its own, which waits for locks a moment and no longer; or why not."""

    def run() -> Any:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '200ms'")
                return call()
        except OperationalError as error:
            return str(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def may(row: Model, want: str) -> bool:
    """Whether another may lock the row so, at once."""

    def tried() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT 1 FROM {row._meta.db_table} WHERE id = %s FOR {want} NOWAIT", [row.pk])
        return True

    return beside(tried) is True


@pytest.mark.django_db(transaction=True)
def test_who_only_refers_to_what_is_locked_is_not_kept_waiting() -> None:
    payment = shop.succeed(shop.hold(shop.make_request()))
    refund = refunds.refund_payment(payment.pk, actor="merchant")
    paid, opened = payment.request, shop.make_request()
    locked: list[tuple[Callable[[], object], list[Model]]] = [
        (lambda: locks.lock_order(opened.order_id), [opened.order, opened]),
        (lambda: locks.lock_request(opened.pk), [opened.order, opened]),
        (lambda: locks.lock_payment(payment.pk), [paid.order, paid, payment]),
        (lambda: locks.lock_refund(refund.pk), [paid.order, paid, payment, refund]),
        (lambda: locks.note_end(paid.order, None, None), [paid]),
        (lambda: batches._lock(PaymentRequest.objects.filter(pk=opened.pk)), [opened]),
    ]
    for lock, rows in locked:
        with transaction.atomic():
            lock()
            assert [may(row, "KEY SHARE") for row in rows] == [True] * len(rows)
            assert [may(row, "NO KEY UPDATE") for row in rows] == [False] * len(rows)


@pytest.mark.django_db(transaction=True)
def test_money_waits_for_the_locks_unless_it_is_told_not_to_and_sweeps_pass_over() -> None:
    payment = shop.hold(shop.make_request())
    told = Outcome(State.SUCCEEDED, payment.reference, provider_ref="txn", amount=Money(9000, "CNY"))
    same = PaymentRequest.objects.filter(pk=payment.request_id)
    with transaction.atomic():
        locks.lock_payment(payment.pk)
        for waiting in (
            lambda: locks.lock_paid(payment.pk, "txn"),
            lambda: shop.succeed(payment),
            lambda: reconcile.apply(payment, told),
        ):
            assert "lock timeout" in beside(waiting)
        for at_once in (
            lambda: locks.lock_paid(payment.pk, "txn", wait=False),
            lambda: reconcile.apply(payment, told, wait=False),
        ):
            assert "could not obtain lock" in beside(at_once)
        assert beside(lambda: batches._lock(same)) == []
    payment.refresh_from_db()
    assert payment.status == "pending"
