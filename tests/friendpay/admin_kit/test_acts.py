"""Declared actions: what one needs is said in its table and held in one place."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client
from django.utils.html import escape

from friendpay.admin_kit.acts import Act
from friendpay.admin_kit.base import Declared
from orders.models import Merchant
from payments.models import Report
from tests import desk, shop

pytestmark = pytest.mark.django_db


def acts() -> dict[str, Act]:  # type: ignore[type-arg]
    """Every action of the desk, by the name of its address."""
    pages = [page for page in admin.site._registry.values() if isinstance(page, Declared)]
    return {f"{page.opts.label_lower}/{name}": act for page in pages for name, act in page.acts.items()}


def test_every_action_needs_a_right_that_there_is() -> None:
    names = Permission.objects.values_list("content_type__app_label", "codename")
    known = {f"{app}.{codename}" for app, codename in names}
    assert len(acts()) >= 20
    for name, act in acts().items():
        assert act.rights, name
        assert set(act.rights) <= known, name


def test_what_cannot_be_undone_is_not_a_plain_button() -> None:
    """A red button asks in red; what is the next thing to do is no danger."""
    for name, act in acts().items():
        assert not (act.colour == "primary" and act.danger), name
        assert not (act.colour == "danger" and not act.danger), name


def test_nothing_is_done_without_a_reason() -> None:
    payment_request = shop.make_request()
    report = Report.objects.create(
        request=payment_request,
        merchant=payment_request.merchant,
        reason="stranger",
        network="n",
        created_at=payment_request.created_at,
    )
    client = desk.staff(*desk.READ, "payments.view_report", "payments.change_report")
    for why in ({"why": ""}, {"why": "other", "why_words": " "}, {"why": "whim"}):
        answer = client.post(desk.page(report, "nothing_wrong"), why)
        assert answer.status_code == 200
        assert answer.context["form"].errors
        assert Report.objects.get().settled_at is None
        assert not LogEntry.objects.exists()
    assert client.post(desk.page(report, "nothing_wrong"), {"why": "checked", "why_words": ""}).status_code == 302
    assert LogEntry.objects.get().get_change_message().endswith("nothing wrong. Reason: It was looked into.")


def test_a_name_with_per_cent_signs_is_said_as_it_is() -> None:
    request = shop.make_request()
    Merchant.objects.filter(pk=request.merchant_id).update(name="100% %(wool)s")
    report = Report.objects.create(
        request=request, merchant=request.merchant, reason="stranger", network="n", created_at=request.created_at
    )
    client: Client = desk.staff(*desk.READ, "payments.view_report", "orders.freeze_merchant")
    with transaction.atomic():
        answer = client.post(desk.page(report, "freeze_shop"), follow=True)
    assert answer.status_code == 200
    assert escape("The shop was frozen: 100% %(wool)s") in answer.content.decode()
