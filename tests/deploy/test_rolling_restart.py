"""Every process is restarted, one after the other, while requests are asked and paid: nobody notices."""

import asyncio
import json
import random
import ssl
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

import psycopg
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin

from bench.ends import End
from bench.people import History, Person, Town
from bench.stories import Story
from bench.wallets import Sandbox
from tests.deploy.stand import Stand, becomes, nginx, standing

pytestmark = [pytest.mark.proof, pytest.mark.alone]

FRIENDS, SOCKETS = 4, 20
BACK_WITHIN = 3.0


@dataclass
class Watch:
    """What open pages live through: for how long each was without its socket."""

    gaps: list[float] = field(default_factory=list)
    live: int = 0

    async def page(self, address: str, origin: str, known: ssl.SSLContext) -> None:
        """Connects again as the page's script does: at once, then after ever longer."""
        lost, tries = None, 0
        while True:
            with suppress(WebSocketException, OSError, TimeoutError):
                async with connect(address, origin=Origin(origin), ssl=known, open_timeout=10, proxy=None) as line:
                    await line.recv()
                    if lost is not None:
                        self.gaps.append(time.monotonic() - lost)
                    lost, tries = None, 0
                    self.live += 1
                    try:
                        while True:
                            await line.recv()
                    finally:
                        self.live -= 1
            lost, tries = lost or time.monotonic(), tries + 1
            await asyncio.sleep(random.uniform(0.5, 1) * min(0.25 * 2**tries, 2))


class Square(Town):
    """Whose people have browsers that say which page a form was on, as https wants it."""

    def person(self, kind: str, home: str = "") -> Person:
        somebody = super().person(kind, home)
        somebody.http.headers["Referer"] = f"{self.public}/"
        return somebody


async def pay(town: Town, stopping: asyncio.Event, numbers: "count[int]") -> int:
    """One friend after the other, until it is over; how many paid."""
    paid = 0
    while not stopping.is_set():
        number = next(numbers)
        story = Story(town, number, random.Random(number), End.ALONE)
        try:
            await story.plain()
        finally:
            await story.shop.http.aclose()
        paid += 1
    return paid


async def live_through(stand: Stand, history: Path) -> tuple[int, Watch]:
    town = Square(stand.address, stand.address, stand.key, Sandbox(), History(history), 1)
    known = ssl.create_default_context(cafile=str(stand.certificate))
    teller = Story(town, 0, random.Random(0), End.ALONE)
    request = await teller.ask_for()
    watch, stopping, numbers = Watch(), asyncio.Event(), count(1)
    socket = f"{stand.address.replace('https', 'wss')}/ws/p/{request.page.split('/')[2]}/"
    pages = [asyncio.create_task(watch.page(socket, stand.address, known)) for _page in range(SOCKETS)]
    friends = [asyncio.create_task(pay(town, stopping, numbers)) for _friend in range(FRIENDS)]
    while watch.live < SOCKETS:
        await asyncio.sleep(0.05)
    for name in list(stand.processes):
        await asyncio.to_thread(stand.stop, name)
        stand.start(name)
        if name.startswith("web"):
            await asyncio.to_thread(becomes, partial(stand.serves, name))
        await asyncio.sleep(1)
    while watch.live < SOCKETS:
        await asyncio.sleep(0.05)
    stopping.set()
    paid = sum(await asyncio.gather(*friends))
    for page in pages:
        page.cancel()
    await teller.shop.http.aclose()
    return paid, watch


def test_a_rolling_restart_under_load_drops_no_payment_and_brings_sockets_back(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    with standing(tmp_path) as stand, nginx(stand):
        for name in ("web@1", "web@2", "worker@1", "caller@1"):
            stand.start(name)
        becomes(stand.is_up)
        becomes(partial(stand.serves, "web@2"))
        paid, watch = asyncio.run(live_through(stand, tmp_path / "history"))
        with psycopg.connect(stand.servers.environment["DATABASE_URL"]) as database:
            rows = database.execute("SELECT status, count(*) FROM payments_paymentrequest GROUP BY status").fetchall()
        stand.manage("check_ledger")
    told = [json.loads(line) for line in (tmp_path / "history").read_text().splitlines()]
    failed = Counter(f"{one['did']} {one['status']}" for one in told if (one["status"] or 599) >= 500)
    longest = max(watch.gaps)
    print(f"\n{paid} paid, {len(told)} answers, failed: {dict(failed)}")
    print(f"{len(watch.gaps)} sockets back, after {longest:.1f} s at most")
    assert failed == {}
    assert paid >= FRIENDS
    assert dict(rows) == {"paid": paid, "open": 1}
    assert len(watch.gaps) >= SOCKETS, "each lost its process"
    assert sorted(watch.gaps)[len(watch.gaps) * 9 // 10] < BACK_WITHIN, "but for a slow moment of a busy machine"
    assert longest < 10 * BACK_WITHIN
