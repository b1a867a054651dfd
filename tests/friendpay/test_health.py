"""Probes answer whatever else does not; metrics are not for everybody."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from friendpay import health
from friendpay.bridge import App
from friendpay.kit import limits


async def ask(probe: App) -> tuple[int, dict[str, str]]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    await probe({"type": "http", "method": "GET", "headers": []}, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes calls and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEALTH_SECONDS", 0.2)


async def test_a_process_that_runs_is_alive() -> None:
    assert await ask(health.alive) == (200, {"status": "ok"})


async def test_ready_is_when_both_servers_answer() -> None:
    status, words = await ask(health.Readiness())
    assert (status, words["database"], words["valkey"]) == (200, "ok", "ok")
    assert words["background"] != "ok"  # loud, and no reason to send friends away


async def test_a_server_that_is_not_there_is_named(settings: Settings) -> None:
    settings.REDIS_URLS = [*settings.REDIS_URLS, "unix:///nowhere"]
    status, words = await ask(health.Readiness())
    assert status == 503
    assert words["database"] == "ok"
    assert words["valkey"] == "ConnectionError"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("who", ["database", "valkey"])
async def test_a_server_that_hangs_is_not_waited_for(settings: Settings, silent: int, who: str) -> None:
    if who == "database":
        settings.DATABASE_URL = f"postgresql://friendpay@127.0.0.1:{silent}/friendpay"
    else:
        settings.REDIS_URLS = [f"redis://127.0.0.1:{silent}"]
    began = time.monotonic()
    status, words = await ask(health.Readiness())
    assert time.monotonic() - began < 20
    assert status == 503
    assert [name for name in ("database", "valkey") if words[name] != "ok"] == [who]


async def test_asked_by_many_it_asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    async def count() -> None:
        nonlocal asked
        asked += 1

    monkeypatch.setattr(health, "_database", count)
    ready = health.Readiness()
    answers = await asyncio.gather(*(ask(ready) for _ in range(20)))
    assert {status for status, _ in answers} == {200}
    await ask(ready)
    assert asked == 1
