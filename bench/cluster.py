#!/usr/bin/env python3
"""friendpay on twelve machines, of which one after the other is lost while friends pay; then the books are read.

    .venv/bin/python bench/cluster.py --failovers 10 --seed 1

Each machine is a network namespace of this one: as root, on Linux, with haproxy, etcd-server and iproute2 installed.
Prints for each loss how long no order could be placed. Ends with 1 when anything was lost, or away for too long.
"""

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx
import psycopg

from bench.chaos import Chaos
from bench.machines import cluster, database, memory
from bench.machines.cluster import Cluster
from bench.machines.hosts import Host
from bench.wallets import Sandbox

ASKS_A_SECOND = 2
PROBE_SECONDS = 0.2
SILENT = 1.5  # seconds after which a probe gives up
CALM = 4  # seconds between a mend and the next loss
FAILOVER_LIMIT, HOST_LIMIT = 15.0, 3.0  # seconds without service


@dataclass(frozen=True)
class Loss:
    """One way to lose a machine: `strike` does it and gives back what mends it."""

    name: str
    strike: Callable[["Storm"], Callable[[], None]]
    limit: float
    failover: bool = True


@dataclass
class Outage:
    """What a loss did to whoever wanted to place an order: the longest time without an answer, in seconds."""

    loss: Loss
    seconds: float


def main() -> int:
    parser = argparse.ArgumentParser(description="Lose machines while friends pay, and look for lost money.")
    parser.add_argument("--failovers", type=int, default=10, help="how often the database's primary is lost")
    parser.add_argument("--seed", type=int, default=1, help="what chance begins with (default: 1)")
    chosen = parser.parse_args()
    chosen.provider, chosen.hang = "sandbox", False
    chosen.seconds = 120 * (chosen.failovers + len(OTHERS))  # at most; it ends with the last loss
    chosen.requests = ASKS_A_SECOND * chosen.seconds
    folder = Path(tempfile.mkdtemp(prefix="friendpay-cluster-history-"))
    kept: list[str] = ["it did not come to its end"]
    with cluster.running(kept) as machines:
        storm = Storm(machines, Sandbox(), folder / "history.jsonl", chosen)
        good = storm.run()
        if good:
            kept.clear()
    print(f"\n{'Nothing was lost' if good else f'LOST; the history is in {folder}'} (seed {chosen.seed}).")
    if good:
        shutil.rmtree(folder)
    return 0 if good else 1


class Storm(Chaos):
    """Machines are lost, one after the other, each when all are back."""

    stack: Cluster

    def __init__(self, machines: Cluster, wallet: Sandbox, history: Path, chosen: argparse.Namespace) -> None:
        super().__init__(machines, wallet, history, chosen)
        machines.kills = Counter()
        self.outages: list[Outage] = []
        self.accepted: list[str] = []  # what a primary took that had lost the others
        self._answered: list[float] = []
        self._asked = 0.0  # when the last order that was placed was asked for

    async def _harm(self) -> None:
        probing = asyncio.ensure_future(self._probe())
        chance = random.Random(f"{self.chosen.seed} losses")
        await asyncio.sleep(CALM)
        for loss in _order(self.chosen.failovers, chance):
            self.outages.append(await self._suffer(loss))
            self.stack.kills[loss.name] += 1
        probing.cancel()

    async def _suffer(self, loss: Loss) -> Outage:
        """From the loss until some time after the mend: who comes back may do more harm than who went."""
        began = time.monotonic()
        mend = await asyncio.to_thread(loss.strike, self)
        await self._placed(since=time.monotonic() + 1)
        await asyncio.to_thread(mend)
        await asyncio.to_thread(self.stack.await_ready, 180)
        await self._placed(since=time.monotonic() + CALM)
        ended = time.monotonic()
        moments = [began, *(at for at in self._answered if began <= at <= ended), ended]
        seconds = max(later - earlier for earlier, later in zip(moments, moments[1:], strict=False))
        print(f"  {loss.name:<46}{seconds:>6.1f} s without an answer", flush=True)
        return Outage(loss, seconds)

    async def _placed(self, *, since: float) -> None:
        """Wait until somebody who asked for an order since then has it."""
        while self._asked < since:
            await asyncio.sleep(0.1)

    async def _probe(self) -> None:
        """Place an order five times a second, as a shop does that tries once."""
        number = 0
        limits = httpx.Limits(max_keepalive_connections=0)  # each by a connection of its own: none hides behind another
        headers = {"Authorization": f"Bearer {self.stack.key}"}
        async with httpx.AsyncClient(headers=headers, timeout=SILENT, trust_env=False, limits=limits) as shop:
            while True:
                number += 1
                asyncio.ensure_future(self._place(shop, number))
                await asyncio.sleep(PROBE_SECONDS)

    async def _place(self, shop: httpx.AsyncClient, number: int) -> None:
        order = {"reference": f"probe-{number}", "currency": "CNY", "buyer": {"id": "probe", "name": "Lin"}}
        lines = [{"name": "Tea", "quantity": 1, "unit_amount": 100}]
        began = time.monotonic()
        try:
            answer = await shop.post(f"{self.stack.address}/api/v1/orders", json={**order, "lines": lines})
        except httpx.HTTPError:
            self.history.note("probe", "order", began, None)
            return
        done = {"order": answer.json()["id"]} if answer.status_code == 201 else {}
        self.history.note("probe", "order", began, answer.status_code, **done)
        if done:
            self._answered.append(time.monotonic())
            self._asked = max(self._asked, began)

    def _floor(self) -> int:
        return self.told // 4

    def _report(self, recovery: float | None) -> bool:
        late = [outage for outage in self.outages if outage.seconds > outage.loss.limit]
        good = super()._report(recovery)
        for outage in late:
            print(f"    {outage.loss.name}: {outage.seconds:.1f} s away, at most {outage.loss.limit:.0f} s wanted")
        for row in self.accepted:
            print(f"    a primary that had lost the others took a write: {row}")
        return good and not late and not self.accepted

    # Losses

    @property
    def primary(self) -> Host:
        while not (found := database.primary(self.stack.databases)):
            time.sleep(0.2)
        return found

    def kill_postgres(self) -> Callable[[], None]:
        """PostgreSQL dies; its machine lives."""
        host = self.primary
        os.kill(int((host.folder / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        return lambda: None

    def lose_primary(self) -> Callable[[], None]:
        return _unplug(self.primary)

    def cut_primary(self) -> Callable[[], None]:
        host = self.primary
        host.cut()
        return host.mend

    def switch_over(self) -> Callable[[], None]:
        database.switch_over(self.stack.databases)
        return lambda: None

    def part_primary(self) -> Callable[[], None]:
        """The primary loses the others, but friendpay still reaches it, and so does whoever writes to it here."""
        host = self.primary
        with database.connect(host) as first:
            first.execute("CREATE TABLE IF NOT EXISTS split (at timestamptz DEFAULT pg_catalog.clock_timestamp())")
        others = [other for other in self.stack.databases if other is not host]
        host.part_from(others)
        taken = []
        while (successor := database.primary(others)) is None:
            with suppress(psycopg.Error), database.connect(host) as old:  # waits until it is acknowledged, or torn off
                taken += old.execute("INSERT INTO split DEFAULT VALUES RETURNING at").fetchall()
        with database.connect(successor) as new:
            known = new.execute("SELECT at FROM split").fetchall()
        self.accepted += [str(row) for row in taken if row not in known]
        return lambda: host.join(others)

    def lose_web(self) -> Callable[[], None]:
        host = self.stack.webs[0]
        host.cut()
        return host.mend

    def lose_worker(self) -> Callable[[], None]:
        return _unplug(self.stack.workers[0])

    def lose_valkey(self) -> Callable[[], None]:
        """The machine of the master, whichever that is."""
        return _unplug(next(host for host in self.stack.memories if memory.is_master(host)))


FAILOVERS = (
    Loss("the primary's PostgreSQL was killed", Storm.kill_postgres, FAILOVER_LIMIT),
    Loss("another was made the primary", Storm.switch_over, FAILOVER_LIMIT),
    Loss("the primary's machine lost its power", Storm.lose_primary, FAILOVER_LIMIT),
    Loss("the primary's cable was pulled", Storm.cut_primary, FAILOVER_LIMIT),
    Loss("the primary was parted from the others", Storm.part_primary, FAILOVER_LIMIT),
)
OTHERS = (
    Loss("a web machine's cable was pulled", Storm.lose_web, HOST_LIMIT, failover=False),
    Loss("a machine of workers lost its power", Storm.lose_worker, HOST_LIMIT, failover=False),
    Loss("Valkey's master lost its power", Storm.lose_valkey, HOST_LIMIT, failover=False),
)


def _order(failovers: int, chance: random.Random) -> Iterator[Loss]:
    losses = [*(FAILOVERS[number % len(FAILOVERS)] for number in range(failovers)), *OTHERS]
    yield from chance.sample(losses, len(losses))


def _unplug(host: Host) -> Callable[[], None]:
    host.power_off()
    return host.power_on


if __name__ == "__main__":
    sys.exit(main())
