"""People with browsers and a shop's program, on a line that fails; and the record of all they did and were told.

They behave as people do: what was not answered they try again, and what was answered they believe.
"""

import asyncio
import json
import random
import time
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from bench.wallets import Wallet

PATIENCE = 5.0  # seconds for one answer
TRIES = 40
TAKE_OVER = 61  # seconds of the database's time


class GaveUp(Exception):
    """No answer however often it was tried. The server is gone for good."""


class History:
    """One JSON line for everything that was asked: by whom, when, what came back, and what was thereby acknowledged."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._began = time.monotonic()
        self.asked = self.unanswered = 0

    def note(self, who: str, did: str, began: float, status: int | None, **told: object) -> None:
        """`status` None: no answer came. `told` is what the answer says."""
        self.asked += 1
        self.unanswered += status is None
        times = {"began": round(began - self._began, 3), "ended": round(time.monotonic() - self._began, 3)}
        print(json.dumps({"who": who, "did": did, **times, "status": status, **told}), file=self._file, flush=True)


class Town:
    """Where everybody lives: the door to friendpay, the shop's key, the wallet, and how fast time goes by."""

    def __init__(self, door: str, public: str, key: str, wallet: Wallet, history: History, clock: int) -> None:
        self.door, self.public, self.key = door, public, key
        self.wallet, self.history, self.clock = wallet, history, clock
        self._people = 0

    def person(self, kind: str, home: str = "") -> "Person":
        """Somebody new; with a `home`, whose line comes from that address of this machine's."""
        self._people += 1
        return Person(self, f"{kind}-{self._people}", home)

    async def later(self, seconds: float) -> None:
        """Let so much of the database's time go by."""
        await asyncio.sleep(seconds / self.clock)


class Person:
    """Somebody with a browser, or a program, of their own."""

    def __init__(self, town: Town, name: str, home: str = "") -> None:
        self.town, self.name, self.page = town, name, ""
        transport = httpx.AsyncHTTPTransport(verify=False, local_address=home or None)
        device = {"User-Agent": random.choice(town.wallet.devices)}
        self.http = httpx.AsyncClient(
            base_url=town.door, transport=transport, headers=device, timeout=PATIENCE, trust_env=False
        )

    async def __aenter__(self) -> "Person":
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.http.aclose()

    async def ask(self, did: str, method: str, address: str, **more: Any) -> httpx.Response | None:
        """Once. None: there was no answer, and nobody knows what has happened. An answer is still to be noted."""
        began = time.monotonic()
        try:
            response = await self.http.request(method, self._way(address), **more)
        except httpx.HTTPError:
            self.town.history.note(self.name, did, began, None)
            return None
        response.extensions["began"] = began
        return response

    def _way(self, address: str) -> str:
        """Whatever is friendpay's through the door; a wallet's own pages straight."""
        url = httpx.URL(address)
        return address if url.host and not address.startswith(self.town.public) else url.raw_path.decode()

    def note(self, did: str, response: httpx.Response, **told: object) -> None:
        self.town.history.note(self.name, did, response.extensions["began"], response.status_code, **told)

    async def surely(self, did: str, method: str, address: str, **more: Any) -> httpx.Response:
        """Again and again until there is an answer; it is still to be noted."""
        for tried in range(TRIES):
            response = await self.ask(did, method, address, **more)
            if response is not None and response.status_code < 500:
                return response
            if response is not None:
                self.note(did, response)
            await asyncio.sleep(random.uniform(0.5, 1) * min(0.2 * 2**tried, 2.5))
        raise GaveUp(f"{self.name}: {did}")

    # With a program

    async def call(self, did: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """POST to the API with one Idempotency-Key until it is answered."""
        key = random.randbytes(12).hex()
        headers = {"Authorization": f"Bearer {self.town.key}", "Idempotency-Key": key}
        while True:
            response = await self.surely(did, "POST", f"/api/v1{path}", json=body or {}, headers=headers)
            if response.status_code != 409 or response.json()["code"] != "idempotency_key_in_use":
                return response
            self.note(did, response)
            await asyncio.sleep(0.3)

    # With a browser

    async def submit(self, did: str, address: str, fields: dict[str, str]) -> httpx.Response | None:
        """A form, once, as its page was shown before."""
        token = self.http.cookies.get("csrftoken", "")
        return await self.ask(did, "POST", address, data={"csrfmiddlewaretoken": token, **fields})

    async def look(self, address: str) -> httpx.Response:
        response = await self.surely("look", "GET", address)
        self.note("look", response)
        self.page = (address.split("/") + [""] * 3)[2]
        return response

    async def tap(self, address: str, **fields: str) -> httpx.Response | None:
        """ "Pay", once."""
        response = await self.submit("tap pay", address, {"method": self.town.wallet.method, **fields})
        if response is not None:
            self.note("tap pay", response)
        return response

    async def begin(self, page: str, **fields: str) -> str:
        """Open the page and tap until the wallet is reached: its address. "" where nothing can be paid here any more.

        Somebody who is told that another one is paying waits for the minute, and takes over.
        """
        for _tap in range(TRIES):
            await self.look(page)
            response = await self.tap(f"{page}pay/", **fields)
            if response is not None and response.status_code == 303:
                return response.headers["location"]
            if response is not None and response.status_code < 500:
                if response.status_code != 409 or "take_over" in fields or await self._is_over(page):
                    return ""
                await self.town.later(TAKE_OVER)
                fields["take_over"] = "1"
            await asyncio.sleep(0.4)
        raise GaveUp(f"{self.name}: pay")

    async def _is_over(self, page: str) -> bool:
        """Whether a friend's page says that nothing is asked for any more. A buyer's page is hers in any case."""
        return page.startswith("/p/") and await self.watch(page, 0) != "open"

    async def approve(self, wallet: str, how: str = "approve") -> bool:
        """Pay in the wallet. True: it says that it has the money."""
        for _try in range(TRIES):
            response, receipt = await self.town.wallet.approve(self, wallet, how=how)
            if response is not None:
                self.note(how, response, **({"approved": receipt, "page": self.page} if receipt else {}))
                if response.status_code < 500:
                    return bool(receipt)
            await asyncio.sleep(0.4)
        raise GaveUp(f"{self.name}: {how}")

    async def watch(self, page: str, seconds: float = 20, *, until: int | None = None) -> str:
        """Look at the request's state, once at least, until it is over (or so much is paid): the state seen last."""
        status, ends = "", time.monotonic() + seconds
        while True:
            response = await self.ask("status", "GET", f"{page}status.json")
            if response is not None and response.status_code == 200:
                seen = response.json()
                status = self.see("status", page, response, seen)
                if status != "open" or (until is not None and seen["amount_paid"] >= until):
                    break
            elif response is not None:
                self.note("status", response)
            if time.monotonic() > ends and status:
                break
            await asyncio.sleep(random.uniform(1, 2))
        return status

    def see(self, did: str, page: str, response: httpx.Response, seen: dict[str, Any]) -> str:
        facts = {"request": page.split("/")[2], "seq": seen["seq"], "state": seen["status"]}
        self.note(did, response, **facts)
        return str(seen["status"])

    async def listen(self, page: str) -> None:
        """Hear what the socket says until the request is over, connecting again as a page does."""
        token = page.split("/")[2]
        address = f"{self.town.door.replace('http', 'ws')}/ws/p/{token}/"
        while True:
            began = time.monotonic()
            try:
                async with connect(address, origin=self.town.public, open_timeout=PATIENCE) as line:  # type: ignore[arg-type]
                    while True:
                        seen = json.loads(await line.recv())
                        facts = {"request": token, "seq": seen["seq"], "state": seen["status"]}
                        self.town.history.note(self.name, "hear", began, 101, **facts)
                        if seen["status"] != "open":
                            return
            except (OSError, TimeoutError, WebSocketException):
                await asyncio.sleep(1)
