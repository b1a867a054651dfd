"""The real thing: bin/up on a port and a data folder of its own, and two people with two browsers."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page
from redis import Redis

from friendpay.demo import embedded
from friendpay.kit import counters
from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
KEY = "sk_test_the-browser-tests-own-key"
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "user_agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
    "has_touch": True,
    "is_mobile": True,
}
DESK = {"viewport": {"width": 1280, "height": 800}}


@dataclass
class Stack:
    """A running friendpay."""

    address: str
    data: Path

    def api(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A call of the merchant's."""
        request = urllib.request.Request(
            f"{self.address}/api/v1{path}",
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            told: dict[str, Any] = json.load(answer)
            return told

    def order(self, reference: str) -> dict[str, Any]:
        """One tin of tea."""
        lines = [{"name": "Spring oolong, 100 g", "quantity": 1, "unit_amount": 9000, "category": "tea"}]
        buyer = {"id": "customer-17", "name": "Lin"}
        return self.api("/orders", {"reference": reference, "currency": "CNY", "lines": lines, "buyer": buyer})

    def database(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.servers["DATABASE_URL"])

    def forgive(self) -> None:
        """All tests come from one network; each begins as if nobody there had tried anything yet."""
        with self.database() as database:
            database.execute("DELETE FROM payments_report")
        with Redis.from_url(self.servers["REDIS_URL"]) as counts:
            for name in counts.scan_iter(f"{counters.PREFIX}*"):
                counts.delete(name)

    @property
    def servers(self) -> dict[str, str]:
        """Where its database and its Valkey are, as environment variables."""
        found = embedded.find(self.data / "data")
        assert found is not None
        return found.environment


HEARD = "document.addEventListener('announce', ({detail}) => (window.heard ??= []).push(detail))"


@dataclass
class Person:
    """Somebody with a browser. Counts what they do with their hands."""

    page: Page
    address: str
    taps: int = 0
    typed: int = 0
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(60_000)
        self.page.add_init_script(HEARD)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)

    def go(self, to: str) -> None:
        self.page.goto(to if to.startswith("http") else f"{self.address}{to}")

    def button(self, name: str) -> Locator:
        """A button or link that can be seen, by the words on it."""
        choices = self.page.get_by_role("button", name=name).or_(self.page.get_by_role("link", name=name))
        return choices.locator("visible=true").first

    def tap(self, what: str | Locator) -> None:
        self.taps += 1
        (self.button(what) if isinstance(what, str) else what).click()

    def type(self, where: str, text: str) -> None:
        self.typed += len(text)
        self.page.get_by_label(where).press_sequentially(text)

    def sees(self, words: str, *, within: float = 60) -> None:
        self.page.get_by_text(words).locator("visible=true").first.wait_for(timeout=within * 1000)

    def hears(self, words: str) -> None:
        """What a screen reader was told, although it may stand on the page for a moment only."""
        self.page.wait_for_function("words => (window.heard ?? []).some((said) => said.includes(words))", arg=words)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The demo."""
    with started(tmp_path_factory.mktemp("friendpay")) as stack:
        yield stack


@contextmanager
def started(data: Path, *options: str) -> Iterator[Stack]:
    """bin/up as a person starts it, stopped as a person stops it."""
    port = free_port()
    ours = ("DJANGO_SETTINGS_MODULE", "DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL")
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    for name in ("SECRET_KEY", "CREDENTIAL_KEYS", "PUBLIC_URL", "ALLOWED_HOSTS", "FRIENDPAY_DEMO"):
        environment.pop(name, None)
    with (data / "bin-up.log").open("wb") as log:
        process = subprocess.Popen(
            [str(ROOT / "bin" / "up"), "--port", str(port), "--data", str(data / "data"), *options],
            env=environment | {"FRIENDPAY_DEMO_KEY": KEY},
            stdout=log,
            stderr=log,
        )
    stack = Stack(f"http://127.0.0.1:{port}", data)
    try:
        _await(lambda: _ready(stack.address), process, data / "bin-up.log")
        yield stack
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()


def pay(link: str, **form: str) -> None:
    """As a friend does who needs no browser, with the sandbox wallet."""
    proof = {"csrfmiddlewaretoken": "0" * 32}
    with httpx.Client(cookies={"csrftoken": "0" * 32}, timeout=60) as friend:
        begun = friend.post(f"{link}pay/", data={**proof, "method": "sandbox", **form})
        assert friend.post(begun.headers["Location"], data={**proof, "action": "approve"}).is_redirect


def _ready(address: str) -> bool:
    with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"{address}/readyz", timeout=20) as answer:
        return bool(answer.status == 200)
    return False


def _await(there: Callable[[], bool], process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + 300
    while not there():
        if process.poll() is not None or time.monotonic() > end:
            pytest.fail(f"bin/up did not come up:\n{log.read_text()}")
        time.sleep(0.2)


@pytest.fixture
def person(stack: Stack, browser: Browser) -> Iterator[Callable[..., Person]]:
    """Makes people; whatever a page complained of in its console fails the test."""
    contexts: list[BrowserContext] = []
    people: list[Person] = []

    def make(device: dict[str, Any], **more: Any) -> Person:
        contexts.append(browser.new_context(**{"locale": "en-GB", **device, **more}))
        people.append(Person(contexts[-1].new_page(), stack.address))
        return people[-1]

    stack.forgive()
    yield make
    for context in contexts:
        context.close()
    assert [line for somebody in people for line in somebody.complaints] == []
