"""A crowd's sockets: all come within seconds, all see a change, and all come back at once when the web process was
killed. Pages are asked for all the while.

    python -m bench.sockets --sockets 5000 --within 10 --requests 1

Exits with 1 when a socket had no snapshot after 20 seconds, or did not see the change.
"""

import argparse
import asyncio
import math
import random
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx
import psutil
import uvloop

from bench.speed import wire
from bench.speed.cpu import Meter
from bench.stack import Stack, running

PATIENCE = 20.0
NEVER = math.inf


@dataclass
class Onlooker:
    """One who looks, and when she was told what."""

    number: int
    token: str
    told: list[tuple[float, bytes]] = field(default_factory=list)
    ear: wire.Ear | None = None

    async def look(self, stack: Stack, after: float = 0.0) -> float:
        """Seconds until the first snapshot."""
        await asyncio.sleep(after)
        self.told.clear()
        began = time.monotonic()
        while time.monotonic() < began + PATIENCE:
            try:
                self.ear = await wire.listen(stack.address, f"/ws/p/{self.token}/", self.number, self.hear)
            except wire.Broken:
                await asyncio.sleep(0.2)
            else:
                return self.told[0][0] - began
        return NEVER

    def hear(self, frame: bytes, at: float) -> None:
        self.told.append((at, frame))

    def saw(self, status: bytes, since: float) -> float:
        """Seconds until she was told of it."""
        return next((at - since for at, frame in self.told if status in frame), NEVER)


async def _crowd(stack: Stack, sockets: int, within: float, requests: int) -> bool:
    headers = {"Authorization": f"Bearer {stack.key}"}
    async with httpx.AsyncClient(base_url=f"{stack.address}/api/v1", headers=headers, timeout=60) as shop:
        made = [await _request(shop, number) for number in range(requests)]
        crowd = [Onlooker(number, made[number % requests][1]) for number in range(sockets)]
        page = f"/p/{made[0][1]}/"
        web = psutil.Process(stack.pid_of("web"))
        idle = web.memory_info().rss
        came = await _measured(stack, page, "first snapshot", lambda: _come(stack, crowd, within))
        print(f"  memory of the web process: {(web.memory_info().rss - idle) / sockets / 1024:.1f} KB a socket")

        async def change() -> list[float]:
            begins = {}
            for public_id, token in made:
                begins[token] = time.monotonic()
                await shop.post(f"/payment-requests/{public_id}/cancel", json={})
            for _ in range(int(PATIENCE / 0.05)):
                if all(onlooker.saw(b"cancelled", 0) < NEVER for onlooker in crowd):
                    break
                await asyncio.sleep(0.05)
            return [onlooker.saw(b"cancelled", begins[onlooker.token]) for onlooker in crowd]

        seen = await _measured(stack, page, "change seen", change)
        stack.kill("web", random.Random(1))
        back = await _measured(stack, page, "back after a kill", lambda: _come(stack, crowd, 0))
        return max(came + seen + back) < NEVER


async def _come(stack: Stack, crowd: list[Onlooker], within: float) -> list[float]:
    return await asyncio.gather(
        *(onlooker.look(stack, within * number / len(crowd)) for number, onlooker in enumerate(crowd))
    )


async def _measured(stack: Stack, page: str, name: str, work: Callable[[], Awaitable[list[float]]]) -> list[float]:
    """What it took, while somebody else asks for pages."""
    meter = Meter(stack.pid)
    asking = asyncio.create_task(_ask(stack, page))
    times = sorted(await work())
    asking.cancel()
    pages = sorted(await asking)
    spent = meter.read()
    print(f"{name:18} median {times[len(times) // 2]:.2f} s, 99% {times[len(times) * 99 // 100]:.2f} s, ", end="")
    print(f"last {times[-1]:.2f} s, none {sum(map(math.isinf, times))}; CPU {spent.cpu:.1f} s")
    if pages:
        print(f"  pages meanwhile: {len(pages)}, median {pages[len(pages) // 2]:.3f} s, last {pages[-1]:.3f} s")
    return times


async def _ask(stack: Stack, page: str) -> list[float]:
    took = []
    client = wire.Client(stack.address, 100_000)
    try:
        while True:
            began = time.monotonic()
            try:
                await client.get(page)
            except wire.Broken:
                await asyncio.sleep(0.1)
                continue
            took.append(time.monotonic() - began)
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        return took
    finally:
        client.close()


async def _request(shop: httpx.AsyncClient, number: int) -> tuple[str, str]:
    lines = [{"name": "Tea", "quantity": 1, "unit_amount": 9000}]
    body = {"reference": f"crowd-{number}", "currency": "CNY", "lines": lines, "buyer": {"id": "c", "name": "Lin"}}
    order = (await shop.post("/orders", json=body)).json()
    payment_request = (await shop.post(f"/orders/{order['id']}/payment-requests", json={})).json()
    return payment_request["id"], payment_request["url"].rstrip("/").split("/")[-1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=5000)
    parser.add_argument("--within", type=float, default=10.0, help="seconds in which all come (default: 10)")
    parser.add_argument("--requests", type=int, default=1, help="requests that are looked at (default: 1)")
    options = parser.parse_args()
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with running() as stack:
        return 0 if uvloop.run(_crowd(stack, options.sockets, options.within, options.requests)) else 1


if __name__ == "__main__":
    sys.exit(main())
