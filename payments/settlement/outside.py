"""Refunds made in the wallet's own site, and disputes (chargebacks): what others do to our payments."""

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, limits
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from orders import services
from payments.models import Dispute, Movement, Payment, PaymentRequest, ProviderAccount, Refund
from payments.settlement import holds, lifecycle, refund_moves
from payments.settlement.locks import lock_payment, note, save
from payments.wallets.base import Outcome, State


def charged(account: ProviderAccount, reference: str, provider_ref: str) -> Payment | None:
    """The payment of ours that a refund or dispute is of, if it names one. Of two charges of one attempt, which share
    our reference, it is the one of the provider's number: none as long as we do not know that one.
    """
    names = Q(provider_ref=provider_ref) if provider_ref else Q(pk=None)
    if reference:
        names |= Q(reference=reference)
    found = list(Payment.objects.select_related("account").filter(names, account=account)[:2])
    numbered = next((payment for payment in found if payment.provider_ref == provider_ref), None)
    unnumbered = (payment for payment in found if not (payment.provider_ref and provider_ref))
    return numbered or next(unnumbered, None)


@transaction.atomic
def book_refund(payment_id: int, number: str, amount: Money, *, provider_ref: str = "") -> Refund:
    """A refund that somebody of the shop made at the wallet itself, under its number there: one of the shop's refunds
    from now on, so that what is left of the payment can still be refunded here. Booking it again gives the same row.

    Refused ("refund_does_not_fit") where more would go back than counts: a person has to look at it.
    """
    order, request, payment = lock_payment(payment_id)
    known = Refund.objects.numbered(payment.account, number[: limits.REFUND_REFERENCE_CHARACTERS])
    if known:
        return known
    if amount.currency != payment.currency or not 0 < amount.minor <= refund_moves.refundable(payment):
        raise Refused("refund_does_not_fit", _("More than is left of the payment was refunded at the wallet."))
    refund_moves.make_room(request, payment, amount.minor, "provider")
    now = clock.now()
    refund = Refund(
        merchant_id=payment.merchant_id,
        payment=payment,
        account_id=payment.account_id,
        reason=Refund.Reason.MERCHANT,
        currency=amount.currency,
        amount=amount.minor,
        reference=number[: limits.REFUND_REFERENCE_CHARACTERS],
        provider_ref=provider_ref[:100],
        external=True,
        created_at=now,
        succeeded_at=now,
    )
    lifecycle.move(refund, Refund.Status.SUCCEEDED)
    refund.save()
    request.writes.insert(Movement.of_refund(refund, refund.amount, now))
    note(request, "refund.external", "provider", refund)
    services.change_refunded(order, refund.amount, refund.public_id, request.writes)
    save(request)
    return refund


@transaction.atomic
def hear_dispute(payment_id: int, outcome: Outcome) -> Dispute:
    """What the wallet says of a dispute. Repeating it, or telling of it late, changes nothing: what is won or lost is
    never open again. Raises ValueError when it is told to be the one after it was the other, or of another payment than
    before: a person has to look.

    While it is open the bank holds the money, and of a lost one it keeps it: none of that can be refunded. What is won
    is there again; were we to send it back, it goes.
    """
    _order, request, payment = lock_payment(payment_id)
    now = clock.now()
    status = {State.SUCCEEDED: Dispute.Status.WON, State.FAILED: Dispute.Status.LOST}.get(outcome.state)
    opened = Dispute.Status.INQUIRY if outcome.inquiry else Dispute.Status.OPEN
    assert outcome.amount
    dispute, is_new = Dispute.objects.get_or_create(
        account_id=payment.account_id,
        provider_ref=outcome.provider_ref,
        defaults={
            "payment": payment,
            "status": opened,
            "currency": outcome.amount.currency,
            "amount": outcome.amount.minor,
            "code": outcome.code[:80],
            "words": outcome.message[:300],
            "opened_at": now,
        },
    )
    if dispute.payment_id != payment.pk:
        raise ValueError(f"{dispute} is of {dispute.payment}, and is said to be of {payment} now")
    if outcome.message and not dispute.words:  # what a bill told of has none
        dispute.words = outcome.message[:300]
        dispute.save(update_fields=["words"])
    if is_new or (status is None and (dispute.status, opened) == (Dispute.Status.INQUIRY, Dispute.Status.OPEN)):
        _move_dispute(request, payment, dispute, opened, "payment.disputed")
    elif dispute.claim and dispute.closed_at is None and not dispute.amount_taken and payment.amount_captured:
        holds.weigh_disputes(payment)  # it may have been heard of before its money was
    if status and dispute.closed_at is None:
        dispute.closed_at = now
        is_won = status == Dispute.Status.WON
        _move_dispute(request, payment, dispute, status, "payment.dispute_won" if is_won else "payment.dispute_lost")
        if is_won:
            refund_moves.send_again_what_failed(request, payment)
    elif status and dispute.status != status:
        raise ValueError(f"{dispute} was {dispute.status}, and is said to be {status} now")
    save(request)
    return dispute


def _move_dispute(request: PaymentRequest, payment: Payment, dispute: Dispute, status: str, told: str) -> None:
    """Write where it stands and what it takes, tell it, and see to the refunds that this concerns."""
    if dispute.status != status:
        lifecycle.move(dispute, status)
    dispute.amount_taken = 0  # weighed anew
    dispute.next_attempt_at = None if dispute.closed_at else clock.now() + limits.DISPUTE_FIRST_QUESTION_AFTER
    dispute.save(update_fields=["status", "closed_at", "amount_taken", "next_attempt_at"])
    holds.weigh_disputes(payment)
    facts = {
        "dispute": dispute.public_id,
        "dispute_status": status,
        "disputed": dispute.amount,
        "dispute_currency": dispute.currency,
        "dispute_reason": dispute.code,
    }
    note(request, told, "provider", payment, **facts)
    refund_moves.make_way(request, payment)
