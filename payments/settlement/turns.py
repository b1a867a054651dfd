"""Take-over and contested requests: who holds an amount, who steps aside, and what strangers cannot do about it.

The first to begin has the amount for herself for a minute or so (`yields_at`). Then another friend may take over; the
earlier attempt is closed at its wallet first, so that nobody pays twice.

Whoever has a link could keep a payer away like that for ever: hold, take over, hold again. So a request where
FRUITLESS_TRIES attempts came to nothing within an hour, whoever made them and however they ended, is *contested*: from
then on nobody waits for anybody, and nobody's attempt is closed for another's. Who begins takes over the hold at once;
who had it steps aside, is told so, and may still pay to the end of her own time. What arrives first counts, and the
rest goes back by itself. Two hundred strangers cost an honest friend one more tap at most, and never her money.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import QuerySet

from friendpay.kit import limits
from payments.models import Payment, PaymentRequest
from payments.wallets import registry


def lasts(provider: str) -> timedelta:
    """How long a payer has."""
    wallet = registry.get(provider)
    return timedelta(seconds=min(wallet.hold, wallet.max_hold))


def ends_at(payment: Payment) -> datetime:
    """Until when an attempt may be paid, whether it still holds its amount or stepped aside."""
    return payment.held_until or payment.created_at + lasts(payment.account.provider)


def yields_at(payment: Payment) -> datetime:
    """From when on another friend may take over."""
    return payment.created_at + timedelta(seconds=registry.get(payment.account.provider).yields_after)


def wanted(request: PaymentRequest, now: datetime, **which: str) -> list[Payment]:
    """The attempts that may be paid, the earliest first: they hold an amount, or stepped aside and have time left."""
    return among(request.payments.undecided().filter(closing=False, **which).select_related("account"), now)


def among(payments: Iterable[Payment], now: datetime) -> list[Payment]:
    """Those of them that may be paid."""
    undecided = (payment for payment in payments if payment.is_undecided and not payment.closing)
    return [payment for payment in undecided if payment.held_until or now < ends_at(payment)]


def own(request: PaymentRequest, visitor: str, now: datetime) -> list[Payment]:
    """Those of one visitor; of nobody where the visitor is not known."""
    return wanted(request, now, visitor=visitor) if visitor else []


def is_contested(request: PaymentRequest, now: datetime) -> bool:
    """Whether so much was begun here in vain that nobody waits for anybody any more."""
    return is_enough(in_vain(request, now).count())


def in_vain(request: PaymentRequest, now: datetime) -> QuerySet[Payment]:
    """What was begun on a request in the last hour, and came to nothing."""
    return request.payments.filter(created_at__gt=now - limits.FRUITLESS_WITHIN, amount_captured=0, held_until=None)


def is_enough(fruitless: int) -> bool:
    """Whether so many attempts in vain make a request contested."""
    return fruitless >= limits.FRUITLESS_TRIES


def making_room(payments: Iterable[Payment], missing: int) -> list[Payment]:
    """Of those that hold an amount, the earliest that free so much, and no more of them than must."""
    found: list[Payment] = []
    for payment in payments:
        if missing > 0 and payment.held_until:
            found.append(payment)
            missing -= payment.amount
    return found
