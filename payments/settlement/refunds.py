"""Refunds: asked for by the merchant, sent under one number as long as that lives, followed until the provider confirms
them. What is done about one that failed is in `remedies`.
"""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock
from friendpay.kit.errors import Refused
from friendpay.kit.money import share_out
from orders import returns
from orders.models import Order
from orders.returns import LineReturn
from payments.models import Payment, PaymentRequest, ProviderAccount, Refund
from payments.settlement import goods, holds, refund_moves, rounds, rules
from payments.settlement.calls import calling
from payments.settlement.locks import lock_order, lock_payment, save
from payments.settlement.refund_moves import make_room, make_room_for_lines, move_refund, refundable, renumber
from payments.share import phrases
from payments.wallets import registry
from payments.wallets.base import Outcome, ProviderError, RefundOrder, State

STATUS = Refund.Status


@transaction.atomic
def refund_payment(
    payment_id: int,
    amount: int | None = None,
    *,
    text: str = "",
    merchant_reference: str = "",
    actor: str,
    seen: int | None = None,
    lines: Sequence[LineReturn] = (),
) -> Refund:
    """The merchant sends `amount` (all that is left, without one), or what was paid for `lines`, back to the payer of a
    payment; never more than is left, and nothing while its request is open ("request_open"). A `merchant_reference` is
    used once per shop and mode.

    Refunds of this payment that failed, and that there is no more room for, are withdrawn: this one is in their place.
    So are refunds of the same lines of its order that failed.
    Repeating it refunds again, unless the caller says what it has `seen` left: it is refused once that has changed.
    """
    order, request, payment = lock_payment(payment_id)
    _claim_reference(order, merchant_reference)
    if not lines:
        return _refund(request, payment, amount, text, merchant_reference, actor, seen)
    pieces = refund_moves.weigh_lines(order, lines, [payment])
    with goods.counting(order):
        refund = _refund(request, payment, returns.total(pieces), text, merchant_reference, actor, seen)
        goods.mark([refund], pieces)
    make_room_for_lines(order, actor)
    return refund


def _refund(
    request: PaymentRequest,
    payment: Payment,
    amount: int | None,
    text: str,
    merchant_reference: str,
    actor: str,
    seen: int | None = None,
) -> Refund:
    _check_ended(request)
    left = refundable(payment)
    _check_seen(seen, left)
    amount = left if amount is None else amount
    if not 0 < amount <= left:
        raise Refused("refund_beyond_payment", _("There is not that much left to refund."), field="amount", status=422)
    rules.check_step(amount, payment.currency, registry.step(payment.account.provider, payment.currency))
    make_room(request, payment, amount, actor)
    refund = holds.send_back(
        request, payment, amount, Refund.Reason.MERCHANT, clock.now(), actor, text, merchant_reference
    )
    save(request)
    return refund


@transaction.atomic
def refund_order(
    order: Order,
    amount: int | None = None,
    *,
    lines: Sequence[LineReturn] = (),
    text: str = "",
    merchant_reference: str = "",
    actor: str,
    seen: int | None = None,
) -> list[Refund]:
    """The merchant sends `amount` (all that is left, without one), or what was paid for `lines`, back to all who paid
    an order. A `merchant_reference` is used once per shop and mode; each of these refunds bears it.

    Each gets back in proportion to what they gave, to the minor unit or to the step their wallets count in. Nothing
    goes while a request is open ("request_open"). Repeating it refunds again, unless the caller says what it has `seen`
    left.
    """
    order, request, _now = lock_order(order.pk)
    _claim_reference(order, merchant_reference)
    if request:
        _check_ended(request)
    payments = applied(order)
    left = [refundable(payment) for payment in payments]
    _check_seen(seen, sum(left))
    pieces = refund_moves.weigh_lines(order, lines, payments) if lines else {}
    amount = returns.total(pieces) if lines else amount
    amount = sum(left) if amount is None else amount
    if not 0 < amount <= sum(left):
        raise Refused("refund_beyond_payment", _("There is not that much left to refund."), field="amount", status=422)
    steps = [registry.step(payment.account.provider, order.currency) for payment in payments]
    try:
        parts = share_out(amount, left, steps)
    except ValueError:
        raise rules.wrong_step(order.currency, max(steps), amount) from None
    shares = zip(payments, parts, strict=True)
    made = []
    with goods.counting(order):
        for paid, part in shares:
            if part:
                _order, request, payment = lock_payment(paid.pk)
                made.append(_refund(request, payment, part, text, merchant_reference, actor))
        if lines:
            goods.mark(made, pieces)
    if lines:
        make_room_for_lines(order, actor)
    return made


def left_of(order: Order) -> int:
    """What of an order's money can still be refunded, in all."""
    return sum(refundable(payment) for payment in applied(order))


def applied(order: Order) -> list[Payment]:
    """Whose money counts towards an order."""
    counting = Payment.objects.filter(request__order=order, amount_applied__gt=0)
    return list(counting.select_related("request", "account").order_by("id"))


def _check_seen(seen: int | None, left: int) -> None:
    if seen is not None and seen != left:
        raise Refused("refundable_changed", _("Something of this payment was refunded meanwhile. Please look again."))


def _claim_reference(order: Order, reference: str) -> None:
    """Refused when the shop has used it for a refund of this mode; who comes with the same one meanwhile waits."""
    if not reference:
        return
    scope = f"refund {order.merchant_id} {order.live} {reference}"
    with connection.cursor() as cursor:
        number = int.from_bytes(sha256(scope.encode()).digest()[:8], signed=True)
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
    known = Refund.objects.filter(merchant=order.merchant_id, merchant_reference=reference)
    if known.filter(payment__request__order__live=order.live).exists():
        raise Refused("reference_used", _("There is a refund with this reference already."), field="merchant_reference")


def _check_ended(request: PaymentRequest) -> None:
    if request.status == PaymentRequest.Status.OPEN:
        raise Refused(
            "request_open", _("Payment is still being collected. Cancel the request, and all of it goes back.")
        )


def apply(refund: Refund, outcome: Outcome) -> Refund:
    """Do what the provider's word on a refund means. Accepted is not refunded: that is `submitted`.

    A word about a number that was given up changes nothing, unless it says that money went under it: that is an error
    for support to look at, since the refund may have gone under its new number too. So is another amount than the
    refund's: it was accepted then, and somebody has to say what became of it.
    """
    if outcome.reference in refund.past_references:
        if outcome.state == State.SUCCEEDED:
            raise ValueError(f"{refund} went under {outcome.reference}, which was dead")
        return refund
    if outcome.state == State.SUCCEEDED and outcome.amount not in (None, refund.money):
        move_refund(refund.pk, STATUS.SUBMITTED)
        raise ValueError(f"{refund} is of {refund.money}, and {outcome.amount} is said to have gone back")
    if outcome.state == State.SUCCEEDED:
        return move_refund(refund.pk, STATUS.SUCCEEDED, outcome=outcome)
    if outcome.state == State.FAILED:
        return move_refund(refund.pk, STATUS.FAILED, outcome=outcome)
    if outcome.state == State.PENDING:
        return move_refund(refund.pk, STATUS.SUBMITTED, outcome=outcome)
    return refund


# At the provider


def send(refund_id: int | None = None) -> int:
    """Send one refund (its task), or all that are due (the sweep), or ask where they stand. Says how many.

    A retry uses the refund's one reference, so that the provider never refunds twice. A refusal for good fails the
    refund; not being reachable, and whatever the shop can put right, puts it off.
    """
    due = Refund.objects.select_related("payment__request__order")
    if refund_id:
        return rounds.work_through(due.filter(pk=refund_id, next_attempt_at__isnull=False), _attempt, limit=1)
    return rounds.work_through(due.due(clock.now()), _attempt)


def _attempt(refund: Refund) -> None:
    try:
        _send(refund)
    except ProviderError as error:
        _put_off(refund, error)
        raise


def try_now(account: ProviderAccount) -> None:
    """The shop has put something right at this account: what waits for that is due at once. Repeating is fine."""
    waiting = Refund.objects.filter(account=account, waits_for_shop=True, next_attempt_at__isnull=False)
    waiting.update(next_attempt_at=clock.now())


def _send(refund: Refund) -> None:
    if refund.status == STATUS.FAILED:  # its day has come: the next sweep sends it
        move_refund(refund.pk, STATUS.REQUESTED, actor="system")
        return
    if refund.sent_at:
        outcome = ask(refund)
        if outcome.state == State.FAILED and refund.status == STATUS.REQUESTED:  # that is why it is sent again
            if outcome.dead:
                refund.reference = renumber(refund.pk, refund.reference).reference
        elif outcome.state != State.UNKNOWN:
            apply(refund, outcome)
            return
    if not _claim_sending(refund):
        return
    try:
        outcome = _order(refund)
    except ProviderError as error:
        if not _is_final(error):
            raise
        # A refusal is final once the provider, asked, knows of no such refund: an earlier try may have got through.
        outcome = ask(refund)
        if outcome.state in (State.UNKNOWN, State.FAILED):
            outcome = Outcome(State.FAILED, refund.reference, code=error.code, message=error.message, dead=outcome.dead)
    apply(refund, outcome)


def _is_final(error: ProviderError) -> bool:
    return error.permanent and not error.for_shop


def _put_off(refund: Refund, error: ProviderError) -> None:
    """Nothing is decided; the row was put off when it was taken. What the provider said is shown until it is."""
    undecided = Refund.objects.filter(pk=refund.pk, status__in=[STATUS.REQUESTED, STATUS.SUBMITTED])
    undecided.update(code=error.code[:80], words=error.message[:300], waits_for_shop=error.for_shop)


@transaction.atomic
def _claim_sending(refund: Refund) -> bool:
    """Whether the provider may be asked now; some want a while between two refunds of one charge. Else a little later.

    The payment's lock makes two workers agree on who goes first.
    """
    lock_payment(refund.payment_id)
    now, gap = clock.now(), timedelta(seconds=registry.get(refund.account.provider).refund_gap)
    others = Refund.objects.filter(payment=refund.payment_id).exclude(pk=refund.pk)
    last = others.aggregate(last=Max("sent_at"))["last"]
    if last and last + gap > now:
        Refund.objects.filter(pk=refund.pk).update(next_attempt_at=last + gap)
        return False
    Refund.objects.filter(pk=refund.pk).update(sent_at=now)
    return True


def ask(refund: Refund) -> Outcome:
    """Where the provider says that a refund stands."""
    payment = refund.payment
    with calling(refund.account) as (provider, account):
        return provider.fetch_refund(
            account, reference=refund.reference, charge=payment.reference, charge_ref=payment.provider_ref
        )


def _order(refund: Refund) -> Outcome:
    payment = refund.payment
    order = RefundOrder(
        reference=refund.reference,
        charge=payment.reference,
        charge_ref=payment.provider_ref,
        amount=refund.money,
        charged=payment.captured,
        reason=phrases.to_wallet(refund),
    )
    with calling(refund.account) as (provider, account):
        return provider.refund(account, order)
