"""Every change of one refund: what a provider said of it, and what somebody decided, with all that belongs to the
status, which `lifecycle` writes.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import Sum

from friendpay import clock
from orders import services
from orders.models import Order
from payments import funds, lifecycle
from payments.models import Payment, PaymentRequest, Refund
from payments.providers.base import Outcome
from payments.record import lock_refund, note, save

STATUS = Refund.Status
ONE_DAY = timedelta(days=1)


def refundable(payment: Payment) -> int:
    """What the merchant can still send back of a payment: what was applied of it and is neither back nor on its way.

    What failed can be asked for again, in the same shape or another. Nothing while its request is open, because every
    part of one that fails goes back whole.
    """
    if payment.request.status == PaymentRequest.Status.OPEN:
        return 0
    mine = payment.refunds.standing().filter(reason=Refund.Reason.MERCHANT).exclude(status=STATUS.FAILED)
    return payment.amount_applied - (mine.aggregate(sum=Sum("amount"))["sum"] or 0)


@transaction.atomic
def move_refund(refund_id: int, status: str, *, actor: str = "provider", outcome: Outcome | None = None) -> Refund:
    """What the provider said of a refund, or somebody's decision about one that failed. Repeating a status records no
    more than what the provider said with it.

    A refund that fails is still owed: it stays as visible work for support, with the provider's own code and words.
    Raises ValueError, with nothing changed, when more would have gone back than there was.
    """
    order, request, payment, refund = lock_refund(refund_id)
    if refund.external and status == STATUS.FAILED:
        status = STATUS.WITHDRAWN  # the shop did it and the shop has the money again: nothing of ours is owed
    elif _is_old_news(refund, status):
        return refund
    if refund.is_withdrawn:
        if status == STATUS.WITHDRAWN:
            return refund
        _reopen(request, payment, refund)
    _change(order, request, refund, status, actor, outcome)
    save(request)
    return refund


def _is_old_news(refund: Refund, status: str) -> bool:
    """Whether this was said before something that counts more: only a success is believed from any status."""
    if refund.status == status:
        return status != STATUS.SUBMITTED  # what it waits for may be news
    if refund.status == STATUS.SUCCEEDED:
        return status != STATUS.FAILED
    if refund.status == STATUS.FAILED:
        return status == STATUS.SUBMITTED
    return refund.is_final and status != STATUS.SUCCEEDED


def _change(
    order: Order, request: PaymentRequest, refund: Refund, status: str, actor: str, outcome: Outcome | None = None
) -> None:
    """Write what a refund has come to, and tell it where that is new. The caller holds the locks and saves the request.

    One whose number is dead for want of the shop's balance, and that nobody at the shop asked for, is sent again by
    itself on the next day.
    """
    now = clock.now()
    is_new, was_back = refund.status != status, refund.is_back
    if is_new:
        lifecycle.move(refund, status)
    if outcome:
        refund.provider_ref = outcome.provider_ref or refund.provider_ref
        refund.code, refund.words = outcome.code[:80], outcome.message[:300]
    refund.waits_for_shop = bool(outcome and outcome.for_shop)
    refund.succeeded_at = now if status == STATUS.SUCCEEDED else None
    refund.closed_at = now if status in (STATUS.WITHDRAWN, STATUS.RETURNED_ELSEWHERE) else None
    if status == STATUS.REQUESTED:
        refund.next_attempt_at, refund.attempts = now, 0
    elif status == STATUS.SUBMITTED:
        refund.next_attempt_at = now + ONE_DAY if refund.waits_for_shop else refund.next_attempt_at or now
    else:
        by_itself = status == STATUS.FAILED and outcome and outcome.dead and refund.reason != Refund.Reason.MERCHANT
        refund.next_attempt_at = now + ONE_DAY if by_itself else None
    if status == STATUS.FAILED:
        refund.billed_on = None  # what the bill said of this try is void; the next one has a line of its own
    refund.save()
    if is_new:
        note(request, f"refund.{status}", actor, refund)
    if refund.reason == Refund.Reason.MERCHANT and refund.is_back != was_back:
        services.change_refunded(order, refund.amount if refund.is_back else -refund.amount, refund.public_id)


def _reopen(request: PaymentRequest, payment: Payment, refund: Refund) -> None:
    """The provider says that a withdrawn refund went through after all: those that failed since make room for it."""
    if refund.reason != Refund.Reason.MERCHANT or refund.amount > refundable(payment):
        raise ValueError(f"{refund} was withdrawn, and what took its place has gone back as well")
    make_room(request, payment, refund.amount, "system")


def make_room(request: PaymentRequest, payment: Payment, amount: int, actor: str) -> None:
    """Withdraw failed refunds of the merchant, the oldest first, until so much more can be claimed of the payment."""
    mine = payment.refunds.standing().filter(reason=Refund.Reason.MERCHANT)
    room = payment.amount_applied - (mine.aggregate(sum=Sum("amount"))["sum"] or 0)
    for failed in mine.filter(status=STATUS.FAILED).order_by("id").select_for_update(no_key=True):
        if room >= amount:
            break
        failed.payment = payment
        _change(request.order, request, failed, STATUS.WITHDRAWN, actor)
        room += failed.amount


@transaction.atomic
def renumber(refund_id: int, dead: str) -> Refund:
    """Go on under a new number, because the provider, asked, said that this one is dead. Never are two alive: a number
    is replaced once, under the refund's lock, and a repeat finds the new one.
    """
    _order, request, _payment, refund = lock_refund(refund_id)
    if refund.reference == dead and refund.is_undecided:
        refund.past_references = [*refund.past_references, dead]
        refund.reference, refund.provider_ref, refund.code, refund.words = funds.new_reference(), "", "", ""
        refund.save()
        note(request, "refund.renumbered", "system", refund)
        save(request)
    return refund
