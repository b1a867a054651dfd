"""Things that happen at the same moment, in real transactions on several connections."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import Model

from friendpay.kit import clock, limits
from friendpay.kit.errors import Refused
from orders.models import Event, Order
from payments.models import Payment, PaymentRequest, Refund
from payments.offers.weighing import Surface
from payments.settlement import batches, holds, ledger, lifecycle, locks, reconcile, requests
from payments.settlement.rules import Payer, Split
from payments.wallets import registry
from sandbox.models import Charge
from tests import shop

pytestmark = [pytest.mark.proof, pytest.mark.django_db(transaction=True)]


def at_once(calls: Iterable[Callable[[], Any]]) -> list[Any]:
    """Run all of them on threads of their own, let go together; a Refused is an answer like another."""
    calls = list(calls)
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            barrier.wait(60)
            return call()
        except Refused as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_of_24_successes_at_once_one_is_applied_and_23_are_refunded() -> None:
    request = shop.make_request()
    payments = shop.attempts(request, 24)
    at_once([lambda payment=payment: shop.succeed(payment) for payment in payments])  # type: ignore[misc]
    assert Payment.objects.filter(status="succeeded", amount_applied=9000).count() == 1
    assert Refund.objects.filter(reason="duplicate", amount=9000).count() == 23
    order = Order.objects.get()
    assert (order.status, order.amount_paid) == ("paid", 9000)
    told = list(Event.objects.values_list("type", flat=True))
    assert (told.count("order.paid"), told.count("payment_request.paid")) == (1, 1)
    assert (told.count("payment.succeeded"), told.count("refund.requested")) == (24, 23)
    seqs = list(Event.objects.exclude(request="").order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, len(seqs) + 1))


def test_24_notices_of_one_success_at_once_apply_it_once() -> None:
    payment = shop.hold(shop.make_request())
    at_once([lambda: shop.succeed(payment)] * 24)
    assert Payment.objects.filter(amount_applied=9000).count() == 1
    assert not Refund.objects.exists()


def test_of_friends_tapping_pay_at_once_one_holds() -> None:
    request = shop.make_request()
    answers = at_once([lambda number=number: shop.hold(request, name=f"F{number}") for number in range(12)])  # type: ignore[misc]
    assert sum(isinstance(answer, Payment) for answer in answers) == 1
    assert answers.count("held") == 11
    assert PaymentRequest.objects.get().amount_held == 9000


@pytest.mark.parametrize("apart", [0.0, 0.1])
@pytest.mark.parametrize("split", [None, Split(3)])
def test_two_taps_begin_once_however_slow_the_wallet_is(
    monkeypatch: pytest.MonkeyPatch, split: Split | None, apart: float
) -> None:
    provider = registry.get("sandbox")
    real = provider.start

    def slow(*args: Any) -> Any:
        time.sleep(0.3)
        return real(*args)

    monkeypatch.setattr(provider, "start", slow)
    payment_request = shop.make_request(split=split)

    def tap(after: float = 0) -> Payment:
        time.sleep(after)
        amount = 3000 if split else None
        payer, request = Payer("Mei", "Mei"), PaymentRequest.objects.get(pk=payment_request.pk)
        return shop.begin(request, method="sandbox", payer=payer, surface=Surface(), amount=amount)

    first, second = at_once([tap, lambda: tap(apart)])
    assert first.pk == second.pk
    assert first.next_step["url"] == second.next_step["url"]
    assert (Payment.objects.count(), Charge.objects.count()) == (1, 1)
    assert Payment.objects.get().held_until is not None


def test_parts_held_at_once_never_exceed_the_amount() -> None:
    request = shop.make_request(amount=10000, split=Split(50))
    answers = at_once([lambda number=number: shop.hold(request, 1500, name=f"F{number}") for number in range(12)])  # type: ignore[misc]
    assert sum(isinstance(answer, Payment) for answer in answers) == 6
    assert PaymentRequest.objects.get().amount_held == 9000


def test_asking_at_once_opens_one_request() -> None:
    order = shop.make_order()
    answers = at_once([lambda: shop.make_request(order)] * 12)
    assert len({answer.pk for answer in answers}) == 1


@pytest.mark.parametrize("other", ["cancel", "close_order"])
def test_paying_and_ending_at_once_never_lose_the_money(other: str) -> None:
    for _round in range(5):
        request = shop.make_request()
        payment = shop.hold(request)
        end: dict[str, Callable[[], Any]] = {
            "cancel": lambda: lifecycle.cancel_request(request.pk, actor="buyer"),  # noqa: B023
            "close_order": lambda: lifecycle.close_order(request.order_id, paid_elsewhere=False),  # noqa: B023
        }
        at_once([lambda: shop.succeed(payment), end[other]])  # noqa: B023
        payment.refresh_from_db()
        back = sum(payment.refunds.values_list("amount", flat=True))
        assert (payment.amount_captured, payment.amount_applied + back) == (9000, 9000)


def asked() -> PaymentRequest:
    order = shop.make_order()
    Order.objects.filter(pk=order.pk).update(expires_at=clock.now() + timedelta(hours=1))
    return shop.make_request(order)


def end_in(seconds: float, *requests: PaymentRequest) -> None:
    """These and their orders are over then."""
    now, life = clock.now(), timedelta(seconds=seconds)
    Order.objects.filter(payment_requests__in=requests).update(expires_at=now + life)
    rows = PaymentRequest.objects.filter(pk__in=[request.pk for request in requests])
    rows.update(created_at=now - timedelta(hours=1), expires_at=now + life)


def ended_once(request: PaymentRequest) -> str:
    """What became of a request. It ended once at most, every change of it has a number of its own, and the books are
    right.
    """
    assert ledger.check() == []
    told = list(Event.objects.filter(request=request.public_id).order_by("seq").values_list("type", "seq"))
    request.refresh_from_db()
    assert [seq for _type, seq in told] == list(range(1, request.seq + 1))
    ends = [type for type, _seq in told if type in ("payment_request.expired", "payment_request.cancelled")]
    assert ends == ([f"payment_request.{request.status}"] if request.status in ("expired", "cancelled") else [])
    return request.status


@pytest.mark.parametrize("sweep", [lifecycle.expire_plain, lifecycle.expire_plain_orders])
@pytest.mark.parametrize("other", ["pay", "settle", "cancel", "close_order", "expire", "sweep"])
def test_a_batch_that_meets_somebody_at_a_row_never_ends_it_twice_nor_keeps_money(
    other: str, sweep: Callable[[int], int]
) -> None:
    for _round in range(4):
        request, *crowd = [asked() for _ in range(5)]
        payment = shop.hold(request) if other == "settle" else None
        if payment:
            lifecycle.let_go(payment.pk)
        end_in(0, *crowd)
        end_in(0.02 if other == "pay" else 0, request)
        acts: dict[str, Callable[[], Any]] = {
            "pay": lambda: shop.hold(request),  # noqa: B023
            "settle": lambda: shop.succeed(payment),  # type: ignore[arg-type]  # noqa: B023
            "cancel": lambda: lifecycle.cancel_request(request.pk, actor="buyer"),  # noqa: B023
            "close_order": lambda: lifecycle.close_order(request.order_id, paid_elsewhere=False),  # noqa: B023
            "expire": lambda: lifecycle.expire_order(request.order_id),  # noqa: B023
            "sweep": lambda: sweep(100),
        }
        at_once([*[lambda: sweep(100)] * 3, acts[other]])
        sweep(100)
        assert {ended_once(each) for each in crowd} == {"expired"}
        ended_once(request)
        if payment:
            payment.refresh_from_db()
            back = sum(payment.refunds.values_list("amount", flat=True))
            assert (payment.amount_captured, payment.amount_applied + back) == (9000, 9000)


@pytest.mark.parametrize("other", ["settle", "let_go", "cancel", "sweep"])
def test_a_batch_of_lapsed_holds_that_meets_somebody_frees_each_once(other: str) -> None:
    for _round in range(4):
        request = shop.make_request(amount=9000, split=Split(3, 3000))
        payments = [shop.hold(request, 3000, name=name, lasts=timedelta(0)) for name in ("Mei", "Ann", "Bo")]
        lapsed = clock.now()
        acts: dict[str, Callable[[], Any]] = {
            "settle": lambda: shop.succeed(payments[1]),  # noqa: B023
            "let_go": lambda: lifecycle.let_go(payments[1].pk),  # noqa: B023
            "cancel": lambda: lifecycle.cancel_request(request.pk, actor="buyer"),  # noqa: B023
            "sweep": lambda: batches.let_go_lapsed(lapsed, 10),  # noqa: B023
        }
        at_once([*[lambda: batches.let_go_lapsed(lapsed, 10)] * 3, acts[other]])  # noqa: B023
        batches.let_go_lapsed(lapsed, 10)
        ended_once(request)
        assert request.amount_held == 0
        assert not Payment.objects.filter(held_until__isnull=False).exists()
        freed = Event.objects.filter(type="payment.released", request=request.public_id)
        assert freed.count() == freed.values("object_id").distinct().count()


@pytest.mark.parametrize("held", [Order, PaymentRequest, Payment, Refund])
def test_one_statement_locks_the_order_first_and_the_refund_last(held: type[Model]) -> None:
    """Whoever waits for one of them has those before it, and none of those after it."""
    payment = shop.succeed(shop.hold(shop.make_request()))
    with transaction.atomic():
        refund = holds.send_back(payment.request, payment, 10, "merchant", clock.now(), "merchant")
        locks.save(payment.request)

    def wait() -> None:
        with transaction.atomic():
            locks.lock_refund(refund.pk)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            list(held._default_manager.select_for_update(no_key=True))
            waiter = pool.submit(wait)
            while not _somebody_waits():
                assert not waiter.done()
                time.sleep(0.01)
            taken = [_is_locked(model) for model in (Order, PaymentRequest, Payment, Refund)]
        waiter.result()
    place = (Order, PaymentRequest, Payment, Refund).index(held)
    assert taken == [number < place for number in range(4)]


def _somebody_waits() -> bool:
    """For a row that we hold."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        )
        return bool(cursor.fetchone() != (0,))


def _is_locked(model: type[Model]) -> bool:
    """By somebody else."""
    try:
        with transaction.atomic():
            return not list(model._default_manager.select_for_update(nowait=True, no_key=True))
    except OperationalError:
        return True


@pytest.mark.parametrize("other", ["settle", "let_go", "cancel", "sweep", "ask", "take_over"])
def test_more_time_that_meets_somebody_frees_or_keeps_each_hold_once(other: str) -> None:
    """Whoever is first, the hold is what the attempt says, and the events are without a gap."""
    for _round in range(4):
        request = shop.make_request()
        payer = Payer("Mei", "Mei")
        payment = shop.begin(request, method="sandbox", payer=payer, surface=Surface())
        near = clock.now() + timedelta(seconds=0.05 if other in ("sweep", "ask") else 60)
        Payment.objects.filter(pk=payment.pk).update(created_at=near - shop.HOLD, held_until=near)
        acts: dict[str, Callable[[], Any]] = {
            "settle": lambda: shop.succeed(payment),  # noqa: B023
            "let_go": lambda: lifecycle.let_go(payment.pk),  # noqa: B023
            "cancel": lambda: lifecycle.cancel_request(request.pk, actor="buyer"),  # noqa: B023
            "sweep": lambda: batches.let_go_lapsed(near, 10),  # noqa: B023
            "ask": lambda: reconcile.ask(payment.pk),  # noqa: B023
            "take_over": lambda: shop.begin(  # noqa: B023
                request,  # noqa: B023
                method="sandbox",
                payer=Payer("Ann", "Ann"),
                surface=Surface(),
                take_over=True,
            ),
        }

        def tap() -> None:
            requests.extend_payment(payment.pk)  # noqa: B023

        def at_the_end() -> Any:
            time.sleep(0.05)
            return acts[other]()  # noqa: B023

        at_once([tap, tap, at_the_end if other in ("sweep", "ask") else acts[other]])
        extended = Event.objects.filter(type="payment.extended", object_id=payment.public_id).count()
        payment.refresh_from_db()
        ended_once(request)
        assert payment.extensions == extended <= 1
        assert payment.held_until in (None, near + limits.MORE_TIME * extended)
        if other in ("sweep", "ask"):
            assert (payment.held_until is None) == (extended == 0 and payment.closing | (payment.status != "pending"))
            if extended:
                assert Charge.objects.get(reference=payment.reference).status == "open"
        if other == "take_over":
            assert payment.held_until is None
        request.refresh_from_db()
        assert request.amount_held == sum(
            it.amount for it in Payment.objects.filter(request=request, held_until__isnull=False)
        )
