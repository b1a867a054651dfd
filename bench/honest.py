"""`python -m bench.honest`: 10,000 honest asks over thirty days, over HTTP, and how many of them friendpay stops.

Shops are large and small, most of them checked by the operator, some not and a few new; one has a sale day. Buyers come
back, ask again when a friend did not answer, and share the networks of homes, offices and dormitories. They ask by the
shop's call, at the checkout page and in a shop's frame, with names and words in the scripts of seventeen languages.

`stopped` asks the same of the rules alone (`payments/offers/trust.py`), in memory; nothing is written there.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import httpx

if TYPE_CHECKING:
    from bench.people import History
    from bench.stack import Stack

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


# Over HTTP

NAMES = (
    *("王伟", "林佳蓉", "Emma", "José Ángel", "Léa", "Jürgen", "Giulia", "João", "Иван", "Олена", "محمد", "אורי"),
    *("प्रिया", "สมชาย", "Nguyễn Ánh", "김민준", "さくら", "Ayşe", "Siti", "Zofia", "Daan"),
)
STEP = 1800.0  # seconds of the story for which the clock stands still
AT_ONCE = 8


def _words() -> list[str]:
    return (Path(__file__).resolve().parent.parent / "tests/texts/ordinary.txt").read_text().splitlines()


class Crowd:
    """The same people at a friendpay that runs: shops' programs with live keys, and buyers with browsers, each from an
    address of her own. Its clock jumps from one half hour to the next.
    """

    def __init__(self, stack: "Stack", history: "History", seed: int) -> None:
        from bench.people import Town as Door
        from bench.wallets import Sandbox

        self.stack, self.town, self.stopped = stack, Town(seed), Counter[str]()
        self.chance, self.asked, self.now = random.Random(f"{seed} words"), 0, -200 * DAY
        self.to_pay: list[tuple[float, str]] = []
        self.words, self.crowded = _words(), asyncio.Semaphore(AT_ONCE)
        stack.run_clock(1, ahead=int(self.now))
        door = (stack.address, stack.address)
        self.doors = [Door(*door, self._open(shop), Sandbox(), history, 1) for shop in self.town.shops]
        self.programs = [it.person("shop") for it in self.doors]

    def _open(self, shop: Shop) -> str:
        """A shop with the sandbox wallet for all that it takes; the key of its program."""
        from orders.models import ApiKey, Merchant
        from payments.models import ProviderAccount

        merchant = Merchant.objects.create(name=f"Shop {shop.name}", contact="help@shop.example")
        merchant.is_verified = shop.is_checked
        merchant.created_at += timedelta(seconds=max(0.0, shop.since - self.now))
        merchant.save()
        account = ProviderAccount(merchant=merchant, provider="sandbox", base_url=self.stack.address)
        account.config = {"secret": "of the sandbox wallet, for a crowd"}
        account.save()
        return ApiKey.make(merchant, live=True)[1]

    def _jump(self, to: float) -> None:
        self.stack.run_clock(1, ahead=int(to - self.now))
        self.now = to

    async def run(self, asks: int) -> None:
        """Those who were here before have been paid once; then everybody asks."""
        for shop, program in zip(self.town.shops, self.programs, strict=True):
            if shop.since < 0 and not shop.is_checked:
                answer = await program.call("order", "/orders", self._order(shop, "before", 2000, {}))
                await asyncio.to_thread(_pay, answer.json()["id"])
        told = 0
        times = moments(self.town.chance)[:asks]
        for _span, group in groupby(times, lambda at: at // STEP):
            together = list(group)
            await asyncio.to_thread(self._pay_until, together[0])
            await asyncio.to_thread(self._jump, together[0])
            await asyncio.gather(*(self._asks(*self.town.visit(at)) for at in together))
            if self.asked // 1000 > told:
                told = self.asked // 1000
                print(f"day {self.now / DAY:.1f}: {self.asked:,} asked, {self.stopped.total()} stopped", flush=True)

    def _pay_until(self, now: float) -> None:
        """What is paid by then, a few minutes early: before the clock jumps there."""
        for _at, order in sorted(it for it in self.to_pay if it[0] <= now):
            _pay(order)
        self.to_pay = [it for it in self.to_pay if it[0] > now]

    def _order(self, shop: Shop, buyer: str, cents: int, request: "dict[str, Any] | None") -> "dict[str, Any]":
        from friendpay.kit import worth

        self.asked += 1
        line = {"name": "Oolong", "quantity": 1, "unit_amount": max(1, worth.minor(cents, shop.currency))}
        who = {"id": buyer, "name": self.chance.choice(NAMES)}
        order: dict[str, Any] = {"reference": f"H-{self.asked}", "currency": shop.currency}
        order |= {"lines": [line], "buyer": who}
        order["expires_in"] = int(DAY if self.chance.random() < 0.7 else self.chance.uniform(60, HOUR))
        return order if request is None else order | {"payment_request": request}

    async def _asks(self, shop: Shop, buyer: str, network: str, cents: int) -> None:
        chance, words = self.chance, self.chance.choice(self.words)
        how = chance.choices(["call", "page", "frame"], [3, 5, 2])[0]
        paid = self.now + chance.expovariate(1 / (3 * HOUR)) if chance.random() < 0.65 else None
        order = self._order(shop, buyer, cents, {"message": words} if how == "call" else None)
        door = self.doors[shop.name]
        async with self.crowded:
            placed = await self.programs[shop.name].call("order", "/orders", order)
            if placed.status_code != 201:
                self.stopped[f"{how}: {placed.json()['code']} {placed.json().get('detail', '')}"] += 1
                return
            if how != "call":
                page = httpx.URL(placed.json()["checkout_url"]).path
                async with door.person("buyer", _home(network)) as browser:
                    await browser.surely("look", "GET", page)
                    way = f"{page}ask/" if how == "page" else f"{page}embed/"
                    asked = await browser.submit("ask", way, {})
                    if asked is None or asked.status_code != 303:
                        self.stopped[f"{how}: {asked and asked.status_code} of {network}"] += 1
                        return
                    if how == "page":
                        said = await browser.submit("words", f"{page}message/", {"message": words})
                        if said is None or said.status_code != 303:
                            self.stopped[f"message: {words}"] += 1
        if paid and paid < self.now + order["expires_in"]:
            self.to_pay.append((paid, placed.json()["id"]))


def _home(network: str) -> str:
    """One of this machine's addresses for each network."""
    number = int.from_bytes(sha256(network.encode()).digest()[:3])
    return f"127.{1 + number % 250}.{1 + number // 250 % 250}.{1 + number // 62500 % 250}"


def _pay(order: str) -> None:
    """A friend has paid it, as a wallet says; what she does at the wallet is measured elsewhere (`bench.chaos`)."""
    from friendpay.kit.money import Money
    from payments.models import PaymentRequest, ProviderAccount
    from payments.settlement import lifecycle
    from payments.settlement.rules import Attempt, Payer

    request = PaymentRequest.objects.get(order__public_id=order, status="open")
    account = ProviderAccount.objects.get(merchant=request.merchant)
    attempt = Attempt(account, "sandbox", "redirect", request.amount, timedelta(minutes=5))
    payment = lifecycle.hold(request.pk, attempt, Payer(name="Mei", visitor=order))
    payment = lifecycle.start_payment(payment, next_step={"rail": "redirect", "url": "/"}, session="")
    lifecycle.settle(payment.pk, provider_ref=f"txn-{payment.pk}", amount=Money(payment.amount, payment.currency))


def main() -> int:
    """0 when fewer than ALLOWED of them are stopped."""
    chosen = argparse.ArgumentParser(prog="python -m bench.honest", description=__doc__)
    chosen.add_argument("--asks", type=int, default=ASKS)
    chosen.add_argument("--seed", type=int, default=1)
    options = chosen.parse_args()
    from bench.people import History
    from bench.stack import running

    with running() as stack, tempfile.NamedTemporaryFile() as file:
        os.environ.update(stack.environment)
        os.environ["DJANGO_SETTINGS_MODULE"] = "friendpay.settings"
        django.setup()
        began = time.monotonic()
        crowd = Crowd(stack, History(Path(file.name)), options.seed)
        asyncio.run(crowd.run(options.asks))
        seconds = time.monotonic() - began
    number = sum(crowd.stopped.values())
    share = number / options.asks
    print(f"{number} of {options.asks:,} honest asks over HTTP stopped, {share:.3%}, in {seconds:.0f} s")

    for why, times in crowd.stopped.most_common():
        print(f"  {times} {why}")
    return int(number >= options.asks * ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
