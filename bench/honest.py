"""`python -m bench.honest`: 10,000 honest asks over thirty days, over HTTP, and how many of them friendpay stops.

The people are those of `honest_people`. They ask by the shop's call, at the checkout page and in a shop's frame, with
names and words in the scripts of seventeen languages.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections import Counter
from datetime import timedelta
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import httpx

from bench.honest_people import ALLOWED, ASKS, DAY, HOUR, Shop, Town, moments

if TYPE_CHECKING:
    from bench.people import History
    from bench.stack import Stack

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
