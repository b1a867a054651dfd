"""Trust limits: how much a buyer, a network or a shop that nobody has checked may have open and ask for; which of them
stops an ask, and what a friend is told is unusual.

They hold for real money. A network's hold in test mode too, where they keep floods away.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

from django.utils.translation import gettext_lazy as _

from friendpay.kit import trust_limits, worth
from friendpay.kit.money import Money
from payments.models import PaymentRequest, TrustLimit
from payments.offers.rollout import Objection

Subject: TypeAlias = TrustLimit.Subject
Hint: TypeAlias = PaymentRequest.Hint
SPANS = ("open", "hour", "day")
FIRST, REPORTED = "first", "reported"

WHO = {
    Subject.BUYER: _("This buyer"),
    Subject.NEW_BUYER: _("This buyer, who is new,"),
    Subject.NETWORK: _("This network"),
    Subject.SHOP: _("This shop, which is not verified,"),
    Subject.NEW_SHOP: _("This shop, which is new and not verified,"),
}
_COUNTS = {
    "open": _("%(who)s may have %(most)s requests open at once."),
    "hour": _("%(who)s may ask %(most)s times within an hour."),
    "day": _("%(who)s may ask %(most)s times within a day."),
    REPORTED: _("Several people have reported requests of this shop; support has to decide first."),
}
_SUMS = {
    "open": _("%(who)s may have %(most)s asked for and open at once."),
    "hour": _("%(who)s may ask for %(most)s within an hour."),
    "day": _("%(who)s may ask for %(most)s within a day."),
    FIRST: _("%(who)s may ask for %(most)s in all, until a first request was paid and nobody reported it for a while."),
}


@dataclass(frozen=True)
class Caps:
    """What a subject may have open, ask for within an hour and within a day: so many requests, and US cents roughly.
    `first` is what may be kept asked for until it is proven, `cooling` how long after a payment that takes.
    """

    counts: tuple[int, ...]
    sums: tuple[int, ...]
    first: int | None = None
    cooling: timedelta = timedelta(0)


def usual(subject: Subject) -> Caps:
    """What holds where a shop has no numbers of its own."""
    counts, dollars = {
        Subject.BUYER: (trust_limits.ASKS_OF_A_BUYER, trust_limits.SUMS_OF_A_BUYER),
        Subject.NEW_BUYER: (trust_limits.ASKS_OF_A_NEW_BUYER, trust_limits.SUMS_OF_A_NEW_BUYER),
        Subject.NETWORK: (trust_limits.ASKS_OF_A_NETWORK, trust_limits.SUMS_OF_A_NETWORK),
        Subject.SHOP: (trust_limits.ASKS_OF_A_SHOP, trust_limits.SUMS_OF_A_SHOP),
        Subject.NEW_SHOP: (trust_limits.ASKS_OF_A_NEW_SHOP, trust_limits.SUMS_OF_A_NEW_SHOP),
    }[subject]
    first, cooling = {
        Subject.NEW_BUYER: (trust_limits.SUM_UNTIL_PAID_BUYER, trust_limits.COOLING_BUYER),
        Subject.NEW_SHOP: (trust_limits.SUM_UNTIL_PAID_SHOP, trust_limits.COOLING_SHOP),
    }.get(subject, (None, timedelta(0)))
    return Caps(counts, tuple(100 * it for it in dollars), first and 100 * first, cooling)


@dataclass(frozen=True)
class Use:
    """What a subject has asked for: `kept` is open or was paid, `mean` what it asked for at a time. Sums are US cents
    roughly.
    """

    counts: tuple[int, ...] = (0, 0, 0)
    sums: tuple[int, ...] = (0, 0, 0)
    kept: int = 0
    proven: bool = False
    asked: int = 0
    mean: int = 0

    @classmethod
    def of(cls, rows: "Sequence[dict[str, Any]] | None", *, proven: bool = False) -> "Use":
        """Of what was read in each currency (`standing`)."""
        rows = rows or []
        spans = [*SPANS, "kept", "all"]
        sums = {span: sum(worth.cents(row[span], row["currency"]) for row in rows if row[span]) for span in spans}
        asked = sum(row["asked"] for row in rows)
        return cls(
            counts=tuple(sum(row[f"{span}_count"] for row in rows) for span in SPANS),
            sums=tuple(sums[span] for span in SPANS),
            kept=sums["kept"],
            proven=proven,
            asked=asked,
            mean=sums["all"] // asked if asked else 0,
        )


@dataclass(frozen=True)
class Standing:
    """How everybody stands whom an ask concerns, None where no limit of theirs holds. `reporters` reported requests of
    a shop that nobody has checked, and support has not decided.
    """

    buyer: Use | None = None
    network: Use | None = None
    shop: Use | None = None
    reporters: int = 0

    @property
    def subjects(self) -> dict[Subject, Use]:
        found = {
            (Subject.SHOP if self.shop and self.shop.proven else Subject.NEW_SHOP): self.shop,
            (Subject.BUYER if self.buyer and self.buyer.proven else Subject.NEW_BUYER): self.buyer,
            Subject.NETWORK: self.network,
        }
        return {subject: use for subject, use in found.items() if use}


@dataclass(frozen=True)
class Measure:
    """One limit beside what is used of it: with this ask, `used` of `most`. A sum is in US cents roughly, and shown in
    the currency of the ask; what is counted has none.
    """

    subject: Subject
    span: str
    used: int
    most: int
    currency: str = ""
    near: bool = True

    @property
    def stops(self) -> bool:
        return self.used > self.most

    @property
    def code(self) -> str:
        if self.span == REPORTED:
            return "shop_reported"
        return f"{self.subject}_{self.span}_{'sum' if self.currency else 'count'}"

    @property
    def shown(self) -> tuple[str, str]:
        """Both as people read them."""
        if not self.currency:
            return str(self.used), str(self.most)
        used, most = (str(Money(worth.minor(it, self.currency), self.currency)) for it in (self.used, self.most))
        return used, most

    @property
    def text(self) -> str:
        """What the limit says."""
        words = (_SUMS if self.currency else _COUNTS)[self.span]
        return str(words) % {"who": WHO[self.subject], "most": self.shown[1]}


def caps(subject: Subject, limits: Sequence[TrustLimit] = ()) -> Caps:
    """What holds for a subject at a shop with these numbers of its own."""
    known = usual(subject)
    own = next((it for it in limits if it.subject == subject), None)
    if own is None:
        return known
    counts = (own.open_count, own.hour_count, own.day_count)
    sums = [own.open_sum, own.hour_sum, own.day_sum, own.first_sum]
    *spans, first = [None if it is None else worth.cents(it, own.currency) for it in sums]
    return Caps(
        counts=tuple(known.counts[at] if it is None else it for at, it in enumerate(counts)),
        sums=tuple(known.sums[at] if it is None else it for at, it in enumerate(spans)),
        first=known.first if first is None else first,
        cooling=known.cooling if own.cooling_hours is None else timedelta(hours=own.cooling_hours),
    )


def measures(standing: Standing, limits: Sequence[TrustLimit], asked: Money) -> list[Measure]:
    """Every limit that an ask for so much meets, those of the shop first."""
    found = [
        it
        for subject, use in standing.subjects.items()
        for it in _measures(
            subject, use, caps(subject, limits), worth.cents(asked.minor, asked.currency), asked.currency
        )
    ]
    if standing.shop:
        found.insert(0, Measure(Subject.NEW_SHOP, REPORTED, standing.reporters, trust_limits.REPORTERS - 1))
    return found


def objection(measured: Sequence[Measure]) -> Objection | None:
    """The first limit that an ask does not fit into; None where it fits."""
    return next((Objection(it.code, it.text) for it in measured if it.stops), None)


def alone(measured: Sequence[Measure]) -> list[Subject]:
    """Whose asks have to come one after another, or some together could pass a limit: always those of a shop that
    nobody has checked; of others where it is near.
    """
    return [it for it in Subject if any(measure.subject == it and measure.near for measure in measured)]


def hint(standing: Standing, asked: Money) -> str:
    """What is unusual about it, one thing at most: for the friend to know, and no accusation."""
    buyer, cents = standing.buyer, worth.cents(asked.minor, asked.currency)
    if buyer and buyer.asked >= trust_limits.UNUSUAL_AFTER and cents > trust_limits.UNUSUAL_TIMES * buyer.mean:
        return Hint.LARGE
    if standing.shop and not standing.shop.proven:
        return Hint.NEW_SHOP
    return Hint.FIRST if buyer and not buyer.asked else ""


def _measures(subject: Subject, use: Use, cap: Caps, adds: int, currency: str) -> Iterator[Measure]:
    """Of what is open and asked for, and, until the subject is proven, of all it keeps asked for."""
    of_shop = subject in (Subject.SHOP, Subject.NEW_SHOP)
    for span, had, most in zip(SPANS, use.counts, cap.counts, strict=True):
        near = of_shop or had + 1 > max(1, most // trust_limits.FAR_FROM)
        yield Measure(subject, span, had + 1, most, near=near)
    sums = [*zip(SPANS, use.sums, cap.sums, strict=True)]
    if cap.first is not None and not use.proven:
        sums.append((FIRST, use.kept, cap.first))
    for span, had, most in sums:
        small = adds <= most // trust_limits.SMALL_BESIDE and had + adds <= most // trust_limits.FAR_FROM
        yield Measure(subject, span, had + adds, most, currency, of_shop or not small)
