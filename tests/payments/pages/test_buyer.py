"""The buyer's page in every state, and what may be sent to it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from friendpay.kit import clock
from orders.models import Event, Merchant, Order
from payments.live import snapshot
from payments.models import Payment, PaymentRequest, ProviderAccount, RolloutRule, StoppedBuyer
from payments.settlement import ledger, lifecycle, requests
from tests import shop
from tests.pages import DANGEROUS, HTML, forms, words

pytestmark = pytest.mark.django_db


def page_of(order: Order) -> str:
    return f"/checkout/{order.token}/"


def test_the_first_look_offers_two_ways_and_writes_nothing(client: Client) -> None:
    order = shop.make_order()
    events = Event.objects.count()
    page = client.get(page_of(order))
    assert page.status_code == 200
    text = words(page)
    for word in ("CN¥90.00", "Spring oolong, 100 g", "Ask a friend to pay", "Pay now", "help@harbourtea.example"):
        assert word in text
    assert not PaymentRequest.objects.exists()
    assert Event.objects.count() == events
    assert "visitor" not in page.cookies


NO_WAY = "There is no way to pay for this order here. Please ask the shop."


def no_wallet(merchant: Merchant) -> None:
    ProviderAccount.objects.filter(merchant=merchant).update(enabled=False)


def on_phones(merchant: Merchant) -> None:
    RolloutRule.objects.create(merchant=merchant, method="sandbox", screens=["phone"])


def hanging(merchant: Merchant) -> None:
    accounts = ProviderAccount.objects.filter(merchant=merchant)
    accounts.update(hangs=9, paused_until=clock.now() + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("stands", "asks", "pays"),
    [(no_wallet, False, False), (on_phones, True, False), (hanging, True, True)],
)
def test_a_friend_is_asked_only_for_what_a_wallet_takes_somewhere(
    client: Client, stands: Callable[[Merchant], None], asks: bool, pays: bool
) -> None:
    """One that hangs just now may be paid with once the friend opens the link."""
    order = shop.make_order()
    stands(order.merchant)
    page = words(client.get(page_of(order)))
    offered = [said in page for said in ("Ask a friend to pay", "You'll get a link to send", "Pay now", NO_WAY)]
    assert offered == [asks, asks, pays, not (asks or pays)]
    assert ("Ask a friend instead" in words(client.get(page_of(order) + "pay/"))) == asks


def test_a_link_that_was_sent_is_still_there_when_the_wallet_is_gone(client: Client) -> None:
    payment_request = shop.make_request()
    no_wallet(payment_request.merchant)
    page = client.get(page_of(payment_request.order))
    assert (page.status_code, payment_request.token in page.content.decode()) == (200, True)
    assert "Ask a friend instead" in words(client.get(page_of(payment_request.order) + "pay/"))


@pytest.mark.parametrize("may_pay", [True, False])
def test_a_buyer_who_was_stopped_is_told_to_pay_herself_where_she_can(client: Client, may_pay: bool) -> None:
    order = shop.make_order()
    StoppedBuyer.objects.create(merchant=order.merchant, buyer_id=order.buyer_id, stopped_at=clock.now())
    if not may_pay:
        no_wallet(order.merchant)
    page = words(client.get(page_of(order)))
    assert ("Ask a friend" in page, "You can still pay yourself." in page, NO_WAY in page) == (
        False,
        may_pay,
        not may_pay,
    )


def test_asking_shows_what_to_send(client: Client) -> None:
    order = shop.make_order()
    answer = client.post(page_of(order) + "ask/")
    assert (answer.status_code, answer["Location"]) == (303, page_of(order))
    payment_request = PaymentRequest.objects.get()
    body = client.get(page_of(order)).content.decode()
    assert f"http://127.0.0.1:8000/p/{payment_request.token}/" in body
    assert f"{payment_request.code[:4]}-{payment_request.code[4:]}" in body
    assert f"/p/{payment_request.token}/qr.svg" in body
    assert payment_request.shared_at


def test_asking_twice_asks_once(client: Client) -> None:
    order = shop.make_order()
    client.post(page_of(order) + "ask/")
    client.post(page_of(order) + "ask/")
    assert PaymentRequest.objects.count() == 1


def test_the_message_reaches_the_friend_as_it_was_typed(client: Client) -> None:
    payment_request = shop.make_request()
    answer = client.post(page_of(payment_request.order) + "message/", {"message": f"{HTML}\r\nPlease"})
    assert answer.status_code == 303
    page = client.get(f"/p/{payment_request.token}/")
    assert "<script>alert" not in page.content.decode()
    assert PaymentRequest.objects.get().message == f"{HTML}\nPlease"
    assert "<script>alert(1)</script> & <b>Lin's</b> 🍵 Please" in words(page)


@pytest.mark.parametrize("message", DANGEROUS.values(), ids=DANGEROUS.keys())
def test_a_message_that_cannot_be_is_refused_beside_its_field(client: Client, message: str) -> None:
    payment_request = shop.make_request()
    page = client.post(page_of(payment_request.order) + "message/", {"message": message})
    assert page.status_code == 422
    assert 'aria-invalid="true"' in page.content.decode()
    assert 'id="id_message_error"' in page.content.decode()
    assert PaymentRequest.objects.get().message == ""


def test_two_hundred_characters_fit_whatever_they_are(client: Client) -> None:
    payment_request = shop.make_request()
    message = "茶" * 100 + "\r\n" + "🍵" * 99
    assert client.post(page_of(payment_request.order) + "message/", {"message": message}).status_code == 303


def test_cancelling_ends_the_link_and_allows_to_ask_again(client: Client) -> None:
    payment_request = shop.make_request()
    assert client.post(page_of(payment_request.order) + "cancel/").status_code == 303
    assert client.post(page_of(payment_request.order) + "cancel/").status_code == 303
    assert "Your request is cancelled" in words(client.get(page_of(payment_request.order)))
    client.post(page_of(payment_request.order) + "ask/")
    assert PaymentRequest.objects.filter(status="open").count() == 1


def test_an_expired_request_is_shown_as_such_before_the_sweep_comes(
    client: Client, move_time: Callable[[float], None]
) -> None:
    payment_request = shop.make_request(expires_in=timedelta(minutes=1))
    move_time(61)
    page = client.get(page_of(payment_request.order))
    assert "This request has expired" in words(page)
    assert f"{page_of(payment_request.order)}ask/" in forms(page)
    client.post(page_of(payment_request.order) + "ask/")
    assert "Send this to a friend" in words(client.get(page_of(payment_request.order)))


def test_the_buyer_sees_who_pays_and_for_how_long(client: Client) -> None:
    payment_request = shop.make_request()
    shop.hold(payment_request)
    page = client.get(page_of(payment_request.order))
    assert "Mei is paying, 4:59 left" in words(page) or "Mei is paying, 5:00 left" in words(page)
    assert "<title>A friend is paying" in page.content.decode()


def test_the_buyer_is_told_of_a_kind_no(client: Client) -> None:
    payment_request = shop.make_request()
    requests.decline(payment_request.pk, words="Tight this month!")
    assert "A friend can't help this time “Tight this month!”" in words(client.get(page_of(payment_request.order)))


def test_paid_says_so_and_by_whom(client: Client) -> None:
    order = shop.make_order()
    Order.objects.filter(pk=order.pk).update(return_url="https://shop.example/thanks")
    shop.succeed(shop.hold(shop.make_request(order)))
    page = client.get(page_of(order))
    text = words(page)
    for word in ("Paid CN¥90.00", "Mei", "Back to Harbour Tea"):
        assert word in text
    assert "https://shop.example/thanks" in page.content.decode()
    assert "data-socket" not in page.content.decode()
    assert "Mei CN¥90.00" in words(client.get(page_of(order) + "receipt/"))


def test_a_receipt_comes_after_the_money(client: Client) -> None:
    order = shop.make_order()
    assert client.get(page_of(order) + "receipt/")["Location"] == page_of(order)


def test_a_cancelled_order_offers_nothing(client: Client) -> None:
    order = shop.make_order()
    lifecycle.close_order(order.pk, paid_elsewhere=False)
    page = client.get(page_of(order))
    assert "This order is cancelled" in words(page)
    assert forms(page) == []
    assert client.post(page_of(order) + "ask/").status_code == 409
    assert client.get(page_of(order) + "pay/")["Location"] == page_of(order)


@pytest.mark.parametrize(
    ("end", "says"),
    [
        ("cancelled", "This order is cancelled"),
        ("paid", "Paid CN¥90.00"),
        ("expired", "This order has expired"),
    ],
)
def test_an_order_that_ends_after_its_request_says_so_to_an_open_page(
    end: str, says: str, client: Client, move_time: Callable[[float], None]
) -> None:
    order = shop.make_order()
    Order.objects.filter(pk=order.pk).update(expires_at=clock.now() + timedelta(minutes=5))
    request = shop.make_request(order, expires_in=timedelta(minutes=1))
    move_time(61)
    lifecycle.expire_request(request.pk)
    open_page = client.get(page_of(order)).content.decode()
    assert f'data-socket="/ws/p/{request.token}/"' in open_page
    before = snapshot.snapshots([PaymentRequest.objects.get()])[request.token]["seq"]
    assert f'data-seq="{before}"' in open_page
    if end == "expired":
        move_time(300)
    for _repeat in range(2):
        if end == "expired":
            lifecycle.expire_order(order.pk)
        else:
            lifecycle.close_order(order.pk, paid_elsewhere=end == "paid")
        assert client.get(f"/p/{request.token}/status.json").json()["seq"] == before + 1
    assert says in words(client.get(page_of(order)))
    assert Event.objects.get(type=f"order.{end}").seq == before + 1
    assert ledger.check() == []


def test_an_order_that_ends_and_was_never_asked_for_is_told_alone(client: Client) -> None:
    order = shop.make_order()
    lifecycle.close_order(order.pk, paid_elsewhere=True)
    assert Event.objects.get(type="order.paid").seq is None
    assert ledger.check() == []


def test_the_buyer_pays_herself_without_asking_anybody(client: Client) -> None:
    order = shop.make_order()
    assert "Pay CN¥90.00 with Sandbox wallet" in words(client.get(page_of(order) + "pay/"))
    assert not PaymentRequest.objects.exists()
    answer = client.post(page_of(order) + "pay/", {"method": "sandbox"})
    assert answer.status_code == 303
    assert "/sandbox/" in answer["Location"]
    payment = Payment.objects.select_related("request").get()
    assert payment.by_buyer
    assert payment.request.shared_at is None
    text = words(client.get(page_of(order)))
    assert "You started paying with Sandbox wallet" in text
    assert "Ask a friend to pay" in text


def test_the_buyers_own_attempt_is_nobody_in_her_way(client: Client) -> None:
    payment_request = shop.make_request()
    address = page_of(payment_request.order) + "pay/"
    first = client.post(address, {"method": "sandbox"})
    page = words(client.get(address))
    assert "is paying" not in page
    assert "Pay CN¥90.00 with Sandbox wallet" in page
    assert client.post(address, {"method": "sandbox"})["Location"] == first["Location"]


def test_the_buyer_is_not_called_a_friend_of_her_own(client: Client) -> None:
    payment_request = shop.make_request()
    client.post(page_of(payment_request.order) + "pay/", {"method": "sandbox"})
    page = client.get(page_of(payment_request.order))
    assert "You started paying" in words(page)
    assert "A friend is paying" not in page.content.decode()


def test_the_buyer_waits_while_a_friend_pays_and_may_take_over(
    client: Client, move_time: Callable[[float], None]
) -> None:
    payment_request = shop.make_request()
    friend = Client()
    friend.post(f"/p/{payment_request.token}/pay/", {"method": "sandbox", "name": "Mei"})
    address = page_of(payment_request.order) + "pay/"
    assert "you can pay in 1:00" in words(client.get(address))
    assert client.post(address, {"method": "sandbox"}).status_code == 409
    move_time(61)
    page = client.get(address)
    assert 'name="take_over"' in page.content.decode()
    assert client.post(address, {"method": "sandbox", "take_over": "1"}).status_code == 303
    assert [(payment.by_buyer, bool(payment.held_until)) for payment in Payment.objects.all()] == [
        (False, False),
        (True, True),
    ]


@pytest.mark.parametrize("sent", [{}, {"method": "gold"}, {"method": "x" * 1000}])
def test_a_method_that_is_not_offered_begins_nothing(client: Client, sent: dict[str, str]) -> None:
    order = shop.make_order()
    page = client.post(page_of(order) + "pay/", sent)
    assert page.status_code == 422
    assert 'role="alert"' in page.content.decode()
    assert not Payment.objects.exists()


def test_a_frozen_shop_cannot_be_asked_for(client: Client) -> None:
    order = shop.make_order()
    order.merchant.is_frozen = True
    order.merchant.save()
    page = client.post(page_of(order) + "ask/")
    assert page.status_code == 403
    assert "This shop can't take payments right now." in words(page)


def test_the_friends_link_is_no_key_to_the_buyers_page(client: Client) -> None:
    payment_request = shop.make_request()
    for address in (
        f"/checkout/{payment_request.token}/",
        f"/checkout/{payment_request.public_id}/",
        "/checkout/1/",
        "/checkout/../p/",
    ):
        assert client.get(address).status_code == 404
    assert payment_request.order.token not in client.get(f"/p/{payment_request.token}/").content.decode()


def test_the_buyer_lets_several_friends_chip_in(client: Client) -> None:
    payment_request = shop.make_request()
    address = f"/checkout/{payment_request.order.token}/"
    assert client.post(f"{address}parts/", {"friends": "3"}).status_code == 303
    assert PaymentRequest.objects.get().split_max_payers == 3
    shop.succeed(shop.hold(payment_request, 3000, name="Mei"))
    page = client.get(address).content.decode()
    assert "Mei" in page
    assert "The smallest part is CN¥15.00. You can let more friends join at any time." in page
    assert client.post(f"{address}parts/", {"friends": "1"}).status_code == 409
    assert PaymentRequest.objects.get().split_max_payers == 3


@pytest.mark.parametrize("friends", ["0", "51", "-1", "many", "1.5", "9" * 40])
def test_an_impossible_number_of_friends_is_refused_beside_its_field(client: Client, friends: str) -> None:
    payment_request = shop.make_request()
    page = client.post(f"/checkout/{payment_request.order.token}/parts/", {"friends": friends})
    assert page.status_code == 422
    assert 'id="id_friends_error"' in page.content.decode()
    assert PaymentRequest.objects.get().split_max_payers is None
