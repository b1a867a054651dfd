"""Holds and the arithmetic of money: what an attempt reserves, what of its money counts, and sending back what does
not. How long an attempt reserves it, its wallet says (`Provider.hold` and `yields_after` in `payments.wallets.base`).

Called inside a transaction that holds the locks of `record`; the caller saves the request. Changes no status.
"""

from collections.abc import Iterable
from datetime import datetime
from secrets import token_hex

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import get_language

from friendpay.kit import clock, limits
from friendpay.kit.background import enqueue
from payments.models import Dispute, Movement, Payment, PaymentRequest, ProviderEvent, Refund
from payments.settlement import chip_in, rules, turns
from payments.settlement.locks import note
from payments.settlement.rules import Attempt, Payer
from payments.settlement.turns import Begun
from payments.wallets import registry


def new_attempt(request: PaymentRequest, attempt: Attempt, payer: Payer, now: datetime) -> Payment:
    """The row of an attempt, which holds its amount from now on. Written when the request is saved."""
    request.amount_held += attempt.amount
    payment = Payment(
        merchant_id=request.merchant_id,
        request=request,
        account=attempt.account,
        method=attempt.method,
        rail=attempt.rail,
        currency=request.currency,
        amount=attempt.amount,
        reference=new_reference(),
        share=attempt.share,
        payer_name=payer.name,
        by_buyer=payer.by_buyer,
        language=get_language() or "",
        visitor=payer.visitor,
        network=payer.network,
        created_at=now,
        held_until=now + attempt.lasts,
        extensions=0,
        next_attempt_at=now + min(limits.FIRST_QUESTION_AFTER, attempt.lasts),
    )
    request.writes.insert(payment)
    return payment


def fitting(request: PaymentRequest, payment: Payment, taken: int) -> int:
    """How much of the money counts: all or nothing from one friend, up to what is missing from one of several, and for
    a share that is named, if that is still to be paid. What does not count is a sum that its wallet can send back.
    """
    if request.status != PaymentRequest.Status.OPEN or taken != payment.amount:
        return 0
    if request.shares or payment.share is not None:
        return taken if rules.is_to_be_paid(request, payment.share, taken) else 0
    room = request.amount - request.amount_paid
    if request.split_max_payers is None and taken != room:
        return 0
    if taken <= room:
        return taken
    step = registry.step(payment.account.provider, payment.currency)
    return max(0, taken - chip_in.even_share(taken - room, 1, step))


def second_capture(payment: Payment, provider_ref: str, now: datetime) -> Payment:
    """The provider charged one attempt twice: the second charge gets a row of its own. Disputes and refunds of it, of
    which we knew nothing, are heard anew.
    """
    ProviderEvent.objects.hear_anew(payment.account_id, now, charge_ref=provider_ref)
    return Payment.objects.create(
        merchant_id=payment.merchant_id,
        request=payment.request,
        account_id=payment.account_id,
        method=payment.method,
        rail=payment.rail,
        currency=payment.currency,
        amount=payment.amount,
        reference=new_reference(),
        payer_name=payment.payer_name,
        by_buyer=payment.by_buyer,
        language=payment.language,
        visitor=payment.visitor,
        network=payment.network,
        created_at=now,
        next_attempt_at=now,
    )


def make_room(request: PaymentRequest, paid: Payment, others: list[Payment], now: datetime) -> None:
    """Money that came beats the holds of others: those of the same share, and the latest that no longer fit, are freed,
    and closed at their providers. `others` are all undecided attempts besides, the earliest first.

    Once all is paid nothing else is wanted, not even from attempts that had lost their hold before.
    """
    if request.amount_paid == request.amount:
        let_go(request, others, now)
        return
    if paid.share is not None:
        let_go(request, [other for other in others if other.share == paid.share], now)
    for payment in reversed([other for other in others if other.held_until]):
        if request.amount_paid + request.amount_held > request.amount:
            let_go(request, [payment], now)


def let_go(request: PaymentRequest, payments: Iterable[Payment], now: datetime) -> None:
    """Free the holds and have the attempts closed at their providers, soon."""
    for payment in payments:
        if payment.status in rules.UNDECIDED and not payment.closing:
            release(request, payment)
            payment.closing, payment.next_attempt_at, payment.attempts = True, now, 0
            payment.save(update_fields=["held_until", "closing", "next_attempt_at", "attempts", "code"])
            transaction.on_commit(lambda pk=payment.pk: enqueue("payments.ask", pk))  # type: ignore[misc]


def step_aside(request: PaymentRequest, others: list[Payment], missing: int, begun: Begun) -> None:
    """The earliest holds of `others` that free so much are freed, where the request is contested. Their attempts stay
    open.
    """
    if begun.is_contested:
        for payment in turns.making_room(others, missing):
            release(request, payment)
            request.writes.update(payment, "held_until")
            note(request, "payment.released", "system", payment)


def release(request: PaymentRequest, payment: Payment) -> None:
    if payment.held_until:
        request.amount_held -= payment.amount
        payment.held_until = None


def unapply(request: PaymentRequest, payment: Payment, now: datetime) -> None:
    """Nothing of a payment counts any more, from now on."""
    request.writes.insert(Movement.of_unapplied(payment, now))
    payment.amount_applied = 0
    payment.save(update_fields=["amount_applied"])


def uncounted(payment: Payment) -> int:
    """What of a payment's money counts for nothing and is on no way back through its wallet."""
    back = payment.refunds.standing().exclude(reason=Refund.Reason.MERCHANT).aggregate(sum=Sum("amount"))["sum"] or 0
    return payment.amount_captured - payment.amount_applied - back


def owed(payment: Payment) -> int:
    """What is to be sent back: what is uncounted, as far as the payer does not have it from her bank."""
    return max(0, uncounted(payment) - payment.amount_disputed)


def weigh_disputes(payment: Payment) -> None:
    """Let the payment's disputes have what they ask for, as far as it is not with the payer or on its way there."""
    claimed = payment.refunds.standing().exclude(status=Refund.Status.FAILED).aggregate(sum=Sum("amount"))["sum"] or 0
    free, payment.amount_disputed = payment.amount_captured - claimed, 0
    for dispute in payment.disputes.order_by("id"):
        dispute.amount_taken = min(dispute.claim, free)
        dispute.save(update_fields=["amount_taken"])
        _book_taken(dispute)
        free -= dispute.amount_taken
        payment.amount_disputed += dispute.amount_taken
    payment.save(update_fields=["amount_disputed"])


def _book_taken(dispute: Dispute) -> None:
    """Write down what a dispute has now, as far as that is another sum than before."""
    booked = dispute.movements.aggregate(sum=Sum("amount"))["sum"] or 0
    if dispute.amount_taken != booked:
        Movement.objects.create(
            payment=dispute.payment,
            dispute=dispute,
            kind=Movement.Kind.DISPUTED,
            currency=dispute.payment.currency,
            amount=dispute.amount_taken - booked,
            at=clock.now(),
        )


def send_back(
    request: PaymentRequest,
    payment: Payment,
    amount: int,
    reason: str,
    now: datetime,
    actor: str,
    text: str = "",
    merchant_reference: str = "",
) -> Refund:
    """A refund to be sent to the payer through the provider that took the money. Now by a task, later by the
    sweep.
    """
    refund = Refund.objects.create(
        merchant_id=payment.merchant_id,
        payment=payment,
        account_id=payment.account_id,
        reason=reason,
        currency=payment.currency,
        amount=amount,
        reference=new_reference(),
        merchant_reference=merchant_reference,
        note=text,
        created_at=now,
        next_attempt_at=now,
    )
    note(request, "refund.requested", actor, refund)
    transaction.on_commit(lambda: enqueue("payments.refund", refund.pk))
    return refund


def new_reference() -> str:
    """Our number for an attempt or a refund at a provider: 26 symbols every wallet takes, never used twice."""
    return f"fp{token_hex(12)}"
