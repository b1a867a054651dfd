"""Take-over and contested requests: who holds an amount, who steps aside, and what strangers cannot do about it.

The first to begin has the amount for herself for a minute or so (`yields_at`). Then another friend may take over; the
earlier attempt is closed at its wallet first, so that nobody pays twice.

Whoever has a link could keep a payer away like that for ever: hold, take over, hold again. So a request where
FRUITLESS_TRIES attempts came to nothing within an hour, whoever made them and however they ended, is *contested*: from
then on nobody waits for anybody, and nobody's attempt is closed for another's. Who begins takes over the hold at once;
who had it steps aside, is told so, and may still pay to the end of her own time. What arrives first counts, and the
rest goes back by itself. Two hundred strangers cost an honest friend one more tap at most, and never her money.

Who is not done may have more time, again and again. That moves the end of her time alone, and not from when on another
may take over: it keeps nobody waiting.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from friendpay.kit import clock, limits, reads
from payments.models import Payment, PaymentRequest, ProviderAccount
from payments.models.payment import TAKEN_OVER
from payments.wallets import registry

_BEGUN = f"""
    SELECT clock_timestamp(),
        json_agg(json_build_array(payment, account) ORDER BY payment.id)
            FILTER (WHERE payment.status IN ('created', 'pending')),
        (array_agg(payment.created_at ORDER BY payment.created_at DESC)
            FILTER (WHERE payment.amount_captured = 0 AND payment.held_until IS NULL))[:{limits.FRUITLESS_TRIES}],
        array_agg(payment.created_at) FILTER (WHERE payment.amount_captured = 0
            AND payment.code <> '{TAKEN_OVER}' AND payment.visitor = %(visitor)s AND %(visitor)s <> ''),
        array_agg(payment.created_at) FILTER (WHERE payment.amount_captured = 0
            AND payment.code <> '{TAKEN_OVER}' AND payment.network = %(network)s AND %(network)s <> '')
    FROM payments_payment payment JOIN payments_provideraccount account ON account.id = payment.account_id
    WHERE payment.request_id = %(request)s
"""


@dataclass(frozen=True)
class Begun:
    """What was begun on a request, and how much of it came to nothing within the last hour: of all, of one visitor and
    of her network. That somebody was taken over counts for nobody's tries.
    """

    now: datetime
    undecided: list[Payment]  # the earliest first
    in_vain: int
    tries_of_visitor: int
    tries_of_network: int
    visitor: str

    @property
    def open(self) -> list[Payment]:
        """The attempts that may be paid: they hold an amount, or stepped aside and have time left."""
        return among(self.undecided, self.now)

    @property
    def own(self) -> list[Payment]:
        """Those of the visitor; none where she is not known."""
        return [payment for payment in self.open if self.visitor and payment.visitor == self.visitor]

    @property
    def is_contested(self) -> bool:
        """Whether so much was begun here in vain that nobody waits for anybody any more."""
        return is_enough(self.in_vain)


def begun(request: PaymentRequest, visitor: str = "", network: str = "") -> Begun:
    """By one statement; what it says stays so for whoever holds the request's lock."""
    return ask(request.pk, visitor, network)(request)


def ask(request_id: int, visitor: str, network: str) -> Callable[[PaymentRequest], Begun]:
    """The same in two: asked now, and read, once, with the request that was locked before it."""
    answer = reads.ask(_BEGUN, {"request": request_id, "visitor": visitor, "network": network})

    def read(request: PaymentRequest) -> Begun:
        row = answer()
        assert row is not None  # an aggregate
        moment, undecided, *tried = row
        now = clock.told(moment)
        within = (limits.FRUITLESS_WITHIN, limits.TRIES_WITHIN, limits.TRIES_WITHIN)
        in_vain, of_visitor, of_network = (
            sum(at > now - span for at in times or []) for times, span in zip(tried, within, strict=True)
        )
        return Begun(now, [_told(request, *one) for one in undecided or []], in_vain, of_visitor, of_network, visitor)

    return read


def _told(request: PaymentRequest, row: dict[str, object], account: dict[str, object]) -> Payment:
    payment = reads.told(Payment, row)
    payment.request, payment.account = request, reads.told(ProviderAccount, account)
    return payment


def in_the_way(request: PaymentRequest, amount: int, share: int | None, begun: Begun) -> tuple[list[Payment], int]:
    """Whose holds could make room for such an attempt, and how much they would have to free: of a share that is named,
    what others hold of that share; else what is not left of the whole.
    """
    if not request.shares:
        return begun.undecided, amount - request.remaining
    same = [payment for payment in begun.undecided if payment.share == share]
    return same, sum(payment.amount for payment in same if payment.held_until)


def lasts(provider: str) -> timedelta:
    """How long a payer has."""
    wallet = registry.get(provider)
    return timedelta(seconds=min(wallet.hold, wallet.max_hold))


def lasts_at_most(provider: str) -> timedelta:
    """How long with all the time that she may be given: no wallet's own deadline is earlier."""
    longest = timedelta(seconds=registry.get(provider).max_hold)
    return min(lasts(provider) + limits.MORE_TIMES * limits.MORE_TIME, longest)


def ends_at(payment: Payment) -> datetime:
    """Until when an attempt may be paid, whether it still holds its amount or stepped aside."""
    given = limits.MORE_TIME * (payment.extensions or 0)
    return payment.held_until or payment.created_at + lasts(payment.account.provider) + given


def more_from(payment: Payment) -> datetime | None:
    """From when on its payer may have more time; None where there is no more to be had."""
    if payment.status != Payment.Status.PENDING or payment.closing or payment.extensions is None:
        return None
    ends, most = ends_at(payment), lasts_at_most(payment.account.provider)
    if lives := payment.next_step.get("lives"):  # past that she would have to begin anew all the same
        most = min(most, timedelta(seconds=lives))
    begins = ends - limits.MORE_TIME_WITHIN
    is_had = ends + limits.MORE_TIME <= payment.created_at + most and begins < payment.request.expires_at
    return begins if is_had else None


def yields_at(payment: Payment) -> datetime:
    """From when on another friend may take over."""
    return payment.created_at + timedelta(seconds=registry.get(payment.account.provider).yields_after)


def among(payments: Iterable[Payment], now: datetime) -> list[Payment]:
    """Those of them that may be paid."""
    undecided = (payment for payment in payments if payment.is_undecided and not payment.closing)
    return [payment for payment in undecided if payment.held_until or now < ends_at(payment)]


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
