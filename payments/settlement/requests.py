"""What a buyer, a friend or the shop changes about an open request without ending it. No status is written here."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, counters, limits, text_filter
from friendpay.kit.errors import Refused
from orders import services
from orders.models import Adjustment, Event, Order
from payments.funnel import steps
from payments.mail import outbox
from payments.models import PaymentRequest
from payments.settlement import chip_in, holds, rules, turns
from payments.settlement.locks import lock_order, lock_payment, lock_request, note, save
from payments.settlement.rules import Split


@transaction.atomic
def change_message(request_id: int, message: str, *, actor: str) -> None:
    """Other words from the buyer."""
    message = text_filter.check(message)
    _order, request = lock_request(request_id)
    rules.check_request_open(request, clock.now())
    if request.message != message:
        request.message = message
        note(request, "payment_request.changed", actor)
        save(request, "message")


@transaction.atomic
def allow_parts(request_id: int, split: Split | None, *, actor: str) -> PaymentRequest:
    """Let several friends pay parts, or (None) one friend all of it. Once somebody has begun or given, nothing is taken
    back any more: only more friends may be let in, and the smallest part becomes smaller, if anything.
    """
    order, request = lock_request(request_id)
    rules.check_request_open(request, clock.now())
    most, least, shares = chip_in.agreed(order, split, given=chip_in.parts_given(request))
    if shares != request.shares and (request.amount_paid or request.amount_held):
        raise Refused("begun", _("Someone has started to pay, so the shares can't be changed now."))
    if request.amount_paid or request.amount_held:
        if (most or 1) < (request.split_max_payers or 1):
            raise Refused("begun", _("Someone has started to pay, so you can only let more friends join now."))
        least = min(least, request.split_min_amount or least) if least else None
    if (request.split_max_payers, request.split_min_amount, request.shares) != (most, least, shares):
        request.split_max_payers, request.split_min_amount, request.shares = most, least, shares
        note(request, "payment_request.changed", actor)
        save(request, "split_max_payers", "split_min_amount", "shares")
    return request


@transaction.atomic
def change_order(
    order_id: int, lines: list[services.LineDraft], adjustments: Sequence[Adjustment] = (), amount: int | None = None
) -> Order:
    """Another price, before anything is paid. Attempts at the old price lose their hold and are closed at the provider;
    should one be paid all the same, it goes back: it is not what is asked for now."""
    order, request, now = lock_order(order_id)
    if order.amount_paid:
        raise Refused("partly_paid", _("Part of this order is paid. Cancel the request first, so that it goes back."))
    services.change_lines(order, lines, adjustments, amount)
    if request:
        holds.let_go(request, request.payments.all(), now)
        if request.shares and request.amount != order.amount:  # they add up to another sum
            request.shares, request.split_max_payers, request.split_min_amount = [], None, None
        if not request.shares:
            request.split_max_payers, request.split_min_amount = chip_in.at_price(request, order.amount)
        request.amount = order.amount
        note(request, "payment_request.changed", "merchant")
        save(request, "amount", "amount_held", "shares", "split_max_payers", "split_min_amount")
    return order


@transaction.atomic
def reopen_order(order_id: int) -> Order:
    """The shop was not paid elsewhere after all: the order may be asked for again. Its earlier request stays ended."""
    order, _request, _now = lock_order(order_id)
    services.undo_paid_elsewhere(order)
    return order


@transaction.atomic
def extend_request(request_id: int, expires_in: timedelta | None, *, actor: str) -> PaymentRequest:
    """A later end, counted from now, at most the order's; without `expires_in` that of a new request. It never becomes
    earlier: a friend may be on the way.
    """
    _order, request = lock_request(request_id)
    now = clock.now()
    rules.check_request_open(request, now)
    if (ends := rules.ends(request.order, now, expires_in)) > request.expires_at:
        request.expires_at = ends
        note(request, "payment_request.extended", actor)
        save(request, "expires_at")
    return request


@transaction.atomic
def extend_payment(payment_id: int) -> None:
    """A payer who is still at it has more time, and what she holds is held for longer. Only near the end of her time
    and never past it, so two taps give it once; as often as `limits.MORE_TIMES`, on a request that one could begin on.
    Otherwise nothing happens: what has become of it, her page says.
    """
    order, request, payment = lock_payment(payment_id)
    now, may_from, ends = clock.now(), turns.more_from(payment), turns.ends_at(payment)
    try:
        rules.check_request_open(request, now)
        rules.check_order_open(order, now)
    except Refused:
        return
    if may_from and may_from <= now < ends:
        payment.extensions = (payment.extensions or 0) + 1
        payment.held_until = payment.held_until and ends + limits.MORE_TIME
        request.writes.update(payment, "extensions", "held_until")
        note(request, "payment.extended", "payer", payment)
        save(request, now=now)


@transaction.atomic
def thank(request_id: int, *, words: str = "", choice: str = "") -> None:
    """The buyer thanks everybody who paid, once; a second try changes nothing. Own words carry no address either."""
    words = text_filter.check(words, field="words")
    _order, request = lock_request(request_id)
    if request.status != PaymentRequest.Status.PAID:
        raise Refused("request_not_paid", _("This isn't paid yet, so there is nobody to thank."))
    if not Event.objects.filter(request=request.public_id, type="payment_request.thanked").exists():
        note(request, "payment_request.thanked", "buyer", words=words, choice=choice)
        save(request)


def decline(
    request_id: int, *, name: str = "", words: str = "", choice: str = "", visitor: str = "", network: str = ""
) -> None:
    """A friend says no, kindly: with one of our sentences or in own words. The request stays open for others.

    Nobody floods the buyer: a network says no to a request a few times, and a request hears it so often at most.
    """
    words = text_filter.check(words, field="note")
    counted = f"decline:{request_id}:{network}"
    if network and counters.count(counted, window=limits.DECLINES_SECONDS)[0][0] > limits.DECLINES_OF_A_NETWORK:
        raise _told_already()
    _decline(request_id, name=name, words=words, choice=choice, visitor=visitor)


def _told_already() -> Refused:
    words = _("The buyer has been told already. Nothing more is needed.")
    return Refused("told_already", words, status=429)


@transaction.atomic
def _decline(request_id: int, *, name: str, words: str, choice: str, visitor: str) -> None:
    _order, request = lock_request(request_id)
    rules.check_request_open(request, clock.now())
    told = Event.objects.filter(request=request.public_id, type="payment_request.declined")
    if told.count() >= limits.DECLINES_OF_A_REQUEST:
        raise _told_already()
    note(request, "payment_request.declined", "payer", name=name, words=words, choice=choice)
    outbox.forget_visitor(request, visitor)
    save(request)


def record_view(request: PaymentRequest, *, choosing: bool = False, surface: str = "") -> None:
    """A person is looking at the friend's page, or with `choosing` does something there. Who it is, nobody asks.

    The first time of each is told to the buyer who asked; every later one costs nothing. After the end nothing is told.
    """
    if request.status == PaymentRequest.Status.OPEN and not (request.choosing_at if choosing else request.opened_at):
        _record_view(request.pk, choosing)
        steps.record(steps.Kind.HUMAN_OPEN, request, surface=surface)


@transaction.atomic
def _record_view(request_id: int, choosing: bool) -> None:
    _order, request = lock_request(request_id)
    now = clock.now()
    if request.status_at(now) != PaymentRequest.Status.OPEN or (request.choosing_at if choosing else request.opened_at):
        return
    if not request.opened_at:
        request.opened_at = now
        note(request, "payment_request.opened", "payer")
    if choosing:
        request.choosing_at = now
        note(request, "payment_request.considered", "payer")
    save(request, "opened_at", "choosing_at")
