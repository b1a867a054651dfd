"""What is outside the machine: an authority for certificates, the repository, the shop with its gateway, friends."""

import asyncio
import base64
import hashlib
import hmac
import importlib.util
import json
import random
import ssl
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from socket import AF_INET6
from typing import Any

import httpx

from bench.fresh.machine import NAME, SHOP, SHOP_ADDRESS, sh
from bench.people import History, Person, Town
from bench.wallets import Payer, Sandbox
from tests.deploy.test_rolling_restart import Square, Watch

ROOT = Path(__file__).resolve().parents[2]
AUTHORITY = "https://acme.example:14000/dir"
FRIENDS, SOCKETS = 3, 10

_spec = importlib.util.spec_from_file_location("gateway", ROOT / "docs/examples/house/gateway.py")
assert _spec
assert _spec.loader
gateway: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(gateway)


def certificate(folder: Path) -> Path:
    """For whoever is outside; the machine trusts it. Its key is in key.pem beside it."""
    names = f"subjectAltName=DNS:{SHOP},DNS:acme.example"
    sh(
        f"cd {folder}; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
        f" -subj /CN={SHOP} -addext {names} -keyout key.pem -out outside.pem"
    )
    return folder / "outside.pem"


@contextmanager
def authority(folder: Path) -> Iterator[None]:
    """Pebble, the small ACME server of Let's Encrypt: it calls the machine as the real one does, and signs."""
    files = {"certificate": str(folder / "outside.pem"), "privateKey": str(folder / "key.pem")}
    listens = {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000"}
    (folder / "pebble.json").write_text(json.dumps({"pebble": {**files, **listens, "httpPort": 80, "tlsPort": 443}}))
    with _process(folder / "pebble.log", "pebble", "-config", str(folder / "pebble.json")):
        yield


def roots(folder: Path) -> str:
    """Whom Pebble signs as, this time."""
    known = ssl.create_default_context(cafile=str(folder / "outside.pem"))
    with httpx.Client(verify=known, trust_env=False, transport=httpx.HTTPTransport(verify=known, retries=5)) as asks:
        return asks.get("https://acme.example:15000/roots/0").text


@contextmanager
def repository(folder: Path) -> Iterator[str]:
    """This working copy's last commit, and a version after it that is called `next`: the address to clone from."""
    home = folder / "friendpay.git"
    sh(f"""
        git clone --quiet --bare --no-tags --single-branch {ROOT} {home}
        cd {home}
        export GIT_AUTHOR_NAME=walk GIT_AUTHOR_EMAIL=walk@{SHOP} GIT_COMMITTER_NAME=walk GIT_COMMITTER_EMAIL=walk@{SHOP}
        git tag next $(git commit-tree 'HEAD^{{tree}}' -p HEAD -m next)""")
    words = ["daemon", "--export-all", "--reuseaddr", f"--base-path={folder}", "--listen=127.0.0.1"]
    with _process(folder / "git.log", "git", *words):
        yield "git://127.0.0.1/friendpay.git"


@contextmanager
def _process(log: Path, *command: str) -> Iterator[None]:
    with log.open("ab") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


class Shop:
    """Its gateway is the one of docs/examples, taken for real; and its server hears webhooks at /hooks."""

    def __init__(self, folder: Path) -> None:
        self.secret = "whsec_" + base64.b64encode(random.randbytes(32)).decode()
        self.webhook_secret = ""
        self.heard: list[str] = []
        self.refused = 0
        self._folder = folder
        gateway.LIVE = True
        gateway.KEY = base64.b64decode(self.secret.removeprefix("whsec_"))

    def knows(self, account: str) -> None:
        gateway.ACCOUNT = account

    @contextmanager
    def open(self) -> Iterator[None]:
        shop = self

        class Handler(gateway.Handler):
            def do_POST(self) -> None:
                if self.path == "/hooks":
                    body = self.rfile.read(int(self.headers["Content-Length"]))
                    self._send(204 if shop.hears(dict(self.headers), body) else 401, "", "text/plain")
                else:
                    super().do_POST()

        class Server(ThreadingHTTPServer):
            address_family = AF_INET6
            daemon_threads = True

        Handler.books = gateway.Books(str(self._folder / "gateway.db"))
        known = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        known.load_cert_chain(self._folder / "outside.pem", self._folder / "key.pem")
        with Server((SHOP_ADDRESS, 443), Handler) as server:
            server.socket = known.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stopping = threading.Event()

            def deliver() -> None:
                while not stopping.wait(0.2):
                    Handler.books.deliver()

            threading.Thread(target=deliver, daemon=True).start()
            yield
            stopping.set()
            server.shutdown()

    def hears(self, headers: dict[str, str], body: bytes) -> bool:
        key = base64.b64decode(self.webhook_secret.removeprefix("whsec_"))
        headers = {name.lower(): value for name, value in headers.items()}
        about = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        own = "v1," + base64.b64encode(hmac.digest(key, about, hashlib.sha256)).decode()
        if own not in headers["webhook-signature"].split():
            self.refused += 1
            return False
        self.heard.append(json.loads(body)["type"])
        return True


class Gateway(Sandbox):
    """The shop's gateway, at which a payer presses the one button."""

    method: str = "house"
    currencies: tuple[str, ...] = ("CNY",)

    async def approve(self, payer: Payer, address: str, how: str) -> tuple[httpx.Response | None, str]:
        if await payer.ask("open the gateway", "GET", address) is None:
            return None, ""
        answer = await payer.ask(how, "POST", address)
        paid = answer is not None and answer.status_code == 303
        return answer, answer.headers["location"] if answer is not None and paid else ""


def town(folder: Path, key: str, name: str) -> Town:
    address = f"https://{NAME}"
    return Square(address, address, key, Gateway(), History(folder / name), 1)


async def friend(here: Town, url: str) -> str:
    """Opens the link, pays, and sees what the page says then."""
    page = httpx.URL(url).path
    async with here.person("friend") as somebody:
        await somebody.approve(await somebody.begin(page))
        return await somebody.watch(page)


class Load:
    """Friends who pay one after the other, and open pages, while something is done to the machine."""

    def __init__(self, folder: Path, key: str, name: str) -> None:
        self._history = folder / name
        self._town = town(folder, key, name)
        self._stopping = threading.Event()
        self.paid, self.watch = 0, Watch()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()))

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopping.set()
        self._thread.join()

    async def _live(self) -> None:
        shop = self._town.person("shop")
        page = await self._ask(shop)
        known = ssl.create_default_context()
        address = f"wss://{NAME}/ws/p/{page.split('/')[2]}/"
        pages = [asyncio.create_task(self.watch.page(address, f"https://{NAME}", known)) for _page in range(SOCKETS)]
        friends = [asyncio.create_task(self._pay(shop)) for _friend in range(FRIENDS)]
        await asyncio.to_thread(self._stopping.wait)
        while self.watch.live < SOCKETS:
            await asyncio.sleep(0.05)
        await asyncio.gather(*friends)
        for task in pages:
            task.cancel()
        await shop.http.aclose()

    async def _ask(self, shop: Person) -> str:
        """Each order is another buyer's, as a live one's are: who is new may not ask for much."""
        body = {
            "reference": f"W-{random.randbytes(6).hex()}",
            "currency": "CNY",
            "lines": [{"name": "Spring oolong", "quantity": 1, "unit_amount": 4500}],
            "buyer": {"id": random.randbytes(6).hex(), "name": "Lin"},
            "payment_request": {},
        }
        answer = await shop.call("order", "/orders", body)
        shop.note("order", answer)
        return httpx.URL(answer.json()["payment_request"]["url"]).path

    async def _pay(self, shop: Person) -> None:
        while not self._stopping.is_set():
            self.paid += await friend(self._town, await self._ask(shop)) == "paid"

    def failed(self) -> Counter[str]:
        """What had no good answer. People try that again, and what they did is done once."""
        told = [json.loads(line) for line in self._history.read_text().splitlines()]
        return Counter(f"{it['did']} {it['status']}" for it in told if (it["status"] or 599) >= 500)
