"""A stranger who does all he can with one link, and an honest visitor meanwhile: how long her calls take.

    .venv/bin/python bench/stranger.py --seconds 20

He has hundreds of addresses: he orders posters, opens 2,000 connections that say nothing, sends headers and bodies a
byte at a time, and headers without an end. She opens a friend's page, a wallet notifies, a shop asks the API, each on a
connection of its own. Ends with 1 when one of the three takes more than 500 ms at the 95th percentile, or fails.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import secrets
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx

from bench.stack import Stack, running
from sandbox.signing import sign

PROMPT = 0.5  # seconds
IDLE, SLOW, ENDLESS, POSTERS = 2000, 200, 10, 20  # connections of each kind
HEAD = "HTTP/1.1\r\nHost: 127.0.0.1\r\n"

Call = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20, help="how long each half is (default: 20)")
    seconds = parser.parse_args().seconds
    with running(WEB_THREADS="4") as stack:
        return asyncio.run(_compare(stack, seconds))


async def _compare(stack: Stack, seconds: int) -> int:
    calls, link = await _prepare(stack)
    print("alone:", flush=True)
    quiet = await _measure(stack, calls, seconds)
    fresh = multiprocessing.get_context("spawn")
    ready = fresh.Event()
    stranger = fresh.Process(target=_attack, args=(stack.port, link, ready), daemon=True)
    stranger.start()
    await asyncio.to_thread(ready.wait, 60)
    print("with the stranger:", flush=True)
    try:
        hurt = await _measure(stack, calls, seconds)
    finally:
        stranger.kill()
    for name in calls:
        print(f"{name:13} {hurt[name] / quiet[name]:5.1f} times as long as alone")
    good = max(hurt.values()) <= PROMPT
    print("Nobody else was harmed." if good else "SOMEBODY ELSE WAS HARMED.")
    return 0 if good else 1


async def _prepare(stack: Stack) -> tuple[dict[str, Call], str]:
    """A request for everybody to look at; what is measured of it, and the path of its link."""
    shop = {"Authorization": f"Bearer {stack.key}"}
    async with httpx.AsyncClient(base_url=f"{stack.address}/api/v1", headers=shop, timeout=30) as client:
        lines = [{"name": "Tea", "quantity": 1, "unit_amount": 9000}]
        body = {"reference": "stranger", "currency": "CNY", "lines": lines, "buyer": {"id": "c", "name": "Lin"}}
        order = (await client.post("/orders", json=body)).json()
        payment_request = (await client.post(f"/orders/{order['id']}/payment-requests", json={})).json()
    code = (
        "from payments.models import ProviderAccount as A; import json;"
        "a = A.objects.filter(provider='sandbox').first(); print(json.dumps([a.public_id, a.config['secret']]))"
    )
    account, secret = json.loads(stack.manage("shell", "--no-imports", "-c", code).stdout)
    link = httpx.URL(payment_request["url"]).path

    async def notify(client: httpx.AsyncClient) -> httpx.Response:
        """A true notification, of nothing of ours: verified, stored, answered."""
        said = {"id": secrets.token_hex(8), "kind": "charge.closed", "account": account}
        charge = {"reference": "none-of-ours", "status": "closed", "transaction": "", "amount": 9000, "currency": "CNY"}
        content = json.dumps(said | {"charge": charge}).encode()
        now, nonce = str(int(time.time())), secrets.token_hex(8)
        headers = {"sandbox-timestamp": now, "sandbox-nonce": nonce}
        headers["sandbox-signature"] = sign(secret, now, nonce, content)
        return await client.post(f"/notify/sandbox/{account}/", content=content, headers=headers)

    calls: dict[str, Call] = {
        "page": lambda client: client.get(link),
        "notification": notify,
        "API": lambda client: client.get(f"/api/v1/payment-requests/{payment_request['id']}", headers=shop),
    }
    return calls, link


async def _measure(stack: Stack, calls: dict[str, Call], seconds: int) -> dict[str, float]:
    """The 95th percentile of each call, in seconds; one that failed took for ever."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    failed: Counter[str] = Counter()
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        for name, call in calls.items():
            took = float("inf")
            transport = httpx.AsyncHTTPTransport(local_address="127.9.9.9", verify=False)
            async with httpx.AsyncClient(base_url=stack.address, transport=transport, timeout=10) as client:
                began = time.monotonic()
                with suppress(httpx.HTTPError):
                    answer = await call(client)
                    if answer.is_success:
                        took = time.monotonic() - began
                    else:
                        failed[f"{name} {answer.status_code}"] += 1
            times[name].append(took)
            await asyncio.sleep(0.03)
    for name, all_times in times.items():
        all_times.sort()
        print(f"{name:13}{len(all_times):>6}  p50 {_at(all_times, 50):7.1f} ms  p95 {_at(all_times, 95):7.1f} ms")
    if failed:
        print(f"not answered well: {dict(failed)}")
    return {name: _at(all_times, 95) / 1000 for name, all_times in times.items()}


def _at(times: list[float], percent: int) -> float:
    return 1000 * times[min(len(times) - 1, len(times) * percent // 100)]


# The stranger


def _attack(port: int, link: str, ready: "multiprocessing.synchronize.Event") -> None:
    """All of it at once, until this process is killed."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    async def go() -> None:
        say = [
            *([lambda line: _say(line, "", 60)] * IDLE),
            *([lambda line: _say(line, f"GET {link} {HEAD}", 1)] * SLOW),
            *([lambda line: _say(line, f"POST {link}pay/ {HEAD}Content-Length: 100000\r\n\r\n", 1)] * SLOW),
            *([_endless] * ENDLESS),
        ]
        doing = [_again(port, number, it) for number, it in enumerate(say)]
        doing += [_posters(port, link, number) for number in range(POSTERS)]
        running = [asyncio.create_task(it) for it in doing]
        await asyncio.sleep(5)
        ready.set()
        await asyncio.gather(*running)

    asyncio.run(go())


Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def _line(port: int, number: int) -> AsyncIterator[Line]:
    here = (f"127.1.{number // 50}.1", 0)  # fewer than an address may have
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=here)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _again(port: int, number: int, say: Callable[[Line], Awaitable[None]]) -> None:
    """Whenever the server hangs up, he comes again."""
    await asyncio.sleep(number / 1000)
    while True:
        with suppress(OSError, asyncio.IncompleteReadError):
            async with _line(port, number) as line:
                await say(line)
        await asyncio.sleep(1)


async def _say(line: Line, words: str, pause: float) -> None:
    """The words, and then a byte now and then, until the server has had enough."""
    reader, writer = line
    writer.write(words.encode())
    while not reader.at_eof():
        with suppress(TimeoutError):
            await asyncio.wait_for(reader.read(1000), pause)
        writer.write(b"a" if words else b"")
        await writer.drain()


async def _endless(line: Line) -> None:
    """Headers as fast as they are taken."""
    reader, writer = line
    writer.write(f"GET / {HEAD}".encode())
    while not reader.at_eof():
        writer.write(b"X-More: and more\r\n" * 100)
        await writer.drain()
        await asyncio.sleep(0.01)


async def _posters(port: int, link: str, number: int) -> None:
    """Each a picture that nobody has drawn yet, as far as the languages go."""
    languages = ("en", "zh-hans", "zh-hant", "es", "fr", "ru", "ar", "hi", "ja", "ko", "id", "pt-br")
    transport = httpx.AsyncHTTPTransport(local_address=f"127.2.{number}.1")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=30) as client:
        turn = number
        while True:
            turn += 1
            asked = {"Accept-Language": languages[turn % len(languages)]}
            what = {name: "on" for bit, name in enumerate(("goods", "amount")) if turn >> bit & 1}
            with suppress(httpx.HTTPError):
                answer = await client.get(f"{link}poster.png", params=what, headers=asked)
                if answer.is_success:
                    continue
            await asyncio.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
