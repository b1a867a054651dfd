"""A wallet that hangs: left alone after a few calls, tried now and then, and in nobody else's way."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from friendpay.kit import clock, limits
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from payments import tasks
from payments.admin import credentials
from payments.models import BillDay, BillMismatch, Payment, ProviderAccount
from payments.settlement import bills, calls, inbox, refunds
from payments.wallets import registry, transport
from payments.wallets.base import TIMEOUT, BillLine, ProviderError, State
from sandbox import bank
from sandbox.models import Charge
from tests import shop
from tests.payments.settlement.test_checkout import begin

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]


class Silence:
    """The sandbox wallet, some accounts of which have no answer; `asked` counts what they were asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.accounts: set[str] = set()
        self.asked = 0
        provider = registry.get("sandbox")
        for call in ("start", "fetch", "close", "refund", "fetch_refund", "bill", "check"):
            monkeypatch.setattr(provider, call, self._hanging(getattr(provider, call)))

    def _hanging(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(account: Any, *args: Any, **more: Any) -> Any:
            if account.id in self.accounts:
                self.asked += 1
                raise ProviderError("no answer (ReadTimeout)", permanent=False, code=TIMEOUT)
            return real(account, *args, **more)

        return call


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> Silence:
    return Silence(monkeypatch)


def pending(count: int) -> list[Payment]:
    """So many friends of one shop have gone to their wallets."""
    merchant = shop.make_merchant()
    return [begin(shop.make_request(shop.make_order(merchant))) for _ in range(count)]


def test_a_hung_account_is_asked_a_few_times_and_then_left_alone(silence: Silence, move_time: MoveTime) -> None:
    payments = pending(10)
    account = payments[0].account
    silence.accounts.add(account.public_id)
    move_time(16)
    tasks.sweep_payments()
    assert silence.asked == limits.CALL_HANGS
    account.refresh_from_db()
    assert account.paused_until is not None
    tasks.sweep_payments()
    tasks.sweep_refunds()
    tasks.sweep_hints()
    assert silence.asked == limits.CALL_HANGS
    # The others were not even taken: none lost its turn.
    assert Payment.objects.filter(attempts=0).count() == 10 - limits.CALL_HANGS


def test_another_accounts_payments_are_asked_about_all_the_same(silence: Silence, move_time: MoveTime) -> None:
    ill, well = pending(10), pending(3)
    silence.accounts.add(ill[0].account.public_id)
    for payment in well:
        bank.approve(Charge.objects.get(reference=payment.reference).ref, tell=False)
    move_time(16)
    tasks.sweep_payments()
    assert Payment.objects.filter(account=well[0].account, status="succeeded").count() == 3


def test_a_paused_account_is_tried_by_one_call_ever_less_often_and_then_as_before(
    silence: Silence, move_time: MoveTime
) -> None:
    payments = pending(6)
    account = payments[0].account
    silence.accounts.add(account.public_id)
    move_time(16)
    tasks.sweep_payments()
    asked = []
    for _second in range(100):
        before = silence.asked
        move_time(1)
        tasks.sweep_payments()
        asked.append(silence.asked - before)
    assert set(asked) == {0, 1}
    assert 2 <= sum(asked) <= 4
    silence.accounts.clear()
    for payment in payments:
        bank.approve(Charge.objects.get(reference=payment.reference).ref, tell=False)
    move_time(61)
    tasks.sweep_payments()
    account.refresh_from_db()
    assert (account.hangs, account.paused_until) == (0, None)
    assert Payment.objects.filter(status="succeeded").count() == 6


def test_of_two_who_come_after_a_pause_one_may_call(move_time: MoveTime) -> None:
    account = pending(1)[0].account
    ProviderAccount.objects.update(hangs=limits.CALL_HANGS, paused_until=clock.now())
    one, other = ProviderAccount.objects.get(pk=account.pk), ProviderAccount.objects.get(pk=account.pk)
    move_time(1)
    unconcerned = ProviderAccount.objects.get(pk=pending(1)[0].account_id)
    ProviderAccount.objects.filter(pk=unconcerned.pk).update(paused_until=one.paused_until)
    assert [calls.is_open(one), calls.is_open(other), calls.is_open(one)] == [True, False, True]
    unconcerned.refresh_from_db()
    assert unconcerned.paused_until == one.paused_until
    one.refresh_from_db()
    assert one.paused_until
    assert one.paused_until > clock.now() + limits.CALL_PROBE_LEASE / 2  # nobody else while the probe may last


def test_a_call_that_is_not_made_may_be_made_later() -> None:
    account = pending(1)[0].account
    account.paused_until = clock.now() + limits.CALL_PAUSES[0]
    with pytest.raises(ProviderError) as error, calls.calling(account):
        raise AssertionError("a call was made")
    assert (error.value.code, error.value.permanent) == (calls.PAUSED, False)


@pytest.mark.parametrize("answer", ["an answer", "an error"])
def test_whoever_answers_again_has_a_clean_slate(answer: str) -> None:
    """Calls that hung long ago do not add up with one that hangs today."""
    account = pending(1)[0].account
    with pytest.raises(ProviderError), calls.calling(account):
        raise ProviderError("no answer", permanent=False, code=TIMEOUT)
    assert (account.hangs, account.paused_until) == (1, None)
    try:
        with calls.calling(account):
            if answer == "an error":
                raise ProviderError("no", permanent=True)
    except ProviderError:
        assert answer == "an error"
    assert (account.hangs, account.paused_until) == (0, None)
    account.refresh_from_db()
    assert (account.hangs, account.paused_until) == (0, None)


def test_each_call_that_hangs_makes_the_pause_longer_up_to_the_longest(move_stopped_time: MoveTime) -> None:
    account = pending(1)[0].account
    pauses = []
    for _call in range(limits.CALL_HANGS + len(limits.CALL_PAUSES)):
        with pytest.raises(ProviderError), calls.calling(account):
            raise ProviderError("no answer", permanent=False, code=TIMEOUT)
        pauses.append(account.paused_until - clock.now() if account.paused_until else None)
        if account.paused_until:
            move_stopped_time((account.paused_until - clock.now()).total_seconds())
    nothing = [None] * (limits.CALL_HANGS - 1)
    assert pauses == [*nothing, *limits.CALL_PAUSES, limits.CALL_PAUSES[-1]]


@pytest.mark.parametrize(
    ("demo", "base_url", "may"),
    [
        (True, "", None),
        (False, "", None),
        (True, "http://shop.example:8000/wallet", None),
        (False, "http://shop.example:8000/wallet", False),
        (True, "http://127.0.0.1:8000", True),
        (False, "http://127.0.0.1:8000", False),
    ],
)
def test_only_a_demo_calls_this_machine_for_an_address_that_somebody_typed(
    demo: bool, base_url: str, may: bool | None, settings: Settings
) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK, settings.PUBLIC_URL = demo, "https://shop.example"
    assert calls._may_loop_back(base_url) is may


def test_errors_and_refused_connections_pause_nobody(monkeypatch: pytest.MonkeyPatch, move_time: MoveTime) -> None:
    account = pending(8)[0].account

    def broken(*_args: Any, **_more: Any) -> Any:
        raise ProviderError("no answer (ConnectError)", permanent=False, code="transport")

    monkeypatch.setattr(registry.get("sandbox"), "fetch", broken)
    move_time(16)
    tasks.sweep_payments()
    account.refresh_from_db()
    assert (account.hangs, account.paused_until) == (0, None)


def test_a_friend_at_a_hung_wallet_is_told_at_once_and_nothing_is_held(silence: Silence) -> None:
    request = shop.make_request()
    account = shop.account_of(request)
    ProviderAccount.objects.filter(pk=account.pk).update(
        hangs=limits.CALL_HANGS, paused_until=clock.now() + limits.CALL_PAUSES[0]
    )
    silence.accounts.add(account.public_id)
    with pytest.raises(Refused, match="wallet_unavailable"):
        begin(request)
    request.refresh_from_db()
    assert (silence.asked, request.amount_held, Payment.objects.count()) == (0, 0, 0)


def test_a_refund_waits_for_a_hung_wallet_and_goes_when_it_is_back(silence: Silence, move_time: MoveTime) -> None:
    payment = pending(1)[0]
    bank.approve(Charge.objects.get().ref, tell=False)
    move_time(16)
    tasks.sweep_payments()
    refund = refunds.refund_payment(payment.pk, 100, actor="merchant")
    silence.accounts.add(payment.account.public_id)
    for _minute in range(10):
        move_time(60)
        tasks.sweep_refunds()
    refund.refresh_from_db()
    assert refund.status == "requested"
    silence.accounts.clear()
    for _minute in range(60):
        move_time(60)
        tasks.sweep_refunds()
    refund.refresh_from_db()
    assert refund.status == "succeeded"


def bills_due(account: ProviderAccount, days: int) -> None:
    today = clock.now().astimezone(registry.get(account.provider).zone).date()
    for ago in range(days):
        day = today - timedelta(days=ago + 1)
        BillDay.objects.create(account=account, day=day, next_attempt_at=clock.now())


def test_a_wallet_that_hangs_is_asked_for_one_bill_a_round_and_stops_no_others(
    silence: Silence, move_time: MoveTime
) -> None:
    ill, well = pending(1)[0].account, pending(1)[0].account
    silence.accounts.add(ill.public_id)
    for account in (ill, well):
        bills_due(account, 5)
    tasks.compare_bills()
    assert silence.asked == 1
    assert BillDay.objects.filter(account=well, compared_at__isnull=False).count() == 5
    silence.accounts.clear()
    move_time(86400)
    tasks.compare_bills()
    assert BillDay.objects.filter(account=ill, compared_at__isnull=False).count() >= 5


def test_bills_that_have_no_answer_open_the_breaker_as_every_call_does(silence: Silence, move_time: MoveTime) -> None:
    account = pending(1)[0].account
    silence.accounts.add(account.public_id)
    bills_due(account, 5)
    for _round in range(limits.CALL_HANGS):
        tasks.compare_bills()
        account.refresh_from_db()
    assert account.paused_until is not None
    tasks.compare_bills()
    assert silence.asked == limits.CALL_HANGS  # left alone
    assert BillDay.objects.filter(compared_at=None, next_attempt_at__isnull=False).count() >= 5


def test_what_a_bill_says_otherwise_is_asked_about_through_the_breaker(
    silence: Silence, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = pending(1)[0]
    line = BillLine("charge", payment.reference, "txn-1", Money(9000, "CNY"), State.SUCCEEDED)
    monkeypatch.setattr(registry.get("sandbox"), "bill", lambda _account, _day: [line])
    silence.accounts.add(payment.account.public_id)
    bills.compare(payment.account, clock.now().date())
    payment.account.refresh_from_db()
    assert (silence.asked, payment.account.hangs) == (1, 1)
    assert BillMismatch.objects.get().kind == "status"


def test_an_operators_own_test_tries_a_wallet_that_is_left_alone(silence: Silence) -> None:
    account = pending(1)[0].account
    ProviderAccount.objects.update(hangs=limits.CALL_HANGS, paused_until=clock.now() + limits.CALL_PAUSES[-1])
    account.refresh_from_db()
    silence.accounts.add(account.public_id)
    assert credentials.ask(account) == (False, "no answer (ReadTimeout) (timeout)")
    account.refresh_from_db()
    assert (silence.asked, account.hangs) == (1, limits.CALL_HANGS + 1)  # it counts as any call
    silence.accounts.clear()
    assert credentials.ask(ProviderAccount.objects.get(pk=account.pk))[0]
    account.refresh_from_db()
    assert (account.hangs, account.paused_until) == (0, None)  # and payments go on


def test_money_that_is_told_of_is_settled_while_its_wallet_hangs(silence: Silence) -> None:
    payment = pending(1)[0]
    silence.accounts.add(payment.account.public_id)
    ProviderAccount.objects.update(hangs=limits.CALL_HANGS, paused_until=clock.now() + limits.CALL_PAUSES[0])
    charge = Charge.objects.get()
    bank.approve(charge.ref, tell=False)
    charge.refresh_from_db()
    from payments.models import ProviderEvent

    amount = {"minor": charge.amount, "currency": charge.currency}
    outcome = {"state": "succeeded", "reference": charge.reference, "provider_ref": charge.transaction}
    ProviderEvent.objects.create(
        account=payment.account,
        event_id="evt-1",
        kind="charge.paid",
        about="charge",
        reference=charge.reference,
        outcome={**outcome, "amount": amount, "code": "", "message": ""},
        body=b"",
        received_at=clock.now(),
        next_attempt_at=clock.now(),
    )
    inbox.apply(asking=False)
    payment.refresh_from_db()
    assert payment.status == "succeeded"


def test_one_process_makes_only_some_calls_at_once_and_none_beside_a_slow_one(monkeypatch: pytest.MonkeyPatch) -> None:
    account = pending(1)[0].account
    slots = [calls.slot(account) for _ in range(limits.CALLS_TO_ACCOUNT + 1)]
    assert [slot.__enter__() for slot in slots] == [True] * limits.CALLS_TO_ACCOUNT + [False]
    assert (calls.under_way(account.pk), calls.under_way(account.pk + 1)) == (limits.CALLS_TO_ACCOUNT, 0)
    for slot in slots:
        slot.__exit__(None, None, None)
    assert calls.under_way(account.pk) == 0
    with calls.slot(account) as first:
        began = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: began + limits.CALL_SLOW_SECONDS + 1)
        with calls.slot(account) as second:
            assert (first, second) == (True, False)


def test_one_process_makes_only_some_calls_at_once_to_all_accounts_at_a_gateway() -> None:
    first = pending(1)[0].account
    others = [ProviderAccount(pk=first.pk + number, provider="sandbox", base_url=first.base_url) for number in (1, 2)]
    elsewhere = ProviderAccount(pk=first.pk + 3, provider="sandbox", base_url="https://elsewhere.example")
    with ExitStack() as held:
        for account in (first, others[0]):
            taken = [held.enter_context(calls.slot(account)) for _ in range(limits.CALLS_TO_GATEWAY // 2)]
            assert all(taken)
        assert not held.enter_context(calls.slot(others[1]))
        assert held.enter_context(calls.slot(elsewhere))


@pytest.fixture
def dripping() -> Iterator[str]:
    """A gateway that says a byte of its answer now and then, for ever."""
    stop = threading.Event()

    def serve(line: socket.socket) -> None:
        with line:
            line.sendall(b"HTTP/1.1 200 OK\r\n")
            while not stop.wait(0.05):
                try:
                    line.sendall(b"X")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)

        def accept() -> None:
            while not stop.is_set():
                try:
                    line, _address = server.accept()
                except OSError:
                    continue
                threading.Thread(target=serve, args=(line,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        stop.set()
        thread.join()


def test_a_call_ends_in_time_whatever_drips(dripping: str) -> None:
    began = time.monotonic()
    with pytest.raises(ProviderError) as error:
        transport.call("GET", dripping, seconds=0.4)
    assert (error.value.code, error.value.permanent) == (TIMEOUT, False)
    assert time.monotonic() - began < 30


def test_all_exchanges_of_one_question_end_in_time_together(dripping: str) -> None:
    began = time.monotonic()
    with transport.within(0.4):
        for _exchange in range(3):
            with pytest.raises(ProviderError, match="no answer"):
                transport.call("GET", dripping)
    assert time.monotonic() - began < 30
