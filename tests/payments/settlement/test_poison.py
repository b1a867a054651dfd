"""One row that cannot be worked on holds up no other: its error is written on it, it is put off, and shown."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from friendpay.kit import clock, limits
from payments import tasks
from payments.models import Payment, PaymentRequest, ProviderEvent, Refund
from payments.settlement import expiry, inbox, ledger, lifecycle, refunds
from payments.wallets import registry
from payments.wallets.base import ProviderError
from sandbox import bank
from sandbox.models import Charge
from tests import shop
from tests.payments.scene import Scene
from tests.payments.settlement.test_checkout import begin
from tests.poison import no_event_of

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]

ERRORS = [
    KeyError("a new word"),
    ValueError("a success without an amount"),
    ProviderError("not now", permanent=False, code="SYSTEM_ERROR"),
    RecursionError(),
]


def poison(monkeypatch: pytest.MonkeyPatch, call: str, reference: str, error: Exception) -> None:
    """Whatever is said to the sandbox wallet of this reference raises `error`."""
    provider = registry.get("sandbox")
    real = getattr(provider, call)

    def poisoned(account: Any, *args: Any, **more: Any) -> Any:
        if reference in {getattr(it, "reference", it) for it in (*args, more.get("reference"))}:
            raise error
        return real(account, *args, **more)

    monkeypatch.setattr(provider, call, poisoned)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_one_refund_that_cannot_be_sent_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch, move_time: MoveTime, error: Exception
) -> None:
    requests = [shop.make_request() for _ in range(4)]
    for request in requests:
        payment = begin(request)
        bank.approve(Charge.objects.get(reference=payment.reference).ref, tell=False)
    move_time(15)
    tasks.sweep_payments()
    made = [refunds.refund_payment(payment.pk, 100, actor="merchant") for payment in Payment.objects.all()]
    poison(monkeypatch, "refund", made[0].reference, error)
    tasks.sweep_refunds()
    statuses = list(Refund.objects.order_by("id").values_list("status", flat=True))
    assert statuses == ["requested", "succeeded", "succeeded", "succeeded"]
    bad = Refund.objects.get(pk=made[0].pk)
    assert bad.error.startswith(type(error).__name__)
    assert bad.next_attempt_at is not None
    assert bad.next_attempt_at > clock.now()


def test_a_refund_that_goes_well_in_the_end_leaves_no_error(
    monkeypatch: pytest.MonkeyPatch, move_time: MoveTime
) -> None:
    payment = begin(shop.make_request())
    bank.approve(Charge.objects.get().ref, tell=False)
    move_time(15)
    tasks.sweep_payments()
    refund = refunds.refund_payment(payment.pk, 100, actor="merchant")
    with monkeypatch.context() as patch:
        poison(patch, "refund", refund.reference, KeyError("a new word"))
        tasks.sweep_refunds()
    assert Refund.objects.get().error == "KeyError: 'a new word'"
    move_time(60)
    tasks.sweep_refunds()
    refund.refresh_from_db()
    assert (refund.status, refund.error) == ("succeeded", "")


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_one_payment_that_cannot_be_asked_about_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch, move_time: MoveTime, error: Exception
) -> None:
    first, *others = [begin(shop.make_request()) for _ in range(3)]
    for charge in Charge.objects.all():
        bank.approve(charge.ref, tell=False)
    poison(monkeypatch, "fetch", first.reference, error)
    move_time(16)
    tasks.sweep_payments()
    assert {payment.status for payment in Payment.objects.exclude(pk=first.pk)} == {"succeeded"}
    first.refresh_from_db()
    assert (first.status, first.error[: len(type(error).__name__)]) == ("pending", type(error).__name__)


def test_a_hold_is_freed_in_the_end_although_its_question_cannot_be_asked(
    monkeypatch: pytest.MonkeyPatch, move_time: MoveTime
) -> None:
    request = shop.make_request(expires_in=timedelta(minutes=10))
    payment = begin(request)
    for call in ("fetch", "close"):
        poison(monkeypatch, call, payment.reference, KeyError("a new word"))
    for _minute in range(11):
        move_time(60)
        tasks.sweep_payments()
        tasks.sweep_requests()
    request.refresh_from_db()
    payment.refresh_from_db()
    assert (request.status, request.amount_held) == ("expired", 0)
    assert (payment.status, payment.held_until) == ("pending", None)
    assert payment.next_attempt_at  # money may have come: it is asked about on
    assert ledger.check() == []


def test_a_hold_is_freed_by_its_time_alone_while_nobody_asks(move_stopped_time: MoveTime) -> None:
    """No caller runs at all: a wallet's silence, or the lack of a worker, keeps no friend from paying."""
    request = shop.make_request()
    begin(request)
    move_stopped_time(300 + 119)
    tasks.sweep_requests()
    request.refresh_from_db()
    assert request.amount_held == 9000
    move_stopped_time(2)
    tasks.sweep_requests()
    request.refresh_from_db()
    assert (request.status, request.amount_held) == ("open", 0)


def test_one_notification_that_cannot_be_applied_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    payments = [begin(shop.make_request()) for _ in range(3)]
    events = []
    for number, payment in enumerate(payments):
        amount = {"minor": 9000, "currency": "CNY"}
        outcome = {"state": "succeeded", "reference": payment.reference, "provider_ref": f"txn{number}"}
        events.append(
            ProviderEvent.objects.create(
                account=payment.account,
                event_id=f"evt-{number}",
                kind="charge.paid",
                about="charge",
                reference=payment.reference,
                outcome={**outcome, "amount": amount, "code": "", "message": ""} if number else {"state": "a new word"},
                body=b"",
                received_at=clock.now(),
                next_attempt_at=clock.now(),
            )
        )
    inbox.apply()
    assert list(Payment.objects.order_by("id").values_list("status", flat=True)) == [
        "pending",
        "succeeded",
        "succeeded",
    ]
    events[0].refresh_from_db()
    assert events[0].error
    assert (events[0].applied_at, events[0].attempts) == (None, 1)


def test_one_request_that_cannot_be_ended_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch, move_time: MoveTime
) -> None:
    monkeypatch.setattr(limits, "EXPIRY_BATCH_ROWS", 2)
    bad, *others = [shop.make_request(expires_in=timedelta(minutes=1)) for _ in range(6)]
    alone: list[int] = []
    expire_request = lifecycle.expire_request

    def expire_alone(pk: int) -> None:
        alone.append(pk)
        expire_request(pk)

    monkeypatch.setattr(lifecycle, "expire_request", expire_alone)
    move_time(61)
    with no_event_of(bad.public_id):
        expiry.sweep()
        statuses = dict(PaymentRequest.objects.values_list("pk", "status"))
        assert statuses == {bad.pk: "open", **{other.pk: "expired" for other in others}}
    assert alone == [bad.pk, others[0].pk]  # the other batches are ended as they are
    expiry.sweep()
    assert PaymentRequest.objects.get(pk=bad.pk).status == "expired"


def test_where_no_batch_can_be_ended_all_are_ended_one_by_one(
    monkeypatch: pytest.MonkeyPatch, move_time: MoveTime
) -> None:
    requests = [shop.make_request(expires_in=timedelta(minutes=1)) for _ in range(3)]
    tries = []

    def broken(*_batch: object) -> int:
        tries.append(1)
        assert len(tries) < 10, "it is tried for ever"
        raise ValueError

    monkeypatch.setattr(lifecycle, "expire_plain", broken)
    move_time(61)
    expiry.sweep()
    assert PaymentRequest.objects.filter(status="expired").count() == len(requests)
    assert len(tries) == 2


def test_one_thread_at_a_time_ends_what_is_over() -> None:
    with expiry._at_work:
        other = threading.Thread(target=expiry.sweep, daemon=True)
        other.start()
        other.join(5)
        assert not other.is_alive()  # it has gone on to other work
    assert not expiry._at_work.locked()


@pytest.mark.parametrize("stage", ["card"], indirect=True)
def test_a_stripe_refund_without_a_status_holds_up_nobody(scene: Scene, move_time: MoveTime) -> None:
    """Stripe's reference: `status` (string, nullable)."""
    scene.pay()
    scene.hear()
    first, *_others = [
        refunds.refund_payment(scene.payment.pk, amount, actor="merchant") for amount in (1000, 1100, 1200, 1300)
    ]
    book: Any = scene.wallet.book
    real = book.refund

    def nullable(params: Any) -> Any:
        made = real(params)
        if params["metadata"]["friendpay_reference"] == first.reference:
            made["status"] = book.things[made["id"]]["status"] = None
        return made

    book.refund = nullable
    move_time(1)
    tasks.sweep_refunds()
    assert Refund.objects.filter(status="succeeded").count() == 3
    assert Refund.objects.get(pk=first.pk).next_attempt_at is not None
