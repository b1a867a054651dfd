#!/usr/bin/env python3
"""Money under fire: friends pay through HTTP while processes are killed and connections fail; then the books are read.

    .venv/bin/python bench/chaos.py --seconds 60 --seed 1 --provider wechatpay

Starts all of friendpay with bin/up on a free port and in a folder of its own, and leaves nothing behind. Ends with 1
when anything was lost.
"""

import argparse
import asyncio
import base64
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx

from bench import checker
from bench.deployment import Deployment
from bench.emulated import EmulatedAlipay, EmulatedHouse, EmulatedStripe, EmulatedWeChatPay
from bench.faultproxy import Fate, FaultProxy
from bench.people import GaveUp, History, Town
from bench.receiver import TOLD_OF, Receiver
from bench.stack import VICTIMS, running
from bench.stories import Plot, Story, plots
from bench.wallets import Sandbox, Wallet

WALLETS: dict[str, Callable[[], Wallet]] = {
    "sandbox": Sandbox,
    "wechatpay": EmulatedWeChatPay,
    "alipay": EmulatedAlipay,
    "stripe": EmulatedStripe,
    "house": EmulatedHouse,
}
CLOCK = 10  # how fast the database's clock runs while people pay
FRIENDS = 250  # stories at one time, at most
KILL_EVERY = (1.9, 3.5)  # seconds
FATES = {
    Fate.PASS: 900,
    Fate.DELAY: 50,
    Fate.RESET_REQUEST: 12,
    Fate.RESET_ANSWER: 14,
    Fate.SWALLOW_REQUEST: 12,
    Fate.SWALLOW_ANSWER: 12,
}
FLOOR = {
    "sandbox": 500,
    "wechatpay": 250,
    "alipay": 250,
    "stripe": 250,
    "house": 250,
}  # orders settled in a minute, at least
FINISH = 120  # seconds for what people have begun, once nothing fails any more
DAY, HOUR = 86_400, 3_600


def main() -> int:
    chosen = _chosen()
    wallet = WALLETS[chosen.provider]()
    folder = Path(tempfile.mkdtemp(prefix="friendpay-chaos-history-"))
    began = time.monotonic()
    with running(WEB_THREADS="4") as stack:
        chaos = Kills(stack, wallet, folder / "history.jsonl", chosen)
        good = chaos.run()
        if not good:
            shutil.copytree(stack.data / "log", folder / "log")
    print(f"\n{'Nothing was lost' if good else 'LOST; the history and the logs are in ' + str(folder)}", end="")
    print(f" (seed {chosen.seed}, {time.monotonic() - began:.0f} s in all).")
    if good:
        shutil.rmtree(folder)
    return 0 if good else 1


def _chosen() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Kill friendpay while friends pay, and look for lost money.")
    parser.add_argument("--seconds", type=int, default=60, help="how long everything fails (default: 60)")
    parser.add_argument("--requests", type=int, default=800, help="payment requests made meanwhile (default: 800)")
    parser.add_argument("--seed", type=int, default=1, help="what chance begins with (default: 1)")
    parser.add_argument("--hang", action="store_true", help="the wallet takes calls and answers none for a third of it")
    parser.add_argument("--provider", choices=sorted(WALLETS), default="sandbox", help="the wallet that pays")
    chosen = parser.parse_args()
    if chosen.hang and chosen.provider == "sandbox":
        parser.error(
            "the sandbox wallet works within friendpay's own processes: there is no line to it that could hang"
        )
    return chosen


class Chaos:
    """One run; what is done to friendpay meanwhile is `_harm`."""

    stack: Deployment

    def __init__(self, stack: Deployment, wallet: Wallet, history: Path, chosen: argparse.Namespace) -> None:
        self.stack, self.wallet, self.chosen = stack, wallet, chosen
        self.began = time.monotonic()
        self.path, self.history = history, History(history)
        self.fates: Counter[Fate] = Counter()
        self.surprises: list[str] = []
        self.told = self.unfinished = 0

    def run(self) -> bool:
        """Pay under fire, wait for the sweeps, read the books. True: nothing was lost, and nothing is pending."""
        self.stack.run_clock(CLOCK)
        return asyncio.run(self._live())

    async def _live(self) -> bool:
        chance = random.Random(f"{self.chosen.seed} line")
        self.failing = True

        def fate() -> Fate:
            drawn = chance.choices(list(FATES), list(FATES.values()))[0] if self.failing else Fate.PASS
            self.fates[drawn] += 1
            return drawn

        def at_wallet() -> Fate:
            return Fate.SWALLOW_REQUEST if self._hangs() else fate()

        self.receiver = Receiver(self.history)
        async with self.wallet.at_work(self.stack, at_wallet):
            await self._listen()
            await self._pay(fate)
            self.receiver.failing = False
            recovery = await asyncio.to_thread(self._converge)
            self.receiver.close()
            return self._report(recovery)

    def _hangs(self) -> bool:
        """Whether it is the middle third, in which a wallet that hangs answers nobody."""
        third = self.chosen.seconds / 3
        return self.chosen.hang and self.failing and third < time.monotonic() - self.began < 2 * third

    async def _listen(self) -> None:
        """The shop's server is told of what happens to orders from now on."""
        address = await self.receiver.listen(*self.stack.shop)
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {self.stack.key}"}, trust_env=False) as shop:
            wanted = {"url": address, "events": list(TOLD_OF)}
            answer = await shop.post(f"{self.stack.address}/api/v1/webhook-endpoints", json=wanted)
        self.receiver.secret = base64.b64decode(answer.raise_for_status().json()["secret"].removeprefix("whsec_"))
        self.history.note("shop", "listen", time.monotonic(), answer.status_code, listens=TOLD_OF)

    # Under fire

    async def _pay(self, fate: Callable[[], Fate]) -> None:
        homes = count()  # everybody has an address of their own
        proxy = FaultProxy(lambda: self.stack.dial(next(homes)), fate)
        await proxy.listen()
        door = f"http://127.0.0.1:{proxy.port}"
        self.began = time.monotonic()
        town = Town(door, self.stack.address, self.stack.key, self.wallet, self.history, CLOCK)
        telling = asyncio.ensure_future(self._tell(town))
        await self._harm()
        self.failing = False
        self.wallet.calm()
        done, pending = await asyncio.wait({telling}, timeout=FINISH)
        for task in pending:
            task.cancel()
        await asyncio.gather(*done, *pending, return_exceptions=True)
        await proxy.refuse()

    async def _harm(self) -> None:
        """Returns when it is over."""
        raise NotImplementedError

    def _floor(self) -> int:
        """So many orders have to be settled, or too little has been tried."""
        raise NotImplementedError

    async def _tell(self, town: Town) -> None:
        """So many stories, begun evenly over the time."""
        began, free = time.monotonic(), asyncio.Semaphore(FRIENDS)
        told_here = plots(self.wallet)
        stories: set[asyncio.Task[None]] = set()
        try:
            for number in range(self.chosen.requests):
                await asyncio.sleep(began + number * self.chosen.seconds / self.chosen.requests - time.monotonic())
                await free.acquire()
                if not self.failing:
                    break
                chance = random.Random(f"{self.chosen.seed} {number}")
                plot = chance.choices(list(told_here), [often for often, _end in told_here.values()])[0]
                told = asyncio.create_task(self._story(plot, Story(town, number, chance, told_here[plot][1])))
                told.add_done_callback(lambda _: free.release())
                stories.add(told)
            await asyncio.gather(*stories)
        finally:
            self.told, self.unfinished = len(stories), sum(not story.done() for story in stories)
            for told in stories:
                told.cancel()

    async def _story(self, plot: Plot, story: Story) -> None:
        try:
            await plot(story)
        except (GaveUp, AssertionError, KeyError, ValueError) as error:
            self.surprises.append(f"{getattr(plot, '__name__', plot)}: {error!r}")
        finally:
            await story.shop.http.aclose()

    # Afterwards

    def _converge(self) -> float | None:
        """Nothing fails any more: wait for the sweeps, then let days go by, until our books know all that the wallet
        knows, from its bill at the latest. Says how long the first rest took.
        """
        while not self.stack.is_up():
            time.sleep(0.1)
        self.stack.run_clock(1)
        recovery = self.stack.rest(60)
        with self.stack.connect() as database:
            for ahead in (DAY + HOUR, *[3 * HOUR] * 8):
                if not self.stack.undecided() and not checker.behind(database, self.wallet):
                    break
                self.stack.run_clock(1, ahead=ahead)
                self.stack.compare_bills()
                self.stack.rest(60)
        return recovery

    def _report(self, recovery: float | None) -> bool:
        with self.stack.connect() as database:
            losses = checker.check(checker.read(self.path), database, self.wallet)
            counts = checker.counts(lambda sql: database.execute(sql).fetchall())
            settled = checker.settled(checker.read(self.path), database, self.wallet)
        floor = self._floor()
        ledger = self.stack.manage("check_ledger")
        losses["ledger out of balance"] = ledger.stderr.splitlines() if ledger.returncode else []
        losses["pending after the last sweep"] = self.stack.undecided()
        losses["answers nobody expected"] = self.surprises
        losses["too little settled"] = [f"{settled} orders instead of {floor}"] if settled < floor else []
        _table(
            "Under fire",
            {
                "requests made": self.told,
                "asked over HTTP": self.history.asked,
                "never answered": self.history.unanswered,
                "kills": sum(self.stack.kills.values()),
                **{f"  {victim}": number for victim, number in self.stack.kills.items()},
                **{f"line: {fate}": self.fates[fate] for fate in FATES if fate != Fate.PASS},
                **{f"wallet: {fault}": number for fault, number in sorted(self.wallet.faults.items())},
                **{f"shop's server: {fault}": number for fault, number in sorted(self.receiver.faults.items())},
                "webhooks heard": self.receiver.heard,
                "stories broken off": self.unfinished,
                "settled as their stories expect": settled,
                "  at least": floor,
                "seconds until nothing was due": f"{recovery:.1f}" if recovery is not None else "more than 60",
            },
        )
        _table("The books", counts)
        _table("Lost", {loss: len(found) for loss, found in losses.items()})
        for loss, found in losses.items():
            for line in found[:10]:
                print(f"    {loss}: {line}")
        return not any(losses.values())


class Kills(Chaos):
    """friendpay as bin/up starts it, of which one process after the other is killed."""

    async def _harm(self) -> None:
        """Everybody in turn, in an order and at times that chance decides."""
        chance = random.Random(f"{self.chosen.seed} kills")
        ends = time.monotonic() + self.chosen.seconds
        waiting: list[str] = []
        while True:
            await asyncio.sleep(min(chance.uniform(*KILL_EVERY), max(0.0, ends - time.monotonic())))
            if time.monotonic() >= ends:
                return
            waiting = waiting or chance.sample(VICTIMS, len(VICTIMS))
            await asyncio.to_thread(self.stack.kill, waiting.pop(), chance)

    def _floor(self) -> int:
        floor = FLOOR[self.chosen.provider] * self.chosen.seconds // (90 if self.chosen.hang else 60)
        return int(min(floor, self.chosen.requests * 3 // 4))


def _table(title: str, rows: Mapping[str, object]) -> None:
    print(f"\n{title}")
    for name, value in rows.items():
        print(f"  {name:<42}{value:>10}")


if __name__ == "__main__":
    sys.exit(main())
