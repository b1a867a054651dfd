"""Every change of one refund: what a provider said of it, and what somebody decided, with all that belongs to the
status, which `lifecycle` writes.
"""

from collections.abc import Sequence
from contextlib import nullcontext

from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from friendpay.kit import clock, limits
from orders import returns, services
from orders.models import Order
from orders.returns import LineReturn, Pieces
from payments.models import Movement, Payment, PaymentRequest, Refund
from payments.settlement import goods, holds, lifecycle
from payments.settlement.locks import lock_refund, note, save
from payments.wallets import registry
from payments.wallets.base import Outcome

STATUS = Refund.Status


def refundable(payment: Payment) -> int:
    """What the merchant can still send back of a payment: what counts of it and is neither back, nor on its way, nor
    held or taken for a dispute.

    What failed can be asked for again, in the same shape or another. Nothing while its request is open, because every
    part of one that fails goes back whole.
    """
    if payment.request.status == PaymentRequest.Status.OPEN:
        return 0
    return _unclaimed(payment) - payment.amount_disputed


def weigh_lines(order: Order, lines: Sequence[LineReturn], payments: Sequence[Payment]) -> Pieces:
    """How much of each line these are, and what goes back for them to whoever made these payments: what was paid for
    them, or, where all their wallets count in steps, what is in those. The caller holds the order's lock.
    """
    counted = goods.returned(order)
    pieces = returns.weigh(order, lines, counted)
    left = {payment: refundable(payment) for payment in payments}
    steps = [registry.step(payment.account.provider, order.currency) for payment, rest in left.items() if rest]
    step = min(steps, default=1)
    return returns.in_steps(order, pieces, counted, step, sum(left.values())) if step > 1 else pieces


def _unclaimed(payment: Payment) -> int:
    """What is left once everything owed, on its way, or back is taken off; disputes not counted."""
    claims = payment.refunds.standing().exclude(reason=Refund.Reason.MERCHANT, status=STATUS.FAILED)
    return payment.amount_captured - _sum(claims)


def _sum(refunds: QuerySet[Refund]) -> int:
    return refunds.aggregate(sum=Sum("amount"))["sum"] or 0


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
    if (refund.external or status != STATUS.WITHDRAWN) and payment.disputes.exists():
        holds.weigh_disputes(payment)
        make_way(request, payment)
    save(request)
    if refund.goods:
        make_room_for_lines(order, "system")
        refund.refresh_from_db()
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
    with goods.counting(order) if refund.goods else nullcontext():
        _write(order, request, refund, status, actor, outcome)


def _write(
    order: Order, request: PaymentRequest, refund: Refund, status: str, actor: str, outcome: Outcome | None
) -> None:
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
        if refund.waits_for_shop:
            refund.next_attempt_at = now + limits.REFUND_AGAIN_AFTER
    else:
        by_itself = status == STATUS.FAILED and outcome and outcome.dead and refund.reason != Refund.Reason.MERCHANT
        refund.next_attempt_at = now + limits.REFUND_AGAIN_AFTER if by_itself else None
    if status == STATUS.FAILED:
        refund.billed_on = None  # what the bill said of this try is void; the next one has a line of its own
    refund.save()
    if is_new:
        note(request, f"refund.{status}", actor, refund)
    if refund.is_back == was_back:
        return
    amount = refund.amount if refund.is_back else -refund.amount
    request.writes.insert(Movement.of_refund(refund, amount, now))
    if refund.reason == Refund.Reason.MERCHANT:
        services.change_refunded(order, amount, refund.public_id, request.writes)


def _reopen(request: PaymentRequest, payment: Payment, refund: Refund) -> None:
    """The provider says that a withdrawn refund went through after all: those that failed since make room for it, and
    so does a dispute, which can have no more than is left.
    """
    mine = refund.reason == Refund.Reason.MERCHANT
    if refund.amount > (_unclaimed(payment) if mine else holds.uncounted(payment)):
        raise ValueError(f"{refund} was withdrawn, and what took its place has gone back as well")
    if mine:
        make_room(request, payment, refund.amount, "system")


def make_room(request: PaymentRequest, payment: Payment, amount: int, actor: str) -> None:
    """Withdraw failed refunds of the merchant, the oldest first, until so much more can be claimed of the payment."""
    failed = payment.refunds.filter(reason=Refund.Reason.MERCHANT, status=STATUS.FAILED)
    _withdraw(request, payment, failed, amount, actor)


def _withdraw(request: PaymentRequest, payment: Payment, failed: QuerySet[Refund], amount: int, actor: str) -> None:
    room = payment.amount_captured - payment.amount_disputed - _sum(payment.refunds.standing())
    for refund in failed.order_by("id").select_for_update(no_key=True):
        if room >= amount:
            break
        _change(request.order, request, refund, STATUS.WITHDRAWN, actor)
        room += refund.amount


def make_room_for_lines(order: Order, actor: str) -> None:
    """Withdraw refunds of lines that failed where others have taken their place, or what was given up went through
    after all: sent again, they would bring the same pieces twice. The caller holds the order's lock.
    """
    for refund in goods.without_room(order):
        move_refund(refund.pk, STATUS.WITHDRAWN, actor=actor)


def make_way(request: PaymentRequest, payment: Payment) -> None:
    """What disputes hold or took, the payer has from her bank: refunds that failed are withdrawn as far as there is no
    more money for them, the shop's first. What is still owed to her, or is again once a dispute is won, goes back.
    """
    failed = payment.refunds.filter(status=STATUS.FAILED)
    by_itself = ~Q(reason=Refund.Reason.MERCHANT)
    for kind in (~by_itself, by_itself):
        _withdraw(request, payment, failed.filter(kind), 0, "system")
    if owed := holds.owed(payment):
        latest = payment.refunds.filter(by_itself).order_by("id").last()
        reason = latest.reason if latest else Refund.Reason.UNDERFUNDED
        holds.send_back(request, payment, owed, reason, clock.now(), "system")


def send_again_what_failed(request: PaymentRequest, payment: Payment) -> None:
    """Nothing is in the way any more of refunds that nobody asked for and that failed: they are sent once more."""
    failed = payment.refunds.filter(status=STATUS.FAILED).exclude(reason=Refund.Reason.MERCHANT)
    for refund in failed.order_by("id").select_for_update(no_key=True):
        _change(request.order, request, refund, STATUS.REQUESTED, "system")


@transaction.atomic
def renumber(refund_id: int, dead: str) -> Refund:
    """Go on under a new number, because the provider, asked, said that this one is dead. Never are two alive: a number
    is replaced once, under the refund's lock, and a repeat finds the new one.
    """
    _order, request, _payment, refund = lock_refund(refund_id)
    if refund.reference == dead and refund.is_undecided:
        refund.past_references = [*refund.past_references, dead]
        refund.reference, refund.provider_ref, refund.code, refund.words = holds.new_reference(), "", "", ""
        refund.save()
        note(request, "refund.renumbered", "system", refund)
        save(request)
    return refund
