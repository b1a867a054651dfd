"""What the wallet tells the shop: over real HTTP, signed, until it is heard."""

import hmac
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.urls import resolve

from friendpay.kit import background, clock, limits
from friendpay.kit.waiting import waiting
from sandbox import bank, notices
from sandbox.models import Charge, Notice
from sandbox.tasks import send_notices
from tests.sandbox.conftest import MakeCharge, Shop

MoveTime = Callable[[float], None]


@pytest.fixture
def charge(new_charge: MakeCharge, shop: Shop) -> bank.ChargeDetails:
    """A charge of the listening shop, just approved."""
    return bank.approve(bank.open_charge(new_charge(notify_url=shop.url)).ref)


def test_a_notification_is_signed_over_exactly_what_is_sent(charge: bank.ChargeDetails, shop: Shop) -> None:
    notices.send_due()
    [(headers, body)] = shop.heard
    signed = f"{headers['sandbox-timestamp']}\n{headers['sandbox-nonce']}\n".encode() + body + b"\n"
    assert headers["sandbox-signature"] == hmac.new(b"secret-of-the-shop", signed, "sha256").hexdigest()
    assert abs(int(headers["sandbox-timestamp"]) - clock.now().timestamp()) < 5
    assert json.loads(body)["charge"]["transaction"] == charge.transaction


def test_a_delivered_notification_rests(charge: bank.ChargeDetails, shop: Shop, move_time: MoveTime) -> None:
    notices.send_due()
    move_time(7 * 24 * 3600)
    notices.send_due()
    assert len(shop.heard) == 1
    assert Notice.objects.get().delivered_at is not None


@pytest.mark.parametrize("answer", [302, 400, 404, 500, 503])
def test_an_unheard_notification_comes_again_the_same_but_newly_signed(
    charge: bank.ChargeDetails, shop: Shop, move_time: MoveTime, answer: int
) -> None:
    shop.answers = [answer, answer]
    for _ in range(3):
        notices.send_due()
        move_time(notices.DELAYS[0])
    assert len({body for _, body in shop.heard}) == 1
    assert len({headers["sandbox-nonce"] for headers, _ in shop.heard}) == len(shop.heard) == 3
    assert Notice.objects.get().delivered_at is not None


def test_attempts_grow_apart_and_end(new_charge: MakeCharge, move_stopped_time: MoveTime) -> None:
    bank.refuse(bank.open_charge(new_charge()).ref)  # to a port where nobody listens
    spans = []
    for _ in range(len(notices.DELAYS) + 1):
        before = clock.now()
        notices.send_due()
        due = Notice.objects.get().next_attempt_at
        if due is None:
            break
        spans.append(round((due - before).total_seconds()))
        move_stopped_time(spans[-1] - 1)
        notices.send_due()
        assert Notice.objects.get().attempts == len(spans), "not before its time"
        move_stopped_time(2)
    assert tuple(spans) == notices.DELAYS
    assert sorted(spans) == spans
    notice = Notice.objects.get()
    assert (notice.attempts, notice.next_attempt_at, notice.delivered_at) == (len(spans) + 1, None, None)


def test_an_attempt_ends_before_the_next_one_may_begin() -> None:
    steps = 4  # to get a connection, connect, write, read
    assert steps * notices.TIMEOUT < min(notices.DELAYS)


def test_a_sweep_leaves_a_new_one_to_the_process_that_wrote_it(
    new_charge: MakeCharge, shop: Shop, monkeypatch: pytest.MonkeyPatch, move_time: MoveTime
) -> None:
    monkeypatch.setattr(limits, "HEAD_START", timedelta(seconds=5))
    bank.approve(bank.open_charge(new_charge(notify_url=shop.url)).ref)
    notices.send_due()
    assert shop.heard == []
    move_time(6)  # that process was killed
    notices.send_due()
    assert len(shop.heard) == 1


def test_an_unheard_first_attempt_counts_and_is_made_again(
    new_charge: MakeCharge, shop: Shop, monkeypatch: pytest.MonkeyPatch, move_time: MoveTime
) -> None:
    jobs: list[Callable[[], object]] = []
    monkeypatch.setattr(background, "run_later", lambda _purpose, job: jobs.append(job))
    monkeypatch.setattr(transaction, "on_commit", lambda job, **_options: job())
    shop.answers = [500]
    bank.approve(bank.open_charge(new_charge(notify_url=shop.url)).ref)
    jobs[0]()
    notices.send_due()
    assert (len(shop.heard), Notice.objects.get().attempts) == (1, 1), "not before its time"
    move_time(notices.DELAYS[0])
    notices.send_due()
    assert (len(shop.heard), Notice.objects.get().attempts) == (2, 2)
    assert Notice.objects.get().delivered_at


def test_a_connection_that_was_kept_and_has_ended_is_made_anew(new_charge: MakeCharge, shop: Shop) -> None:
    for number in range(2):
        bank.approve(bank.open_charge(new_charge(reference=f"ref-{number}", notify_url=shop.url)).ref)
        notices.send_due()
        shop.hang_up()
    assert Notice.objects.filter(delivered_at=None).count() == 0
    assert len(shop.heard) == 2


def test_a_lost_notification_can_still_be_sent(new_charge: MakeCharge, shop: Shop, move_time: MoveTime) -> None:
    charge = bank.approve(bank.open_charge(new_charge(notify_url=shop.url)).ref, tell=False)
    move_time(24 * 3600)
    notices.send_due()
    assert shop.heard == []
    bank.notify_again(charge.ref)
    notices.send_due()
    assert len(shop.heard) == 1


def test_a_notification_sent_twice_is_the_same_event(charge: bank.ChargeDetails, shop: Shop) -> None:
    notices.send_due()
    bank.notify_again(charge.ref)
    notices.send_due()
    first, second = [json.loads(body) for _, body in shop.heard]
    assert first == second


def test_a_charge_that_said_nothing_has_nothing_to_say_again(new_charge: MakeCharge, shop: Shop) -> None:
    bank.notify_again(bank.open_charge(new_charge(notify_url=shop.url)).ref)
    notices.send_due()
    assert shop.heard == []


def test_one_poisoned_notification_does_not_stop_the_next(new_charge: MakeCharge, shop: Shop) -> None:
    bank.approve(bank.open_charge(new_charge(reference="ref-0", notify_url="http://[::1]:port/")).ref)
    bank.approve(bank.open_charge(new_charge(notify_url=shop.url)).ref)
    notices.send_due()
    assert len(shop.heard) == 1


def test_sending_ends_with_its_budget(new_charge: MakeCharge, shop: Shop) -> None:
    for number in range(3):
        bank.approve(bank.open_charge(new_charge(reference=f"ref-{number}", notify_url=shop.url)).ref)
    notices.send_due(budget=0)
    assert shop.heard == []
    send_notices()
    assert len(shop.heard) == 3


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_do_not_send_the_same_one(new_charge: MakeCharge, shop: Shop) -> None:
    shop.hold = threading.Event()
    for number in range(6):
        bank.approve(bank.open_charge(new_charge(reference=f"ref-{number}", notify_url=shop.url)).ref)

    def send() -> None:
        try:
            notices.send_due()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        senders = [pool.submit(send) for _ in range(4)]
        for _ in range(6000):
            if len(shop.heard) == 4:
                break
            shop.hold.wait(0.01)
        assert len(shop.heard) == 4, "every sender has one in its hands at the same time"
        shop.hold.set()
        for sender in senders:
            sender.result(60)
    assert len({body for _, body in shop.heard}) == len(shop.heard) == 6
    assert Notice.objects.filter(delivered_at=None).count() == 0


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_shop_thinks(charge: bank.ChargeDetails, shop: Shop) -> None:
    shop.hold = threading.Event()

    def send() -> None:
        try:
            notices.send_due()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        sender = pool.submit(send)
        while not shop.heard:
            shop.hold.wait(0.01)
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%%'"
            )
            assert cursor.fetchone() == (0,)
        shop.hold.set()
        sender.result(60)


@pytest.mark.django_db(transaction=True)
def test_a_notification_in_other_hands_is_passed_over(new_charge: MakeCharge, shop: Shop) -> None:
    for number in range(2):
        bank.approve(bank.open_charge(new_charge(reference=f"ref-{number}", notify_url=shop.url)).ref)

    def send() -> None:
        try:
            notices.send_due()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        held = Notice.objects.select_for_update().order_by("id")[0]
        pool.submit(send).result(60)
    assert [json.loads(body)["id"] for _, body in shop.heard] == [Notice.objects.exclude(pk=held.pk).get().event_id]


@pytest.mark.django_db(transaction=True)
def test_the_shop_hears_right_after_the_commit_and_not_before(
    new_charge: MakeCharge, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[Callable[[], object]] = []

    def run_later(purpose: str, job: Callable[[], object]) -> None:
        assert not connection.in_atomic_block
        jobs.append(job)

    monkeypatch.setattr(background, "run_later", run_later)
    charge = bank.open_charge(new_charge(notify_url=shop.url))
    assert jobs == []
    bank.approve(charge.ref)
    [job] = jobs
    job()
    assert len(shop.heard) == 1
    jobs.pop()()
    assert Notice.objects.get().delivered_at
    bank.approve(charge.ref)
    assert len(jobs) == 1


@pytest.mark.django_db(transaction=True)
def test_who_has_paid_is_sent_back_to_a_shop_that_knows(
    new_charge: MakeCharge, shop: Shop, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[Callable[[], object]] = []
    monkeypatch.setattr(background, "run_later", lambda _purpose, job: jobs.append(job))
    charge = bank.open_charge(new_charge(notify_url=shop.url))
    assert client.post(f"/sandbox/{charge.ref}/", {"action": "approve"}).status_code == 303
    assert len(shop.heard) == 1
    jobs.pop()()
    assert (Notice.objects.get().delivered_at is None, jobs) == (False, [])


@pytest.mark.django_db(transaction=True)
def test_all_that_are_heard_within_a_moment_are_written_down_at_once(
    new_charge: MakeCharge,
    shop: Shop,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Any,
) -> None:
    jobs: list[Callable[[], object]] = []
    monkeypatch.setattr(background, "run_later", lambda _purpose, job: jobs.append(job))
    for number in range(3):
        charge = bank.open_charge(new_charge(reference=f"ref-{number}", notify_url=shop.url))
        client.post(f"/sandbox/{charge.ref}/", {"action": "approve"})
    with django_assert_num_queries(1):
        for job in jobs:
            job()
    assert (len(jobs), Notice.objects.filter(delivered_at=None).count()) == (3, 0)


@pytest.mark.django_db(transaction=True)
def test_who_has_paid_is_sent_back_whatever_goes_wrong_with_telling(
    new_charge: MakeCharge, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_anything: object) -> bool:
        raise TypeError("a mistake of ours")

    monkeypatch.setattr(notices, "_send", broken)
    charge = bank.open_charge(new_charge())
    assert client.post(f"/sandbox/{charge.ref}/", {"action": "approve"}).status_code == 303
    assert (Notice.objects.get().attempts, Charge.objects.get().status) == (0, "paid")


@pytest.mark.django_db(transaction=True)
def test_who_has_paid_is_sent_back_although_the_shop_does_not_answer(new_charge: MakeCharge, client: Client) -> None:
    charge = bank.open_charge(new_charge())  # to a port where nobody listens
    assert client.post(f"/sandbox/{charge.ref}/", {"action": "approve"}).status_code == 303
    assert (Notice.objects.get().attempts, Notice.objects.get().delivered_at) == (1, None)
    view = resolve(f"/sandbox/{charge.ref}/").func
    assert waiting(view), "and no page waits for a thread meanwhile"
