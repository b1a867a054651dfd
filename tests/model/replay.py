"""Stories of the model, step by step against the real code: after every step both must say the same.

Whoever is at work in a story (a payer's tap, a question, a refund) runs the real function, whole, and is stopped before
each of its transactions and before each of its calls to the wallet. So steps follow each other exactly as the story
says, and one who dies there dies with all it had in memory. No transaction is open at those points; that is a rule.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from typing import Any
from unittest import mock

from django.db import connection
from django.db.models import F
from greenlet import getcurrent, greenlet

from friendpay.kit import clock, limits
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from payments.models import Payment, PaymentRequest, ProviderEvent, Refund
from payments.offers.weighing import Surface
from payments.settlement import checkout, effects, inbox, lifecycle, reconcile, refunds, taps
from payments.settlement.rules import Payer, Split
from payments.wallets import registry
from payments.wallets.base import Account, NextStep, Outcome, ProviderError, Rail, RefundOrder, Start, State
from tests import shop
from tests.model.spin import Step
from tests.payments.settlement.test_inbox import headers

UNIT = 1000
HOLD = timedelta(minutes=5)
REQUESTS = {"open": "OPEN", "paid": "PAID", "expired": "EXPIRED", "cancelled": "CALLED_OFF"}
PAYMENTS = {
    "created": "CREATED",
    "pending": "PENDING",
    "succeeded": "SUCCEEDED",
    "failed": "CANCELLED",
    "cancelled": "CANCELLED",
}


class Died(BaseException):
    """Whoever was at work is no more."""


class Worker(greenlet):
    """Somebody at work, who stops before every transaction and every call. (One who has ended counts as false.)"""

    def goes_on(self) -> str:
        """Up to the next stop; says which. "" when the work is done."""
        return str(self.switch()) if not self.dead else ""

    def dies(self) -> None:
        if bool(self) and not self.dead:
            self.throw(Died)


def stop(where: str) -> None:
    """Where somebody may be interrupted."""
    worker = getcurrent()
    if isinstance(worker, Worker):
        assert not connection.needs_rollback
        worker.parent.switch(where)


class Wallet:
    """The wallet of the model: opens, takes, closes, sends back once for each number. The rest is the sandbox's."""

    hold, yields_after, refund_gap = int(HOLD.total_seconds()), 0, 0

    def __init__(self) -> None:
        self.real = registry.get("sandbox")
        self.charges: dict[str, State] = {}
        self.amounts: dict[str, Money] = {}
        self.back: dict[str, int] = {}
        self.loses = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def start(self, _account: Account, start: Start) -> NextStep:
        stop("start")
        loses, self.loses = self.loses, ""
        if loses != "before":
            self.charges[start.reference], self.amounts[start.reference] = State.PENDING, start.amount
        if loses:
            raise ProviderError("lost", permanent=False)
        return NextStep(Rail.REDIRECT, url="/")

    def fetch(self, _account: Account, reference: str, _session: str = "") -> Outcome:
        stop("fetch")
        return self.outcome(reference)

    def close(self, _account: Account, reference: str, _session: str = "") -> Outcome:
        stop("close")
        if self.charges.get(reference) == State.PENDING:
            self.charges[reference] = State.FAILED
        return self.outcome(reference)

    def outcome(self, reference: str) -> Outcome:
        state = self.charges.get(reference, State.UNKNOWN)
        amount = self.amounts[reference] if state == State.SUCCEEDED else None
        return Outcome(state, reference, provider_ref=f"txn-{reference}" if amount else "", amount=amount)

    def refund(self, _account: Account, refund: RefundOrder) -> Outcome:
        stop("refund")
        self.back[refund.reference] = refund.amount.minor
        return self._refunded(refund.reference)

    def fetch_refund(self, _account: Account, *, reference: str, charge: str, charge_ref: str = "") -> Outcome:
        stop("fetch_refund")
        return self._refunded(reference) if reference in self.back else Outcome(State.UNKNOWN, reference)

    def _refunded(self, reference: str) -> Outcome:
        return Outcome(State.SUCCEEDED, reference, f"back-{reference}", Money(self.back[reference], "CNY"))


def asked(*, parts: bool) -> PaymentRequest:
    """The request that every story begins with."""
    order, split = shop.make_order(amount=2 * UNIT), Split(10, UNIT) if parts else None
    return shop.make_request(order, split=split, expires_in=timedelta(hours=2))


class Replay:
    """One story, told by the real code."""

    def __init__(self, request: PaymentRequest, *, parts: bool) -> None:
        self.wallet = Wallet()
        self.request = request
        self.account = shop.account_of(self.request)
        self.parts = parts
        self.payers: dict[int, Worker] = {}
        self.asking: Worker | None = None
        self.refunding: Worker | None = None
        self.told = 0
        self.waiting: list[str] = []  # notifications that are stored and not yet applied
        self.dies_after_settling = False

    @contextmanager
    def running(self) -> Iterator[None]:
        real = registry.get
        with ExitStack() as patches:
            patches.enter_context(
                mock.patch.object(registry, "get", side_effect=lambda it: self.wallet if it == "sandbox" else real(it))
            )
            patches.enter_context(mock.patch.object(limits, "NEVER_HEARD_OF_AFTER", HOLD))
            # Who was stopped amid a call holds up nobody, however slow the machine.
            patches.enter_context(mock.patch.object(limits, "CALL_SLOW_SECONDS", float("inf")))
            for name in ("hold", "settle", "end_payment", "let_go", "start_payment"):
                patches.enter_context(mock.patch.object(lifecycle, name, self._stopping(getattr(lifecycle, name))))
            # Two steps of a story; that one may follow the other at once is among the orders that are searched.
            patches.enter_context(mock.patch.object(effects, "apply_new", return_value=False))
            for name in ("move_refund", "_claim_sending"):
                patches.enter_context(mock.patch.object(refunds, name, self._stopping(getattr(refunds, name))))
            try:
                yield
            finally:
                for worker in (*self.payers.values(), self.asking, self.refunding):
                    if worker is not None:
                        worker.dies()

    def _stopping(self, transaction: Callable[..., Any]) -> Callable[..., Any]:
        def stopping(*args: Any, **kwargs: Any) -> Any:
            stop(transaction.__name__)
            done = transaction(*args, **kwargs)
            if self.dies_after_settling and transaction.__name__ == "settle":
                raise Died
            return done

        return stopping

    # What a story tells

    def do(self, step: Step) -> None:
        """One step; what is told of a payer, a refund or the clock goes to the one it names."""
        getattr(self, f"_{step.what}")(step)

    def _begin(self, step: Step) -> None:
        amount = step.payments[step.who][1] * UNIT if self.parts else None

        def tap() -> None:
            name = f"Friend {step.who}"
            found = taps.read(self.request.token, name)
            offer = found.offer("sandbox", Surface())
            with suppress(Refused):
                checkout.begin(found, offer, payer=Payer(name=name, visitor=name), amount=amount, take_over=True)

        self.payers[step.who] = _working(tap)
        self.payers[step.who].goes_on()

    def _step(self, step: Step) -> None:
        assert self.payers[step.who].goes_on() or self.payers[step.who].dead

    def _refused(self, step: Step) -> None:
        assert not self.payers[step.who].goes_on(), "who is refused does not go on"

    def _lost_before(self, step: Step) -> None:
        self.wallet.loses = "before"
        self.payers[step.who].goes_on()

    def _lost_after(self, step: Step) -> None:
        self.wallet.loses = "after"
        self.payers[step.who].goes_on()

    def _die(self, step: Step) -> None:
        self.payers[step.who].dies()

    def _ask(self, step: Step) -> None:
        payment = self.payment(step.who)
        self.asking = _working(lambda: reconcile.ask(payment.pk))
        assert self.asking.goes_on() in ("fetch", "close")
        self.asking.goes_on()

    def _asked(self, _step: Step) -> None:
        assert self.asking is not None
        while self.asking.goes_on():
            pass

    def _die_asking(self, _step: Step) -> None:
        assert self.asking is not None
        self.asking.dies()

    def _approve(self, step: Step) -> None:
        self.wallet.charges[self.payment(step.who).reference] = State.SUCCEEDED

    def _refuse(self, step: Step) -> None:
        self.wallet.charges[self.payment(step.who).reference] = State.FAILED

    def _notified(self, step: Step) -> None:
        reference, self.told = self.payment(step.who).reference, self.told + 1
        outcome = self.wallet.outcome(reference)
        assert outcome.amount
        charge = {"reference": reference, "status": "paid", "transaction": outcome.provider_ref}
        charge |= {"amount": outcome.amount.minor, "currency": "CNY"}  # type: ignore[dict-item]
        self.waiting.append(f"{reference}-{self.told}")
        event = {"id": self.waiting[-1], "kind": "charge.paid", "account": self.account.public_id}
        event |= {"charge": charge}  # type: ignore[dict-item]
        body = json.dumps(event).encode()
        sent = headers(self.account.config["secret"], body)
        assert inbox.receive("sandbox", self.account.public_id, sent, body).status == 204

    def _applied(self, step: Step) -> None:
        """The first that waits about this payment, and no other. (One that was settled by who then died is done.)"""
        event = self._first_waiting(step)
        inbox.apply(self.account.pk, event)
        assert not ProviderEvent.objects.filter(event_id=event, next_attempt_at__isnull=False).exists()
        self.waiting.remove(event)

    def _applied_and_died(self, step: Step) -> None:
        self.dies_after_settling = True
        try:
            inbox.apply(self.account.pk, self._first_waiting(step))
        except Died:
            pass
        finally:
            self.dies_after_settling = False

    def _first_waiting(self, step: Step) -> str:
        reference = self.payment(step.who).reference
        return next(it for it in self.waiting if it.startswith(f"{reference}-"))

    def _refund(self, step: Step) -> None:
        refund = self.refund(step.who)
        self.refunding = _working(lambda: refunds.send(refund.pk))
        if self.refunding.goes_on() == "fetch_refund":
            self.refunding.goes_on()

    def _refunding(self, _step: Step) -> None:
        assert self.refunding is not None
        self.refunding.goes_on()

    def _die_refunding(self, _step: Step) -> None:
        assert self.refunding is not None
        self.refunding.dies()

    def _time_over(self, _step: Step) -> None:
        PaymentRequest.objects.update(expires_at=clock.now())

    def _over(self, step: Step) -> None:
        payment = Payment.objects.filter(pk=self.payment(step.who).pk)
        payment.filter(held_until__isnull=False).update(held_until=clock.now())
        payment.update(created_at=F("created_at") - HOLD)

    def _lapse(self, step: Step) -> None:
        lifecycle.let_go(self.payment(step.who).pk)

    def _expire(self, _step: Step) -> None:
        lifecycle.expire_request(self.request.pk)

    def _cancel(self, _step: Step) -> None:
        lifecycle.cancel_request(self.request.pk, actor="buyer")

    def _end(self, _step: Step) -> None:
        """All has come to its end."""

    # What is to be seen

    def payment(self, payer: int) -> Payment:
        return Payment.objects.get(visitor=f"Friend {payer}")

    def refund(self, which: int) -> Refund:
        refunds_of = Refund.objects.filter(payment__visitor=f"Friend {which // 2}")
        later = refunds_of.filter(reason=Refund.Reason.UNDERFUNDED)
        return later.get() if which % 2 else refunds_of.exclude(pk__in=later).get()

    def seen(self, what: str = "", who: int = 0) -> Step:
        """The database and the wallet, in the model's words."""
        with connection.cursor() as cursor:
            cursor.execute(_SEEN, [self.request.pk])
            status, paid, held, payments, refunds_made = cursor.fetchone()
        of = {visitor: rest for visitor, *rest in payments or []}
        owed, back = [0] * 6, [0] * 6
        for visitor, reason, amount, reference in refunds_made or []:
            which = 2 * int(visitor[-1]) + (reason == Refund.Reason.UNDERFUNDED)
            owed[which] += amount // UNIT
            back[which] += self.wallet.back.get(reference, 0) // UNIT
        return Step(
            what,
            who,
            (REQUESTS[status], paid // UNIT, held // UNIT),
            tuple(_of(*of[name]) if (name := f"Friend {number}") in of else NOT_BEGUN for number in range(3)),
            tuple(owed),
            tuple(back),
        )


_SEEN = """
    SELECT status, amount_paid, amount_held, (
        SELECT json_agg(json_build_array(visitor, status, amount, held_until IS NOT NULL, closing, amount_applied))
        FROM payments_payment
    ), (
        SELECT json_agg(json_build_array(visitor, reason, made.amount, made.reference))
        FROM payments_refund AS made JOIN payments_payment AS payment ON payment.id = payment_id
    ) FROM payments_paymentrequest WHERE id = %s
"""  # in one trip: it is asked after every step of thousands of stories
NOT_BEGUN = ("NONE", 0, False, False, 0)


def _of(status: str, amount: int, holds: bool, closing: bool, applied: int) -> tuple[str, int, bool, bool, int]:
    undecided = status in ("created", "pending")
    return PAYMENTS[status], amount // UNIT, holds, closing and undecided, applied // UNIT


def _working(work: Callable[[], object]) -> Worker:
    def run() -> str:
        with suppress(Died):
            work()
        return ""

    return Worker(run)


def differs(step: Step, seen: Step) -> bool:
    """Whether the code says something else than the model. The share of one who has not begun is the model's alone."""
    payments = tuple(NOT_BEGUN if it[0] == "NONE" else it for it in step.payments)
    return (step.request, payments, step.owed, step.back) != (seen.request, seen.payments, seen.owed, seen.back)
