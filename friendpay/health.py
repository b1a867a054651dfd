"""Health checks and metrics: /healthz for supervisors, /readyz for load balancers, /metrics for Prometheus."""

import asyncio
import hmac
import json
import time
from collections.abc import Awaitable, Iterator

import psycopg
from django.conf import settings
from django.db.models import Count, Min, Model
from django.http import Http404, HttpRequest, HttpResponse
from redis.asyncio import Redis

from friendpay.bridge import App, Receive, Scope, Send
from friendpay.kit import clock
from orders.models import Order, WebhookDelivery
from payments import beats
from payments.models import Beat, Mail, Payment, PaymentRequest, ProviderAccount, ProviderEvent, Refund

LIMIT = 1.0  # seconds each of them has to answer in


async def alive(scope: Scope, receive: Receive, send: Send) -> None:
    """The process runs, and its event loop turns."""
    await _answer(send, 200, {"status": "ok"})


class Readiness:
    """Whether the database and every Valkey answer. They are asked once a second at most, however often we are."""

    def __init__(self) -> None:
        self._asking: asyncio.Task[dict[str, str]] | None = None
        self._asked_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._asking is None or (self._asking.done() and time.monotonic() - self._asked_at > LIMIT):
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
        row = await (await connection.execute(alive, [beats.LATE])).fetchone()
    finally:
        await connection.close()
    if row is None or row[0] < len(beats.QUEUES):
        raise Late


async def _valkey() -> None:
    for url in settings.REDIS_URLS:
        client = Redis.from_url(url, socket_timeout=LIMIT, socket_connect_timeout=LIMIT)
        try:
            await client.ping()
        finally:
            await client.aclose()


async def _in_time(question: Awaitable[None]) -> str:
    """`ok`, or what is wrong. One that hangs is left behind: even giving up may take it a while."""
    asking = asyncio.ensure_future(question)
    await asyncio.wait({asking}, timeout=LIMIT)
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


def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus. Only who brings METRICS_TOKEN gets an answer; in a demo, this machine too."""
    if not _may_watch(request):
        raise Http404
    return HttpResponse("\n".join([*_lines(), ""]), content_type="text/plain; version=0.0.4; charset=utf-8")


def _may_watch(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        token = f"Bearer {settings.METRICS_TOKEN}"
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), token.encode())
    # A proxy on this machine passes on the requests of the whole world, and says so.
    proxied = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-Ip"))
    return settings.DEMO and not proxied and request.META["REMOTE_ADDR"] in ("127.0.0.1", "::1")


def _lines() -> Iterator[str]:
    tables: dict[str, type[Model]] = {
        "orders": Order,
        "payment_requests": PaymentRequest,
        "payments": Payment,
        "refunds": Refund,
    }
    for name, model in tables.items():
        yield f"# HELP friendpay_{name} How many there are, by status."
        yield f"# TYPE friendpay_{name} gauge"
        for status, count in model._default_manager.order_by("status").values_list("status").annotate(Count("pk")):
            yield f'friendpay_{name}{{status="{status}"}} {count}'
    now = clock.now()
    yield "# HELP friendpay_beat_seconds For how long nothing was seen of a queue's worker and the scheduler."
    yield "# TYPE friendpay_beat_seconds gauge"
    for beat in Beat.objects.order_by("queue"):
        yield f'friendpay_beat_seconds{{queue="{beat.queue}"}} {max(0, int((now - beat.at).total_seconds()))}'
    yield "# HELP friendpay_paused_accounts Accounts at wallets that do not answer."
    yield "# TYPE friendpay_paused_accounts gauge"
    yield f"friendpay_paused_accounts {ProviderAccount.objects.exclude(paused_until=None).count()}"
    yield "# HELP friendpay_overdue_seconds For how long the oldest piece of work has been due."
    yield "# TYPE friendpay_overdue_seconds gauge"
    works: dict[str, type[Model]] = {
        "payments": Payment,
        "refunds": Refund,
        "notifications": ProviderEvent,
        "webhooks": WebhookDelivery,
        "mails": Mail,
    }
    for name, due in works.items():
        oldest = due._default_manager.aggregate(oldest=Min("next_attempt_at"))["oldest"]
        seconds = max(0, int((now - oldest).total_seconds())) if oldest else 0
        yield f'friendpay_overdue_seconds{{work="{name}"}} {seconds}'
    yield "# HELP friendpay_unclaimed_notifications Notifications that wait for support, by reason."
    yield "# TYPE friendpay_unclaimed_notifications gauge"
    for reason, when in {"orphan": "orphaned_at", "set_aside": "set_aside_at"}.items():
        count = ProviderEvent.objects.filter(applied_at=None, **{f"{when}__isnull": False}).count()
        yield f'friendpay_unclaimed_notifications{{reason="{reason}"}} {count}'
