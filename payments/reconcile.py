"""Asking the provider, and believing only what it says. Every undecided payment is asked about until it is final."""

import logging
from datetime import timedelta

from django.db import DataError, IntegrityError

from friendpay import clock, leases
from payments import friction, lifecycle, providers
from payments.models import Payment
from payments.providers.base import Outcome, ProviderError, State

logger = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=2)
"""How long past its end a hold is kept while its provider cannot say whether it was paid: money is counted before
expiry.
"""

NEVER_HEARD_OF = timedelta(hours=3)
"""A provider that has not heard of an attempt by now will not: the longest any of them keeps a code payable is two
hours.
"""


def apply(payment: Payment, outcome: Outcome) -> Payment:
    """Do what the provider's word on a charge means. The one reading of it, for notifications, questions and
    closings.
    """
    if outcome.state == State.SUCCEEDED:
        if outcome.amount is None:
            raise ValueError("a success without an amount")
        payment = lifecycle.settle(payment.pk, provider_ref=outcome.provider_ref, amount=outcome.amount)
        if payment.amount_applied and payment.request.paid_at and not payment.by_buyer:
            friction.record(
                friction.Kind.PROVIDER_PAID, payment.request, method=payment.method, at=payment.request.paid_at
            )
        return payment
    if outcome.state == State.FAILED:
        return lifecycle.end_payment(payment.pk, cancelled=payment.closing, code=outcome.code, words=outcome.message)
    if outcome.state == State.RETURNED:
        # Of money we have counted, refunds tell. What was sent back before we ever heard of it pays nothing.
        return lifecycle.end_payment(payment.pk, cancelled=False, code=outcome.code, words=outcome.message)
    return payment


def close(payment: Payment) -> Payment:
    """Close an attempt at its provider and do what follows; raises ProviderError when the provider cannot be reached.

    Where the provider cannot say for sure, the hold is freed all the same and the question stays open: money that comes
    after all is applied if it still fits, and sent back if it does not.
    """
    provider = providers.get(payment.account.provider)
    outcome = provider.close(payment.account.as_data(), payment.reference, payment.provider_session)
    if outcome.state == State.FAILED:
        return lifecycle.end_payment(payment.pk, cancelled=True, code=outcome.code, words=outcome.message)
    payment = apply(payment, outcome)
    if outcome.state != State.SUCCEEDED:
        lifecycle.let_go(payment.pk)
    return payment


def ask(payment_id: int | None = None, limit: int = 50) -> int:
    """Ask about one payment (a nudge), or about all that are due (the sweep). Says how many were asked about.

    One whose hold has ended, or that nobody wants any more, is closed at its provider rather than merely asked about.
    """
    now = clock.now()
    due = Payment.objects.undecided().select_related("account")
    due = due.filter(pk=payment_id, next_attempt_at__isnull=False) if payment_id else due.due_for_question(now)

    def wait(payment: Payment) -> timedelta:
        delay = leases.growing(payment.attempts - 1)
        if payment.held_until and payment.held_until > now:
            return min(delay, payment.held_until - now)
        return delay

    payments = leases.take(due, now, limit, wait)
    for payment in payments:
        try:
            _ask(payment)
        except (ProviderError, ValueError, IntegrityError, DataError) as error:
            logger.warning("payment %s could not be asked about: %s", payment.public_id, error)
        if payment.held_until and payment.held_until + PATIENCE <= now:
            lifecycle.let_go(payment.pk)
    return len(payments)


def _ask(payment: Payment) -> None:
    now = clock.now()
    provider = providers.get(payment.account.provider)
    over = payment.closing or payment.held_until is None or payment.held_until <= now
    question = provider.close if over else provider.fetch
    outcome = question(payment.account.as_data(), payment.reference, payment.provider_session)
    if outcome.state == State.UNKNOWN and over:
        lifecycle.let_go(payment.pk)
        if payment.created_at + NEVER_HEARD_OF <= now:
            lifecycle.end_payment(payment.pk, cancelled=True, code=outcome.code, words=outcome.message)
    elif outcome.state == State.FAILED and over:
        lifecycle.end_payment(payment.pk, cancelled=True, code=outcome.code, words=outcome.message)
    else:
        apply(payment, outcome)
