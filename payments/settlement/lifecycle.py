"""★ The state machine: every status change of a request, a payment, a refund and a dispute. Nothing else writes one.

Each function is its own transaction: it locks order, request, payment and refund in that order, looks again, and
returns quietly when the change has already happened. The state and its events commit together. None calls a provider.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, text_filter
from friendpay.kit.compiled import Change, Given
from friendpay.kit.errors import Refused
from friendpay.kit.keys import among
from friendpay.kit.money import Money
from friendpay.kit.writes import Also
from orders import services
from orders.models import Order
from payments.models import Dispute, Payment, PaymentRequest, Refund
from payments.settlement import batches, chip_in, holds, locks, rules, turns
from payments.settlement.locks import lock_order, lock_payment, lock_request, new_request, note, note_end, save
from payments.settlement.rules import Attempt, Payer, Split

REQUEST, PAYMENT, REFUND = PaymentRequest.Status, Payment.Status, Refund.Status
_CREATED = Change(
    lambda: Payment.objects.filter(pk=Given("pk"), status=PAYMENT.CREATED), "status", "next_step", "provider_session"
)


def move(thing: PaymentRequest | Payment | Refund | Dispute, status: str) -> None:
    if status not in rules.MOVES[type(thing)].get(thing.status, ()):
        raise AssertionError(f"{thing} cannot go from {thing.status} to {status}")
    thing.status = status


# Requests


@transaction.atomic
def open_request(
    order_id: int,
    *,
    actor: str,
    shared: bool,
    message: str = "",
    expires_in: timedelta | None = None,
    split: Split | None = None,
    reuse: bool = True,
    more: dict[str, Any] | None = None,
) -> PaymentRequest:
    """The order's open request; a new one where none is open. `shared` says that a friend is asked, with `more` of it.

    With `reuse=False` an open one is refused ("request_open"). A stale one is ended here, before the sweep comes.
    """
    message = text_filter.check(message)
    order, found, now = lock_order(order_id)
    if found and found.status_at(now) == REQUEST.EXPIRED:
        _end(order, found, REQUEST.EXPIRED, now, "system")
        found = None
    if found and not reuse:
        raise Refused("request_open", _("This order has an open payment request already. Cancel it first."))
    if found:
        if shared and not found.shared_at:
            found.shared_at, found.message = now, message or found.message
            vars(found).update(more or {})
            note(found, "payment_request.shared", actor)
            save(found, "shared_at", "message", *(more or ()))
        return found
    rules.check_order_open(order, now)
    most, least, shares = chip_in.agreed(order, split)
    request = new_request(
        order,
        now,
        actor,
        expires_in,
        message=message,
        split_max_payers=most,
        split_min_amount=least,
        shares=shares,
        shared_at=now if shared else None,
        **(more or {}),
    )
    save(request, now=now)
    return request


@transaction.atomic
def ended_request(order_id: int, *, actor: str) -> PaymentRequest:
    """Cancel an order with a request that nobody could ever pay: whatever is settled on it goes back.

    For money nobody asked for; so neither the order's state nor the shop's matters.
    """
    order, _none, now = lock_order(order_id)
    request = new_request(order, now, actor)
    save(request)
    _end(order, request, REQUEST.CANCELLED, now, actor)
    services.cancel_order(order, now)
    return request


@transaction.atomic
def cancel_request(request_id: int, *, actor: str) -> PaymentRequest:
    """Nobody may pay any more; parts go back, and so does money that still comes. Repeating does nothing."""
    order, request = lock_request(request_id)
    if request.status == REQUEST.PAID:
        raise Refused("request_paid", _("This was paid already, so it cannot be cancelled."))
    if request.status == REQUEST.OPEN:
        _end(order, request, REQUEST.CANCELLED, clock.now(), actor)
    return request


@transaction.atomic
def expire_request(request_id: int) -> None:
    """End a request whose time is over and for which nobody's money is on its way; otherwise nothing happens."""
    order, request = lock_request(request_id)
    now = clock.now()
    if request.status == REQUEST.OPEN and request.status_at(now) == REQUEST.EXPIRED:
        _end(order, request, REQUEST.EXPIRED, now, "system")


@transaction.atomic
def expire_order(order_id: int) -> None:
    """End an order whose time is over unpaid, and its request with it. While somebody's money is on its way to it,
    nothing happens yet.
    """
    order, request, now = lock_order(order_id)
    if order.status != Order.Status.AWAITING_PAYMENT or not order.is_over(now):
        return
    if request and request.status_at(now) == REQUEST.OPEN:
        return
    if request:
        _end(order, request, REQUEST.EXPIRED, now, "system")
    note_end(order, services.expire_order(order, now), request)


@transaction.atomic
def expire_plain(limit: int, but: Collection[int] = ()) -> int:
    """End up to `limit` stale requests of which nothing has to go back and no attempt is undecided, in a few statements
    however many they are; says how many. The rest, and those in `but`, are for `expire_request`.
    """
    return _expire_all(batches.lock_stale(now := clock.now(), limit, but), now)


@transaction.atomic
def expire_plain_orders(limit: int, but: Collection[int] = ()) -> int:
    """The same for orders whose time is over, with their requests. The rest is for `expire_order`."""
    orders, requests = batches.lock_stale_orders(now := clock.now(), limit, but)
    _expire_all(requests, now)
    return services.expire_orders(batches.without_open_request(orders), now)


def _expire_all(request_ids: list[int], now: datetime) -> int:
    rows = PaymentRequest.objects.filter(pk__in=among(request_ids))
    if ended := rows.update(status=REQUEST.EXPIRED, closed_at=now, seq=F("seq") + 1):
        batches.note_ended(request_ids, "payment_request.expired")
    return ended


@transaction.atomic
def close_order(order_id: int, *, paid_elsewhere: bool, note: str = "") -> Order:
    """The merchant was paid by other means, or will not deliver: the open request ends and its parts go back.

    Repeating does nothing. What was paid in full here is neither: refused, for the money is with the shop already.
    """
    order, request, now = lock_order(order_id)
    if request:
        _end(order, request, REQUEST.CANCELLED, now, "merchant")
    event = services.mark_paid_elsewhere(order, now, note) if paid_elsewhere else services.cancel_order(order, now)
    note_end(order, event, request)
    return order


def _end(order: Order, request: PaymentRequest, status: str, now: datetime, actor: str) -> None:
    """Close an open request unpaid: every applied part becomes a refund, as far as no dispute has it; every attempt is
    to be closed at its provider.
    """
    parts = list(request.payments.select_for_update(no_key=True).filter(amount_applied__gt=0))
    holds.let_go(request, request.payments.all(), now)
    if request.amount_paid:
        services.take_back_paid(order, request.amount_paid, request.writes)
    request.amount_paid, request.closed_at = 0, now
    move(request, status)
    note(request, f"payment_request.{status}", actor)
    for payment in parts:
        holds.unapply(request, payment, now)
        if owed := holds.owed(payment):
            holds.send_back(request, payment, owed, Refund.Reason.UNDERFUNDED, now, "system")
    save(request, "status", "closed_at", "amount_paid", "amount_held")


# Payments


@transaction.atomic
def hold(request_id: int, attempt: Attempt, payer: Payer, *, take_over: bool = False) -> Payment:
    """Reserve an amount of an open request for one payer. The provider is called once this is committed.

    Refused when the request is not open, the amount is not one that may be paid, others hold what is left ("held"), or
    this visitor has an attempt open already ("begun"): two taps at once begin once. With `take_over` others step aside
    where the request is contested (`turns`).
    """
    request, begun = locks.lock_begun(request_id, payer.visitor, payer.network)
    rules.check_begins_once(begun)
    rules.check_attempt(request, attempt, payer, begun)
    if take_over:
        holds.step_aside(request, *turns.in_the_way(request, attempt.amount, attempt.share, begun), begun)
    rules.check_room(request, attempt, begun)
    payment = holds.new_attempt(request, attempt, payer, begun.now)
    note(request, "payment.created", "payer", payment)
    save(request, "amount_held", now=begun.now, held=[*begun.undecided, payment])
    return payment


def start_payment(payment: Payment, *, next_step: dict[str, Any], session: str) -> Payment:
    """The provider opened the attempt that `hold` began; one decided meanwhile stays as it is. One statement."""
    change = {"status": PAYMENT.PENDING, "next_step": next_step, "provider_session": session}
    if _CREATED(pk=payment.pk, **change):
        vars(payment).update(change)
    else:
        payment.refresh_from_db()
    return payment


@transaction.atomic
def end_payment(payment_id: int, *, cancelled: bool, code: str = "", words: str = "") -> Payment:
    """The provider says that this attempt brought no money: refused, or closed. The hold is free again.

    Should money for it come all the same, `settle` takes it.
    """
    _order, request, payment = lock_payment(payment_id)
    if payment.status in rules.UNDECIDED:
        holds.release(request, payment)
        move(payment, PAYMENT.CANCELLED if cancelled else PAYMENT.FAILED)
        payment.code, payment.words, payment.next_attempt_at = payment.code or code[:80], words[:300], None
        payment.save(update_fields=["status", "code", "words", "held_until", "next_attempt_at"])
        note(request, f"payment.{payment.status}", "provider", payment)
        save(request, "amount_held")
    return payment


@transaction.atomic
def let_go(payment_id: int, *, code: str = "") -> None:
    """Free what an attempt holds although its provider has not decided yet; it is closed there, and asked about on."""
    _order, request, payment = lock_payment(payment_id)
    held, payment.code = payment.held_until, code or payment.code
    holds.let_go(request, [payment], clock.now())
    if held:
        note(request, "payment.released", "system", payment)
        save(request, "amount_held")


@transaction.atomic
def settle(
    payment_id: int, *, provider_ref: str, amount: Money, also: Also | None = None, wait: bool = True
) -> Payment:
    """The provider holds the payer's money: apply it to the request, or send it back. The only way money enters.

    `provider_ref` is the provider's transaction, `amount` what it took; `also` is written with it. Who does not `wait`
    for the locks gets OperationalError where they are not free. Safe to repeat: providers resend notifications, and
    reconciliation asks again; then nothing is written. What does not fit - late, duplicate, surplus, another amount
    than asked for - becomes a refund in this same transaction. A second transaction for one attempt is a payment of its
    own, and goes back. Raises ValueError, with nothing changed, when the money is in another currency than was asked
    for: that is for support to look at.
    """
    order, request, payment, (now, known, others) = locks.lock_paid(payment_id, provider_ref, wait=wait)
    if known:
        return known
    if amount.currency != payment.currency or amount.minor <= 0:
        raise ValueError(f"{payment} was to be paid in {payment.currency}, but the provider took {amount}")
    second = payment.status == PAYMENT.SUCCEEDED
    if second:
        payment = holds.second_capture(payment, provider_ref, now)
    holds.release(request, payment)
    applied = 0 if second else holds.fitting(request, payment, amount.minor)
    move(payment, PAYMENT.SUCCEEDED)
    payment.provider_ref, payment.succeeded_at, payment.next_attempt_at = provider_ref, now, None
    payment.amount_captured, payment.amount_applied = amount.minor, applied
    request.writes.update(payment, "status", "provider_ref", "succeeded_at", "next_attempt_at", "held_until")
    request.writes.update(payment, "amount_captured", "amount_applied")
    note(request, "payment.succeeded", "provider", payment)
    if applied < amount.minor:
        reason = Refund.Reason.DUPLICATE if second else rules.why_not_applied(request, payment, amount, applied)
        holds.send_back(request, payment, amount.minor - applied, reason, now, "system")
    if applied:
        request.amount_paid += applied
        holds.make_room(request, payment, others, now)
        services.add_paid(order, applied, now, request.writes)
        if request.amount_paid == request.amount:
            move(request, REQUEST.PAID)
            request.paid_at = now
            note(request, "payment_request.paid", "system")
    if also:
        also(now, request.writes)
    save(request, "status", "amount_paid", "amount_held", "paid_at", now=now)
    return payment
