"""Metrics say what the tables say, in the format that Prometheus reads, and are not for everybody."""

import os
import socket
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from friendpay.kit import clock, counters, gauges
from orders.tasks import make_months
from payments import heartbeats
from payments.models import Payment, ProviderEvent
from tests.shop import account_of, hold, make_request


@pytest.mark.django_db
def test_prometheus_reads_gauges_that_change_with_the_tables(client: Client) -> None:
    """Nothing is kept from one question to the next, so that every process answers the same."""

    def pending() -> float:
        answer = client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        families = list(text_string_to_metric_families(answer.content.decode()))
        assert {family.type for family in families} == {"gauge"}
        values = {
            (sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples
        }
        return values.get(("friendpay_payments", "pending"), 0)

    assert pending() == 0
    hold(make_request())
    assert pending() == 1
    Payment.objects.update(status="failed", held_until=None, next_attempt_at=None)
    assert pending() == 0


@pytest.mark.django_db
def test_metrics_count_by_status(client: Client) -> None:
    hold(make_request())
    text = client.get("/metrics").content.decode()
    assert 'friendpay_payment_requests{status="open"} 1' in text
    assert 'friendpay_payments{status="pending"} 1' in text
    assert 'friendpay_overdue_seconds{work="refunds"} 0' in text
    assert 'friendpay_overdue_seconds{work="webhooks"} 0' in text
    assert 'friendpay_unclaimed_notifications{reason="orphan"} 0' in text
    assert "friendpay_months_ahead 0" in text
    make_months()
    assert "friendpay_months_ahead 2" in client.get("/metrics").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "from_where", [{"REMOTE_ADDR": "192.168.1.5"}, {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, {"HTTP_FORWARDED": "for=::1"}]
)
def test_a_demos_metrics_are_for_this_machine_alone(client: Client, from_where: dict[str, str]) -> None:
    assert client.get("/metrics", **from_where).status_code == 404  # type: ignore[arg-type]


@pytest.mark.django_db
def test_with_a_token_metrics_are_for_who_brings_it(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "a token"
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer a token"}, REMOTE_ADDR="8.8.8.8").status_code == 200


@pytest.mark.django_db
def test_without_a_token_there_are_no_metrics_outside_of_a_demo(client: Client, settings: Settings) -> None:
    settings.DEMO = False
    assert client.get("/metrics").status_code == 404


def value(client: Client, metric: str) -> float | None:
    """What /metrics says of one, with its label as Prometheus writes it."""
    for line in client.get("/metrics").content.decode().splitlines():
        if line.startswith(f"{metric} "):
            return float(line.split()[1])
    return None


@pytest.mark.django_db
def test_settle_lag_is_how_long_the_newest_notifications_took(client: Client) -> None:
    account, now = account_of(make_request()), clock.now()
    fields = {"account": account, "kind": "k", "about": "charge", "body": b""}
    for number, seconds in enumerate([1] * 18 + [40, 90]):
        at = now - timedelta(seconds=100)
        done = at + timedelta(seconds=seconds)
        ProviderEvent.objects.create(**fields, event_id=str(number), received_at=at, applied_at=done)
    ProviderEvent.objects.create(**fields, event_id="old", received_at=now - timedelta(hours=1))
    ProviderEvent.objects.create(**fields, event_id="orphan", received_at=now - timedelta(minutes=4), orphaned_at=now)
    assert value(client, 'friendpay_settle_seconds{quantile="0.5"}') == 1
    assert value(client, 'friendpay_settle_seconds{quantile="0.95"}') == 40
    assert value(client, 'friendpay_settle_seconds{quantile="1"}') == 90
    ProviderEvent.objects.create(**fields, event_id="waits", received_at=now - timedelta(seconds=200))
    assert (value(client, 'friendpay_settle_seconds{quantile="1"}') or 0) >= 200


@pytest.mark.django_db
def test_sweep_lag_is_for_how_long_the_oldest_work_has_been_due(client: Client) -> None:
    hold(make_request())
    assert value(client, 'friendpay_overdue_seconds{work="payments"}') == 0
    Payment.objects.update(next_attempt_at=F("next_attempt_at") - timedelta(hours=1))
    assert 3500 < (value(client, 'friendpay_overdue_seconds{work="payments"}') or 0) < 3700


@pytest.mark.django_db
def test_a_wallet_that_answers_with_errors_is_counted_by_its_payments(client: Client) -> None:
    payment = hold(make_request())
    name = f'friendpay_provider_errors{{provider="{payment.account.provider}"}}'
    assert value(client, name) == 0
    Payment.objects.update(error="ProviderError: no answer")
    assert value(client, name) == 1
    Payment.objects.update(status="failed", held_until=None, next_attempt_at=None)
    assert value(client, name) == 0


@pytest.mark.django_db
def test_the_last_check_of_the_books_is_told_with_its_age(client: Client, move_time: Callable[[float], None]) -> None:
    assert value(client, "friendpay_ledger_findings") is None
    heartbeats.note_ledger(2)
    move_time(700)
    assert value(client, "friendpay_ledger_findings") == 2
    assert value(client, "friendpay_ledger_checked_seconds") in (700, 701)
    heartbeats.note_ledger(0)
    assert value(client, "friendpay_ledger_findings") == 0


@pytest.mark.django_db
def test_sockets_of_all_processes_are_added_and_those_of_dead_ones_forgotten(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gauges, "PREFIX", "a test's gauge:")
    for process, sockets in ((1, 30), (2, 12), (1, 31)):
        monkeypatch.setattr(os, "getpid", lambda process=process: process)
        gauges.tell("sockets", sockets)
    assert value(client, "friendpay_sockets") == 43
    valkey = counters.valkey()
    valkey.delete(f"a test's gauge:sockets:{socket.gethostname()}:2")
    assert value(client, "friendpay_sockets") == 31
    assert valkey.scard("a test's gauge:sockets") == 1


@pytest.mark.django_db
def test_without_valkey_the_metrics_leave_out_sockets_alone(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_name: str) -> None:
        return None

    monkeypatch.setattr(gauges, "total", silent)
    assert value(client, "friendpay_sockets") is None
    assert value(client, "friendpay_webhook_backlog") == 0
