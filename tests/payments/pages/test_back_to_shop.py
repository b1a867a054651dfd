"""The way back to the shop: on the buyer's pages in every state, and on nobody else's."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from friendpay.kit import clock
from orders.models import Merchant, Order
from payments.models import Payment, PaymentRequest, Refund
from payments.settlement import expiry, lifecycle, refunds, requests
from payments.settlement.rules import Split
from tests import shop

pytestmark = pytest.mark.django_db

SHOP = "https://shop.example/basket?order=A-1001"


@pytest.fixture
def order() -> Order:
    order = shop.make_order()
    Order.objects.update(return_url=SHOP)
    return order


def request_of(order: Order) -> PaymentRequest:
    return PaymentRequest.objects.get(order=order)


def begin_herself(order: Order, client: Client) -> Payment:
    client.post(f"/checkout/{order.token}/pay/", {"method": "sandbox"})
    return Payment.objects.get()


def ask(order: Order, client: Client) -> PaymentRequest:
    return shop.make_request(order)


def is_being_paid(order: Order, client: Client) -> None:
    shop.hold(ask(order, client))


def collects_parts(order: Order, client: Client) -> None:
    shop.succeed(shop.hold(shop.make_request(order, split=Split(3)), 3000))


def is_declined(order: Order, client: Client) -> None:
    requests.decline(ask(order, client).pk, words="Tight this month!")


def cancels_the_request(order: Order, client: Client) -> None:
    lifecycle.cancel_request(ask(order, client).pk, actor="buyer")


STATES: dict[str, Callable[[Order, Client], object]] = {
    "choosing": lambda order, client: None,
    "she has begun to pay": begin_herself,
    "asked": ask,
    "a friend is paying": is_being_paid,
    "parts are paid": collects_parts,
    "a friend cannot": is_declined,
    "the request is cancelled": cancels_the_request,
    "the request has expired": lambda order, client: _over(ask(order, client)),
    "a part goes back": lambda order, client: _part_back(order, client),
    "the shop is frozen": lambda order, client: Merchant.objects.update(is_frozen=True),
    "a friend has paid": lambda order, client: shop.succeed(shop.hold(ask(order, client))),
    "she has paid herself": lambda order, client: shop.succeed(begin_herself(order, client)),
    "several have paid": lambda order, client: _several(order),
    "refunded": lambda order, client: _refunded(order, client),
    "paid elsewhere": lambda order, client: lifecycle.close_order(order.pk, paid_elsewhere=True),
    "the order is cancelled": lambda order, client: lifecycle.close_order(order.pk, paid_elsewhere=False),
    "the order has expired": lambda order, client: _order_over(),
}


def _over(request: PaymentRequest) -> None:
    now = clock.now()
    PaymentRequest.objects.filter(pk=request.pk).update(created_at=now - timedelta(days=1), expires_at=now)
    expiry.sweep()
    request.refresh_from_db()
    assert request.status == "expired"


def _part_back(order: Order, client: Client) -> None:
    collects_parts(order, client)
    _over(request_of(order))


def _order_over() -> None:
    Order.objects.update(expires_at=clock.now())
    expiry.sweep()


def _several(order: Order) -> None:
    request = shop.make_request(order, split=Split(2))
    for name in ("Mei", "Bo"):
        shop.succeed(shop.hold(request, 4500, name=name))


def _refunded(order: Order, client: Client) -> None:
    payment = shop.succeed(shop.hold(ask(order, client)))
    refunds.refund_payment(payment.pk, None, text="", actor="merchant")
    assert Refund.objects.exists()


@pytest.mark.parametrize("state", STATES)
def test_the_buyers_page_leads_back_to_the_shop_in_every_state(state: str, order: Order, client: Client) -> None:
    STATES[state](order, client)
    page = client.get(f"/checkout/{order.token}/").content.decode()
    assert page.count(f'href="{SHOP}"') == 1
    assert "Back to" in page
    Order.objects.update(return_url="")
    page = client.get(f"/checkout/{order.token}/").content.decode()
    assert "shop.example" not in page
    assert "Back to \u2068Harbour Tea" not in page


def test_a_refusal_keeps_the_way_back(order: Order, client: Client) -> None:
    Merchant.objects.update(is_frozen=True)
    answer = client.post(f"/checkout/{order.token}/ask/")
    assert answer.status_code == 403
    assert f'href="{SHOP}"' in answer.content.decode()


@pytest.mark.parametrize("pays", [False, True])
def test_her_other_pages_lead_back_too(pays: bool, order: Order, client: Client) -> None:
    if pays:
        shop.succeed(shop.hold(shop.make_request(order)))
    page = client.get(f"/checkout/{order.token}/{'receipt' if pays else 'pay'}/").content.decode()
    assert page.count(f'href="{SHOP}"') == 1


@pytest.mark.parametrize("end", ["paid", "too late"])
def test_after_paying_herself_the_shop_is_one_tap_away(end: str, order: Order, client: Client) -> None:
    payment = begin_herself(order, client)
    if end == "too late":
        lifecycle.close_order(order.pk, paid_elsewhere=False)
    shop.succeed(payment)
    page = client.get(f"/r/{payment.token}/").content.decode()
    assert page.count(f'class="btn" href="{SHOP}"') == 1


@pytest.mark.parametrize("state", STATES)
def test_no_friend_is_told_of_the_shops_address(state: str, order: Order, client: Client) -> None:
    STATES[state](order, client)
    friend = Client()
    for request in PaymentRequest.objects.all():
        assert "shop.example" not in friend.get(f"/p/{request.token}/").content.decode()
    for payment in Payment.objects.filter(by_buyer=False):
        assert "shop.example" not in friend.get(f"/r/{payment.token}/").content.decode()
