"""A crowd's sockets: all come within seconds, as after a restart; each has its first snapshot, and all see a change.

    .venv/bin/python bench/sockets.py --sockets 3000 --within 3

Exits with 1 when a socket had no snapshot after 20 seconds, or did not see what changed while the crowd came in.
"""

import argparse
import asyncio
import json
import math
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from bench.stack import Stack, running

PATIENCE = 20.0
PER_NETWORK = 400  # fewer than a process takes from one
REQUESTS = 20  # requests that are looked at


async def _look(stack: Stack, number: int, token: str, after: float) -> tuple[float, float]:
    """One socket: in how many seconds the first snapshot came, and in how many after the change that was seen."""
    await asyncio.sleep(after)
    began = time.monotonic()
    here = (f"127.0.{1 + number // PER_NETWORK}.1", 0)
    address = f"{stack.address.replace('http', 'ws')}/ws/p/{token}/"
    try:
        async with asyncio.timeout(PATIENCE):
            line = await connect(address, origin=stack.address, local_addr=here, open_timeout=PATIENCE, proxy=None)  # type: ignore[arg-type]
            told = json.loads(await line.recv())
            first = time.monotonic() - began
    except (OSError, TimeoutError, WebSocketException):
        return float("inf"), float("inf")
    try:
        while told["status"] == "open":
            told = json.loads(await asyncio.wait_for(line.recv(), PATIENCE * 2))
    except (OSError, TimeoutError, WebSocketException):
        return first, float("inf")
    seen = time.monotonic()
    line.transport.abort()
    return first, max(0.0, seen - _moments[token]) if token in _moments else 0.0


_moments: dict[str, float] = {}


async def _crowd(stack: Stack, sockets: int, within: float) -> bool:
    async with httpx.AsyncClient(
        base_url=f"{stack.address}/api/v1", headers={"Authorization": f"Bearer {stack.key}"}, timeout=30
    ) as shop:
        requests = [await _request(shop, number) for number in range(REQUESTS)]
        looks = [
            asyncio.create_task(_look(stack, number, requests[number % REQUESTS][1], within * number / sockets))
            for number in range(sockets)
        ]
        await asyncio.sleep(within / 2)
        for public_id, token in requests:
            await shop.post(f"/payment-requests/{public_id}/cancel", json={})
            _moments[token] = time.monotonic()
        outcome = await asyncio.gather(*looks)
    firsts, seen = sorted(first for first, _ in outcome), sorted(change for _, change in outcome)
    print(f"{sockets} sockets within {within:.0f} s, {sum(map(math.isinf, firsts))} of them without a snapshot")
    for name, times in (("first snapshot", firsts), ("change seen", seen)):
        median, last = times[len(times) // 2], times[-1]
        print(f"{name:15} median {median:.2f} s, 99% {times[len(times) * 99 // 100]:.2f} s, last {last:.2f} s")
    return firsts[-1] <= PATIENCE and seen[-1] < float("inf")


async def _request(shop: httpx.AsyncClient, number: int) -> tuple[str, str]:
    lines = [{"name": "Tea", "quantity": 1, "unit_amount": 9000}]
    body = {"reference": f"crowd-{number}", "currency": "CNY", "lines": lines, "buyer": {"id": "c", "name": "Lin"}}
    order = (await shop.post("/orders", json=body)).json()
    payment_request = (await shop.post(f"/orders/{order['id']}/payment-requests", json={})).json()
    return payment_request["id"], payment_request["url"].rstrip("/").split("/")[-1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=3000)
    parser.add_argument("--within", type=float, default=3.0)
    options = parser.parse_args()
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with running(WEB_THREADS="4") as stack:
        return 0 if asyncio.run(_crowd(stack, options.sockets, options.within)) else 1


if __name__ == "__main__":
    sys.exit(main())
