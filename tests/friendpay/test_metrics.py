"""Metrics say what the tables say, in the format that Prometheus reads, and are not for everybody."""

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from payments.models import Payment
from tests.shop import hold, make_request


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
