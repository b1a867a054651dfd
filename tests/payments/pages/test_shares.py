"""Named shares on the friend's and the buyer's pages, and in the API."""

from collections.abc import Callable

import pytest
from django.core import mail as outgoing
from django.test import Client

from payments.models import MailAddress, Payment, PaymentRequest
from payments.settlement.chip_in import Share, Split
from payments.tasks import sweep_mail
from tests import shop
from tests.pages import words

pytestmark = pytest.mark.django_db

THREE = Split.among([Share("Mei", 4000), Share("Jun", 4000), Share("me", 1000)])


@pytest.fixture
def request_() -> PaymentRequest:
    return shop.make_request(amount=9000, split=THREE)


def page_of(request: PaymentRequest, share: int | None = None) -> str:
    return f"/p/{request.token}/" + (f"?share={share}" if share else "")


def test_the_link_of_all_asks_whose_share_it_is(client: Client, request_: PaymentRequest) -> None:
    page = client.get(page_of(request_))
    text = words(page)
    assert "Lin is asking you to pay your share" in text
    assert "Which share is yours? Mei CN¥40.00 Jun CN¥40.00 me CN¥10.00" in text
    assert f'href="{page_of(request_, 2)}"' in page.content.decode()
    assert "Pay CN¥" not in text
    assert "Add your name" not in text  # whose it is comes first
    assert "Add your name" in words(client.get(page_of(request_, 2)))


def test_a_share_has_a_page_of_its_own_and_pays_that_alone(client: Client, request_: PaymentRequest) -> None:
    text = words(client.get(page_of(request_, 3)))
    assert "Pay CN¥10.00 with Sandbox wallet" in text
    assert "everyone gets their money back" in text
    answer = client.post(f"/p/{request_.token}/pay/", {"method": "sandbox", "share": "3"})
    assert answer.status_code == 303
    payment = Payment.objects.get()
    assert (payment.amount, payment.share) == (1000, 2)
    assert "Mei CN¥40.00" in words(client.get(page_of(request_, 1)))
    assert "Pay CN¥40.00 with Sandbox wallet" in words(client.get(page_of(request_, 1)))
    assert "You started paying" in words(client.get(page_of(request_, 3)))


def test_what_is_paid_is_seen_by_all_and_paid_by_nobody_else(client: Client, request_: PaymentRequest) -> None:
    shop.succeed(shop.hold_share(request_, 0, name="Mei"))
    assert "Mei · Paid CN¥40.00" in words(client.get(page_of(request_)))
    assert "This is paid" in words(client.get(page_of(request_, 1)))
    answer = client.post(f"/p/{request_.token}/pay/", {"method": "sandbox", "share": "1"})
    assert answer.status_code == 409
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("share", ["", "0", "4", "-1", "x", "99999999999999999999", "１"])
def test_no_share_is_guessed(client: Client, request_: PaymentRequest, share: str) -> None:
    assert client.get(f"/p/{request_.token}/", {"share": share}).status_code == 200
    answer = client.post(f"/p/{request_.token}/pay/", {"method": "sandbox", "share": share})
    assert answer.status_code in ((303,) if share == "１" else (422,))


def test_the_buyer_splits_by_lines_and_reminds_each(client: Client) -> None:
    request = shop.make_request(amount=9000)
    checkout = f"/checkout/{request.order.token}/"
    answer = client.post(f"{checkout}shares/", {"shares": "Mei 40\nJun Li 40.00\n\nme 10"})
    assert answer.status_code == 303
    request.refresh_from_db()
    assert request.named == (Share("Mei", 4000), Share("Jun Li", 4000), Share("me", 1000))
    page = client.get(checkout).content.decode()
    assert "?share=2" in page
    assert "Jun Li, could you pay your share of CN¥40.00 for my Harbour Tea order?" in page


def test_a_reminder_leads_back_to_the_share_it_is_of(
    client: Client, request_: PaymentRequest, move_time: Callable[[float], None]
) -> None:
    page = client.get(page_of(request_, 2)).content.decode()
    assert page.count('<input type="hidden" name="share" value="2">') == 3  # to pay, to be reminded, to say no
    assert f"{page_of(request_, 2)}" in page.split("data-share=")[1].split('"')[1]  # passed on: the same share
    given = {"at": "hour", "share": "2"}
    answer = client.post(f"/p/{request_.token}/remind/", {**given, "calendar": "1"})
    calendar = client.get(answer["Location"]).content.decode().replace("\r\n ", "")
    assert f"URL:http://127.0.0.1:8000{page_of(request_, 2)}\r\n" in calendar
    answer = client.post(f"/p/{request_.token}/remind/", {**given, "address": "jun@post.example"})
    assert answer["Location"] == page_of(request_, 2)
    move_time(3601)
    sweep_mail()
    [message] = outgoing.outbox
    assert page_of(request_, 2) in message.body


def test_nobody_is_reminded_of_a_share_that_somebody_has_paid(
    client: Client, request_: PaymentRequest, move_time: Callable[[float], None]
) -> None:
    client.post(f"/p/{request_.token}/remind/", {"at": "hour", "share": "2", "address": "jun@post.example"})
    shop.succeed(shop.hold_share(request_, 1, name="Jun"))
    move_time(3601)
    sweep_mail()
    assert outgoing.outbox == []
    assert MailAddress.objects.get().address == ""


def test_a_no_said_on_a_shares_page_leads_back_to_it(client: Client, request_: PaymentRequest) -> None:
    answer = client.post(f"/p/{request_.token}/decline/", {"choice": "sorry", "share": "2"})
    assert answer["Location"] == page_of(request_, 2)
    assert "We've let Lin know." in words(client.get(answer["Location"]))


@pytest.mark.parametrize("lines", ["", "Mei", "Mei 40", "Mei 40\nJun 40", "Mei 40\nJun fifty", "Mei 45\nmei 45"])
def test_a_mistake_is_told_and_changes_nothing(client: Client, lines: str) -> None:
    request = shop.make_request(amount=9000)
    answer = client.post(f"/checkout/{request.order.token}/shares/", {"shares": lines})
    assert answer.status_code == 422
    assert 'id="id_shares_error"' in answer.content.decode()
    request.refresh_from_db()
    assert request.shares == []
