"""Anything that can happen, in any order, against a model ledger: friends, wallets, shops, sweeps and bad lines.

The sandbox wallet is the real one; the line to it may fail before or after it acted, or hang for as long as it likes,
and its notifications may be lost, doubled or late. The model knows only what each friend's wallet was charged and got
back, and that who pays alone and in time has paid.

Put in on purpose, one at a time, each of these was found: no lock in settle (the request's `seq` lost count), a refund
sent with a new reference on every try, an expiry that ignores a hold, a part applied twice.
"""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from unittest import mock

import pytest
from django.db import connection
from django.db.models import F
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from friendpay import background, clock
from orders.errors import Refused
from orders.models import Event
from orders.services import LineDraft
from payments import (
    bills,
    checkout,
    inbox,
    ledger,
    lifecycle,
    live,
    offers,
    orphans,
    providers,
    refunds,
    remedies,
    requests,
    tasks,
)
from payments.models import Payment, PaymentRequest, ProviderEvent, Refund
from payments.rules import Payer, Split
from sandbox import bank
from sandbox.models import Charge, ChargeRefund, Notice
from tests import shop
from tests.payments.line import Line
from tests.payments.test_inbox import headers
from tests.payments.test_races import at_once

FRIENDS = ("Mei", "Ann", "Bo", "Lin")
DESKTOP = offers.Surface()


class Ends(Exception):
    """Rolls an example's rows back."""


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
        self.in_time: set[str] = set()  # references of charges that their payers approved while they were payable
        self.alone = 0

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

    def _tap(self, friend: str, amount: int, *, take_over: bool = False, all_of_it: bool = False) -> str:
        request = PaymentRequest.objects.get(pk=self.request.pk)
        if all_of_it:
            amount = request.amount - request.amount_paid  # what others hold as well: they have to go
        with self._may_refuse():
            checkout.begin(
                request,
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
                if not late:
                    self.in_time.add(ref)

    @precondition(lambda self: self._is_wanted())
    @rule(told=st.booleans())
    def who_pays_alone_and_in_time_has_paid(self, told: bool) -> None:
        """She takes over from whoever is in the way, pays what is asked for, and nothing else happens meanwhile."""
        self.passed += timedelta(seconds=61)
        self.alone += 1
        self._tap(f"Alone {self.alone}", 10000, take_over=True, all_of_it=True)
        payment = Payment.objects.filter(visitor=f"Alone {self.alone}", status="pending").first()
        if payment is None:
            return  # the request's time is over, or the part is none that may be given
        charge = Charge.objects.get(reference=payment.reference)
        bank.approve(charge.ref, tell=told)
        self.in_time.add(charge.ref)
        if told:
            self._deliver(charge.notices.get())
        self.passed += timedelta(seconds=20)
        self._sweep()
        payment.refresh_from_db()
        self.order.refresh_from_db()
        assert (payment.status, payment.amount_applied) == ("succeeded", payment.amount)
        assert (payment.request.order_id, self.order.status) == (self.order.pk, "paid")
        assert not payment.refunds.exists()

    def _is_wanted(self) -> bool:
        """Whether the order can be paid by one who comes now, and no money is on its way that could come first."""
        request = PaymentRequest.objects.get(pk=self.request.pk)
        unknown = Charge.objects.filter(status="paid").exclude(
            reference__in=Payment.objects.filter(status="succeeded").values("reference")
        )
        is_open = request.status == "open" and request.expires_at > clock.now() + timedelta(seconds=62)
        return is_open and not self.line.hangs and not unknown.exists()

    @rule(ref=attempts)
    def the_wallet_takes_another_amount(self, ref: str) -> None:
        if ref and Charge.objects.filter(ref=ref, status="open", amount__gt=1).update(amount=F("amount") - 1):
            with suppress(bank.Refused):
                bank.approve(ref, late=True)

    @rule()
    def the_wallet_charges_one_attempt_twice(self) -> None:
        for charge in Charge.objects.filter(status="paid")[:1]:
            self.line.charge(f"twice-{len(self.line.charged)}", charge.amount)
            payment = Payment.objects.get(reference=charge.reference)
            shop.succeed(payment, ref=charge.transaction, amount=charge.amount)
            shop.succeed(payment, ref=f"twice-{len(self.line.charged) - 1}", amount=charge.amount)

    @rule(counts=st.booleans())
    def money_comes_that_names_nothing_of_ours(self, counts: bool) -> None:
        """Support counts it for the request, or sends it back."""
        transaction = f"stray-{len(self.line.charged)}"
        self.line.charge(transaction, 500)
        account = shop.account_of(self.request)
        charge = {"reference": transaction, "status": "paid", "transaction": transaction}
        charge |= {"amount": 500, "currency": "CNY"}  # type: ignore[dict-item]
        body = json.dumps({"id": transaction, "kind": "charge.paid", "account": account.public_id, "charge": charge})
        secret = account.config["secret"]
        inbox.receive("sandbox", account.public_id, headers(secret, body.encode()), body.encode())
        inbox.apply()
        event = ProviderEvent.objects.get(event_id=transaction)
        if counts:
            orphans.adopt(event.pk, self.request, actor="support:ada")
        else:
            orphans.send_back(event.pk, actor="support:ada")

    @rule(hangs=st.booleans())
    def the_wallet_hangs_or_answers_again(self, hangs: bool) -> None:
        self.line.hangs = hangs

    @rule()
    def the_wallet_refuses_refunds_for_good(self) -> None:
        self.line.refuses_refunds = True
        tasks.sweep_refunds()
        self.line.refuses_refunds = False

    @rule()
    def support_sends_failed_refunds_again(self) -> None:
        for refund in Refund.objects.filter(status="failed"):
            remedies.send_again(refund.pk, actor="support:ada")

    @rule(amount=st.sampled_from([9000, 10000, 12000]))
    def the_price_changes(self, amount: int) -> None:
        with self._may_refuse():
            requests.change_order(self.order.pk, [LineDraft("Spring oolong", 1, amount)])

    @rule()
    def the_keys_are_rolled(self) -> None:
        """What was signed with the old ones is refused; the money is asked for."""
        account = shop.account_of(self.request)
        account.config = {"secret": f"{account.config['secret']}, rolled"}
        account.save(update_fields=["sealed"])

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
        for notice in notices[:2] * copies:
            self._deliver(notice)

    def _deliver(self, notice: Notice) -> None:
        body = notice.body.encode()
        account = shop.account_of(self.request)
        inbox.receive("sandbox", account.public_id, headers(notice.charge.secret, body), body)
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
        for transaction, charged in self.line.charged.items():
            assert self.line.returned(transaction) <= charged

    @invariant()
    def what_is_told_of_a_payment_is_what_is_booked(self) -> None:
        amounts = dict(Payment.objects.values_list("public_id", "amount"))
        for payment, data in Event.objects.filter(type="payment.succeeded").values_list("object_id", "data"):
            assert data["amount"] == amounts[payment]

    def _pending(self) -> bool:
        return (
            Payment.objects.undecided().exists()
            or PaymentRequest.objects.filter(status="open").exists()
            or Refund.objects.exclude(status="succeeded").exists()
        )

    def _converge(self) -> None:
        """After the last sweep nothing is pending, and every charge is applied or returned, to the unit."""
        self.line.hangs = False
        for _round in range(12):
            self.passed += timedelta(hours=1)
            self.support_sends_failed_refunds_again()
            self._sweep()
            if not self._pending():
                break
        known = Payment.objects.filter(status="succeeded").values("reference")
        assert not Charge.objects.filter(ref__in=self.in_time, status="paid").exclude(reference__in=known).exists()
        # Money a wallet took after closing, and told nobody of, is found on the bill of its day.
        today = clock.now().date()
        for back in range(self.passed.days + 2):
            bills.compare(shop.account_of(self.request), today - timedelta(days=back))
        self._sweep()
        assert ledger.check() == []
        assert not self._pending()
        paid = Charge.objects.filter(status="paid")
        charged = sum(paid.values_list("amount", flat=True)) + sum(self.line.charged.values())
        returned = sum(paid.values_list("refunded", flat=True)) + sum(map(self.line.returned, self.line.charged))
        self.order.refresh_from_db()
        assert charged - returned == self.order.amount_paid - self.order.amount_refunded
        assert self.order.amount_refunded == self.merchant_refunded
        assert Payment.objects.filter(status="succeeded").count() == paid.count() + len(self.line.charged)


@pytest.mark.proof
@pytest.mark.django_db(transaction=True)
def test_whatever_happens_every_charge_is_applied_or_returned() -> None:
    how = settings(max_examples=200, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Shop, settings=how)
