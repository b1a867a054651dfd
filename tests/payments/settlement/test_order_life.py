"""How long an order may be asked for, and a request of it: what the order says, what the shop says, and the end."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from friendpay.kit import clock
from friendpay.kit.errors import Refused
from orders.models import Event, Merchant, Order
from payments.models import Payment, PaymentRequest, Refund
from payments.settlement import expiry, ledger, lifecycle, requests
from payments.settlement.rules import Split
from tests import desk, shop
from tests.caller import ORDER, Caller, fields
from tests.caller import ledger as rows
from tests.poison import no_event_of

pytestmark = pytest.mark.django_db

MoveTime = Callable[[float], None]
HOUR, DAY = 3600, 24 * 3600


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.fixture
def order(caller: Caller) -> Order:
    """One that may be asked for during an hour."""
    return Order.objects.get(public_id=caller.order(expires_in=HOUR)["id"])


def types(order: Order) -> list[str]:
    return list(Event.objects.filter(order=order).order_by("id").values_list("type", flat=True))


def seconds_left(request: PaymentRequest) -> int:
    return round((request.expires_at - clock.now()).total_seconds())


def stands(order: Order) -> tuple[str, int]:
    """Its status and what is paid of it; the ledger is clean."""
    assert ledger.check() == []
    order.refresh_from_db()
    return order.status, order.amount_paid


# How long


@pytest.mark.parametrize("seconds", [60, 90, 7 * DAY, 30 * DAY])
def test_an_order_says_until_when_it_may_be_asked_for(seconds: int, caller: Caller) -> None:
    shown = caller.order(expires_in=seconds)
    order = Order.objects.get()
    assert order.expires_at is not None
    assert round((order.expires_at - clock.now()).total_seconds()) == seconds
    assert (shown["expires_at"][:19], shown["expired_at"]) == (order.expires_at.isoformat()[:19], None)
    assert Event.objects.get().data["expires_at"] == shown["expires_at"]


@pytest.mark.parametrize(
    ("value", "fault"),
    [(59, "out_of_range"), (0, "out_of_range"), (-1, "out_of_range"), (30 * DAY + 1, "out_of_range")]
    + [("3600", "wrong_type"), (90.0, "wrong_type"), (True, "wrong_type")],
)
def test_a_life_out_of_bounds_is_named_and_makes_no_order(value: object, fault: str, caller: Caller) -> None:
    before = rows()
    answer = caller.post("/orders", {**ORDER, "expires_in": value})
    assert (answer.status, fields(answer)) == (422, {"expires_in": fault})
    assert rows() == before


def test_an_order_of_which_nothing_is_said_has_no_end(caller: Caller, move_time: MoveTime) -> None:
    order = Order.objects.get(public_id=caller.order()["id"])
    shop.make_request(order)
    move_time(365 * DAY)
    expiry.sweep()
    assert stands(order) == ("awaiting_payment", 0)
    assert shop.make_request(order).status == "open"


@pytest.mark.parametrize(
    ("of_order", "of_request", "of_shop", "lives"),
    [
        (None, None, 24 * 60, DAY),
        (None, None, 45, 45 * 60),
        (None, 120, 45, 120),
        (HOUR, None, 45, HOUR),
        (HOUR, None, 24 * 60, HOUR),
        (HOUR, 120, 45, 120),
        (HOUR, DAY, 45, HOUR),
        (30 * DAY, None, 45, 30 * DAY),
    ],
)
def test_a_request_lives_as_it_says_else_as_its_order_else_as_the_shop_says(
    of_order: int | None, of_request: int | None, of_shop: int, lives: int, caller: Caller
) -> None:
    Merchant.objects.update(request_minutes=of_shop)
    order = caller.order(**({"expires_in": of_order} if of_order else {}))
    caller.ask(order, **({"expires_in": of_request} if of_request else {}))
    assert abs(seconds_left(PaymentRequest.objects.get()) - lives) <= 1


def test_a_buyers_own_request_lives_so_too(order: Order) -> None:
    request = lifecycle.open_request(order.pk, actor="buyer", shared=False)
    assert request.expires_at == order.expires_at


def test_a_request_is_never_given_more_time_than_its_order(order: Order, move_time: MoveTime) -> None:
    request = shop.make_request(order, expires_in=timedelta(minutes=5))
    more = requests.extend_request(request.pk, timedelta(minutes=30), actor="merchant")
    assert abs(seconds_left(more) - 30 * 60) <= 1
    assert requests.extend_request(request.pk, timedelta(days=1), actor="merchant").expires_at == order.expires_at
    told = types(order).count("payment_request.extended")
    requests.extend_request(request.pk, timedelta(days=2), actor="merchant")
    assert types(order).count("payment_request.extended") == told == 2


@pytest.mark.parametrize("minutes", [0, 43_201])
def test_a_shops_own_time_has_the_same_bounds(minutes: int) -> None:
    merchant = shop.make_merchant()
    client = desk.staff("orders.view_merchant", "orders.change_merchant")
    page = client.get(desk.page(merchant))
    form = {"name": "Harbour Tea", "contact": "a@b.example", "request_minutes": minutes}
    answer = client.post(desk.page(merchant), form)
    assert (page.status_code, answer.status_code) == (200, 200)
    assert "request_minutes" in answer.context["adminform"].form.errors
    with pytest.raises(IntegrityError, match="merchant_request_life"), transaction.atomic():
        Merchant.objects.update(request_minutes=minutes)


def test_support_sets_a_shops_own_time() -> None:
    merchant = shop.make_merchant()
    client = desk.staff("orders.view_merchant", "orders.change_merchant")
    form = {"name": "Harbour Tea", "contact": "a@b.example", "request_minutes": 30}
    assert client.post(desk.page(merchant), form).status_code == 302
    assert abs(seconds_left(shop.make_request(shop.make_order(merchant))) - 30 * 60) <= 1


# The end


def test_an_unpaid_order_ends_once_with_its_request(order: Order, move_time: MoveTime) -> None:
    shop.make_request(order)
    move_time(HOUR - 5)
    expiry.sweep()
    assert stands(order) == ("awaiting_payment", 0)
    move_time(6)
    for _ in range(3):
        expiry.sweep()
    assert stands(order) == ("expired", 0)
    assert types(order)[-2:] == ["payment_request.expired", "order.expired"]
    assert types(order).count("order.expired") == 1
    told = Event.objects.get(type="order.expired")
    assert (told.actor, told.object_id, told.data["status"]) == ("system", order.public_id, "expired")
    assert told.data["expired_at"] is not None


def test_an_order_nobody_was_asked_for_ends_too(order: Order, move_time: MoveTime) -> None:
    move_time(HOUR + 1)
    expiry.sweep()
    assert stands(order) == ("expired", 0)
    assert types(order) == ["order.created", "order.expired"]


def test_an_order_outlives_its_requests(order: Order, move_time: MoveTime) -> None:
    for _ in range(2):
        shop.make_request(order, expires_in=timedelta(seconds=60))
        move_time(61)
        expiry.sweep()
        assert stands(order) == ("awaiting_payment", 0)
    lifecycle.cancel_request(shop.make_request(order).pk, actor="buyer")
    move_time(HOUR)
    expiry.sweep()
    assert stands(order) == ("expired", 0)
    assert types(order).count("order.expired") == 1


def _pay(order: Order) -> None:
    shop.succeed(shop.hold(shop.make_request(order)))


def _pay_elsewhere(order: Order) -> None:
    lifecycle.close_order(order.pk, paid_elsewhere=True)


def _cancel(order: Order) -> None:
    lifecycle.close_order(order.pk, paid_elsewhere=False)


@pytest.mark.parametrize(
    ("end", "status"), [(_pay, "paid"), (_pay_elsewhere, "paid"), (_cancel, "cancelled")], ids=lambda it: str(it)[:18]
)
def test_what_has_ended_otherwise_never_expires(
    end: Callable[[Order], None], status: str, order: Order, move_time: MoveTime
) -> None:
    end(order)
    move_time(DAY)
    expiry.sweep()
    lifecycle.expire_order(order.pk)
    assert stands(order)[0] == status
    assert "order.expired" not in types(order)


# Money at the end


def test_money_on_its_way_is_waited_for_and_pays(order: Order, move_time: MoveTime) -> None:
    request = shop.make_request(order)
    move_time(HOUR - 30)
    payment = shop.hold(request)
    move_time(60)
    expiry.sweep()
    lifecycle.expire_order(order.pk)
    assert stands(order) == ("awaiting_payment", 0)
    shop.succeed(payment)
    expiry.sweep()
    assert stands(order) == ("paid", order.amount)
    assert "order.expired" not in types(order)
    assert not Refund.objects.exists()


@pytest.mark.parametrize("cancelled", [True, False])
def test_money_that_was_waited_for_and_does_not_come_lets_the_order_end(
    cancelled: bool, order: Order, move_time: MoveTime
) -> None:
    request = shop.make_request(order)
    move_time(HOUR - 30)
    payment = shop.hold(request)
    move_time(60)
    lifecycle.end_payment(payment.pk, cancelled=cancelled)
    expiry.sweep()
    assert stands(order) == ("expired", 0)
    assert types(order)[-2:] == ["payment_request.expired", "order.expired"]


@pytest.mark.parametrize("name", ["a taken-over attempt", "a silent wallet", "an attempt that had failed"])
def test_money_that_comes_after_the_end_goes_back(name: str, order: Order, move_time: MoveTime) -> None:
    request = shop.make_request(order)
    if name == "a silent wallet":
        move_time(HOUR - 30)
    payment = shop.hold(request)
    if name == "a taken-over attempt":
        lifecycle.let_go(payment.pk)
    if name == "an attempt that had failed":
        lifecycle.end_payment(payment.pk, cancelled=False)
    move_time(HOUR + 8 * 60)
    expiry.sweep()
    assert stands(order) == ("expired", 0)
    shop.succeed(payment)
    assert stands(order) == ("expired", 0)
    [back] = Refund.objects.all()
    assert (back.amount, back.reason) == (order.amount, "late")
    assert "order.paid" not in types(order)


def test_parts_go_back_when_the_order_ends(order: Order, move_time: MoveTime) -> None:
    request = shop.make_request(order, split=Split(3))
    shop.succeed(shop.hold(request, 3000, name="Mei"))
    shop.succeed(shop.hold(request, 3000, name="Bo"))
    move_time(HOUR + 1)
    expiry.sweep()
    assert stands(order) == ("expired", 0)
    assert [(back.amount, back.reason) for back in Refund.objects.all()] == [(3000, "underfunded")] * 2
    assert types(order)[-1] != "order.paid"


def test_the_price_of_an_order_that_is_over_cannot_be_paid_in_any_way(
    order: Order, caller: Caller, move_time: MoveTime
) -> None:
    """Before the sweep and after it."""
    page = Client()
    asked = shop.make_request(order)
    move_time(HOUR + 1)
    for swept in (False, True):
        if swept:
            expiry.sweep()
        before = rows()
        answer = caller.post(f"/orders/{order.public_id}/payment-requests", {})
        assert (answer.status, answer["code"]) == (409, "order_expired")
        answer = caller.post(f"/payment-requests/{asked.public_id}/extend", {"expires_in": HOUR})
        assert (answer.status, answer["code"]) == (409, "order_expired")
        with pytest.raises(Refused, match="order_expired"):
            shop.hold(asked)
        for address in ("ask/", "pay/"):
            posted = page.post(f"/checkout/{order.token}/{address}", {"method": "sandbox", "price": "9000"})
            assert posted.status_code == 409
            assert "This order has expired" in posted.content.decode()
        assert rows() == before
    answer = caller.post(f"/orders/{order.public_id}/mark-paid")
    assert (answer.status, answer["code"]) == (409, "order_expired")
    before = rows()
    assert caller.post(f"/orders/{order.public_id}/cancel")["status"] == "expired"
    assert rows() == before
    assert not Payment.objects.exists()


@pytest.mark.parametrize("about", ["order", "request"])
def test_an_order_that_cannot_be_ended_holds_up_no_other(
    about: str, order: Order, caller: Caller, move_time: MoveTime
) -> None:
    poisoned = Order.objects.get(public_id=caller.order(expires_in=HOUR - 60)["id"])
    asked = [shop.make_request(each) for each in (poisoned, order)]
    move_time(HOUR + 1)
    with no_event_of(poisoned.public_id if about == "order" else asked[0].public_id):
        expiry.sweep()
        assert stands(order) == ("expired", 0)
        assert stands(poisoned)[0] == "awaiting_payment"
    expiry.sweep()
    assert stands(poisoned) == ("expired", 0)
    assert types(poisoned).count("order.expired") == types(poisoned).count("payment_request.expired") == 1


# What people read


@pytest.mark.parametrize("swept", [False, True])
@pytest.mark.parametrize("asked", [False, True])
def test_the_pages_say_that_it_is_over_and_offer_nothing(
    swept: bool, asked: bool, order: Order, caller: Caller, move_time: MoveTime
) -> None:
    order.return_url = "https://shop.example/basket"
    order.save()
    request = shop.make_request(order) if asked else None
    client = Client()
    assert "Can be paid until" in client.get(f"/checkout/{order.token}/").content.decode() or asked
    move_time(HOUR + 1)
    if swept:
        expiry.sweep()
    page = client.get(f"/checkout/{order.token}/").content.decode()
    for words in ("This order has expired", "Nobody was charged.", "please order again", "Back to"):
        assert words in page
    for words in ("Ask a friend", "ask again", "Pay now"):
        assert words not in page
    sheet = client.get(f"/checkout/{order.token}/embed/").content.decode()
    assert "This order has expired" in sheet
    assert "<button" not in sheet
    if request:
        friend = client.get(f"/p/{request.token}/").content.decode()
        assert "This request has expired" in friend
        assert "for a new link" not in friend


def test_money_that_goes_back_is_not_called_nobodys(order: Order, move_time: MoveTime) -> None:
    request = shop.make_request(order, split=Split(3))
    shop.succeed(shop.hold(request, 3000))
    move_time(HOUR + 1)
    expiry.sweep()
    page = Client().get(f"/checkout/{order.token}/").content.decode()
    assert "is on its way back" in page
    assert "Nobody was charged" not in page


def test_the_desk_shows_the_end(order: Order, move_time: MoveTime) -> None:
    move_time(HOUR + 1)
    expiry.sweep()
    words = desk.text(desk.staff("orders.view_order"), desk.page(order))
    assert "expired" in words
    assert "The order's time was over, and it was not paid." in words
