"""Metrics for Prometheus: gauges that are read from the tables when /metrics is asked for.

Nothing is counted in a process, so every web process answers the same, and prometheus-client's multi-process mode, with
its files and its dead workers, is not needed.
"""

import hmac
from collections.abc import Iterator

from django.conf import settings
from django.db.models import Count, Min, Model
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from friendpay.kit import clock
from orders.models import Order, WebhookDelivery
from payments.models import Beat, Mail, Payment, PaymentRequest, ProviderAccount, ProviderEvent, Refund

TABLES: dict[str, type[Model]] = {
    "orders": Order,
    "payment_requests": PaymentRequest,
    "payments": Payment,
    "refunds": Refund,
}
WORK: dict[str, type[Model]] = {
    "payments": Payment,
    "refunds": Refund,
    "notifications": ProviderEvent,
    "webhooks": WebhookDelivery,
    "mails": Mail,
}
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
        overdue = {}
        for name, model in WORK.items():
            oldest = model._default_manager.aggregate(oldest=Min("next_attempt_at"))["oldest"]
            overdue[name] = max(0, int((now - oldest).total_seconds())) if oldest else 0
        yield _gauge("overdue_seconds", "For how long the oldest piece of work has been due.", "work", overdue)
        unclaimed = {
            reason: ProviderEvent.objects.filter(applied_at=None, **{f"{when}__isnull": False}).count()
            for reason, when in WAITING.items()
        }
        yield _gauge("unclaimed_notifications", "Notifications that wait for support, by reason.", "reason", unclaimed)


def _gauge(name: str, help: str, label: str, values: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"friendpay_{name}", help, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


REGISTRY = CollectorRegistry()
REGISTRY.register(_Tables())
