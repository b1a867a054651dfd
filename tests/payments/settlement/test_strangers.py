"""Strangers with a link, wherever they come from: what they may do, how often, and what becomes of it."""

import os
import subprocess
import sys

import psutil
import pytest
from django.test import Client

from friendpay.kit import drawer, limits, trust_limits
from orders.models import Event
from orders.services import LineDraft, place_order
from payments.live import hub
from payments.models import Payment, Report
from payments.settlement import lifecycle, requests
from tests import shop
from tests.pages import words
from tests.payments.live.test_consumers import looking, never_changing, told
from tests.payments.share.test_codes import guesses

pytestmark = pytest.mark.django_db

UNREADABLE = ("unknown", "a.phone.example", "010.000.000.001", "")


@pytest.mark.parametrize("address", UNREADABLE)
def test_a_friend_whose_address_is_unreadable_pays_and_types_a_code(address: str) -> None:
    payment_request = shop.make_request()
    friend = Client(REMOTE_ADDR=address)
    assert friend.post("/open/", {"text": payment_request.code}).status_code == 303
    paid = friend.post(f"/p/{payment_request.token}/pay/", {"method": "sandbox"})
    assert paid.status_code == 303
    assert Payment.objects.get().network == ""


def test_who_cannot_be_told_from_others_limits_nobody() -> None:
    payment_request = shop.make_request()
    for text in guesses(limits.GUESSES_CALM[1] + 1):
        assert Client(REMOTE_ADDR="unknown").post("/open/", {"text": text}).status_code == 422
    assert Client(REMOTE_ADDR="unknown").post("/open/", {"text": payment_request.code}).status_code == 303
    for said in ("first", "second"):
        answer = Client(REMOTE_ADDR="unknown").post(
            f"/p/{payment_request.token}/report/", {"reason": "other", "words": said}
        )
        assert answer.status_code == 303
    assert Report.objects.count() == 2


@pytest.mark.parametrize("address", UNREADABLE)
async def test_a_socket_opens_from_an_unreadable_address(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "changed", never_changing)
    monkeypatch.setattr(limits, "SOCKETS_OF_A_NETWORK", 1)
    async with looking("known", address) as first, looking("known", address) as second:
        assert [(await told(first))["seq"], (await told(second))["seq"]] == [1, 1]


BAD = "evil.com, +86 138 0013 8000"


@pytest.mark.proof
def test_the_buyers_page_says_nothing_a_stranger_wrote_beyond_one_kind_line(client: Client) -> None:
    payment_request = shop.make_request()
    told = []
    for number in range(60):
        friend = Client(REMOTE_ADDR=f"203.0.113.{number % 50}")
        note = f"Sorry, friend {chr(65 + number % 26)}!"
        told.append(friend.post(f"/p/{payment_request.token}/decline/", {"note": note}).status_code)
        assert friend.post(f"/p/{payment_request.token}/decline/", {"note": BAD}).status_code == 422
    assert told.count(303) == limits.DECLINES_OF_A_REQUEST
    assert set(told) == {303, 429}
    page = words(client.get(f"/checkout/{payment_request.order.token}/"))
    assert page.count("Sorry, friend") == 1
    assert "evil" not in page


def test_one_network_declines_a_few_times() -> None:
    payment_request = shop.make_request()
    told = [Client().post(f"/p/{payment_request.token}/decline/", {"note": ""}).status_code for _time in range(6)]
    assert told == [303] * limits.DECLINES_OF_A_NETWORK + [429] * 3


def test_a_note_that_leads_elsewhere_is_told_beside_its_field_and_kept(client: Client) -> None:
    payment_request = shop.make_request()
    page = client.post(f"/p/{payment_request.token}/decline/", {"note": BAD})
    assert page.status_code == 422
    assert 'id="decline_note_error"' in page.content.decode()
    assert BAD in words(page)
    assert not Event.objects.filter(type="payment_request.declined").exists()


@pytest.mark.parametrize("name", ["✓ Verified", "evil.com", "+8613800138000", "t.me/x"])
def test_a_friends_name_leads_nowhere(client: Client, name: str) -> None:
    payment_request = shop.make_request()
    assert client.post(f"/p/{payment_request.token}/pay/", {"method": "sandbox", "name": name}).status_code == 422
    assert not Payment.objects.exists()


def test_a_name_that_nobody_sees_is_none(client: Client) -> None:
    payment_request = shop.make_request()
    assert (
        client.post(f"/p/{payment_request.token}/pay/", {"method": "sandbox", "name": "\u200b\u3164"}).status_code
        == 303
    )
    assert Payment.objects.get().payer_name == ""


def test_a_shops_words_are_made_harmless_and_never_refused() -> None:
    order = place_order(
        shop.make_merchant(),
        reference="A-1",
        currency="CNY",
        lines=[LineDraft("Tea\u202e" + "\u0351" * 9, 1, 100)],
        buyer_name="Lin ✔ t.me/lin",
    )
    assert order.buyer_name == "Lin"
    assert order.lines.get().name == "Tea" + "\u0351" * 3


def test_a_buyer_who_asks_without_end_has_to_wait(client: Client) -> None:
    merchant, most = shop.make_merchant(), trust_limits.ASKS_OF_A_NEW_BUYER[0]
    orders = [shop.make_order(merchant, reference=f"A-{number}", live=True) for number in range(most + 1)]
    told = [client.post(f"/checkout/{order.token}/ask/").status_code for order in orders]
    assert told == [303] * most + [429]
    assert client.post(f"/checkout/{orders[0].token}/ask/").status_code == 303  # what is open already costs nothing


def test_posters_are_drawn_in_a_process_of_their_own_and_again_after_its_death(client: Client) -> None:
    payment_request = shop.make_request()
    first = client.get(f"/p/{payment_request.token}/poster.png")
    assert first.content.startswith(b"\x89PNG")
    processes = list(drawer._drawer()._processes.values())
    assert [process.pid != os.getpid() for process in processes] == [True]
    for process in processes:
        process.kill()
        process.join(60)
    assert client.get(f"/p/{payment_request.token}/poster.png?amount=on").content.startswith(b"\x89PNG")


@pytest.mark.proof
def test_the_drawing_process_ends_with_a_server_that_was_killed() -> None:
    waits = "from friendpay.kit import drawer; print(drawer._drawer().submit(drawer.os.getpid).result())"
    server = subprocess.Popen([sys.executable, "-uc", f"{waits}; input()"], stdin=-1, stdout=-1, text=True)
    assert server.stdout
    process = psutil.Process(int(server.stdout.readline()))
    server.kill()
    server.wait(60)
    process.wait(60)


def test_one_network_orders_so_many_posters(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "POSTERS_OF_A_NETWORK", 2)
    address = f"/p/{shop.make_request().token}/poster.png"
    assert [client.get(address).status_code for _time in range(3)] == [200, 200, 429]
    assert Client(REMOTE_ADDR="203.0.113.5").get(address).status_code == 200


def test_the_buyers_page_says_a_name_or_a_line_and_never_two_things_of_strangers(client: Client) -> None:
    payment_request = shop.make_request()
    address = f"/checkout/{payment_request.order.token}/"
    requests.decline(payment_request.pk, choice="sorry")  # our own words
    payment = shop.hold(payment_request, name="Mallory")
    assert "Mallory is paying" in words(client.get(address))
    requests.decline(payment_request.pk, words="Tight this month!")
    page = words(client.get(address))
    assert "Tight this month!" in page
    assert "Someone is paying" in page
    assert "Mallory" not in page
    lifecycle.end_payment(payment.pk, cancelled=False)
    page = words(client.get(address))
    assert "A friend tried" in page
    assert "Mallory" not in page
    shop.succeed(shop.hold(payment_request, name="Mei"))
    assert "Mei" in words(client.get(address))  # who paid is named
