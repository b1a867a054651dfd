"""Notifications: verified, stored, answered, applied; replayed, reordered, forged and poisoned ones change nothing."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import DatabaseError, connection

from friendpay.kit import background, clock, leases, limits
from friendpay.kit.money import Money
from payments import tasks
from payments.models import BillMismatch, Payment, PaymentRequest, ProviderAccount, ProviderEvent
from payments.settlement import effects, inbox, lifecycle, outcomes, reconcile, refund_moves, refunds
from payments.wallets import registry
from payments.wallets.base import BillLine, Notification, Outcome, State
from sandbox import bank
from sandbox.models import Charge, Notice
from sandbox.signing import sign
from tests import shop
from tests.payments.settlement.test_checkout import begin

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]


def deliver(notice: Notice, account: ProviderAccount, *, body: bytes | None = None, secret: str = "") -> int:
    """Bring a notice of the sandbox wallet to the inbox, as its sender would."""
    body = notice.body.encode() if body is None else body
    return inbox.receive("sandbox", account.public_id, headers(secret or account.config["secret"], body), body).status


def headers(secret: str, body: bytes) -> dict[str, str]:
    timestamp = str(int(clock.now().timestamp()))
    return {
        "sandbox-timestamp": timestamp,
        "sandbox-nonce": "nonce",
        "sandbox-signature": sign(secret, timestamp, "nonce", body),
    }


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """What is to be done by a thread in the background: a test does it."""
    jobs: list[Callable[[], object]] = []
    monkeypatch.setattr(background, "run_later", lambda _purpose, job: jobs.append(job))
    return jobs


@pytest.fixture
def stored_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is applied by the commit that stores it, as where somebody holds the locks."""
    monkeypatch.setattr(effects, "apply_new", lambda _event: False)


def approved() -> tuple[PaymentRequest, ProviderAccount, Notice]:
    request = shop.make_request()
    begin(request)
    bank.approve(Charge.objects.get().ref)
    return request, shop.account_of(request), Notice.objects.get()


def status() -> str:
    return PaymentRequest.objects.get().status


def test_money_is_settled_by_the_commit_that_stores_its_notification(jobs: list[Callable[[], object]]) -> None:
    _request, account, notice = approved()
    jobs.clear()
    assert deliver(notice, account) in (200, 204)
    event = ProviderEvent.objects.get()
    assert (status(), event.attempts, event.next_attempt_at, event.error) == ("paid", 1, None, "")
    assert event.applied_at == Payment.objects.get().succeeded_at
    assert not any("_apply_now" in repr(job) for job in jobs)


def test_money_told_again_under_another_name_is_stored_and_changes_nothing() -> None:
    request, account, notice = approved()
    deliver(notice, account)
    again = json.loads(notice.body) | {"id": "another"}
    deliver(notice, account, body=json.dumps(again).encode())
    tasks.sweep_notifications()
    assert [bool(event.applied_at) for event in ProviderEvent.objects.all()] == [True, True]
    request.refresh_from_db()
    assert (request.amount_paid, request.payments.get().refunds.count()) == (9000, 0)


def test_what_fails_while_it_is_stored_is_stored_all_the_same(
    jobs: list[Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _request, account, notice = approved()
    jobs.clear()
    with monkeypatch.context() as fault:
        fault.setattr(lifecycle, "save", mock.Mock(side_effect=DatabaseError))
        assert deliver(notice, account) in (200, 204)
    event = ProviderEvent.objects.get()
    assert (status(), event.attempts, event.applied_at, bool(event.next_attempt_at)) == ("open", 0, None, True)
    jobs.pop()()
    assert status() == "paid"


@pytest.mark.django_db(transaction=True)
def test_a_notification_waits_for_nobody_who_holds_the_order(jobs: list[Callable[[], object]]) -> None:
    _request, account, notice = approved()
    jobs.clear()
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT id FROM orders_order FOR NO KEY UPDATE")
            assert deliver(notice, account) in (200, 204)
            assert (status(), ProviderEvent.objects.get().applied_at) == ("open", None)
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    jobs.pop()()
    assert (status(), bool(ProviderEvent.objects.get().applied_at)) == ("paid", True)


@pytest.mark.usefixtures("stored_first")
def test_a_notification_is_stored_answered_and_then_applied() -> None:
    _request, account, notice = approved()
    assert deliver(notice, account) in (200, 204)
    assert status() == "open"
    tasks.sweep_notifications()
    event = ProviderEvent.objects.get()
    assert (status(), event.next_attempt_at) == ("paid", None)
    assert event.applied_at


def test_a_replay_finds_its_row_and_changes_nothing() -> None:
    request, account, notice = approved()
    for _time in range(3):
        deliver(notice, account)
        tasks.sweep_notifications()
    request.refresh_from_db()
    assert (ProviderEvent.objects.count(), Payment.objects.get().amount_applied) == (1, 9000)
    assert request.payments.get().refunds.count() == 0


@pytest.mark.usefixtures("stored_first")
def test_the_process_that_took_it_applies_it_at_once(jobs: list[Callable[[], object]]) -> None:
    _request, account, notice = approved()
    jobs.clear()
    deliver(notice, account)
    [apply] = jobs
    apply()
    event = ProviderEvent.objects.get()
    assert (status(), event.attempts, event.next_attempt_at, event.error) == ("paid", 1, None, "")
    deliver(notice, account)
    assert len(jobs) == 1, "a replay is nothing new"


@pytest.mark.usefixtures("stored_first")
def test_no_sweep_is_at_it_beside_the_process_that_took_it(
    monkeypatch: pytest.MonkeyPatch, move_time: MoveTime
) -> None:
    monkeypatch.setattr(limits, "HEAD_START", timedelta(seconds=5))
    _request, account, notice = approved()
    deliver(notice, account)
    tasks.sweep_notifications()
    assert (status(), ProviderEvent.objects.get().attempts) == ("open", 0)
    move_time(6)  # that process was killed
    tasks.sweep_notifications()
    assert status() == "paid"


@pytest.mark.usefixtures("stored_first")
def test_one_that_two_are_at_after_all_counts_once(jobs: list[Callable[[], object]]) -> None:
    request, account, notice = approved()
    jobs.clear()
    deliver(notice, account)
    tasks.sweep_notifications()
    jobs[0]()
    request.refresh_from_db()
    assert (request.amount_paid, request.payments.get().refunds.count()) == (9000, 0)
    assert ProviderEvent.objects.get().next_attempt_at is None


@pytest.mark.usefixtures("stored_first")
def test_what_is_settled_and_that_it_was_told_are_one_statement(
    jobs: list[Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _request, account, notice = approved()
    jobs.clear()
    deliver(notice, account)
    with monkeypatch.context() as fault:
        fault.setattr(effects, "Writes", None)  # nothing is written beside the settlement
        jobs[0]()
    event = ProviderEvent.objects.get()
    assert (status(), event.next_attempt_at, event.attempts, event.error) == ("paid", None, 1, "")
    assert event.applied_at == Payment.objects.get().succeeded_at


@pytest.mark.usefixtures("stored_first")
def test_what_cannot_be_applied_at_once_is_tried_again_when_it_is_due(
    jobs: list[Callable[[], object]], monkeypatch: pytest.MonkeyPatch, move_time: MoveTime
) -> None:
    _request, account, notice = approved()
    jobs.clear()
    deliver(notice, account)
    with monkeypatch.context() as fault:
        fault.setattr(reconcile, "apply", lambda *_, **__: 1 / 0)
        jobs[0]()
    tasks.sweep_notifications()
    assert (status(), ProviderEvent.objects.get().error) == ("open", "ZeroDivisionError: division by zero")
    move_time(limits.RETRY_DELAYS[0].total_seconds() + 1)
    tasks.sweep_notifications()
    assert (status(), ProviderEvent.objects.get().error) == ("paid", "")


def test_a_forged_notification_leaves_nothing_but_a_counter() -> None:
    _request, account, notice = approved()
    assert 400 <= deliver(notice, account, secret="guessed") < 500
    account.refresh_from_db()
    assert (ProviderEvent.objects.count(), account.refused_notifications, status()) == (0, 1, "open")


def test_a_changed_body_is_refused() -> None:
    _request, account, notice = approved()
    signed = headers(account.config["secret"], notice.body.encode())
    body = notice.body.replace("9000", "9").encode()
    assert 400 <= inbox.receive("sandbox", account.public_id, signed, body).status < 500
    assert not ProviderEvent.objects.exists()


def test_a_notification_to_another_account_is_refused() -> None:
    _request, account, notice = approved()
    other = shop.account_of(shop.make_request(shop.make_order(shop.make_merchant("Other"))))
    assert 400 <= deliver(notice, other, secret=account.config["secret"]) < 500
    body = notice.body.encode()
    for provider, name in (("sandbox", "acc_nobody"), ("alipay", account.public_id)):
        assert inbox.receive(provider, name, headers(account.config["secret"], body), body).status == 404
    assert not ProviderEvent.objects.exists()


def test_money_with_an_unknown_reference_is_kept_for_support() -> None:
    _request, account, notice = approved()
    data = json.loads(notice.body)
    body = json.dumps(data).replace(Payment.objects.get().reference, "fp-unknown").encode()
    assert deliver(notice, account, body=body) in (200, 204)
    tasks.sweep_notifications()
    event = ProviderEvent.objects.get()
    assert event.orphaned_at
    assert (event.reference, event.applied_at, status()) == ("fp-unknown", None, "open")


def test_a_poisoned_notification_is_set_aside_and_stops_nobody(
    move_time: MoveTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Money in another currency than asked for: applying it fails every time."""
    _request, account, notice = approved()
    body = notice.body.replace("CNY", "USD").encode()
    deliver(notice, account, body=body)
    for _hour in range(12):
        move_time(3600)
        tasks.sweep_notifications()
    event = ProviderEvent.objects.get()
    assert event.set_aside_at
    assert "CNY" in event.error
    assert (event.attempts, event.applied_at, event.next_attempt_at) == (limits.NOTIFICATION_TRIES, None, None)


def test_a_hint_without_truth_is_confirmed_by_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    _request, account, _notice = approved()
    reference = Payment.objects.get().reference
    provider = registry.get("sandbox")
    hint = Notification("hint-1", "charge.hint", reference, "charge", None)
    monkeypatch.setattr(provider, "read_notification", lambda *_args, **_kwargs: hint)
    inbox.receive("sandbox", account.public_id, {}, b"{}")
    tasks.sweep_notifications()
    assert status() == "open"  # what asks the wallet is on a queue of its own
    tasks.sweep_hints()
    assert status() == "paid"


def test_an_outcome_survives_its_storage() -> None:
    from friendpay.kit.money import Money

    outcome: Any = Outcome(State.SUCCEEDED, "fp1", "txn", Money(9000, "CNY"), "OK", "fine")
    assert outcomes.unpack(json.loads(json.dumps(outcomes.pack(outcome)))) == outcome
    assert outcomes.unpack(outcomes.pack(None)) is None


@pytest.mark.parametrize("state", [State.FAILED, State.PENDING])
def test_what_is_no_money_is_a_hint_that_is_asked_about(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure told late, of an attempt that was paid in the end."""
    _request, account, _notice = approved()
    reference = Payment.objects.get().reference
    old = Notification("old-1", "charge.refused", reference, "charge", Outcome(state, reference, code="NO"))
    monkeypatch.setattr(registry.get("sandbox"), "read_notification", lambda *_args, **_kwargs: old)
    inbox.receive("sandbox", account.public_id, {}, b"{}")
    inbox.apply()
    assert status() == "paid"


def test_a_refunds_old_success_does_not_undo_its_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    request = shop.make_request()
    payment = shop.succeed(shop.hold(request))
    refund = refunds.refund_payment(payment.pk, 1000, actor="merchant")
    refund_moves.move_refund(refund.pk, "failed")
    said = Outcome(State.SUCCEEDED, refund.reference, "re-1", refund.money)
    old = Notification("old-1", "refund.done", refund.reference, "refund", said)
    provider = registry.get("sandbox")
    monkeypatch.setattr(provider, "read_notification", lambda *_args, **_kwargs: old)
    stands = [Outcome(State.FAILED, refund.reference), said]
    monkeypatch.setattr(provider, "fetch_refund", lambda *_args, **_kwargs: stands[0])
    inbox.receive("sandbox", payment.account.public_id, {}, b"{}")
    inbox.apply()
    refund.refresh_from_db()
    assert refund.status == "failed"
    ProviderEvent.objects.all().delete()
    stands.reverse()
    inbox.receive("sandbox", payment.account.public_id, {}, b"{}")
    inbox.apply()
    refund.refresh_from_db()
    assert refund.status == "succeeded"


def test_an_orphan_that_was_not_decided_is_asked_about_again() -> None:
    """Nothing was known of it at first; when support tries again, the wallet has the money."""
    _request, account, _notice = approved()
    Charge.objects.update(reference="fp-lost")
    event = ProviderEvent.objects.create(
        account=account,
        event_id="hint",
        kind="charge.hint",
        about="charge",
        reference="fp-lost",
        outcome=outcomes.pack(Outcome(State.PENDING, "fp-lost")),
        body=b"",
        received_at=clock.now(),
        orphaned_at=clock.now(),
    )
    inbox.try_again(event.pk)
    inbox.apply()
    event.refresh_from_db()
    assert (event.orphaned_at is not None, (event.outcome or {})["state"]) == (True, "succeeded")


@pytest.mark.parametrize("length", [64, 65, 500])
def test_a_number_of_any_length_is_stored(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    account = shop.account_of(shop.make_request())
    strange = Notification("odd", "charge.paid", "x" * length, "charge")
    monkeypatch.setattr(registry.get("sandbox"), "read_notification", lambda *_args, **_kwargs: strange)
    assert inbox.receive("sandbox", account.public_id, {}, b"{}").status < 300
    inbox.apply()
    assert ProviderEvent.objects.get().orphaned_at


def test_the_same_money_in_a_bill_twice_is_one_orphan() -> None:
    account, other = (shop.account_of(shop.make_request(shop.make_order(shop.make_merchant(it)))) for it in ("A", "B"))

    def line(about: str = "charge", reference: str = "pay-1", number: str = "txn-1") -> BillLine:
        return BillLine(about, reference, number, Money(9000, "CNY"), State.SUCCEEDED)

    assert inbox.keep_from_bill(account, line())
    assert inbox.keep_from_bill(account, line(reference="pay-2")) is None
    kept = [(other, line()), (account, line("refund")), (account, line(reference="pay-3", number=""))]
    kept.append((account, line(number="txn-2")))  # another charge under a number of ours
    assert all(inbox.keep_from_bill(*it) for it in kept)
    assert inbox.keep_from_bill(account, line(reference="pay-3", number="")) is None
    long = inbox.keep_from_bill(account, line(number="x" * 300))
    assert long
    assert (len(long.event_id), len(ProviderEvent.objects.get(pk=long.pk).event_id)) == (128, 128)


@pytest.mark.usefixtures("stored_first")
def test_what_the_wallet_has_to_be_asked_about_goes_to_the_worker_that_makes_calls(
    monkeypatch: pytest.MonkeyPatch, jobs: list[Callable[[], object]]
) -> None:
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr(inbox, "enqueue", lambda *job: sent.append(job))
    monkeypatch.setattr(effects, "apply", mock.Mock(side_effect=effects.Asks))
    _request, account, notice = approved()
    deliver(notice, account)
    jobs.pop()()
    event = ProviderEvent.objects.get()
    assert sent == [("payments.confirm", account.pk, event.event_id)]
    assert (event.asks, event.attempts, event.next_attempt_at) == (True, 0, event.received_at)
    ProviderEvent.objects.update(asks=False, next_attempt_at=event.received_at)
    assert inbox.apply(asking=False) == 0, "it turned out to be one that asks"
    ProviderEvent.objects.update(asks=False, next_attempt_at=event.received_at)
    monkeypatch.setattr(effects, "apply", mock.Mock(side_effect=ValueError))
    assert inbox.apply(account.pk, event.event_id, asking=False) == 1


@pytest.mark.usefixtures("stored_first")
def test_a_failed_try_of_one_leaves_others_and_what_is_done_alone(jobs: list[Callable[[], object]]) -> None:
    """The thread's own note of it: one try, and the first of the growing intervals from when it came."""
    _request, account, notice = approved()
    deliver(notice, account)
    told = ProviderEvent.objects.get()
    other = ProviderEvent.objects.create(
        account=account,
        event_id="other",
        kind="x",
        reference="y",
        body=b"",
        received_at=told.received_at,
        next_attempt_at=told.received_at,
    )
    with mock.patch.object(effects, "apply", side_effect=ValueError):
        jobs.pop()()
    told.refresh_from_db()
    assert (told.attempts, told.next_attempt_at) == (1, told.received_at + leases.growing(0))
    other.refresh_from_db()
    assert (other.attempts, other.next_attempt_at) == (0, told.received_at)
    ProviderEvent.objects.filter(pk=told.pk).update(attempts=0, next_attempt_at=None)
    with mock.patch.object(effects, "apply", side_effect=ValueError):
        inbox._apply_now(told)
    told.refresh_from_db()
    assert told.next_attempt_at is None, "somebody else was done with it"
    ProviderEvent.objects.filter(pk=told.pk).update(attempts=2, next_attempt_at=told.received_at)
    with mock.patch.object(effects, "apply", side_effect=ValueError):
        inbox._apply_now(told)
    left = ProviderEvent.objects.get(pk=told.pk)
    assert (left.attempts, left.next_attempt_at) == (2, told.received_at), "somebody else is at it"


def test_one_that_is_named_is_applied_and_no_other() -> None:
    first, second = (shop.account_of(shop.make_request(shop.make_order(shop.make_merchant(it)))) for it in ("A", "B"))
    facts = {"kind": "x", "body": b"", "received_at": clock.now(), "next_attempt_at": clock.now()}
    named, *others = [
        ProviderEvent.objects.create(account=account, event_id=event_id, **facts)
        for account, event_id in ((first, "evt-1"), (first, "evt-2"), (second, "evt-1"))
    ]
    assert inbox.apply(first.pk, "evt-1") == 1
    assert list(ProviderEvent.objects.filter(applied_at=None).order_by("id")) == others
    assert inbox.apply(first.pk, "evt-1") == 0, "it is done with"
    named.refresh_from_db()
    assert named.attempts == 1


def test_what_support_put_away_or_tries_again_begins_afresh_and_is_explained() -> None:
    account, now = shop.account_of(shop.make_request()), clock.now()
    facts = {"account": account, "kind": "x", "body": b"", "received_at": now, "set_aside_at": now}
    again, away = [
        ProviderEvent.objects.create(event_id=name, attempts=limits.NOTIFICATION_TRIES, **facts)
        for name in ("again", "away")
    ]
    for event in (again, away):
        BillMismatch.objects.create(
            **{"account": account, "day": now.date(), "kind": "missing_here", "about": "charge", "found_at": now},
            reference=event.event_id,
            ours=f"orphan {event.pk}",
        )
    assert inbox.try_again(again.pk).attempts == 0
    inbox.put_away(away.pk, "Not ours.")
    found = {it.reference: (it.note, it.settled_at is not None) for it in BillMismatch.objects.all()}
    assert found == {"again": ("", False), "away": ("Not ours.", True)}
