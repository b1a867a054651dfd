"""A POST with an Idempotency-Key does its work once: repeated, at the same time, and after a crash."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection, connections

from friendpay.kit import limits
from orders import services
from orders.api import idempotency
from orders.models import Merchant, Order, StoredAnswer
from orders.tasks import purge_answers
from payments.models import Refund
from tests.caller import ORDER, Answer, Caller, fields, ledger
from tests.crashing import dies

pytestmark = pytest.mark.django_db
on_real_transactions = pytest.mark.django_db(transaction=True)


@pytest.fixture
def caller() -> Caller:
    return Caller()


def test_a_repeated_call_gets_the_same_answer(caller: Caller) -> None:
    first, second = (caller.post("/orders", ORDER, key="order-1001") for _ in range(2))
    assert (first.status, second.status) == (201, 201)
    assert first.body == second.body
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.type == "application/json"
    assert Order.objects.count() == 1


def test_the_stored_answer_is_the_one_of_then(caller: Caller) -> None:
    order = caller.post("/orders", ORDER, key="k").json
    caller.post(f"/orders/{order['id']}/cancel")
    assert caller.post("/orders", ORDER, key="k")["status"] == "awaiting_payment"


def test_a_key_is_not_taken_for_another_body(caller: Caller) -> None:
    caller.post("/orders", ORDER, key="k")
    before = ledger()
    answer = caller.post("/orders", {**ORDER, "reference": "A-1002"}, key="k")
    assert (answer.status, answer["code"]) == (422, "idempotency_key_reused")
    assert ledger() == before


def test_a_key_belongs_to_an_address_a_mode_and_a_merchant(caller: Caller) -> None:
    orders = [caller.post("/orders", ORDER, key="k").json, caller.order()]
    assert [caller.post(f"/orders/{order['id']}/cancel", key="k").status for order in orders] == [200, 200]
    for stranger in (Caller(caller.merchant, live=True), Caller()):
        answer = stranger.post("/orders", ORDER, key="k")
        assert (answer.status, answer.headers.get("Idempotent-Replayed")) == (201, None)
    assert Order.objects.count() == 4


def test_another_key_of_the_merchant_repeats_the_same_call(caller: Caller) -> None:
    first = caller.post("/orders", ORDER, key="k")
    assert Caller(caller.merchant).post("/orders", ORDER, key="k").body == first.body


@pytest.mark.parametrize("key", ["", " ", "two words", "x" * 256, "clé", "tab\t"])
def test_a_malformed_key_is_refused(caller: Caller, key: str) -> None:
    answer = caller.post("/orders", ORDER, key=key)
    assert (answer.status, fields(answer)) == (422, {"Idempotency-Key": "malformed"})
    assert not Order.objects.exists()


def test_what_was_refused_is_not_stored(caller: Caller, settings: Any) -> None:
    wrong = {**ORDER, "currency": "XXX"}
    assert [caller.post("/orders", wrong, key="k").status for _ in range(2)] == [422, 422]
    assert caller.post("/orders/ord_unknown/cancel", key="k").status == 404
    settings.API_CALLS_PER_SECOND = 0
    assert caller.post("/orders", ORDER, key="k").status == 429
    settings.API_CALLS_PER_SECOND = 100
    assert not StoredAnswer.objects.exists()
    assert caller.post("/orders", ORDER, key="k").status == 201


def test_answers_are_forgotten_after_a_day(caller: Caller, move_time: Callable[[float], None]) -> None:
    caller.post("/orders", ORDER, key="k")
    move_time(timedelta(hours=23).total_seconds())
    purge_answers()
    assert StoredAnswer.objects.exists()
    move_time(timedelta(hours=2).total_seconds())
    purge_answers()
    assert not StoredAnswer.objects.exists()
    assert caller.post("/orders", ORDER, key="k")["code"] == "reference_used"


# Real transactions


def at_once(times: int, call: Callable[[], Answer]) -> list[Answer]:
    """The same call, by so many threads at the same moment."""
    answers: list[Answer] = []
    ready = threading.Barrier(times)

    def run() -> None:
        ready.wait(60)
        try:
            answers.append(call())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == times
    return answers


@pytest.mark.proof
@on_real_transactions
def test_twenty_parallel_calls_with_one_key_make_one_order(caller: Caller) -> None:
    answers = at_once(20, lambda: Caller(caller.merchant, key=caller.key).post("/orders", ORDER, key="k"))
    assert Order.objects.count() == StoredAnswer.objects.count() == 1
    assert {answer.status for answer in answers} <= {201, 409}
    made = [answer for answer in answers if answer.status == 201]
    assert {answer.body for answer in made} == {made[0].body}
    assert sum("Idempotent-Replayed" not in answer.headers for answer in made) == 1
    assert {answer["code"] for answer in answers if answer.status == 409} <= {"idempotency_key_in_use"}


@pytest.mark.proof
@on_real_transactions
def test_parallel_refunds_with_one_key_are_one_refund(caller: Caller) -> None:
    _asked, payment = caller.paid()
    address, body = f"/payments/{payment.public_id}/refunds", {"amount": 1000}
    answers = at_once(12, lambda: Caller(caller.merchant, key=caller.key).post(address, body, key="k"))
    assert {answer.status for answer in answers} <= {201, 409}
    assert Refund.objects.count() == 1


class Stuck:
    """A call that has done its work and not committed; its process can be let go on, or killed."""

    def __init__(self, caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[Answer] = []
        self._backend = 0
        self._worked, self._go_on = threading.Event(), threading.Event()
        real, first = services.place_order, [True]

        def place_order(*args: Any, **kwargs: Any) -> Order:
            order = real(*args, **kwargs)
            if first and first.pop():
                connection.ensure_connection()
                self._backend = connection.connection.info.backend_pid
                self._worked.set()
                self._go_on.wait(60)
            return order

        monkeypatch.setattr(services, "place_order", place_order)
        self._thread = threading.Thread(target=self._call, args=[caller])
        self._thread.start()
        assert self._worked.wait(60)

    def _call(self, caller: Caller) -> None:
        try:
            self.answers.append(Caller(caller.merchant, key=caller.key).post("/orders", ORDER, key="k"))
        finally:
            connections.close_all()

    def go_on(self) -> None:
        self._go_on.set()
        self._thread.join(60)

    def die(self) -> None:
        """To PostgreSQL a killed process is a connection that is gone."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [self._backend])

    def wait_until_dead(self) -> None:
        with connection.cursor() as cursor:
            for _ in range(1000):
                cursor.execute("SELECT pg_sleep(0.01), count(*) FROM pg_stat_activity WHERE pid = %s", [self._backend])
                if cursor.fetchone() == ("", 0):
                    return
        raise AssertionError("the call still holds its key")


@on_real_transactions
def test_a_call_that_is_still_at_work_is_said_to_be(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = Stuck(caller, monkeypatch)
    meanwhile = caller.post("/orders", ORDER, key="k")
    other = caller.post("/orders", {**ORDER, "reference": "A-2"}, key="another")
    stuck.go_on()
    assert (meanwhile.status, meanwhile["code"]) == (409, "idempotency_key_in_use")
    assert other.status == 201
    assert stuck.answers[0].status == 201
    assert caller.post("/orders", ORDER, key="k").body == stuck.answers[0].body


@on_real_transactions
def test_an_answer_that_was_stored_while_its_key_was_being_claimed_is_given(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call's statement has begun before the first one commits, and gets the key after it."""
    gate = "SELECT pg_advisory_xact_lock(1), set_config"
    monkeypatch.setattr(idempotency, "_CLAIM", idempotency._CLAIM.replace("SELECT set_config", gate))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(1)")  # this connection passes the gate, no other does
        with ThreadPoolExecutor(1) as thread:
            later = thread.submit(
                at_once, 1, lambda: Caller(caller.merchant, key=caller.key).post("/orders", ORDER, key="k")
            )
            for _ in range(1000):
                cursor.execute(
                    "SELECT pg_sleep(0.01), count(*) FROM pg_locks"
                    " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
                )
                if cursor.fetchone() == ("", 1):
                    break
            first = caller.post("/orders", ORDER, key="k")
            cursor.execute("SELECT pg_advisory_unlock(1)")
            [second] = later.result(60)
    assert (first.status, second.body) == (201, first.body)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert Order.objects.count() == 1


def ask_with_a_key(merchant: int, secret: str, order: str) -> None:
    caller = Caller(Merchant.objects.get(pk=merchant), key=secret)
    caller.client.defaults["SERVER_NAME"] = "localhost"  # a process of its own has no test's settings
    caller.post(f"/orders/{order}/payment-requests", {"message": "Please!"}, key="k")


@pytest.mark.proof
@on_real_transactions
def test_wherever_a_process_is_killed_its_key_recovers_and_the_repeat_asks_once(caller: Caller) -> None:
    for deed in count(1):
        order = caller.order()["id"]
        killed = dies(ask_with_a_key, caller.merchant.pk, caller.key, order, before=deed)
        first, again = (
            caller.post(f"/orders/{order}/payment-requests", {"message": "Please!"}, key="k") for _ in range(2)
        )
        assert first.status == 201
        assert again.body == first.body
        assert len(caller.get(f"/orders/{order}/payment-requests")["data"]) == 1
        if not killed:
            break
        assert "Idempotent-Replayed" not in first.headers  # nothing was left of it
    assert deed > 1
    assert first.headers["Idempotent-Replayed"] == "true"


@pytest.mark.proof
@on_real_transactions
def test_a_process_killed_in_the_middle_leaves_nothing_and_the_repeat_makes_one_order(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = Stuck(caller, monkeypatch)
    stuck.die()
    assert not Order.objects.exists()
    repeated = caller.post("/orders", ORDER, key="k")
    stuck.go_on()
    assert (repeated.status, stuck.answers[0].status) == (201, 500)
    assert Order.objects.count() == StoredAnswer.objects.count() == 1
    assert caller.post("/orders", ORDER, key="k").body == repeated.body


@on_real_transactions
def test_a_host_that_vanished_loses_its_key_when_its_lease_ends(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "IDEMPOTENCY_LEASE_SECONDS", "0.05")
    stuck = Stuck(caller, monkeypatch)
    stuck.wait_until_dead()
    assert caller.post("/orders", ORDER, key="k").status == 201
    stuck.go_on()
    assert Order.objects.count() == 1


@on_real_transactions
def test_the_lease_ends_with_its_call(caller: Caller) -> None:
    def timeout() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            return str(cursor.fetchone()[0])

    usual = timeout()
    assert caller.post("/orders", ORDER, key="k").status == 201
    assert timeout() == usual
