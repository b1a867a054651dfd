"""10,000 honest people over thirty days: which of them ask, where, from where and for how much.

Shops are large and small, most of them checked by the operator, some not and a few new; one has a sale day. Buyers come
back, ask again when a friend did not answer, and share the networks of homes, offices and dormitories.
`honest` lets them ask over HTTP; `stopped` asks the same of the rules alone (`payments/offers/trust.py`), in memory.
"""

import random
from collections import defaultdict
from dataclasses import dataclass, field

ASKS, DAYS, HOUR, DAY = 10_000, 30, 3600.0, 86_400.0
ALLOWED = 0.001


@dataclass
class Asked:
    at: float
    currency: str
    amount: int  # minor units
    paid_at: float | None
    ends_at: float

    def is_open(self, now: float) -> bool:
        return now < (self.paid_at or self.ends_at)

    def is_paid(self, now: float) -> bool:
        return self.paid_at is not None and self.paid_at <= now


@dataclass
class Shop:
    name: int
    currency: str
    weight: float
    median: float  # dollars
    is_checked: bool
    since: float
    buyers: list[str] = field(default_factory=list)


class Town:
    """All that was asked for, by whom and from where."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.asks: dict[tuple[str, object], list[Asked]] = defaultdict(list)
        self.shops = [self._shop(number) for number in range(60)]

    def _shop(self, number: int) -> Shop:
        chance = self.chance
        kind = chance.random()
        currency = chance.choice(["CNY", "CNY", "USD", "EUR", "JPY", "INR", "BRL", "KRW"])
        weight = 1 / (1 + number) if kind < 0.9 else 0.02  # who is new, or unknown, is small
        since = -200 * DAY if kind < 0.95 else chance.uniform(0, 20 * DAY)
        return Shop(number, currency, weight, chance.uniform(12, 60), kind < 0.85, since)

    def visit(self, now: float) -> tuple[Shop, str, str, int]:
        """Somebody asks: at which shop, as which buyer, from which network, for how much."""
        chance = self.chance
        open_shops = [shop for shop in self.shops if shop.since <= now]
        shop = chance.choices(open_shops, [it.weight for it in open_shops])[0]
        if shop.buyers and chance.random() < 0.45:
            buyer = chance.choice(shop.buyers)
        else:
            buyer = f"{shop.name}-{len(shop.buyers)}"
            shop.buyers.append(buyer)
        place = chance.random()
        network = "dormitory" if place < 0.02 else f"office-{chance.randrange(40)}" if place < 0.2 else f"home-{buyer}"
        return shop, buyer, network, max(100, int(chance.lognormvariate(0, 0.9) * shop.median * 100))


def moments(chance: random.Random) -> list[float]:
    """When they ask: more in the evening, and on the sale day five times as much."""
    days = chance.choices(range(DAYS), [5 if day == 10 else 1 for day in range(DAYS)], k=ASKS)
    hours = chance.choices(range(24), [1] * 8 + [3] * 9 + [6] * 6 + [2], k=ASKS)
    return sorted(day * DAY + hour * HOUR + chance.uniform(0, HOUR) for day, hour in zip(days, hours, strict=True))


def stopped(seed: int = 1) -> list[str]:
    """Of 10,000 honest asks, the code of the limit that stops each one that is stopped."""
    from friendpay.kit import trust_limits, worth
    from friendpay.kit.money import Money
    from payments.offers import trust
    from payments.offers.trust import Standing, Use

    town, found = Town(seed), []

    def use(of: tuple[str, object], now: float, cooling: float, since: float = float("-inf")) -> Use:
        asked = town.asks[of]
        spans = [
            [it for it in asked if it.is_open(now)],
            [it for it in asked if it.at > now - HOUR],
            [it for it in asked if it.at > now - DAY],
        ]
        cents = [sum(worth.cents(it.amount, it.currency) for it in span) for span in spans]
        kept = sum(worth.cents(it.amount, it.currency) for it in asked if it.is_open(now) or it.is_paid(now))
        proven = since <= now - cooling and any(it.is_paid(now - cooling) for it in asked)
        return Use(tuple(map(len, spans)), tuple(cents), kept, proven, len(asked))

    for now in moments(town.chance):
        shop, buyer, network, cents = town.visit(now)
        long_here = shop.since < 0  # paid here before the story began
        by_hand = town.chance.random() < 0.7
        of_shop = None
        if not shop.is_checked:
            of_shop = use(("shop", shop.name), now, trust_limits.COOLING_SHOP.total_seconds(), shop.since)
            of_shop = Use(**vars(of_shop) | {"proven": of_shop.proven or long_here})
        standing = Standing(
            buyer=use(("buyer", buyer), now, trust_limits.COOLING_BUYER.total_seconds()),
            network=use(("network", network), now, 0) if by_hand else None,
            shop=of_shop,
        )
        asked = Money(max(1, worth.minor(cents, shop.currency)), shop.currency)
        if why := trust.objection(trust.measures(standing, (), asked)):
            found.append(why.code)
            continue
        paid = now + town.chance.expovariate(1 / (3 * HOUR)) if town.chance.random() < 0.65 else None
        ends = now + (DAY if town.chance.random() < 0.7 else town.chance.uniform(60, HOUR))
        row = Asked(now, asked.currency, asked.minor, paid if paid and paid < now + DAY else None, ends)
        for of in (("buyer", buyer), ("shop", shop.name), *([("network", network)] if by_hand else [])):
            town.asks[of].append(row)
    return found
