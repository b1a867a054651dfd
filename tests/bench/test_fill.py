"""Requests filled in by SQL are as real as the one they were copied from."""

from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from bench.limits import sweep
from bench.speed import fill
from friendpay.kit import clock
from orders.models import Event, Order
from payments.models import PaymentRequest
from payments.settlement import expiry, ledger
from tests import shop

pytestmark = [pytest.mark.proof, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def database() -> "psycopg.Connection[Any]":
    return psycopg.connect(settings.DATABASE_URL, dbname=connection.settings_dict["NAME"], autocommit=True)


def test_copies_open_and_can_be_paid_like_the_order_they_are_of(
    client: Client, database: "psycopg.Connection[Any]"
) -> None:
    request = shop.make_request()
    with database:
        tokens = fill.fill(database, fill.model(database, request.order.public_id), 30)
    assert len(set(tokens)) == 30
    assert Order.objects.count() == PaymentRequest.objects.count() == 31
    assert Event.objects.filter(request=PaymentRequest.objects.get(token=tokens[7]).public_id).count() == (
        Event.objects.filter(request=request.public_id).count()
    )
    assert client.get(f"/p/{tokens[0]}/").status_code == client.get(f"/p/{tokens[-1]}/").status_code == 200
    copied = PaymentRequest.objects.get(token=tokens[3])
    shop.hold(copied)
    assert shop.make_order(request.merchant).pk > copied.order_id
    assert ledger.check() == []


def test_filling_twice_never_gives_a_link_twice(database: "psycopg.Connection[Any]") -> None:
    request = shop.make_request()
    with database:
        model = fill.model(database, request.order.public_id)
        assert not {*fill.fill(database, model, 10)} & {*fill.fill(database, model, 10)}
    assert PaymentRequest.objects.count() == 21


def test_the_statement_beside_the_sweep_ends_the_same_requests(database: "psycopg.Connection[Any]") -> None:
    """It is a limit only while it does the work: each stale one ended, with its event, and no other touched."""
    request = shop.make_request()
    with database:
        tokens = fill.fill(database, fill.model(database, request.order.public_id), 10)
        stale = PaymentRequest.objects.filter(token__in=tokens[:4])
        stale.update(created_at="2026-01-01T00:00:00Z", expires_at="2026-01-02T00:00:00Z")
        assert sweep.expire(database) == 4
    assert stale.filter(status="expired", closed_at__isnull=False).count() == 4
    assert Event.objects.filter(type="payment_request.expired").count() == 4
    assert PaymentRequest.objects.filter(status="open").count() == 7
    assert not PaymentRequest.objects.due_for_expiry(clock.now()).exists()
    expiry.sweep()
    assert PaymentRequest.objects.filter(status="open").count() == 7
