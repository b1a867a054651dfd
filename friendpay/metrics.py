"""Metrics for Prometheus: gauges that are read from the tables when /metrics is asked for.

Nothing is counted in a process but sockets, which each tells Valkey of, so every web process answers the same, and
prometheus-client's multi-process mode, with its files and its dead workers, is not needed.
"""

import hmac
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import Count, Model, Sum
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from friendpay import scheduler
from friendpay.kit import clock, gauges, limits, months
from orders.models import Event, Order, WebhookDelivery, WebhookEndpoint
from orders.webhooks import outbox
from payments.models import (
    Beat,
    BillMismatch,
    Dispute,
    LedgerCheck,
    Payment,
    PaymentRequest,
    ProviderAccount,
    ProviderEvent,
    Refund,
)
from payments.wallets import registry

TABLES: dict[str, type[Model]] = {
    "orders": Order,
    "payment_requests": PaymentRequest,
    "payments": Payment,
    "refunds": Refund,
}
WORK = {
    "payments": ["payments.sweep_payments"],
    "refunds": ["payments.sweep_refunds"],
    "disputes": ["payments.sweep_disputes"],
    "requests": ["payments.sweep_requests"],
    "notifications": ["payments.sweep_notifications", "payments.sweep_hints"],
    "webhooks": ["orders.send_webhooks"],
    "mails": ["payments.sweep_mail"],
}
"""Each kind of work, and the sweeps that do it."""

QUANTILES = ("0.5", "0.95", "1")
WAITING = {"orphan": "orphaned_at", "set_aside": "set_aside_at"}


def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus. Only who brings METRICS_TOKEN gets an answer; in a demo, this machine too."""
    if not _may_watch(request):
        raise Http404
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _may_watch(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        token = f"Bearer {settings.METRICS_TOKEN}"
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), token.encode())
    # A proxy on this machine passes on the requests of the whole world, and says so.
    proxied = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-Ip"))
    return settings.DEMO and not proxied and request.META["REMOTE_ADDR"] in ("127.0.0.1", "::1")


class _Tables(Collector):
    """What the tables say now."""

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing, so that no table is read before somebody asks."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, model in TABLES.items():
            rows = model._default_manager.order_by("status").values_list("status").annotate(Count("pk"))
            yield _gauge(name, "How many there are, by status.", "status", dict(rows))
        now = clock.now()
        seen = {beat.queue: max(0, int((now - beat.at).total_seconds())) for beat in Beat.objects.order_by("queue")}
        yield _gauge(
            "beat_seconds", "For how long nothing was seen of a queue's worker and the scheduler.", "queue", seen
        )
        paused = ProviderAccount.objects.exclude(paused_until=None).count()
        yield GaugeMetricFamily("friendpay_paused_accounts", "Accounts at wallets that do not answer.", value=paused)
        with connection.cursor() as cursor:
            due = scheduler.due(cursor)
        overdue = {name: max(0, *(-int(due[sweep] or 0) for sweep in sweeps)) for name, sweeps in WORK.items()}
        yield _gauge("overdue_seconds", "For how long the oldest piece of work has been due.", "work", overdue)
        unclaimed = {
            reason: ProviderEvent.objects.filter(applied_at=None, **{f"{when}__isnull": False}).count()
            for reason, when in WAITING.items()
        }
        yield _gauge("unclaimed_notifications", "Notifications that wait for support, by reason.", "reason", unclaimed)
        quantiles = dict(zip(QUANTILES, _settled_lately(), strict=True))
        yield _gauge("settle_seconds", "From a notification's arrival until it took effect.", "quantile", quantiles)
        yield _gauge("provider_errors", "Undecided, and the wallet's last answer an error.", "provider", _errors())
        accounts = ProviderAccount.objects.order_by("provider").values_list("provider")
        refused = dict(accounts.annotate(Sum("refused_notifications")))
        yield _gauge("refused_notifications", "Forged or broken ones that came, ever.", "provider", refused)
        for name, help, value in _numbers(now):
            if value is not None:
                yield GaugeMetricFamily(f"friendpay_{name}", help, value=value)


def _settled_lately() -> list[float]:
    """Of the newest notifications, how long each of QUANTILES took, or has been waiting by now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT percentile_disc(%s::float[]) WITHIN GROUP (
                    ORDER BY extract(epoch FROM coalesce(applied_at, clock_timestamp()) - received_at)
                )
                FROM (SELECT * FROM payments_providerevent ORDER BY id DESC LIMIT %s) AS newest
                WHERE received_at > clock_timestamp() - make_interval(secs => %s)
                    AND orphaned_at IS NULL AND set_aside_at IS NULL""",
            [list(map(float, QUANTILES)), limits.SETTLED_LATELY_ROWS, limits.SETTLED_LATELY_SECONDS],
        )
        (seconds,) = cursor.fetchone()
    return [max(0.0, float(one)) for one in seconds or [0.0] * len(QUANTILES)]


def _errors() -> dict[str, int]:
    """By wallet, how many payments, refunds and disputes it could not be asked about, or would not take, when last
    tried.
    """
    found: Counter[str] = Counter(dict.fromkeys(registry.NAMES, 0))
    asked = Payment.objects.undecided(), Refund.objects.filter(next_attempt_at__isnull=False)
    for rows in (*asked, Dispute.objects.filter(closed_at=None)):
        failing = rows.exclude(error="").order_by("account__provider").values_list("account__provider")
        found.update(dict(failing.annotate(Count("pk"))))
    return found


def _numbers(now: datetime) -> Iterator[tuple[str, str, int | None]]:
    """What has no label."""
    check = LedgerCheck.objects.first()
    yield "ledger_findings", "In how many places the books were wrong.", check.findings if check else None
    age = max(0, int((now - check.at).total_seconds())) if check else None
    yield "ledger_checked_seconds", "How long ago the books were checked.", age
    enabled = WebhookEndpoint.objects.enabled()
    waiting = WebhookDelivery.objects.filter(status="pending", endpoint__in=enabled)
    yield "webhook_backlog", "Deliveries to enabled endpoints that are still to be made.", waiting.count()
    failing = enabled.exclude(failing_since=None).count()
    yield "failing_endpoints", "Endpoints of shops that fail.", failing
    yield "unpublished_events", "Events without their place in the order.", Event.objects.filter(sequence=None).count()
    ahead = months.ahead(outbox.BY_MONTH, now)
    yield "months_ahead", "Coming months that have their tables; 0 where this month has none.", ahead
    mismatches = BillMismatch.objects.filter(settled_at=None).count()
    yield "bill_mismatches", "Lines on which a wallet's bill and the books do not agree.", mismatches
    yield "sockets", "Open pages that are told of changes at once, of all processes.", gauges.total("sockets")


def _gauge(name: str, help: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"friendpay_{name}", help, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


REGISTRY = CollectorRegistry()
REGISTRY.register(_Tables())
