"""The case of an order: what stands at its head, what people see, and what support does about it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.utils.html import strip_tags
from pytest_django import Settings

from friendpay.kit import clock
from friendpay.kit.money import Money
from orders.models import Event, Order, WebhookDelivery
from orders.webhooks import endpoints
from payments.admin import case_acts
from payments.models import Mail, MailAddress, Payment, PaymentRequest, ProviderAccount, Refund, Step, StoppedBuyer
from payments.settlement import ledger, lifecycle, outside, refunds
from payments.settlement.rules import Split
from payments.wallets.base import Outcome, State
from tests import desk, shop
from tests.payments.admin.test_pages import notification

pytestmark = pytest.mark.django_db

RIGHTS = (
    "payments.work_case",
    "payments.add_paymentrequest",
    "payments.change_paymentrequest",
    "payments.cancel_paymentrequest",
    "payments.refund_payment",
    "payments.add_stoppedbuyer",
    "orders.redeliver_webhookdelivery",
    "orders.freeze_merchant",
)


def support() -> Client:
    return desk.staff(*desk.READ, *RIGHTS)


def act(client: Client, thing: Model, name: str, **form: Any) -> None:
    answer = client.post(desk.page(thing, name), form)
    assert answer.status_code == 302, desk.words(answer)


def test_a_case_begins_with_who_and_how_much() -> None:
    request = shop.make_request(amount=10000, split=Split(3))
    payment = shop.succeed(shop.hold(request, 3000))
    page = desk.text(support(), desk.page(request))
    for words in ("Lin asks for CN¥100.00 for order", "Paid CN¥30.00", f"/p/{request.token}/", "1 · Mei"):
        assert words in page
    assert request.order.token not in page  # who has the buyer's link may act as the buyer
    lifecycle.cancel_request(request.pk, actor="buyer")
    assert "To go back CN¥30.00" in desk.text(support2(), desk.page(payment.request))


def support2() -> Client:
    return desk.staff(*desk.READ, *RIGHTS, name="bo")


def test_an_order_without_a_request_says_why_ways_are_not_shown() -> None:
    order = shop.make_order()
    ProviderAccount.objects.update(enabled=False)
    page = desk.text(desk.staff(*desk.READ, *RIGHTS, "payments.view_rolloutrule"), desk.page(order))
    assert "The account at the wallet is switched off (a computer" in page
    assert "What the buyer sees" in page
    assert "What the friend sees" not in page


def test_more_of_the_same_buyer_is_shown_and_nobody_elses() -> None:
    merchant = shop.make_merchant()
    first, second = (shop.make_request(shop.make_order(merchant, reference=name)) for name in ("B-1", "B-2"))
    elsewhere = shop.make_order(shop.make_merchant("Other"), reference="B-3")
    page = desk.text(support(), desk.page(second))
    assert "More of the same buyer" in page
    assert "B-1" in page
    assert elsewhere.reference not in page
    assert first.order.reference == "B-1"


def everything() -> list[Any]:
    return [list(model._default_manager.values()) for model in (Order, PaymentRequest, Payment, Event, Step, Mail)]


@pytest.mark.parametrize("view", ["as_friend", "as_buyer"])
def test_a_preview_shows_the_page_and_changes_nothing(view: str) -> None:
    request = shop.make_request()
    client = support()
    client.get(desk.page(request))
    before = everything()
    answer = client.get(desk.page(request, view))
    assert answer.status_code == 200
    assert "CN¥90.00" in desk.words(answer)
    assert everything() == before
    assert not answer.cookies
    policy = answer.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "form-action 'none'" in policy
    assert "script" not in policy
    assert request.order.token not in answer.content.decode()
    assert request.token not in desk.staff(*desk.READ, name="joe").get(desk.page(request)).content.decode()
    assert desk.staff("orders.view_order", name="eve").get(desk.page(request, view)).status_code in (302, 403)


def test_a_request_is_made_for_an_order_but_never_for_a_stopped_buyer() -> None:
    order, client = shop.make_order(), support()
    act(client, order, "ask_friend", **desk.WHY)
    request = PaymentRequest.objects.get()
    assert (request.status, request.shared_at is not None) == ("open", True)
    assert Event.objects.get(type="payment_request.created").actor == "support:anna"
    lifecycle.cancel_request(request.pk, actor="buyer")
    StoppedBuyer.objects.create(merchant=order.merchant, buyer_id="lin", stopped_at=clock.now())
    assert client.post(desk.page(order, "ask_friend"), desk.WHY).status_code == 403
    assert PaymentRequest.objects.count() == 1


def test_a_request_gets_more_time_with_a_reason() -> None:
    request, client = shop.make_request(expires_in=timedelta(minutes=10)), support()
    assert client.post(desk.page(request, "extend"), {"until": "1440", "why": ""}).status_code == 200  # no reason
    assert PaymentRequest.objects.get().expires_at == request.expires_at
    act(client, request, "extend", until="1440", **desk.WHY)
    assert PaymentRequest.objects.get().expires_at > request.expires_at + timedelta(hours=23)
    assert "Reason: The shop asked for it. by phone" in LogEntry.objects.get().change_message


def test_something_else_wants_words() -> None:
    request, client = shop.make_request(), support()
    assert client.post(desk.page(request, "cancel"), {"why": "other", "why_words": ""}).status_code == 200
    assert PaymentRequest.objects.get().status == "open"


def test_another_link_leaves_the_old_one_dead_and_loses_no_money(client: Client) -> None:
    request = shop.make_request(amount=10000, split=Split(3))
    given = shop.succeed(shop.hold(request, 3000))
    held = shop.hold(request, 4000, name="Jo")
    act(support(), request, "reissue", **desk.WHY)
    request.refresh_from_db()
    new = PaymentRequest.objects.get(status="open")
    assert (request.status, request.is_replaced) == ("cancelled", True)
    assert new.token != request.token
    assert new.code != request.code
    assert (new.amount, new.message, new.split_max_payers) == (10000, request.message, 3)
    page = client.get(f"/p/{request.token}/").content.decode()
    assert "This link was replaced" in page
    assert new.token not in page  # the old one may be with the wrong person
    shop.succeed(held)
    back = dict(Refund.objects.values_list("payment", "amount"))
    assert back == {given.pk: 3000, held.pk: 4000}
    assert ledger.check() == []


def test_who_makes_another_link_is_told_first_what_goes_back() -> None:
    request = shop.make_request(amount=10000, split=Split(3))
    shop.succeed(shop.hold(request, 3000))
    assert "(CN¥30.00 so far) go back" in desk.text(support(), desk.page(request, "reissue"))


def test_a_request_that_ended_gets_no_other_link() -> None:
    request = shop.make_request()
    shop.succeed(shop.hold(request))
    answer = support().post(desk.page(request, "reissue"), desk.WHY)
    assert answer.status_code == 409
    assert PaymentRequest.objects.count() == 1


def test_all_payers_are_refunded_pro_rata_from_the_case() -> None:
    request = shop.make_request(amount=10000, split=Split(3))
    for name, part in (("Mei", 3000), ("Jo", 7000)):
        shop.succeed(shop.hold(request, part, name=name))
    act(support(), request, "refund", amount="10.00", note="", seen="10000", **desk.WHY)
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [300, 700]


def test_a_case_is_assigned_and_noted_on() -> None:
    request, client = shop.make_request(), support()
    anna = User.objects.get(username="anna")
    act(client, request, "assign", user=str(anna.pk))
    assert [it.order for it in case_acts.mine(anna)] == [request.order]
    assert "Assigned to: anna" in desk.text(client, "/admin/")
    assert "Assigned to" not in desk.text(support2(), "/admin/")
    act(client, request, "note", note="Called back, 100% sure.")
    page = desk.text(client, desk.page(request))
    assert "Assigned to: anna" in page
    assert "Note: Called back, 100% sure." in page
    act(client, request.order, "assign", user="")
    assert not case_acts.mine(anna).exists()


def test_a_case_in_chinese_has_chinese_colons(settings: Settings) -> None:
    settings.DESK_SECOND_PERSON_ABOVE = {"CNY": "50.00"}
    request, client = shop.make_request(amount=10000), support()
    payment = shop.succeed(shop.hold(request))
    notification(payment.account, reference=payment.reference, applied_at=clock.now())
    act(client, request, "assign", user=str(User.objects.get(username="anna").pk))
    act(client, payment, "refund", amount="90.00", note="", seen="10000")  # waits for a second person
    dispute = outside.hear_dispute(payment.pk, Outcome(State.PENDING, "", "dp_1", Money(500, "CNY"), "fraudulent"))
    client = desk.staff(*desk.READ, *RIGHTS, "payments.view_dispute", name="bo")
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"
    pages = [desk.text(client, page) for page in (desk.page(request), desk.page(dispute, "evidence"))]
    for said in ("买家：Lin", "负责人：anna", "链接：", "分享码：", "等待第二个人确认：", "语言："):
        assert any(said in page for page in pages), said
    assert [found for page in pages for found in re.findall(r"[\u4e00-\u9fff] ?: .{9}", page)] == []


def test_the_shop_is_told_again_from_the_case() -> None:
    request = shop.make_request()
    endpoints.create(request.merchant, live=False, url="https://shop.example/hook")
    lifecycle.cancel_request(request.pk, actor="buyer")
    delivery = WebhookDelivery.objects.get()
    WebhookDelivery.objects.update(status="given_up", next_attempt_at=None)
    client = support()
    assert "given up" in desk.text(client, desk.page(request))
    act(client, request, "tell_shop", deliveries=[str(delivery.pk)])
    delivery.refresh_from_db()
    assert (delivery.status, delivery.next_attempt_at is not None) == ("pending", True)


def test_a_mail_is_sent_again_to_the_address_it_had_and_to_no_forgotten_one() -> None:
    request = shop.make_request()
    known = {"order": request.order, "request": request, "digest": "d", "language": "en", "created_at": clock.now()}
    ends = clock.now() + timedelta(days=1)
    to, forgotten = (
        MailAddress.objects.create(role="buyer", address=address, ends_at=ends, **known)
        for address in ("lin@shop.example", "")
    )
    mail, gone = (Mail.objects.create(to=it, kind="paid", sent_at=clock.now()) for it in (to, forgotten))
    client = support()
    act(client, request, "send_mail", mails=[str(mail.pk)])
    mail.refresh_from_db()
    assert (mail.sent_at, mail.next_attempt_at is not None) == (None, True)
    assert client.post(desk.page(request, "send_mail"), {"mails": [str(gone.pk)]}).status_code != 302


def test_asking_the_wallet_counts_what_came_and_tells_what_was_said() -> None:
    request = shop.make_request()
    payment = shop.hold(request)
    client = support()
    answer = client.post(desk.page(request, "ask_wallets"), follow=True)
    assert "Sandbox wallet was asked about 1 · Mei" in desk.words(answer)
    payment.refresh_from_db()
    assert payment.amount_captured == 0
    assert [line for line in LogEntry.objects.values_list("change_message", flat=True) if "was asked about" in line]


def test_buyer_and_shop_are_stopped_from_the_case_with_a_reason() -> None:
    request, client = shop.make_request(), support()
    act(client, request, "stop_buyer", **desk.WHY)
    request.refresh_from_db()
    assert (request.status, StoppedBuyer.objects.get().buyer_id) == ("cancelled", "lin")
    act(client, request, "freeze_shop", **desk.WHY)
    request.merchant.refresh_from_db()
    assert request.merchant.is_frozen


@pytest.mark.parametrize("name", sorted(case_acts.OF_REQUEST))
def test_every_remedy_needs_its_right(name: str) -> None:
    request = shop.make_request()
    rights = case_acts.OF_REQUEST[name].rights
    others = [right for right in RIGHTS if right not in rights]
    assert desk.staff(*desk.READ, *others).post(desk.page(request, name), desk.WHY).status_code == 403
    assert not LogEntry.objects.exists()


def test_asking_a_wallet_about_a_refund_believes_what_it_says() -> None:
    payment = shop.succeed(shop.hold(shop.make_request()))
    refund = refunds.refund_payment(payment.pk, actor="merchant")
    Refund.objects.update(status="submitted", sent_at=clock.now())
    answer = support().post(desk.page(payment.request, "ask_wallets"), follow=True)
    assert "was asked about" in strip_tags(answer.content.decode())
    assert Refund.objects.get(pk=refund.pk).status == "submitted"


def test_what_a_wallet_wrote_is_shown_without_secrets_and_who_looked_is_on_record() -> None:
    account = shop.account_of(shop.make_request())
    body = b'{"type": "charge.paid", "amount": 9000, "openid": "o-payer-secret", "sign": "c2VjcmV0", "total": "90.00"}'
    event = notification(account, body=body)
    form = notification(account, 2, body=b"trade_status=TRADE_SUCCESS&buyer_logon_id=mei%40mail.example&sign=abc")
    client = desk.staff(*desk.READ, "payments.read_providerevent")
    page = desk.text(client, desk.page(event, "as_written"))
    assert all(shown in page for shown in ("charge.paid", "9000", "90.00", "… (14 characters)"))
    assert "secret" not in page.replace("may be secret", "")
    assert "c2VjcmV0" not in page
    page = desk.text(client, desk.page(form, "as_written"))
    assert "TRADE_SUCCESS" in page
    assert "mail.example" not in page
    assert LogEntry.objects.filter(change_message="Looked at what the wallet wrote.").count() == 2
    assert desk.staff(*desk.READ, name="eve").get(desk.page(event, "as_written")).status_code == 403
