#!/usr/bin/env python3
"""A wallet that hangs, and everybody else: sixty friends pay at a gateway that takes calls and answers none, while
others pay with the sandbox wallet, requests expire, and a shop is told by webhooks.

    .venv/bin/python bench/hung.py --provider wechatpay --seconds 60

Starts all of friendpay with bin/up on a free port and in a folder of its own, and leaves nothing behind. Ends with 1
when approve-to-paid takes more than a second at the 99th percentile, or an expiry or a webhook comes late.
"""

import argparse
import asyncio
import base64
import itertools
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.emulated import EmulatedAlipay, EmulatedHouse, EmulatedStripe, EmulatedWeChatPay
from bench.ends import End
from bench.faultproxy import Fate
from bench.people import History, Town
from bench.receiver import Receiver
from bench.stack import Stack, running
from bench.stories import Story
from bench.telling import Asked
from bench.wallets import Sandbox

WALLETS = {"wechatpay": EmulatedWeChatPay, "alipay": EmulatedAlipay, "stripe": EmulatedStripe, "house": EmulatedHouse}
LIFE = 60  # seconds: the shortest a request may have
PROMPT, ON_TIME = 1.0, 5.0  # seconds: approve-to-paid at the 99th percentile; an expiry, a webhook


def main() -> int:
    parser = argparse.ArgumentParser(description="Let a wallet hang, and measure everybody else.")
    parser.add_argument("--provider", choices=sorted(WALLETS), default="wechatpay")
    parser.add_argument("--pending", type=int, default=60, help="payments under way when it hangs (default: 60)")
    parser.add_argument("--seconds", type=int, default=60, help="how long it hangs (default: 60)")
    chosen = parser.parse_args()
    with running(WEB_THREADS="4") as stack, tempfile.TemporaryDirectory(prefix="friendpay-hung-") as folder:
        return asyncio.run(Hung(stack, chosen, Path(folder)).run())


class Hung:
    """One run, in real time."""

    def __init__(self, stack: Stack, chosen: argparse.Namespace, folder: Path) -> None:
        self.stack, self.chosen = stack, chosen
        self.wallet = WALLETS[chosen.provider]()
        self.history = History(folder / "history.jsonl")
        self.hangs = False
        self.numbers = itertools.count()
        self.paid: list[float] = []
        self.begun: list[float] = []
        self.refused: list[float] = []
        self.heard: dict[str, float] = {}

    async def run(self) -> int:
        async with self.wallet.at_work(self.stack, lambda: Fate.SWALLOW_REQUEST if self.hangs else Fate.PASS):
            self.wallet.failing = False
            self.ill = self._town(self.wallet)
            self.well = self._town(Sandbox())
            receiver = Receiver(self.history)
            receiver.failing = False
            address = await receiver.listen()
            made = await self._story(self.well).shop.call("endpoint", "/webhook-endpoints", {"url": address})
            receiver.secret = base64.b64decode(made.json()["secret"].removeprefix("whsec_"))
            pending = [await self._pending() for _number in range(self.chosen.pending)]
            short = [await self._story(self.well).ask_for(9000, life=LIFE) for _number in range(20)]
            print(f"{sum(map(bool, pending))} pending payments at {self.chosen.provider}; now it hangs.", flush=True)
            self.hangs = True
            tapping = [asyncio.create_task(self._tap()) for _friend in range(4)]
            ends = time.monotonic() + self.chosen.seconds
            while time.monotonic() < ends:
                await self._pay()
            for task in tapping:
                task.cancel()
            await asyncio.sleep(ON_TIME)
            receiver.close()
            return self._report(short)

    def _town(self, wallet: object) -> Town:
        return Town(self.stack.address, self.stack.address, self.stack.key, wallet, self.history, 1)  # type: ignore[arg-type]

    def _story(self, town: Town) -> Story:
        return Story(town, next(self.numbers), random.Random(0), End.ALONE)

    async def _pending(self) -> str:
        """A friend who has gone to the wallet that will hang."""
        story = self._story(self.ill)
        payment_request = await story.ask_for(9000)
        async with self.ill.person("friend") as friend:
            return await friend.begin(payment_request.page)

    async def _tap(self) -> None:
        """Friends go on choosing the wallet that hangs, and are told that it does."""
        while True:
            payment_request = await self._story(self.ill).ask_for(9000)
            async with self.ill.person("friend") as friend:
                await friend.look(payment_request.page)
                began = time.monotonic()
                await friend.tap(f"{payment_request.page}pay/")
                self.refused.append(time.monotonic() - began)
            await asyncio.sleep(2)

    async def _pay(self) -> None:
        """A friend pays with the other wallet: how long her tap takes, and from her yes to paid."""
        payment_request = await self._story(self.well).ask_for(9000)
        async with self.well.person("friend") as friend:
            await friend.look(payment_request.page)
            began = time.monotonic()
            wallet = await friend.begin(payment_request.page)
            self.begun.append(time.monotonic() - began)
            began = time.monotonic()
            await friend.approve(wallet)
            while await friend.watch(payment_request.page, 0) != "paid":
                if time.monotonic() > began + 60:
                    break
                await asyncio.sleep(0.02)
            self.paid.append(time.monotonic() - began)

    def _report(self, short: list[Asked]) -> int:
        asked = [payment_request.request for payment_request in short]
        with self.stack.connect() as database:
            late = database.execute(
                "SELECT max(extract(epoch FROM closed_at - expires_at)), count(closed_at) FROM payments_paymentrequest "
                "WHERE public_id = ANY(%s)",
                [asked],
            ).fetchone()
            told = database.execute(
                "SELECT extract(epoch FROM coalesce(d.delivered_at, clock_timestamp()) - e.created_at) "
                "FROM orders_webhookdelivery d JOIN orders_event e ON e.id = d.event_id"
            ).fetchall()
        assert late is not None
        webhooks = [float(row[0]) for row in told]
        rows = {
            "tap to wallet, another wallet": self.begun,
            "approve to paid, another wallet": self.paid,
            "event to webhook": webhooks,
            "tap to answer, the wallet that hangs": self.refused,
        }
        for name, times in rows.items():
            print(f"{name:<40}{len(times):>6}  p50 {_at(times, 50):6.2f} s  p99 {_at(times, 99):6.2f} s")
        print(f"{'end to expired':<40}{late[1]:>6}  at most {float(late[0] or 999):.2f} s")
        good = _at(self.paid, 99) <= PROMPT and _at(webhooks, 99) <= ON_TIME
        good = good and late[1] == len(asked) and float(late[0]) <= ON_TIME
        print("Nobody else was harmed." if good else "SOMEBODY ELSE WAS HARMED.")
        return 0 if good else 1


def _at(times: list[float], percent: int) -> float:
    return sorted(times)[min(len(times) - 1, len(times) * percent // 100)] if times else 999.0


if __name__ == "__main__":
    sys.exit(main())
