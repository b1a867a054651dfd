"""A sale's record day in shape: 45 asks a second, each created, opened, looked at live and paid, while processes die.

Everybody behaves as in bench/people.py: what was not answered is tried again, what was answered is believed, and
bench/checker.py compares that with the books afterwards.
"""

import asyncio
import json
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import checker
from bench.ends import End
from bench.people import History
from bench.speed import flows
from bench.speed.figures import percentile
from bench.speed.load import many_files
from bench.speed.wire import Answer, Broken, Client, Ear, listen
from bench.stack import VICTIMS, Stack, running
from bench.wallets import Sandbox

ASKS = 45
"""A second."""
KILL_EVERY = (20.0, 30.0)
AFTER_A_KILL = 10.0
"""Seconds in which what is slow is the kill's doing."""
TRIES = 60
PATIENCE = 90.0
"""Seconds one ask may take in all."""
WANTED = 0.3


@dataclass
class Day:
    """What happened."""

    stack: Stack
    history: History
    seen: list[tuple[float, float]] = field(default_factory=list)  # when it was paid, and how long until it was seen
    kills: list[float] = field(default_factory=list)
    given_up: int = 0
    latest: float = 0.0  # how late an ask began


def main(minutes: float, seed: int) -> int:
    """0: nothing was lost, and whoever paid was seen to have paid in 300 ms but for one in a hundred."""
    many_files()
    with tempfile.TemporaryDirectory() as folder, running(API_CALLS_PER_SECOND="999999") as stack:
        path = Path(folder) / "history.jsonl"
        day = Day(stack, History(path))
        asyncio.run(_live(day, minutes * 60, random.Random(seed)))
        rest = stack.rest(120)
        with stack.connect() as database:
            losses = checker.check(checker.read(path), database, Sandbox())
        ledger = stack.manage("check_ledger")
    losses["ledger out of balance"] = ledger.stderr.splitlines() if ledger.returncode else []
    lost = sum(map(len, losses.values()))
    calm = outside(day.seen, day.kills)
    p99 = percentile(calm, 0.99) if calm else float("inf")
    print(f"{len(day.seen)} asked, opened, live and paid in {minutes:g} minutes; {len(day.kills)} kills; seed {seed}")
    print(f"lost {lost}; given up {day.given_up}; the latest began {day.latest:.1f} s late; at rest after {rest} s")
    print(f"paid to seen outside of kills: p50 {1000 * percentile(calm or [0], 0.5):.0f} ms, p99 {1000 * p99:.0f} ms")
    for loss, found in losses.items():
        for line in found[:5]:
            print(f"    {loss}: {line}")
    return int(bool(lost or day.given_up) or p99 > WANTED)


def outside(seen: list[tuple[float, float]], kills: list[float]) -> list[float]:
    """The times of those that no kill disturbed: paid or seen within ten seconds after one."""
    return [took for paid, took in seen if not any(kill - took <= paid <= kill + AFTER_A_KILL for kill in kills)]


async def _live(day: Day, seconds: float, chance: random.Random) -> None:
    began = time.monotonic()
    killing = asyncio.create_task(_kill(day, chance))
    asks: list[asyncio.Task[None]] = []
    clients: asyncio.Queue[Client] = asyncio.Queue()
    for number in range(600):
        clients.put_nowait(Client(day.stack.address, number))
    for number in range(int(seconds * ASKS)):
        due = began + number / ASKS
        await asyncio.sleep(due - time.monotonic())
        client = await clients.get()
        day.latest = max(day.latest, time.monotonic() - due)
        if time.monotonic() > began + seconds + PATIENCE:
            break
        task = asyncio.create_task(_ask(day, client, number))
        task.add_done_callback(lambda _task, client=client: clients.put_nowait(client))  # type: ignore[misc]
        asks.append(task)
    killing.cancel()
    await asyncio.gather(*asks)


async def _kill(day: Day, chance: random.Random) -> None:
    """Each of the processes in turn."""
    waiting: list[str] = []
    while True:
        await asyncio.sleep(chance.uniform(*KILL_EVERY))
        waiting = waiting or chance.sample(VICTIMS, len(VICTIMS))
        if await asyncio.to_thread(day.stack.kill, waiting.pop(), chance):
            day.kills.append(time.monotonic())


async def _ask(day: Day, client: Client, number: int) -> None:
    """From the order to the moment at which whoever asked sees that it is paid."""
    try:
        async with asyncio.timeout(PATIENCE):
            await _story(day, client, number)
    except (TimeoutError, flows.Wrong):
        day.given_up += 1


async def _story(day: Day, client: Client, number: int) -> None:
    who, began = f"ask-{number}", time.monotonic()
    wanted = {**flows.order({"run": f"day-{number}"}), "payment_request": flows.MESSAGE}
    placed: Any = await _call(day, client, "/orders", wanted)
    order, asked = str(placed["id"]), placed["payment_request"]
    day.history.note(who, "order", began, 201, order=order)
    facts = {"asked": asked["id"], "for_order": order, "expects": End.ALONE}
    day.history.note(who, "ask", began, 201, **facts)
    token = str(asked["url"]).rstrip("/").rsplit("/", 1)[-1]
    page = f"/p/{token}/"
    await _surely(lambda: client.get(page), 200)
    looking = asyncio.create_task(_poll(day, token, number))
    wallet = await _surely(lambda: client.submit(f"{page}pay/", method="sandbox", price="9000"), 303)
    receipt = await _surely(lambda: client.submit(wallet.path, action="approve"), 303)
    paid = time.monotonic()
    day.history.note(who, "approve", paid, 303, approved=receipt.headers["location"], page=token)
    seen = await looking
    day.seen.append((paid, max(0.0, seen - paid)))
    day.history.note(who, "hear", seen, 101, request=token, seq=1, state="paid")


async def _poll(day: Day, token: str, number: int) -> float:
    """The moment at which the page's socket says "paid"; it connects again as a page does."""
    paid: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    lost = asyncio.Event()

    def heard(frame: bytes, now: float) -> None:
        if json.loads(frame)["status"] == "paid" and not paid.done():
            paid.set_result(now)

    ear: Ear | None = None
    try:
        while True:
            with suppress(Broken):
                ear = await listen(day.stack.address, f"/ws/p/{token}/", number, heard)
                while not ear.closed:
                    with suppress(TimeoutError):
                        return await asyncio.wait_for(asyncio.shield(paid), 0.5)
            lost.clear()
            await asyncio.sleep(1)
    finally:
        if ear is not None:
            ear.transport.abort()


async def _call(day: Day, client: Client, path: str, body: Mapping[str, object]) -> dict[str, object]:
    """Of the API, with one Idempotency-Key until it is answered."""
    key = random.randbytes(12).hex()
    more = f"authorization: Bearer {day.stack.key}\r\nidempotency-key: {key}\r\n"
    content = Client.written(body)
    return (await _surely(lambda: client.ask("POST", f"/api/v1{path}", content, "application/json", more), 201)).json()


async def _surely(ask: Callable[[], Awaitable[Answer]], status: int) -> Answer:
    """Again and again until it is answered so. Nothing else than haste, or a process that died, is tried again."""
    answer: Answer | None = None
    for tried in range(TRIES):
        with suppress(Broken):
            answer = await ask()
            if answer.status == status:
                return answer
            if answer.status not in (409, 429) and answer.status < 500:
                break
        await asyncio.sleep(min(0.1 * 2**tried, 2.0))
    raise flows.Wrong(f"{answer.status if answer else 'no answer'} instead of {status}")
