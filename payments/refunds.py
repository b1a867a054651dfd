"""Money going back: asked for by the merchant, sent with one reference for ever, followed until the provider confirms
it.
"""

import logging

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from friendpay import clock, leases
from orders import services
from orders.errors import Refused
from orders.models import Order
from orders.money import share_out
from payments import funds, lifecycle, providers, rules
from payments.models import Payment, PaymentRequest, Refund
from payments.providers.base import Outcome, ProviderError, State
from payments.record import lock_order, lock_payment, lock_refund, note, save

logger = logging.getLogger(__name__)
STATUS = Refund.Status


def refundable(payment: Payment) -> int:
    """What the merchant can still send back of a payment: what was applied of it and not asked back yet.

    Nothing while its request is open, because every part of one that fails goes back whole.
    """
    if payment.request.status == PaymentRequest.Status.OPEN:
        return 0
    back = payment.refunds.filter(reason=Refund.Reason.MERCHANT).aggregate(sum=Sum("amount"))["sum"] or 0
    return payment.amount_applied - back


@transaction.atomic
def refund_payment(
    payment_id: int, amount: int | None = None, *, text: str = "", actor: str, seen: int | None = None
) -> Refund:
    """The merchant sends `amount` (all that is left, without one) of a payment back to who paid it; never more than is
    left, and nothing while its request is open ("request_open").

    Repeating it refunds again, unless the caller says what it has `seen` left: it is refused once that has changed.
    """
    _order, request, payment = lock_payment(payment_id)
    _check_ended(request)
    left = refundable(payment)
    if seen is not None and seen != left:
        raise Refused("refundable_changed", _("Something of this payment was refunded meanwhile. Please look again."))
    amount = left if amount is None else amount
    if not 0 < amount <= left:
        raise Refused("refund_beyond_payment", _("There is not that much left to refund."), field="amount", status=422)
    rules.check_step(amount, payment.currency, providers.step(payment.account.provider, payment.currency))
    refund = funds.send_back(request, payment, amount, Refund.Reason.MERCHANT, clock.now(), actor, text)
    save(request)
    return refund


@transaction.atomic
def refund_order(order: Order, amount: int | None = None, *, text: str = "", actor: str) -> list[Refund]:
    """The merchant sends `amount` (all that is left, without one) of an order back to all who paid.

    Each gets back in proportion to what they gave, to the minor unit or to the step their wallets count in. Nothing
    goes while a request is open ("request_open").
    """
    _order, request = lock_order(order.pk)
    if request:
        _check_ended(request)
    applied = Payment.objects.filter(request__order=order, amount_applied__gt=0)
    payments = list(applied.select_related("request", "account").order_by("id"))
    left = [refundable(payment) for payment in payments]
    amount = sum(left) if amount is None else amount
    if not 0 < amount <= sum(left):
        raise Refused("refund_beyond_payment", _("There is not that much left to refund."), field="amount", status=422)
    steps = [providers.step(payment.account.provider, order.currency) for payment in payments]
    try:
        parts = share_out(amount, left, steps)
    except ValueError:
        raise rules.wrong_step(order.currency, max(steps)) from None
    shares = zip(payments, parts, strict=True)
    return [refund_payment(payment.pk, part, text=text, actor=actor) for payment, part in shares if part]


def _check_ended(request: PaymentRequest) -> None:
    if request.status == PaymentRequest.Status.OPEN:
        raise Refused(
            "request_open", _("Payment is still being collected. Cancel the request, and all of it goes back.")
        )


@transaction.atomic
def move_refund(refund_id: int, status: str, *, actor: str = "provider", outcome: Outcome | None = None) -> Refund:
    """What the provider said of a refund, or support's word to send a failed one again. Repeating a status does
    nothing.

    A refund that fails is still owed: it stays as visible work for support, with the provider's own code and words.
    """
    order, request, _payment, refund = lock_refund(refund_id)
    if refund.status == status or (refund.status == STATUS.SUCCEEDED and status != STATUS.FAILED):
        return refund
    if refund.status == STATUS.FAILED and status == STATUS.SUBMITTED:
        return refund  # news from before it failed
    now = clock.now()
    before = refund.status
    lifecycle.move(refund, status)
    if outcome:
        refund.provider_ref = outcome.provider_ref or refund.provider_ref
        refund.code, refund.words = outcome.code[:80], outcome.message[:300]
    refund.succeeded_at = now if status == STATUS.SUCCEEDED else None
    if status in (STATUS.SUCCEEDED, STATUS.FAILED):
        refund.next_attempt_at = None
    if status == STATUS.FAILED:
        refund.billed_on = None  # what the bill said of this try is void; the next one has a line of its own
    elif status == STATUS.REQUESTED:
        refund.next_attempt_at, refund.attempts = now, 0
    refund.save()
    note(request, f"refund.{status}", actor, refund)
    if refund.reason == Refund.Reason.MERCHANT and STATUS.SUCCEEDED in (before, status):
        change = refund.amount if status == STATUS.SUCCEEDED else -refund.amount
        services.change_refunded(order, change, refund.public_id)
    save(request)
    return refund


@transaction.atomic
def send_again(refund_id: int, *, actor: str) -> Refund:
    """Support's word to send a failed refund once more, with its one reference. Refused unless it failed."""
    refund = lock_refund(refund_id)[3]
    if refund.status != STATUS.FAILED:
        raise Refused("refund_not_failed", _("This refund has not failed, so there is nothing to send again."))
    return move_refund(refund_id, STATUS.REQUESTED, actor=actor)


def apply(refund: Refund, outcome: Outcome) -> Refund:
    """Do what the provider's word on a refund means. Accepted is not refunded: that is `submitted`."""
    if outcome.state == State.SUCCEEDED:
        return move_refund(refund.pk, STATUS.SUCCEEDED, outcome=outcome)
    if outcome.state == State.FAILED:
        return move_refund(refund.pk, STATUS.FAILED, outcome=outcome)
    if outcome.state == State.PENDING:
        return move_refund(refund.pk, STATUS.SUBMITTED, outcome=outcome)
    return refund


def send(refund_id: int | None = None, limit: int = 50) -> int:
    """Send one refund (a nudge), or all that are due (the sweep), or ask where they stand. Says how many.

    A retry uses the refund's one reference, so that the provider never refunds twice. A refusal for good fails the
    refund; not being reachable puts it off.
    """
    now = clock.now()
    due = Refund.objects.select_related("account", "payment")
    due = due.filter(pk=refund_id, next_attempt_at__isnull=False) if refund_id else due.due(now)
    refunds = leases.take(due, now, limit)
    for refund in refunds:
        try:
            apply(refund, _send(refund))
        except ProviderError as error:
            logger.warning("refund %s was not taken: %s", refund.public_id, error)
            if error.permanent and not error.for_shop:
                refused = Outcome(State.FAILED, refund.reference, code=error.code, message=error.message)
                move_refund(refund.pk, STATUS.FAILED, outcome=refused)
    return len(refunds)


def _send(refund: Refund) -> Outcome:
    provider = providers.get(refund.account.provider)
    account, payment = refund.account.as_data(), refund.payment
    if refund.status == STATUS.SUBMITTED:
        outcome = provider.fetch_refund(
            account, reference=refund.reference, charge=payment.reference, charge_ref=payment.provider_ref
        )
        if outcome.state != State.UNKNOWN:
            return outcome
    return provider.refund(
        account,
        reference=refund.reference,
        charge=payment.reference,
        charge_ref=payment.provider_ref,
        amount=refund.money,
        charged=payment.captured,
        reason=refund.reason,
    )
