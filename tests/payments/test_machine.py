"""Anything that can happen, in any order, against a model ledger: friends, wallets, shops, sweeps and bad lines.

The sandbox wallet is the real one; the line to it may fail before or after it acted, and its notifications may be lost,
doubled or late. The model knows only what each friend's wallet was charged and got back.

Put in on purpose, one at a time, each of these was found: no lock in settle (the request's `seq` lost count), a refund
sent with a new reference on every try, an expiry that ignores a hold, a part applied twice.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from friendpay import background, clock
from orders.errors import Refused
from payments import bills, checkout, inbox, ledger, lifecycle, live, offers, providers, refunds, tasks
from payments.models import Payment, PaymentRequest, Refund
from payments.providers.base import ProviderError
from payments.rules import Payer, Split
from sandbox import bank
from sandbox.models import Charge, ChargeRefund, Notice
from tests import shop
from tests.payments.test_inbox import headers
from tests.payments.test_races import at_once

FRIENDS = ("Mei", "Ann", "Bo", "Lin")
DESKTOP = offers.Surface()


class Ends(Exception):
    """Rolls an example's rows back."""


class Line:
    """The line to the wallet: it may die before a call arrives, or after it took effect."""

    def __init__(self) -> None:
        self.dies = ""
        self.real = providers.get("sandbox")

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.real, name)
        if name not in ("start", "fetch", "close", "refund", "fetch_refund"):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            dies, self.dies = self.dies, ""
            if dies == "before":
                raise ProviderError("dead", permanent=False)
            answer = value(*args, **kwargs)
            if dies == "after":
                raise ProviderError("dead", permanent=False)
            return answer

        return call


class Shop(RuleBasedStateMachine):
    """One order in a shop with chip-in or without; what friends, buyer, merchant, wallets and sweeps do to it."""

    attempts = Bundle("attempts")

    def __init__(self) -> None:
        super().__init__()
        self.passed = timedelta()
        real = clock.now
        self.line = Line()
        self.patches = [
            mock.patch.object(clock, "now", side_effect=lambda: real() + self.passed),
            mock.patch.object(providers, "get", return_value=self.line),
            *(mock.patch.object(module, "run_later") for module in (background, live)),
        ]
        for patch in self.patches:
            patch.start()
        self.merchant_refunded = 0

    @initialize(target=attempts, parts=st.booleans())
    def a_buyer_asks_and_somebody_taps(self, parts: bool) -> str:
        self.split = Split(3, 100) if parts else None
        self.order = shop.make_order(amount=10000)
        self.request = shop.make_request(self.order, split=self.split, expires_in=timedelta(minutes=10))
        return self._tap(FRIENDS[0], 3334)

    def teardown(self) -> None:
        try:
            self._converge()
        finally:
            for patch in self.patches:
                patch.stop()
            with connection.cursor() as cursor:
                cursor.execute(f"TRUNCATE {connection.ops.quote_name('orders_merchant')}, sandbox_charge CASCADE")

    @contextmanager
    def _may_refuse(self) -> Iterator[None]:
        try:
            yield
        except Refused:
            pass
        finally:
            self.line.dies = ""

    # What people do

    @rule(
        target=attempts,
        friend=st.sampled_from(FRIENDS),
        amount=st.sampled_from([100, 2500, 3334, 10000]),
        take_over=st.booleans(),
        dies=st.sampled_from(["", "", "", "before", "after"]),
    )
    def friend_taps_pay(self, friend: str, amount: int, take_over: bool, dies: str) -> str:
        self.line.dies = dies
        return self._tap(friend, amount, take_over=take_over)

    def _tap(self, friend: str, amount: int, *, take_over: bool = False) -> str:
        with self._may_refuse():
            checkout.begin(
                self.request,
                method="sandbox",
                payer=Payer(name=friend, visitor=friend),
                surface=DESKTOP,
                amount=amount if self.split else None,
                take_over=take_over,
            )
        charge = Charge.objects.order_by("-id").first()
        return charge.ref if charge else ""

    @rule(ref=attempts, late=st.booleans(), told=st.booleans())
    def friend_approves(self, ref: str, late: bool, told: bool) -> None:
        if ref:
            with suppress(bank.Refused):
                bank.approve(ref, late=late, tell=told)

    @rule(ref=attempts)
    def friend_refuses(self, ref: str) -> None:
        if ref:
            with suppress(bank.Refused):
                bank.refuse(ref)

    @rule()
    def buyer_cancels(self) -> None:
        with self._may_refuse():
            lifecycle.cancel_request(self.request.pk, actor="buyer")

    @rule()
    def buyer_asks_again(self) -> None:
        with self._may_refuse():
            self.request = shop.make_request(self.order, split=self.split, expires_in=timedelta(minutes=10))

    @rule(amount=st.sampled_from([1, 1000, 10000]))
    def merchant_refunds(self, amount: int) -> None:
        with self._may_refuse():
            refunds.refund_order(self.order, amount, actor="merchant")
            self.merchant_refunded += amount

    @rule()
    def merchant_is_paid_elsewhere(self) -> None:
        with self._may_refuse():
            lifecycle.close_order(self.order.pk, paid_elsewhere=True)

    # What machines do

    @rule(copies=st.integers(1, 3), which=st.randoms(use_true_random=False))
    def notifications_arrive(self, copies: int, which: random.Random) -> None:
        notices = list(Notice.objects.all())
        which.shuffle(notices)
        account = shop.account_of(self.request)
        for notice in notices[:2] * copies:
            body = notice.body.encode()
            inbox.receive("sandbox", account.public_id, headers(account.config["secret"], body), body)
            inbox.apply()

    @rule()
    def the_same_news_comes_on_many_lines_at_once(self) -> None:
        """A notification, its replay and a question's answer, for all that is paid, on connections of their own."""
        calls = []
        for charge in Charge.objects.filter(status="paid"):
            payment = Payment.objects.get(reference=charge.reference)
            news = {"ref": charge.transaction, "amount": charge.amount}
            calls += [lambda payment=payment, news=news: shop.succeed(payment, **news)] * 2
        if calls:
            at_once(calls)

    @rule(seconds=st.sampled_from([1, 20, 61, 301, 700]))
    def time_passes(self, seconds: int) -> None:
        self.passed += timedelta(seconds=seconds)

    @rule(dies=st.sampled_from(["", "before", "after"]))
    def sweeps_run(self, dies: str) -> None:
        self.line.dies = dies
        self._sweep()
        self.line.dies = ""

    def _sweep(self) -> None:
        inbox.apply()
        tasks.sweep_payments()
        held = set(Payment.objects.filter(held_until__gt=clock.now()).values_list("request_id", flat=True))
        tasks.sweep_requests()
        assert not PaymentRequest.objects.filter(pk__in=held).exclude(status="open").exists()
        tasks.sweep_refunds()

    # What must be true

    @invariant()
    def the_books_are_right(self) -> None:
        assert ledger.check() == []

    @invariant()
    def nothing_goes_back_twice(self) -> None:
        for charge in Charge.objects.all():
            assert charge.refunded <= charge.amount
        assert ChargeRefund.objects.count() <= Refund.objects.count()

    def _pending(self) -> bool:
        return (
            Payment.objects.undecided().exists()
            or PaymentRequest.objects.filter(status="open").exists()
            or Refund.objects.exclude(status="succeeded").exists()
        )

    def _converge(self) -> None:
        """After the last sweep nothing is pending, and every charge is applied or returned, to the unit."""
        for _round in range(12):
            self.passed += timedelta(hours=1)
            self._sweep()
            if not self._pending():
                break
        # Money a wallet took after closing, and told nobody of, is found on the bill of its day.
        today = clock.now().date()
        for back in range(self.passed.days + 2):
            bills.compare(shop.account_of(self.request), today - timedelta(days=back))
        self._sweep()
        assert ledger.check() == []
        assert not self._pending()
        charged = sum(Charge.objects.filter(status="paid").values_list("amount", flat=True))
        returned = sum(Charge.objects.values_list("refunded", flat=True))
        self.order.refresh_from_db()
        assert charged - returned == self.order.amount_paid - self.order.amount_refunded
        assert self.order.amount_refunded == self.merchant_refunded
        known = Payment.objects.filter(status="succeeded").count()
        assert known == Charge.objects.filter(status="paid").count()


@pytest.mark.proof
@pytest.mark.django_db(transaction=True)
def test_whatever_happens_every_charge_is_applied_or_returned() -> None:
    how = settings(max_examples=500, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Shop, settings=how)
