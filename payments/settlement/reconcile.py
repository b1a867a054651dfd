"""Reconciliation by asking the provider: every undecided payment is asked about until it is final."""

from datetime import timedelta

from django.db import transaction

from friendpay.kit import clock, leases, limits
from friendpay.kit.writes import Also
from payments.funnel import steps
from payments.models import Payment
from payments.settlement import lifecycle, rounds, turns
from payments.settlement.calls import calling
from payments.settlement.locks import lock_payment
from payments.wallets.base import Outcome, ProviderError, State


def apply(payment: Payment, outcome: Outcome, *, also: Also | None = None, wait: bool = True) -> Payment:
    """Do what the provider's word on a charge means. The one reading of it, for notifications, questions and
    closings. `also` and `wait` are for where money is settled (`lifecycle.settle`).
    """
    if outcome.state == State.SUCCEEDED:
        if outcome.amount is None:
            raise ValueError("a success without an amount")
        payment = lifecycle.settle(
            payment.pk, provider_ref=outcome.provider_ref, amount=outcome.amount, also=also, wait=wait
        )
        if payment.amount_applied and payment.request.paid_at and not payment.by_buyer:
            steps.record(steps.Kind.PROVIDER_PAID, payment.request, method=payment.method, at=payment.request.paid_at)
        return payment
    if outcome.state == State.FAILED:
        return lifecycle.end_payment(payment.pk, cancelled=payment.closing, code=outcome.code, words=outcome.message)
    if outcome.state == State.RETURNED:
        # Of money we have counted, refunds tell. What was sent back before we ever heard of it pays nothing.
        return lifecycle.end_payment(payment.pk, cancelled=False, code=outcome.code, words=outcome.message)
    return payment


def close(payment: Payment, *, code: str = "") -> Payment:
    """Close an attempt at its provider and do what follows; raises ProviderError when the provider cannot be reached.

    Where the provider cannot say for sure, the hold is freed all the same and the question stays open: money that comes
    after all is applied if it still fits, and sent back if it does not.
    """
    with calling(payment.account) as (provider, account):
        outcome = provider.close(account, payment.reference, payment.provider_session)
    if outcome.state == State.FAILED:
        return lifecycle.end_payment(payment.pk, cancelled=True, code=code or outcome.code, words=outcome.message)
    payment = apply(payment, outcome)
    if outcome.state != State.SUCCEEDED:
        lifecycle.let_go(payment.pk, code=code)
    return payment


def ask_now(payment_id: int) -> Outcome:
    """Ask about one payment at once, decided or not, and do what the answer means; nothing is closed by it. Raises
    ProviderError when the provider cannot be reached, ValueError when what it says needs a person.
    """
    payment = Payment.objects.select_related("account", "request__order").get(pk=payment_id)
    with calling(payment.account) as (provider, account):
        outcome = provider.fetch(account, payment.reference, payment.provider_session)
    apply(payment, outcome)
    return outcome


def ask(payment_id: int | None = None) -> int:
    """Ask about one payment (its task), or about all that are due (the sweep). Says how many were asked about.

    One whose time is over, or that nobody wants any more, is closed at its provider rather than merely asked about.
    """
    now = clock.now()
    due = Payment.objects.undecided()

    def wait(payment: Payment) -> timedelta:
        delay = leases.growing(payment.attempts - 1)
        if not payment.closing and (end := turns.ends_at(payment)) > now:
            return min(delay, end - now)
        return delay

    if payment_id:
        return rounds.work_through(due.filter(pk=payment_id, next_attempt_at__isnull=False), _ask, wait=wait, limit=1)
    return rounds.work_through(due.due_for_question(now), _ask, wait=wait)


@transaction.atomic
def _is_over(payment_id: int) -> bool:
    """Looked at under the locks: more time that was given meanwhile counts, and from here on none is given."""
    _order, _request, payment = lock_payment(payment_id)
    return payment.closing or turns.ends_at(payment) <= clock.now()


def _ask(payment: Payment) -> None:
    now = clock.now()
    over = payment.closing or (turns.ends_at(payment) <= now and _is_over(payment.pk))
    with calling(payment.account) as (provider, account):
        question = provider.close if over else provider.fetch
        outcome = question(account, payment.reference, payment.provider_session)
    if outcome.state == State.UNKNOWN and over:
        lifecycle.let_go(payment.pk)
        if payment.status == Payment.Status.PENDING and provider.knows_from_start:
            # It was open: whoever answers is not who opened it, and knows nothing of its money.
            raise ProviderError("an attempt that was open is unknown to the provider", permanent=False, code="unknown")
        if payment.created_at + limits.NEVER_HEARD_OF_AFTER <= now:
            lifecycle.end_payment(payment.pk, cancelled=True, code=outcome.code, words=outcome.message)
    elif outcome.state == State.FAILED and over:
        lifecycle.end_payment(payment.pk, cancelled=True, code=outcome.code, words=outcome.message)
    else:
        apply(payment, outcome)
