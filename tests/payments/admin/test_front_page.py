"""The desk's front page: what needs a person, oldest first and in one line, and how today goes."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from friendpay.kit import clock
from orders.models import WebhookEndpoint
from payments.models import LedgerAlarm, Payment, PaymentRequest
from payments.settlement import ledger, refund_moves
from payments.settlement.ledger import Finding
from payments.wallets.base import Outcome, State
from tests import desk, shop
from tests.payments.admin.test_pages import notification, paid_and_refunded

pytestmark = pytest.mark.django_db


def test_what_waits_longest_stands_first_and_says_what_it_is_about(move_time: Callable[[float], None]) -> None:
    refund = paid_and_refunded()
    refused = Outcome(State.FAILED, refund.reference, code="NO_MONEY", message="Top up.")
    refund_moves.move_refund(refund.pk, "failed", outcome=refused)
    move_time(60)
    notification(refund.account, 2, orphaned_at=clock.now(), reference="fp-nobody")
    client = desk.staff(*desk.READ)
    first, *_between, last = lines = client.get("/admin/").context["lines"]
    assert [line.since for line in lines] == sorted(line.since for line in lines)
    assert str(last.kind) == "Orphans"
    assert "fp-nobody" in last.about
    failed = next(line for line in lines if str(line.kind) == "Failed refunds")
    assert failed.url == desk.page(refund)
    assert failed.about == "CN¥10.00 · Mei · A-1 · Lin · Shop 1 · NO_MONEY Top up."
    assert first.since <= failed.since


def test_a_webhook_that_fails_or_was_switched_off_is_work() -> None:
    merchant = shop.make_merchant()
    now = clock.now()
    plain = {"merchant": merchant, "sealed": "x", "event_types": []}
    WebhookEndpoint.objects.create(url="https://a.example/", failing_since=now, **plain)
    WebhookEndpoint.objects.create(url="https://b.example/", disabled_at=now, disabled_reason="gone", **plain)
    WebhookEndpoint.objects.create(url="https://c.example/", disabled_at=now, disabled_reason="shop", **plain)
    client = desk.staff("orders.view_webhookendpoint")
    context = client.get("/admin/").context
    assert [line.about.split(" ")[0] for line in context["lines"]] == ["https://a.example/", "https://b.example/"]
    for kind in context["work"]:
        assert len(client.get(kind.url).context["cl"].result_list) == 1


def test_an_alarm_of_the_ledger_stands_above_all_until_the_books_are_right_again() -> None:
    refund = paid_and_refunded()
    finding = Finding("request: held", refund.payment.request.public_id, "1 and 2")
    ledger.alarm([finding])
    ledger.alarm([finding])
    client = desk.staff(*desk.READ)
    alarm = client.get("/admin/").context["lines"][0]
    assert alarm.about == f"request: held · {finding.object_id} · 1 and 2"
    assert client.get(alarm.url).headers["Location"] == desk.page(refund.payment.request)
    ledger.alarm([])
    assert not LedgerAlarm.objects.exists()


def test_a_shops_people_see_their_own_work_and_figures_alone() -> None:
    own, other = paid_and_refunded(1), paid_and_refunded(2)
    for refund in (own, other):
        refused = Outcome(State.FAILED, refund.reference, code="NO_MONEY")
        refund_moves.move_refund(refund.pk, "failed", outcome=refused)
    ledger.alarm([Finding("a rule", other.public_id, "")])
    context = desk.staff(*desk.READ, shops=[own.merchant]).get("/admin/").context
    assert [line.url for line in context["lines"] if str(line.kind) == "Failed refunds"] == [desk.page(own)]
    assert "Shop 2" not in "".join(line.about for line in context["lines"])
    assert context["figures"].figures.by_shop == {"Shop 1": 1}


def test_todays_figures_are_of_today() -> None:
    paid_and_refunded(1)
    old = paid_and_refunded(2).payment
    expired = shop.make_request(shop.make_order(old.merchant, reference="gone"))
    now = clock.now()
    PaymentRequest.objects.filter(pk=expired.pk).update(status="expired", closed_at=now)
    ago = now - timedelta(days=2)
    Payment.objects.filter(pk=old.pk).update(succeeded_at=ago)
    PaymentRequest.objects.filter(pk=old.request_id).update(created_at=ago)
    client = desk.staff(*desk.READ)
    found = client.get("/admin/").context["figures"].figures
    assert (found.asked.total(), found.paid.total(), found.expired) == (2, 1, 1)
    assert found.by_method == {"sandbox": 1}
    assert found.taken == {"CNY": 9000}
    assert found.median is not None
    words = desk.text(client, "/admin/")
    assert "Median time to paid" in words
    assert "CN¥90.00" in words


def test_nothing_to_do_says_so() -> None:
    assert "Nothing needs a person now." in desk.text(desk.staff(*desk.READ), "/admin/")
