"""What the buyer's page says while a request is out, and who it says it to."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client

from orders.models import Event, Order
from payments.models import PaymentRequest, Step
from payments.settlement import ledger, lifecycle, requests
from payments.settlement.rules import Split
from tests import agents, shop
from tests.pages import forms, words

pytestmark = pytest.mark.django_db

ELSEWHERE = {"Sec-Fetch-Site": "cross-site"}


def page_of(order: Order) -> str:
    return f"/checkout/{order.token}/"


def first_screen(payment_request: PaymentRequest, **headers: str) -> str:
    """What happened, how much, and what is next."""
    body = Client(headers=headers).get(page_of(payment_request.order)).content.decode()
    stage, found = body.split('<section class="standing stack" data-stage="')[1].split("</section>")[0].split('">', 1)
    return f"{stage}: {words(HttpResponse(found))}"


def test_each_state_is_the_first_thing_said(client: Client) -> None:
    payment_request = shop.make_request()
    address = page_of(payment_request.order)
    assert first_screen(payment_request).startswith("shared: ")
    said = first_screen(payment_request)
    assert "Send this to a friend CN¥90.00 Until" in said
    assert "Your message Could you pay CN¥90.00 for my Harbour Tea order? http" in said
    client.post(f"/p/{payment_request.token}/step/", {"shared": "1"})
    assert "sent: " in first_screen(payment_request)
    assert "Waiting for your friend Nobody has opened the link yet. CN¥90.00 Until" in first_screen(payment_request)
    requests.record_view(payment_request)
    assert "Link opened CN¥90.00" in first_screen(payment_request)
    assert "You'll see it here as soon as it's paid." in first_screen(payment_request)
    requests.record_view(PaymentRequest.objects.get(), choosing=True)
    assert "Someone is choosing how to pay CN¥90.00" in first_screen(payment_request)
    payment = shop.hold(payment_request)
    assert "A friend is paying Mei is paying" in first_screen(payment_request)
    lifecycle.end_payment(payment.pk, cancelled=False, code="CARD_DECLINED", words="")
    said = first_screen(payment_request)
    assert "failed: " in said
    assert "Not paid yet Mei tried, but the payment was refused. No money has moved." in said
    assert "Your link still works: send it to someone else, or pay yourself." in said
    requests.decline(payment_request.pk, words="Tight this month!")
    assert "A friend can't help this time “ Tight this month! ”" in first_screen(payment_request).replace(
        "“", "“ "
    ).replace("”", " ”")
    client.post(f"{address}pay/", {"method": "sandbox"})
    body = client.get(address).content.decode()
    assert 'data-stage="own"' in body
    assert "Your payment isn&#39;t finished" in body


def test_a_part_that_is_paid_is_the_first_thing_said() -> None:
    payment_request = shop.make_request(split=Split(3))
    shop.succeed(shop.hold(payment_request, 3000, name="Mei"))
    assert "partly: Partly paid CN¥30.00 of CN¥90.00 is paid" in first_screen(payment_request)


def test_codes_are_folded_on_a_phone_and_open_at_a_desk() -> None:
    payment_request = shop.make_request()
    for agent, is_open in ((agents.SAFARI_IPHONE, False), ("", True)):
        body = Client(headers={"User-Agent": agent}).get(page_of(payment_request.order)).content.decode()
        assert ('id="sheet-fold" open' in body) is is_open


def test_the_time_left_is_a_moment_until_the_last_hour(move_time: Callable[[float], None]) -> None:
    payment_request = shop.make_request(expires_in=timedelta(hours=2))
    for address in (page_of(payment_request.order), f"/p/{payment_request.token}/"):
        body = Client().get(address).content.decode()
        assert "Until <time" in body
        assert "time-left" not in body
    move_time(3601)
    for address in (page_of(payment_request.order), f"/p/{payment_request.token}/"):
        text = words(Client().get(address))
        assert re.search(r"\b59:\d\d left", text)
        assert "Until" not in text


def test_more_time_is_given_to_the_same_link(client: Client, move_time: Callable[[float], None]) -> None:
    payment_request = shop.make_request()
    address = page_of(payment_request.order)
    assert f"{address}more-time/" not in forms(client.get(address))
    move_time(3 * 3600)
    assert f"{address}more-time/" in forms(client.get(address))
    answer = client.post(f"{address}more-time/")
    assert (answer.status_code, answer["Location"]) == (303, f"{address}#settings")
    extended = PaymentRequest.objects.get()
    assert extended.token == payment_request.token
    assert extended.expires_at - payment_request.expires_at >= timedelta(hours=3)
    assert Event.objects.filter(type="payment_request.extended", actor="buyer").count() == 1
    page = client.get(address)
    assert "Saved" in words(page)
    assert f"{address}more-time/" not in forms(page)


def test_no_more_time_than_the_order_has(client: Client, move_time: Callable[[float], None]) -> None:
    payment_request = shop.make_request()
    Order.objects.update(expires_at=payment_request.expires_at)
    move_time(3 * 3600)
    address = page_of(payment_request.order)
    assert f"{address}more-time/" not in forms(client.get(address))
    assert client.post(f"{address}more-time/").status_code == 303
    assert PaymentRequest.objects.get().expires_at == payment_request.expires_at


def test_what_was_changed_is_confirmed_where_it_was_changed(client: Client) -> None:
    payment_request = shop.make_request()
    address = page_of(payment_request.order)
    assert "Saved" not in words(client.get(address))
    answer = client.post(f"{address}message/", {"message": "Please"})
    assert answer["Location"] == f"{address}#settings"
    assert 'id="saved"' in client.get(address).content.decode()
    assert 'id="saved"' not in client.get(address).content.decode()


def test_the_buyer_is_warned_before_cancelling_while_somebody_pays(client: Client) -> None:
    payment_request = shop.make_request()
    warning = "Someone is paying right now. Cancel anyway?"
    assert warning not in words(client.get(page_of(payment_request.order)))
    shop.hold(payment_request)
    assert warning in words(client.get(page_of(payment_request.order)))


def test_who_asks_again_revives_the_link_and_the_code_that_expired(
    client: Client, move_time: Callable[[float], None]
) -> None:
    first = shop.make_request(expires_in=timedelta(minutes=1))
    friend = Client()
    move_time(61)
    assert "the link you sent will work again" in words(client.get(page_of(first.order)))
    assert "expired" in words(friend.get(f"/p/{first.token}/"))
    client.post(page_of(first.order) + "ask/")
    second = PaymentRequest.objects.get(status="open")
    answer = friend.get(f"/p/{first.token}/")
    assert (answer.status_code, answer["Location"]) == (303, f"/p/{second.token}/")
    assert friend.post("/open/", {"text": first.code})["Location"] == f"/p/{second.token}/"
    assert friend.get(f"/p/{second.token}/").status_code == 200
    assert ledger.check() == []


def test_a_link_that_was_cancelled_stays_dead(client: Client) -> None:
    first = shop.make_request()
    lifecycle.cancel_request(first.pk, actor="buyer")
    assert "You can ask again with a new link." in words(client.get(page_of(first.order)))
    client.post(page_of(first.order) + "ask/")
    assert Client().get(f"/p/{first.token}/").status_code == 200
    assert Client().post("/open/", {"text": first.code}).status_code == 422


def test_another_browser_is_asked_whether_the_order_is_its_own(client: Client) -> None:
    order = shop.make_order()
    client.post(page_of(order) + "ask/")
    token = PaymentRequest.objects.get().token
    Step.objects.all().delete()  # the friction meter's rows may be lost, late or purged: nothing hangs on them
    assert "Is this your order?" not in words(client.get(page_of(order), headers=ELSEWHERE))
    stranger = Client()
    for headers in (ELSEWHERE, {"Sec-Fetch-Site": "none"}, {}):
        gate = stranger.get(page_of(order), headers=headers)
        assert "Is this your order?" in words(gate)
        assert "Cancel" not in words(gate)
        assert f'href="http://127.0.0.1:8000/p/{token}/"' in gate.content.decode()
    assert "Is this your order?" not in words(stranger.get(page_of(order), headers={"Sec-Fetch-Site": "same-origin"}))
    answer = stranger.post(page_of(order) + "mine/")
    assert answer.cookies["buyer"]["path"] == page_of(order)
    assert "Is this your order?" not in words(stranger.get(page_of(order), headers=ELSEWHERE))
    assert stranger.post("/checkout/unknown/mine/").status_code == 404


def test_what_the_shop_asked_for_has_no_gate() -> None:
    payment_request = shop.make_request()
    assert "Is this your order?" not in words(Client().get(page_of(payment_request.order), headers=ELSEWHERE))


def test_a_browser_that_shares_the_page_shares_the_friends_link() -> None:
    payment_request = shop.make_request()
    body = Client().get(page_of(payment_request.order)).content.decode()
    assert f'<link rel="canonical" href="http://127.0.0.1:8000/p/{payment_request.token}/">' in body
    assert "canonical" not in Client().get(page_of(shop.make_order(reference="B-2"))).content.decode()
