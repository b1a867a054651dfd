"""What a payer sees of the end of her time, and her one tap for more, on each page where she may be."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from friendpay.kit import limits
from orders.models import Event
from payments.models import Payment, PaymentRequest
from payments.models.request import Share
from payments.settlement.rules import Split
from tests import shop
from tests.pages import words

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]
BUTTON = "I'm still paying: 5 more minutes"
ANNOUNCED = "Your time to pay is almost up. You can have 5 more minutes."


def begun(client: Client, address: str, **how: str) -> Payment:
    assert client.post(f"{address}pay/", {"method": "sandbox", **how}).status_code == 303
    return Payment.objects.latest("pk")


def announced(page: Any) -> str:
    (found,) = re.findall(r'data-announce="([^"]*)"', page.content.decode())
    return str(found)


def test_in_the_last_minutes_who_pays_gets_five_more_by_one_tap(client: Client, move_stopped_time: MoveTime) -> None:
    payment_request = shop.make_request()
    address = f"/p/{payment_request.token}/"
    payment = begun(client, address)
    more = f"/pay/{payment.token}/more-time/"
    page = client.get(address)
    assert "You started paying with Sandbox wallet: 5:00 left." in words(page)
    assert BUTTON not in words(page)
    assert announced(page) == ""
    assert '<span hidden data-left="180"></span>' in page.content.decode()  # then the page is drawn anew
    move_stopped_time(200)
    page = client.get(address)
    assert BUTTON in words(page)
    assert announced(page) == ANNOUNCED
    assert f'formaction="{more}"' in page.content.decode()
    answer = client.post(more)
    assert (answer.status_code, answer["Location"]) == (303, address)
    page = client.get(address)
    assert "You started paying with Sandbox wallet: 6:40 left." in words(page)
    assert (BUTTON in words(page), announced(page)) == (False, "")
    assert "Someone is paying, 6:40 left" in words(Client().get(address))
    assert client.post(more)["Location"] == address
    assert Event.objects.filter(type="payment.extended").count() == 1


def test_who_comes_back_to_the_address_of_the_form_is_led_to_her_payment(client: Client) -> None:
    payment = begun(client, f"/p/{shop.make_request().token}/")
    assert client.get(f"/pay/{payment.token}/more-time/")["Location"] == f"/pay/{payment.token}/"
    assert client.post("/pay/nobodys/more-time/").status_code == 404


def test_beside_a_code_to_scan_too(client: Client, move_stopped_time: MoveTime) -> None:
    payment = begun(client, f"/p/{shop.make_request().token}/")
    payment.next_step = {"rail": "native", "url": "", "code": "weixin://wxpay/bizpayurl?pr=abc"}
    payment.save()
    address = f"/pay/{payment.token}/"
    assert BUTTON not in words(client.get(address))
    move_stopped_time(200)
    page = client.get(address)
    assert BUTTON in words(page)
    assert announced(page) == ANNOUNCED
    assert client.post(f"{address}more-time/", {"scan": "1"})["Location"] == address
    assert "6:40 left" in words(client.get(address))


def test_a_buyer_who_pays_herself_has_it_on_her_page(client: Client, move_stopped_time: MoveTime) -> None:
    payment_request = shop.make_request()
    address = f"/checkout/{payment_request.order.token}/"
    client.get(address)
    payment = begun(client, address)
    assert BUTTON not in words(client.get(address))
    move_stopped_time(200)
    page = client.get(address)
    assert BUTTON in words(page)
    assert announced(page) == ANNOUNCED
    assert client.post(f"/pay/{payment.token}/more-time/")["Location"] == address
    assert "6:40 left" in words(client.get(address))


def test_a_share_leads_back_to_its_own_page(client: Client, move_stopped_time: MoveTime) -> None:
    payment_request = shop.make_request(split=Split.among([Share("Mei", 4000), Share("Jun", 5000)]))
    payment = begun(client, f"/p/{payment_request.token}/", share="2")
    move_stopped_time(200)
    assert BUTTON in words(client.get(f"/p/{payment_request.token}/?share=2"))
    assert client.post(f"/pay/{payment.token}/more-time/")["Location"] == f"/p/{payment_request.token}/?share=2"


def test_nothing_is_offered_that_cannot_be_had(client: Client, move_stopped_time: MoveTime) -> None:
    payment_request = shop.make_request()
    address = f"/p/{payment_request.token}/"
    payment = begun(client, address)
    move_stopped_time(200)
    for field, value in (("extensions", None), ("next_step", {"lives": 300})):
        was = getattr(payment, field)
        Payment.objects.update(**{field: value})
        page = client.get(address)
        assert "You started paying" in words(page)
        assert (BUTTON in words(page), announced(page)) == (False, "")
        Payment.objects.update(**{field: was})
    PaymentRequest.objects.update(expires_at=payment.created_at + timedelta(seconds=20))
    page = client.get(address)
    assert "You started paying" in words(page)
    assert BUTTON not in words(page)


def test_the_words_say_how_much_is_given() -> None:
    assert str(limits.MORE_TIME.seconds // 60) in BUTTON
    assert str(limits.MORE_TIME.seconds // 60) in ANNOUNCED
