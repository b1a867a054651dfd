"""Validation: what may be asked for and paid. Nothing here writes; a rule that says no raises Refused with a sentence
for people.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from friendpay.kit import amounts, limits
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from orders import lifetimes
from orders.models import Order
from payments.models import Dispute, Payment, PaymentRequest, ProviderAccount, Refund
from payments.offers import weighing
from payments.settlement import chip_in, turns
from payments.settlement.chip_in import Split as Split
from payments.settlement.turns import Begun
from payments.wallets import registry

REQUEST, PAYMENT, REFUND, DISPUTE = PaymentRequest.Status, Payment.Status, Refund.Status, Dispute.Status
UNDECIDED = (PAYMENT.CREATED, PAYMENT.PENDING)
MOVES: dict[type, dict[str, tuple[str, ...]]] = {
    PaymentRequest: {REQUEST.OPEN: (REQUEST.PAID, REQUEST.EXPIRED, REQUEST.CANCELLED)},
    Payment: {
        PAYMENT.CREATED: (PAYMENT.PENDING, PAYMENT.SUCCEEDED, PAYMENT.FAILED, PAYMENT.CANCELLED),
        PAYMENT.PENDING: (PAYMENT.SUCCEEDED, PAYMENT.FAILED, PAYMENT.CANCELLED),
        # A provider's word that it holds money counts at any time, after we gave up on an attempt as well.
        PAYMENT.FAILED: (PAYMENT.SUCCEEDED,),
        PAYMENT.CANCELLED: (PAYMENT.SUCCEEDED,),
    },
    Refund: {
        # What is requested may be part of one that failed, and was returned elsewhere before it was ever sent.
        REFUND.REQUESTED: (REFUND.SUBMITTED, REFUND.SUCCEEDED, REFUND.FAILED, REFUND.RETURNED_ELSEWHERE),
        REFUND.SUBMITTED: (REFUND.SUCCEEDED, REFUND.FAILED, REFUND.RETURNED_ELSEWHERE),
        # Banks bounce refunds after they were confirmed. What failed is sent again, replaced, or returned elsewhere.
        REFUND.SUCCEEDED: (REFUND.FAILED, REFUND.WITHDRAWN),  # the latter: made at the wallet, not by us
        REFUND.FAILED: (REFUND.REQUESTED, REFUND.SUCCEEDED, REFUND.WITHDRAWN, REFUND.RETURNED_ELSEWHERE),
        # A provider's word that the money went counts at any time.
        REFUND.WITHDRAWN: (REFUND.SUCCEEDED,),
        REFUND.RETURNED_ELSEWHERE: (REFUND.SUCCEEDED,),
    },
    Dispute: {
        DISPUTE.INQUIRY: (DISPUTE.OPEN, DISPUTE.WON, DISPUTE.LOST),
        DISPUTE.OPEN: (DISPUTE.WON, DISPUTE.LOST),
    },
}


@dataclass(frozen=True)
class Payer:
    """Who is paying, as far as we need to know. `visitor` and `network` are hashes."""

    name: str = ""
    visitor: str = ""
    network: str = ""
    by_buyer: bool = False


@dataclass(frozen=True)
class Attempt:
    """How a payer wants to pay: an account, a method, its rail, and how long the provider will take the money."""

    account: ProviderAccount
    method: str
    rail: str
    amount: int
    lasts: timedelta
    share: int | None = None  # which of the request's, where these are named
    price: int | None = None  # of all of it, as the payer saw it; None where nothing was shown


def ends(order: Order, now: datetime, expires_in: timedelta | None) -> datetime:
    """When a request ends that begins now: after the time that was asked for, else with its order, else after the
    shop's own time. Never after its order.
    """
    if expires_in is not None:
        lifetimes.check(expires_in)
        return min(now + expires_in, order.expires_at or now + expires_in)
    return order.expires_at or now + order.merchant.request_life


def check_order_open(order: Order, now: datetime) -> None:
    """An order can be asked for while it awaits payment, its time is not over and its shop is not frozen."""
    if order.status == Order.Status.EXPIRED or (order.status == Order.Status.AWAITING_PAYMENT and order.is_over(now)):
        raise lifetimes.order_expired()
    if order.status != Order.Status.AWAITING_PAYMENT:
        raise Refused("order_not_awaiting_payment", _("This order is already paid or cancelled."))
    if order.merchant.is_frozen:
        raise Refused("merchant_frozen", _("This shop can't take payments right now."), status=403)


def check_request_open(request: PaymentRequest, now: datetime) -> None:
    """Nobody begins anything on a request that has ended, or whose time is over."""
    if request.status == REQUEST.PAID:
        raise Refused("request_paid", _("This has already been paid. There's nothing more to do."))
    if request.status == REQUEST.CANCELLED:
        raise Refused("request_cancelled", _("This request was cancelled and can no longer be paid."))
    if request.order.is_over(now):
        raise lifetimes.order_expired()
    if request.status == REQUEST.EXPIRED or request.expires_at <= now:
        raise Refused("request_expired", _("This request has expired. The buyer can ask again."))


def check_step(amount: int, currency: str, step: int) -> None:
    """A wallet that counts in steps takes no amount between two of them, and sends none back."""
    if amount % step:
        raise wrong_step(currency, step, amount)


def wrong_step(currency: str, step: int, amount: int) -> Refused:
    return Refused("amount_step", weighing.between_steps(currency, step, amount), field="amount", status=422)


def check_amount(request: PaymentRequest, amount: int) -> None:
    """One friend pays all of it; of several, each pays a part that leaves no crumb too small for the next."""
    open_amount = request.amount - request.amount_paid
    if request.split_max_payers is None or request.split_min_amount is None:
        if amount != request.amount:
            raise Refused("amount_changed", _("The amount has changed. Please check it again."), field="amount")
    else:
        step = chip_in.step_of_parts(request.order, open_amount)
        smallest = min(chip_in.even_share(request.split_min_amount, 1, step), open_amount)
        last_one = chip_in.parts_given(request) + 1 >= request.split_max_payers
        if not smallest <= amount <= open_amount:
            raise Refused(
                "amount_out_of_range",
                _("Enter between %(least)s and %(most)s.")
                % {
                    "least": amounts.text(Money(smallest, request.currency)),
                    "most": amounts.text(Money(open_amount, request.currency)),
                },
                field="amount",
                status=422,
            )
        check_step(amount, request.currency, step)
        if last_one and amount != open_amount:
            raise Refused(
                "last_part",
                _("You're the last person who can chip in, so the full %(amount)s is needed.")
                % {"amount": amounts.text(Money(open_amount, request.currency))},
                field="amount",
                status=422,
            )
        if 0 < open_amount - amount < request.split_min_amount:
            raise Refused(
                "crumb_left",
                _("That would leave too little for the next person. Enter a little less, or the full amount."),
                field="amount",
                status=422,
            )


def is_to_be_paid(request: PaymentRequest, share: int | None, amount: int) -> bool:
    """Whether this is one of the shares of a request, whole, and nobody has paid it."""
    named = request.named
    if share is None or share >= len(named) or named[share].amount != amount:
        return False
    return not request.payments.filter(share=share, amount_applied__gt=0).exists()


def amount_of(request: PaymentRequest, share: int | None) -> int:
    """What is to be paid for a share of a request that names them."""
    if share is None or share >= len(request.shares):
        raise Refused("share_required", _("Choose whose share you are paying."), field="share", status=422)
    return request.named[share].amount


def check_share(request: PaymentRequest, attempt: Attempt) -> None:
    """Where shares are named, exactly one of them is paid."""
    if attempt.amount != amount_of(request, attempt.share):
        raise Refused("amount_changed", _("The amount has changed. Please check it again."), field="amount")
    if not is_to_be_paid(request, attempt.share, attempt.amount):
        raise Refused("share_paid", _("This share has already been paid."))


def check_room(request: PaymentRequest, attempt: Attempt, begun: Begun) -> None:
    """Others hold what is left, or the share."""
    _others, missing = turns.in_the_way(request, attempt.amount, attempt.share, begun)
    if missing > 0:
        raise Refused("held", _("Someone is paying this right now."))


def check_attempt(request: PaymentRequest, attempt: Attempt, payer: Payer, begun: Begun) -> None:
    """All that must be right for somebody to begin, whoever holds the amount now. Asked before anybody is closed for
    it, and again under the lock.
    """
    check_request_open(request, begun.now)
    check_order_open(request.order, begun.now)
    check_tries(payer, begun)
    check_price(request, attempt.price)
    if request.shares:
        check_share(request, attempt)
    else:
        check_amount(request, attempt.amount)
    check_step(attempt.amount, request.currency, registry.step(attempt.account.provider, request.currency))


def check_price(request: PaymentRequest, seen: int | None) -> None:
    """Nobody is charged at a price that was not shown: whoever saw another one is shown this first."""
    if seen is not None and seen != request.amount:
        text = amounts.text(Money(request.amount, request.currency))
        words = _("The price has changed: the total is now %(price)s. Please check it again.") % {"price": text}
        raise Refused("amount_changed", words, field="amount")


def check_begins_once(begun: Begun) -> None:
    """A visitor has one attempt at a time: of two taps at once the later is led to where the earlier goes."""
    if begun.own:
        raise Refused("begun", _("You've already started paying. Please reload the page."))


def check_tries(payer: Payer, begun: Begun) -> None:
    """Nobody holds a link again and again: attempts without money count, by visitor and, less strictly, by network.

    What strangers of the same network do never falls on the buyer, nor on who has shown a payment that went through;
    and that somebody was taken over is not counted against them.
    """
    crowded = begun.tries_of_network >= limits.TRIES_OF_A_NETWORK
    if begun.tries_of_visitor >= limits.TRIES_OF_A_VISITOR or (crowded and not _is_trusted(payer)):
        raise Refused(
            "too_many_tries", _("There were too many tries in the last hour. Please wait a while."), status=429
        )


def _is_trusted(payer: Payer) -> bool:
    known = Payment.objects.filter(visitor=payer.visitor, amount_applied__gt=0)
    return payer.by_buyer or (payer.visitor != "" and known.exists())


def why_not_applied(request: PaymentRequest, payment: Payment, taken: Money, applied: int) -> str:
    """The reason a payer reads when money goes back at once."""
    if taken.minor != payment.amount:
        return Refund.Reason.MISMATCH
    if applied:
        return Refund.Reason.SURPLUS
    if payment.share is not None and request.payments.filter(share=payment.share, amount_applied__gt=0).exists():
        return Refund.Reason.DUPLICATE
    if request.amount_paid == request.amount:
        return Refund.Reason.DUPLICATE
    if request.status == REQUEST.OPEN:
        return Refund.Reason.MISMATCH  # the price changed after this attempt began
    return Refund.Reason.LATE
