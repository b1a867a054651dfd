"""Health checks: /healthz for supervisors, /readyz for load balancers."""

import asyncio
import json
import time
from collections.abc import Awaitable

import psycopg
from django.conf import settings
from redis.asyncio import Redis

from friendpay.bridge import App, Receive, Scope, Send
from friendpay.doctor import knock
from friendpay.kit import limits
from payments import heartbeats


async def alive(scope: Scope, receive: Receive, send: Send) -> None:
    """The process runs, and its event loop turns. The doctor is told how it was seen."""
    await _answer(send, 200, {"status": "ok", **knock.seen(scope)})


class Readiness:
    """Whether the database and every Valkey answer. They are asked once a second at most, however often we are."""

    def __init__(self) -> None:
        self._asking: asyncio.Task[dict[str, str]] | None = None
        self._asked_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._asking is None or (self._asking.done() and time.monotonic() - self._asked_at > limits.HEALTH_SECONDS):
            self._asking = asyncio.ensure_future(self._ask())
            self._asked_at = time.monotonic()
        found = await asyncio.shield(self._asking)
        # Without background work friends can still pay: that is told here, and no reason to send them away.
        ready = {found["database"], found["valkey"]} == {"ok"}
        await _answer(send, 200 if ready else 503, found)

    async def _ask(self) -> dict[str, str]:
        names = {"database": _database(), "valkey": _valkey(), "background": _background()}
        return dict(zip(names, await asyncio.gather(*map(_in_time, names.values())), strict=True))


PROBES: dict[str, App] = {"/healthz": alive, "/readyz": Readiness()}
"""Served beside the pages, so that they answer when every page's thread is busy, and under any host name."""


async def _database() -> None:
    connection = await psycopg.AsyncConnection.connect(settings.DATABASE_URL, autocommit=True)
    try:
        await connection.execute("SELECT 1")
    finally:
        await connection.close()


class Late(Exception):
    """Nothing was seen of a queue's worker, or of the scheduler, for a minute."""


async def _background() -> None:
    connection = await psycopg.AsyncConnection.connect(settings.DATABASE_URL, autocommit=True)
    try:
        alive = "SELECT count(*) FROM payments_beat WHERE at > clock_timestamp() - %s"
        row = await (await connection.execute(alive, [limits.BEAT_LATE_AFTER])).fetchone()
    finally:
        await connection.close()
    if row is None or row[0] < len(heartbeats.QUEUES):
        raise Late


async def _valkey() -> None:
    for url in settings.REDIS_URLS:
        client = Redis.from_url(url, socket_timeout=limits.HEALTH_SECONDS, socket_connect_timeout=limits.HEALTH_SECONDS)
        try:
            await client.ping()
        finally:
            await client.aclose()


async def _in_time(question: Awaitable[None]) -> str:
    """`ok`, or what is wrong. One that hangs is left behind: even giving up may take it a while."""
    asking = asyncio.ensure_future(question)
    await asyncio.wait({asking}, timeout=limits.HEALTH_SECONDS)
    if not asking.done():
        asking.cancel()
        return "no answer in time"
    return type(error).__name__ if (error := asking.exception()) else "ok"


async def _answer(send: Send, status: int, words: dict[str, str]) -> None:
    body = json.dumps(words).encode()
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
