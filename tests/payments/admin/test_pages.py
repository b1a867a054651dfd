"""What the desk shows of requests, payments, refunds and notifications, to whom, and at what price."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from friendpay.kit import clock
from friendpay.kit.money import Money
from orders.admin.timeline import SENTENCES
from orders.models import Order
from payments.models import BillMismatch, Payment, PaymentRequest, ProviderAccount, ProviderEvent, Refund
from payments.settlement import outside, refund_moves, refunds, requests
from payments.settlement.rules import Split
from payments.wallets.base import Outcome, State
from tests import desk, shop

pytestmark = pytest.mark.django_db

MONEY = [Order, PaymentRequest, Payment, Refund, ProviderEvent, BillMismatch]


def notification(account: ProviderAccount, number: int = 1, **changes: Any) -> ProviderEvent:
    now = clock.now()
    plain = {"kind": "charge.paid", "about": "charge", "reference": f"fp{number}", "body": b"{}", "received_at": now}
    return ProviderEvent.objects.create(account=account, event_id=f"n{number}", **plain | changes)


def mismatch(account: ProviderAccount, number: int = 1) -> BillMismatch:
    now = clock.now()
    return BillMismatch.objects.create(
        account=account,
        day=now.date(),
        kind="missing_here",
        about="charge",
        reference=f"fp{number}",
        theirs="12.00 CNY succeeded",
        found_at=now,
    )


def paid_and_refunded(number: int = 1) -> Refund:
    request = shop.make_request(shop.make_order(shop.make_merchant(f"Shop {number}"), reference=f"A-{number}"))
    payment = shop.succeed(shop.hold(request))
    notification(payment.account, number, applied_at=clock.now())
    mismatch(payment.account, number)
    return refunds.refund_payment(payment.pk, 1000, actor="merchant")


def rights(verb: str) -> list[str]:
    return [f"{model._meta.app_label}.{verb}_{model._meta.model_name}" for model in MONEY]


def thing(model: type[Model]) -> Model:
    paid_and_refunded()
    return model._default_manager.get()


@pytest.mark.parametrize("model", MONEY)
def test_nothing_money_touches_is_added_changed_or_deleted_by_hand(model: type[Model]) -> None:
    row = thing(model)
    client = desk.staff(*desk.READ, *rights("add"), *rights("change"), *rights("delete"))
    before = list(model._default_manager.values())
    status = {"status": "paid", "amount": "1", "amount_paid": "1", "_save": "Save"}
    assert client.post(desk.page(row), status).status_code == 403
    assert client.post(desk.page(row, "delete"), {"post": "yes"}).status_code == 403
    assert client.post(desk.rows(model).rstrip("/") + "/add/", status).status_code == 403
    client.post(desk.rows(model), {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"})
    assert list(model._default_manager.values()) == before


@pytest.mark.parametrize("model", MONEY)
def test_lists_and_pages_are_for_who_may_see_them(model: type[Model]) -> None:
    row = thing(model)
    reader, stranger = desk.staff(*desk.READ), desk.staff(name="carl")
    for address in (desk.rows(model), desk.page(row)):
        assert reader.get(address).status_code == 200
        assert stranger.get(address).status_code == 403
        assert Client().get(address).status_code == 302


@pytest.mark.parametrize("model", MONEY)
def test_a_list_takes_as_many_queries_for_many_rows_as_for_few(
    model: type[Model], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(8):
        paid_and_refunded(number)
    client = desk.staff(*desk.READ)
    with django_assert_max_num_queries(10):
        response = client.get(desk.rows(model))
    assert len(response.context["cl"].result_list) == 8


@pytest.mark.parametrize("model", [Order, PaymentRequest])
def test_a_page_takes_as_many_queries_for_many_payments_as_for_few(model: type[Order]) -> None:
    client, counts = desk.staff(*desk.READ), []
    for payers in (2, 8):
        merchant = shop.make_merchant(f"Shop {payers}")
        request = shop.make_request(shop.make_order(merchant, amount=payers * 1000), split=Split(8, 100))
        for payment in [shop.succeed(shop.hold(request, 1000)) for _number in range(payers)]:
            outside.book_refund(payment.pk, f"hand{payment.pk}", Money(100, "CNY"))
        page = desk.page(model._default_manager.get(merchant=merchant))
        client.get(page)  # what is read once in each process
        with CaptureQueriesContext(connection) as asked:
            assert client.get(page).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1] < 60, counts


def test_a_request_tells_its_story() -> None:
    request = shop.make_request()
    first, second = shop.attempts(request, 2)
    shop.succeed(first)
    shop.succeed(second)
    story = (
        "A payment request was opened.",
        "Friend 0 began to pay with Sandbox wallet.",
        "Friend 0 paid with Sandbox wallet.",
        "The request is paid in full.",
        "Friend 1 paid with Sandbox wallet.",
        "The payer is due a refund: someone else had already paid.",
        "The shop is refunding the payer.",
    )
    refunds.refund_payment(first.pk, 500, actor="merchant")
    words = desk.text(desk.staff(*desk.READ), desk.page(request))
    places = [words.find(sentence) for sentence in story]
    assert -1 not in places
    assert places == sorted(places)
    assert words.count("CN¥90.00") > 6


def test_what_friends_write_is_text() -> None:
    request = shop.make_request()
    requests.decline(request.pk, name="<i>Bo</i>", words="<script>alert(1)</script>")
    body = desk.staff(*desk.READ).get(desk.page(request)).content
    assert b"<i>Bo" not in body
    assert b"<script>alert(1)" not in body
    assert b"&lt;i&gt;Bo&lt;/i&gt; said no" in body


def test_every_type_of_event_has_a_sentence() -> None:
    """Whatever the code names, and whatever it makes of a status."""
    code = "".join(
        path.read_text() for app in ("orders", "payments") for path in Path(settings.BASE_DIR, app).glob("*.py")
    )
    named = set(re.findall(r'"((?:order|payment_request|payment|refund)\.[a-z_]+)"', code))
    made = {f"payment_request.{end}" for end in ("expired", "cancelled")} | {
        f"refund.{status}" for status in Refund.Status.values
    }
    made |= {f"payment.{end}" for end in ("failed", "cancelled")}
    assert len(named) > 15
    assert (named | made) - set(SENTENCES) == set()


def test_a_request_past_its_time_is_not_shown_as_open(move_time: Callable[[float], None]) -> None:
    request = shop.make_request(expires_in=timedelta(minutes=1))
    client = desk.staff(*desk.READ)
    assert "0:5" in desk.text(client, desk.rows(PaymentRequest))
    move_time(61)
    words = desk.text(client, desk.page(request))
    assert "expired" in words
    assert " open " not in words


def test_the_front_page_counts_what_needs_work(move_time: Callable[[float], None]) -> None:
    refund = paid_and_refunded()
    account = refund.account
    shop.hold(shop.make_request(shop.make_order(refund.merchant)))
    client = desk.staff(*desk.READ)
    assert [kind.count for kind in client.get("/admin/").context["work"]] == [0, 0, 0, 0, 1, 0, 0]
    refund_moves.move_refund(refund.pk, "failed", outcome=Outcome(State.FAILED, refund.reference, code="NO_MONEY"))
    notification(account, 2, orphaned_at=clock.now())
    notification(account, 3, set_aside_at=clock.now())
    refunds.refund_payment(refund.payment_id, 1, actor="merchant")  # no wallet decides it
    move_time(3 * 3600 + 1)
    ProviderAccount.objects.filter(pk=account.pk).update(paused_until=clock.now())
    work = client.get("/admin/").context["work"]
    assert [kind.count for kind in work] == [1, 1, 1, 1, 1, 1, 1]
    for kind in work:
        assert len(client.get(kind.url).context["cl"].result_list) == 1


def test_the_front_page_shows_nobody_what_they_may_not_see() -> None:
    paid_and_refunded()
    work = desk.staff("payments.view_refund").get("/admin/").context["work"]
    assert [str(kind.title) for kind in work] == ["Failed refunds", "Refunds that wait"]
    assert "Ask whoever runs friendpay" in desk.text(desk.staff(name="carl"), "/admin/")


def test_a_failed_refund_shows_the_wallets_own_words() -> None:
    refund = paid_and_refunded()
    refused = Outcome(State.FAILED, refund.reference, code="NOTENOUGH", message="The balance is not enough.")
    refund_moves.move_refund(refund.pk, "failed", outcome=refused)
    client = desk.staff(*desk.READ)
    for address in (desk.page(refund), f"{desk.rows(Refund)}?status__exact=failed"):
        assert "NOTENOUGH The balance is not enough." in desk.text(client, address)


def test_a_notifications_body_is_not_shown() -> None:
    account = shop.account_of(shop.make_request())
    event = notification(account, body=b'{"openid": "o-payer-secret"}', orphaned_at=clock.now())
    assert "o-payer-secret" not in desk.text(desk.staff(*desk.READ), desk.page(event))


def test_lists_can_be_filtered_by_mode_and_wallet() -> None:
    paid_and_refunded()
    client = desk.staff(*desk.READ)
    for model in MONEY:
        for mode, count in (("test", 1), ("live", 0)):
            response = client.get(desk.rows(model), {"mode": mode})
            assert len(response.context["cl"].result_list) == count
    assert len(client.get(desk.rows(Payment), {"method": "alipay"}).context["cl"].result_list) == 0
