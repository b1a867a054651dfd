"""The process dies before and after every call to a wallet and every commit, in every use case. Once it is up again
and the sweeps have run, each charge is applied or returned exactly once, and nothing is left undecided.

No task arrives anywhere in these tests: the sweeps alone must do all the work.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from unittest import mock

import pytest
from django.db.models import QuerySet

from friendpay.kit import background
from friendpay.kit.errors import Refused
from orders.models import Order
from payments import tasks
from payments.live import snapshot
from payments.models import Payment, PaymentRequest, ProviderEvent, Refund
from payments.offers import weighing
from payments.settlement import inbox, ledger, lifecycle, reconcile, refunds
from payments.settlement.rules import Payer, Split
from sandbox import bank
from sandbox.models import Charge, ChargeRefund, Notice
from tests import shop
from tests.crashing import dies
from tests.payments.settlement.test_inbox import headers

pytestmark = [pytest.mark.proof, pytest.mark.django_db(transaction=True)]

MoveTime = Callable[[float], None]
LIFE = timedelta(minutes=10)


@pytest.fixture(autouse=True)
def _no_tasks() -> Iterator[None]:
    with mock.patch.object(background, "run_later"), mock.patch.object(snapshot, "run_later"):
        yield


# What the processes do that die. Each is given what its `before` returned.


def begin(request_id: int, friend: str = "Mei", take_over: bool = False) -> None:
    with suppress(Refused):
        shop.begin(
            PaymentRequest.objects.get(pk=request_id),
            method="sandbox",
            payer=Payer(name=friend, visitor=friend),
            surface=weighing.Surface(),
            take_over=take_over,
        )


def take_over(request_id: int) -> None:
    begin(request_id, "Ann", take_over=True)


def receive(request_id: int) -> None:
    """The wallet brings all it has to say, as it does again and again until it is thanked."""
    request = PaymentRequest.objects.get(pk=request_id)
    account = shop.account_of(request)
    for notice in Notice.objects.filter(charge__account=account.public_id):
        body = notice.body.encode()
        signed = headers(account.config["secret"], body)
        assert inbox.receive("sandbox", account.public_id, signed, body).status == 204


def apply(_request_id: int) -> None:
    inbox.apply()


def ask(_request_id: int) -> None:
    reconcile.ask()


def send(_request_id: int) -> None:
    refunds.send()


def cancel(request_id: int) -> None:
    lifecycle.cancel_request(request_id, actor="buyer")


def close_order(request_id: int) -> None:
    lifecycle.close_order(PaymentRequest.objects.get(pk=request_id).order_id, paid_elsewhere=True)


def expire(_request_id: int) -> None:
    tasks.sweep_requests()


def refund(request_id: int) -> None:
    """The merchant refunds what is left of ten, so that doing it again after it was done does nothing more."""
    order = Order.objects.get(payment_requests=request_id)
    left = 1000 - sum(Refund.objects.filter(payment__request=request_id).values_list("amount", flat=True))
    if left:
        refunds.refund_order(order, left, actor="merchant")


# What was before


def nobody_yet() -> int:
    return shop.make_request(_order(), expires_in=LIFE).pk


def _order() -> Order:
    return shop.make_order(shop.make_merchant(f"Shop {Order.objects.count()}"), amount=10000)


def one_is_paying() -> int:
    request_id = nobody_yet()
    begin(request_id)
    return request_id


def one_has_paid_unheard() -> int:
    request_id = one_is_paying()
    approve_all(request_id)
    return request_id


def one_has_paid_and_we_were_told() -> int:
    request_id = one_has_paid_unheard()
    receive(request_id)
    return request_id


def two_of_three_paid_and_one_is_paying() -> int:
    request = shop.make_request(_order(), split=Split(3), expires_in=LIFE)
    for friend, part in (("Mei", 3334), ("Ann", 3333), ("Bo", 3333)):
        shop.begin(request, method="sandbox", payer=Payer(friend, friend), surface=weighing.Surface(), amount=part)
        if friend != "Bo":
            approve_all(request.pk)
            receive(request.pk)
            inbox.apply()
    return request.pk


def three_paid() -> int:
    request_id = two_of_three_paid_and_one_is_paying()
    approve_all(request_id)
    receive(request_id)
    inbox.apply()
    return request_id


def money_is_outstanding() -> int:
    """Two friends paid and the rest never came."""
    request_id = two_of_three_paid_and_one_is_paying()
    cancel(request_id)
    return request_id


def a_refund_was_made_and_we_were_told() -> int:
    request_id = money_is_outstanding()
    assert dies(send, request_id, before=3)
    receive(request_id)
    return request_id


def two_of_three_paid() -> int:
    request_id = two_of_three_paid_and_one_is_paying()
    bank.refuse(Charge.objects.latest("id").ref)
    receive(request_id)
    inbox.apply()
    return request_id


# What people do once all is up again


def nobody_comes_back(_request_id: int) -> None:
    pass


def approve_all(request_id: int) -> None:
    """Everybody who got as far as the wallet pays there, known to us or not; and the wallet tells us nothing of it."""
    for charge in _charges(request_id).filter(status="open"):
        with suppress(bank.Rejected):
            bank.approve(charge.ref)


def mei_taps_again_and_all_pay(request_id: int) -> None:
    begin(request_id)
    approve_all(request_id)


@dataclass(frozen=True)
class Case:
    """Something a process does, and what lies before and behind it. `passed` seconds go by before it is done."""

    before: Callable[[], int]
    work: Callable[[int], None]
    after: Callable[[int], None] = nobody_comes_back
    passed: float = 0


CASES = {
    "begin, and gone": Case(nobody_yet, begin),
    "begin, and back again": Case(nobody_yet, begin, mei_taps_again_and_all_pay),
    "take over": Case(one_is_paying, take_over, approve_all, passed=61),
    "take over, and back again": Case(one_is_paying, take_over, mei_taps_again_and_all_pay, passed=61),
    "take over from one who has paid": Case(one_has_paid_unheard, take_over, passed=61),
    "receive": Case(one_has_paid_unheard, receive, receive),
    "receive, and never told again": Case(one_has_paid_unheard, receive),
    "apply": Case(one_has_paid_and_we_were_told, apply),
    "apply news of refunds": Case(a_refund_was_made_and_we_were_told, apply),
    "ask": Case(one_has_paid_unheard, ask, passed=16),
    "ask, and close": Case(one_is_paying, ask, approve_all, passed=301),
    "cancel": Case(two_of_three_paid_and_one_is_paying, cancel, approve_all),
    "order paid elsewhere": Case(two_of_three_paid_and_one_is_paying, close_order, approve_all),
    "expire": Case(two_of_three_paid, expire, passed=601),
    "expire, and nobody came": Case(nobody_yet, expire, mei_taps_again_and_all_pay, passed=601),
    "refund by the merchant": Case(three_paid, refund, refund),
    "send refunds": Case(money_is_outstanding, send),
}


@pytest.mark.parametrize("name", CASES)
def test_whenever_it_dies_every_charge_is_applied_or_returned_once(name: str, move_time: MoveTime) -> None:
    case = CASES[name]
    for deed in count(1):
        request_id = case.before()
        move_time(case.passed)
        died = dies(case.work, request_id, before=deed)
        case.after(request_id)
        _converge(request_id, move_time)
        if not died:
            break
    assert deed > 1


def _charges(request_id: int) -> QuerySet[Charge]:
    """All that this shop's wallet was ever asked for."""
    account = shop.account_of(PaymentRequest.objects.get(pk=request_id))
    return Charge.objects.filter(account=account.public_id)


def _sweep() -> None:
    inbox.apply()
    tasks.sweep_payments()
    tasks.sweep_requests()
    tasks.sweep_refunds()


def _undecided(request_id: int) -> bool:
    return (
        Payment.objects.undecided().filter(request=request_id).exists()
        or Refund.objects.filter(payment__request=request_id).exclude(status="succeeded").exists()
        or PaymentRequest.objects.filter(pk=request_id, status="open").exists()
        or ProviderEvent.objects.filter(applied_at=None).exists()
    )


def _converge(request_id: int, move_time: MoveTime) -> None:
    """Time passes and the sweeps run; then nothing is open, and the wallet's books are ours to the unit."""
    for seconds in (60, 600, 3600, 3600, 3600, 3600):
        move_time(seconds)
        _sweep()
        if not _undecided(request_id):
            break
    assert not _undecided(request_id)
    assert ledger.check() == []
    payments = Payment.objects.filter(request=request_id)
    charges = _charges(request_id)
    taken = {(c.reference, c.transaction, c.amount) for c in charges.filter(status="paid")}
    assert taken == {(p.reference, p.provider_ref, p.amount_captured) for p in payments.filter(status="succeeded")}
    sent = sorted(ChargeRefund.objects.filter(charge__in=charges).values_list("reference", "amount"))
    assert sent == sorted(Refund.objects.filter(payment__in=payments).values_list("reference", "amount"))
    order = Order.objects.get(payment_requests=request_id)
    kept = sum(amount for _reference, _transaction, amount in taken) - sum(amount for _reference, amount in sent)
    assert kept == order.amount_paid - order.amount_refunded
