"""What may be asked for: one rule for the buyer's page and for both calls of the API, and how it is told."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import Client

from friendpay.kit import clock, trust_limits, worth
from friendpay.kit.errors import Refused
from friendpay.kit.money import EXPONENT
from orders.models import Event, Merchant, Order
from orders.services import LineDraft
from payments.models import Payment, PaymentRequest, Report, StoppedBuyer, TrustLimit
from payments.offers import standing, trust
from payments.offers.surfaces import Surface
from payments.settlement import asking, lifecycle
from tests import shop
from tests.caller import ORDER, Answer, Caller
from tests.pages import words
from tests.payments.settlement.test_races import at_once
from tests.trips import counted

DOLLARS = 100 * 7  # in fen, roughly
HOUR, DAY = 3600.0, 86_400.0

pytestmark = pytest.mark.django_db

Move = Callable[[float], None]


def live_shop(name: str = "Harbour Tea", *, is_verified: bool = True) -> Caller:
    return Caller(shop.make_merchant(name, is_verified=is_verified), live=True)


def ask(caller: Caller, dollars: float = 20, *, buyer: str = "lin", currency: str = "CNY") -> Answer:
    """An order and its request, by one call."""
    amount = worth.minor(int(dollars * 100), currency)
    lines = [{"name": "Tea", "quantity": 1, "unit_amount": amount}]
    order: dict[str, Any] = ORDER | {
        "reference": f"A-{Order.objects.count()}-{buyer}",
        "currency": currency,
        "lines": lines,
    }
    return caller.post("/orders", order | {"buyer": {"id": buyer, "name": "Lin"}, "payment_request": {}})


def newest() -> PaymentRequest:
    return PaymentRequest.objects.latest("id")


def pay(request: PaymentRequest) -> None:
    shop.succeed(shop.hold(request))


def prove(caller: Caller, move_time: Move, *, buyer: str = "lin") -> None:
    """A request of this buyer's is paid, and nothing bad is heard of it for long enough."""
    assert ask(caller, buyer=buyer).status == 201
    pay(newest())
    Merchant.objects.update(created_at=clock.now())
    move_time(trust_limits.COOLING_SHOP.total_seconds() + 1)


def test_a_new_buyer_has_few_open_and_an_end_frees_one() -> None:
    caller, most = live_shop(), trust_limits.ASKS_OF_A_NEW_BUYER[0]
    assert [ask(caller).status for _ in range(most)] == [201] * most
    before = (Order.objects.count(), PaymentRequest.objects.count(), Event.objects.count())
    refused = ask(caller)
    assert (refused.status, refused["code"], refused["errors"][0]["field"]) == (
        409,
        "ask_limit_reached",
        "payment_request",
    )
    assert f"may have {most} requests open at once" in refused["detail"]
    assert "Wait, or cancel" in refused["detail"]
    assert (Order.objects.count(), PaymentRequest.objects.count(), Event.objects.count()) == before
    assert ask(caller, buyer="mei").status == 201
    lifecycle.cancel_request(PaymentRequest.objects.order_by("id")[0].pk, actor="merchant")
    assert ask(caller).status == 201


def test_each_way_of_asking_meets_the_same_rule(client: Client) -> None:
    caller = live_shop()
    for _ in range(trust_limits.ASKS_OF_A_NEW_BUYER[0]):
        ask(caller)
    order = shop.make_order(caller.merchant, live=True)
    before = Event.objects.count()
    call = caller.post(f"/orders/{order.public_id}/payment-requests", {})
    page = client.post(f"/checkout/{order.token}/ask/")
    assert (call.status, call["code"]) == (409, "ask_limit_reached")
    assert page.status_code == 429
    assert "No more can be asked of friends here just now" in words(page)
    assert "new" not in words(page).split("No more can be asked")[1][:120]  # the public is not told which rule
    assert not order.payment_requests.exists()
    assert Event.objects.count() == before
    offers = caller.get(f"/orders/{order.public_id}/offers")
    assert '"reason":"new_buyer_open_count"' in offers.body.decode()


def test_asking_for_more_by_another_price_is_asking() -> None:
    """A link that was given out for little does not become one for much."""
    caller, most = live_shop(is_verified=False), trust_limits.SUM_UNTIL_PAID_BUYER
    answer = ask(caller, 20)

    def reprice(dollars: int) -> Answer:
        lines = [{"name": "Tea", "quantity": 1, "unit_amount": dollars * DOLLARS}]
        return caller.post(f"/orders/{answer['id']}/lines", {"lines": lines})

    before = (newest().amount, Event.objects.count())
    refused = reprice(most + 10)
    assert (refused.status, refused["code"]) == (409, "ask_limit_reached")
    assert (newest().amount, Order.objects.get().amount, Event.objects.count()) == (before[0], before[0], before[1])
    assert reprice(most - 10).status == 200
    assert newest().amount == (most - 10) * DOLLARS
    assert ask(caller, 20).status == 409
    TrustLimit.objects.create(merchant=caller.merchant, subject="buyer", currency="USD", open_sum=1)
    assert reprice(10).status == 200  # a lower price always


def shop_at_its_limit() -> Caller:
    """Its buyer has asked for as much as she may, which is next to nothing."""
    caller = live_shop()
    assert ask(caller, 20).status == 201
    TrustLimit.objects.create(merchant=caller.merchant, subject="new_buyer", currency="CNY", open_sum=1, first_sum=1)
    return caller


@pytest.mark.parametrize("friends", ["were never asked", "were asked before"])
def test_a_price_that_no_friend_is_asked_for_has_no_limits(friends: str) -> None:
    order = shop.make_order(shop_at_its_limit().merchant, live=True)
    request = lifecycle.open_request(order.pk, actor="buyer", shared=friends == "were asked before")
    if friends == "were asked before":
        lifecycle.cancel_request(request.pk, actor="buyer")
    assert asking.change_order(order, [LineDraft("Gaiwan", 1, order.amount + 1)]).amount == 9001


def test_the_same_price_for_other_goods_is_no_ask() -> None:
    shop_at_its_limit()
    request = newest()
    order = asking.change_order(request.order, [LineDraft("Gaiwan", 1, request.amount)])
    assert [line.name for line in order.lines.all()] == ["Gaiwan"]
    with pytest.raises(Refused, match="ask_limit_reached"):
        asking.change_order(request.order, [LineDraft("Gaiwan", 1, request.amount + 1)])


def test_a_price_may_grow_to_the_very_limit() -> None:
    caller = live_shop()
    assert ask(caller, 20, currency="USD").status == 201
    order = newest().order
    TrustLimit.objects.create(merchant=caller.merchant, subject="new_buyer", currency="USD", first_sum=3_000)
    assert asking.change_order(order, [LineDraft("Gaiwan", 1, 3_000)]).amount == 3_000


def test_asking_twice_asks_once_even_where_no_more_may_be_asked() -> None:
    caller = live_shop(is_verified=False)
    order = shop.make_order(caller.merchant, live=True)
    first = asking.ask(order, Surface(), "net")
    assert (first.network, first.hint) == ("net", "new_shop")
    TrustLimit.objects.create(merchant=caller.merchant, subject="new_buyer", open_count=1)
    before = Event.objects.count()
    assert asking.ask(order, Surface(), "net") == first
    assert Event.objects.count() == before
    StoppedBuyer.objects.create(merchant=caller.merchant, buyer_id="lin", stopped_at=clock.now())
    with pytest.raises(Refused, match="method_not_offered"):
        asking.ask(order, Surface(), "net")


def test_each_way_of_asking_is_a_step_of_its_request() -> None:
    caller = live_shop()
    first, second = (shop.make_order(caller.merchant, live=True) for _way in range(2))
    assert ask(caller).status == 201
    assert caller.post(f"/orders/{first.public_id}/payment-requests", {}).status == 201
    asking.ask(second, Surface())
    gone = [
        list(it.steps.order_by("id").values_list("kind", flat=True)) for it in PaymentRequest.objects.order_by("id")
    ]
    assert gone == [["request_created"], ["request_created"], ["help_tapped", "request_created"]]


@pytest.mark.parametrize("earlier", ["her own", "an ended one"])
def test_only_a_request_that_friends_have_now_is_shared_again_without_a_limit(earlier: str) -> None:
    order = shop.make_order(shop_at_its_limit().merchant, live=True)
    request = lifecycle.open_request(order.pk, actor="buyer", shared=earlier == "an ended one")
    if earlier == "an ended one":
        lifecycle.cancel_request(request.pk, actor="buyer")
    with pytest.raises(Refused, match="ask_limit_reached") as refused:
        asking.ask(order, Surface())
    assert refused.value.status == 429
    request.refresh_from_db()
    assert (request.shared_at is not None, order.payment_requests.count()) == (earlier == "an ended one", 1)


def test_who_asks_by_hand_too_often_is_told_to_wait() -> None:
    caller = live_shop()
    TrustLimit.objects.create(merchant=caller.merchant, subject="new_buyer", hour_count=1)
    asking.ask(shop.make_order(caller.merchant, live=True), Surface())
    with pytest.raises(Refused, match="asked_often") as refused:
        asking.ask(shop.make_order(caller.merchant, live=True), Surface())
    assert refused.value.status == 429


def test_within_an_hour_and_within_a_day(move_time: Move) -> None:
    caller = live_shop()
    prove(caller, move_time)
    _open, hour, day = trust_limits.ASKS_OF_A_BUYER

    def asked() -> str:
        answer = ask(caller, 1)
        if answer.status == 201:
            lifecycle.cancel_request(newest().pk, actor="merchant")
            return ""
        return str(answer["detail"])

    assert [asked() for _ in range(hour)] == [""] * hour
    assert "within an hour" in asked()
    move_time(HOUR + 1)
    assert [asked() for _ in range(day - hour)] == [""] * (day - hour)
    move_time(HOUR + 1)
    assert "within a day" in asked()
    move_time(DAY)
    assert asked() == ""


def test_a_new_buyers_sum_ends_when_one_was_paid_and_time_went_by(move_time: Move) -> None:
    caller, most = live_shop(), trust_limits.SUM_UNTIL_PAID_BUYER
    assert ask(caller, most).status == 201
    pay(newest())
    move_time(HOUR + 1)
    assert "until a first request was paid" in ask(caller, 1)["detail"]
    move_time(DAY)
    assert trust_limits.COOLING_BUYER.total_seconds() < DAY
    assert ask(caller, most).status == 201


@pytest.mark.parametrize("doubt", ["report", "dispute"])
def test_what_was_reported_or_disputed_proves_nothing(move_time: Move, doubt: str) -> None:
    caller, most = live_shop(), trust_limits.SUM_UNTIL_PAID_BUYER
    assert ask(caller, most).status == 201
    pay(newest())
    request = newest()
    if doubt == "report":
        Report.objects.create(
            request=request, merchant=caller.merchant, reason="other", network="n", created_at=clock.now()
        )
    else:
        request.payments.update(amount_disputed=1)
    move_time(DAY)
    assert ask(caller, 1).status == 409
    Report.objects.update(settled_at=clock.now(), outcome=Report.Outcome.NOTHING)
    request.payments.update(amount_disputed=0)
    assert ask(caller, 1).status == 201


def test_a_shop_nobody_has_checked_has_one_cap_whoever_its_buyers_are_and_whatever_the_currency(
    move_time: Move,
) -> None:
    caller, most = live_shop(is_verified=False), trust_limits.SUM_UNTIL_PAID_SHOP
    assert ask(caller, most / 2, buyer="a").status == 201
    assert ask(caller, most / 2, buyer="b", currency="JPY").status == 201
    for currency in ("CNY", "JPY", "EUR", "KWD"):
        refused = ask(caller, 10, buyer="c", currency=currency)
        assert (refused.status, "not verified" in refused["detail"]) == (409, True)
    Merchant.objects.update(is_verified=True)
    assert ask(caller, 10, buyer="c").status == 201


def test_a_new_shop_is_new_until_it_is_old_enough_and_was_paid(move_time: Move) -> None:
    caller, most = live_shop(is_verified=False), trust_limits.SUM_UNTIL_PAID_SHOP
    Merchant.objects.update(created_at=clock.now())
    assert [ask(caller, most / 2, buyer=buyer).status for buyer in "abc"] == [201, 201, 409]
    move_time(trust_limits.COOLING_SHOP.total_seconds() + 1)
    assert ask(caller, most / 2).status == 201  # those were never paid, and are over
    pay(newest())
    assert [ask(caller, most / 2, buyer=buyer).status for buyer in "abc"] == [201, 409, 409]
    move_time(trust_limits.COOLING_SHOP.total_seconds() + 1)
    assert [ask(caller, most / 2, buyer=buyer).status for buyer in "abc"] == [201, 201, 201]
    assert trust_limits.SUMS_OF_A_SHOP[2] > most


def test_reports_from_several_networks_stop_a_shop_nobody_has_checked() -> None:
    caller = live_shop(is_verified=False)
    for number in range(trust_limits.REPORTERS):
        assert ask(caller, buyer=f"b{number}").status == 201
        Report.objects.create(
            request=newest(),
            merchant=caller.merchant,
            reason="goods",
            network=f"n{number}",
            owner=f"o{number}",
            created_at=clock.now(),
        )
    assert "Several people have reported" in ask(caller, buyer="b9")["detail"]
    Report.objects.update(settled_at=clock.now(), outcome=Report.Outcome.NOTHING)
    assert ask(caller, buyer="b9").status == 201


def test_test_mode_has_no_limits_but_a_networks() -> None:
    caller = Caller(shop.make_merchant(is_verified=False))
    assert {ask(caller, 900).status for _ in range(12)} == {201}


def test_a_shops_own_numbers_take_the_place_of_the_usual() -> None:
    caller = live_shop()
    TrustLimit.objects.create(
        merchant=caller.merchant, subject="new_buyer", open_count=2, currency="EUR", hour_sum=10_000
    )
    assert ask(caller, 90).status == 201
    assert "within an hour" in ask(caller, 90)["detail"]
    TrustLimit.objects.update(hour_sum=None)
    assert ask(caller, 90).status == 201
    assert "2 requests open at once" in ask(caller, 90)["detail"]


def test_what_is_unusual_is_kept_with_the_request(move_time: Move) -> None:
    caller, young = live_shop(), live_shop("River Tea", is_verified=False)
    hints = []
    for dollars in (20, 20, 20, 90):
        ask(caller, dollars)
        hints.append(newest().hint)
    ask(young, 20)
    assert [*hints, newest().hint] == ["first", "", "", "", "new_shop"]
    lifecycle.cancel_request(PaymentRequest.objects.order_by("id")[0].pk, actor="merchant")
    assert ask(caller, 300).status == 201
    assert newest().hint == "large"


def test_what_every_currency_is_worth_is_known() -> None:
    for currency in EXPONENT:
        assert worth.cents(worth.minor(100_000, currency), currency) in range(98_000, 100_001)
    assert (worth.cents(1, "VND"), worth.cents(0, "VND")) == (1, 0)


def test_an_ask_far_from_every_limit_costs_no_more_than_before(django_capture_on_commit_callbacks: Any) -> None:
    caller = live_shop()
    ask(caller, buyer="somebody")
    with counted(django_capture_on_commit_callbacks) as trips:
        assert ask(caller, buyer="mei").status == 201
    assert len(trips.statements) == 3 + 1  # the last counts the orders, in this test
    limits = standing.read(caller.merchant.pk, "mei", clock.now(), live=True)
    asked = PaymentRequest.objects.latest("id").total
    assert trust.alone(trust.measures(limits.standing, (), asked)) == [TrustLimit.Subject.NEW_BUYER]


@pytest.mark.proof
@pytest.mark.django_db(transaction=True)
def test_asks_at_once_do_not_pass_a_cap_together() -> None:
    merchant = shop.make_merchant(is_verified=False)
    each = trust_limits.SUM_UNTIL_PAID_SHOP // 3
    orders = [
        shop.make_order(merchant, amount=each * DOLLARS, reference=f"R-{it}", buyer_id=f"b{it}", live=True)
        for it in range(6)
    ]
    by_hand: list[Callable[[], Any]] = [partial(asking.ask, order, Surface(), "") for order in orders]
    by_call: list[Callable[[], Any]] = [partial(_placed, merchant, each, number) for number in range(6)]
    told = at_once(by_hand + by_call)
    assert told.count("ask_limit_reached") == 9
    assert PaymentRequest.objects.filter(status="open").count() == 3


def _placed(merchant: Merchant, dollars: int, number: int) -> object:
    answer = ask(Caller(merchant, live=True), dollars, buyer=f"c{number}")
    if answer.status != 201:
        raise Refused(answer["code"], "")
    return answer


def test_nothing_of_trust_is_about_who_is_stopped() -> None:
    caller = live_shop()
    StoppedBuyer.objects.create(merchant=caller.merchant, buyer_id="lin", stopped_at=clock.now())
    assert ask(caller)["code"] == "method_not_offered"


def test_the_link_of_a_buyer_who_pays_herself_is_nobodys_until_she_asks(client: Client) -> None:
    """Else a shop would have links that no limit counts: the API lists this request like any other."""
    order = shop.make_order()
    request = lifecycle.open_request(order.pk, actor="buyer", shared=False)
    page = f"/p/{request.token}/"
    assert client.get(page).status_code == 404
    assert client.post(f"{page}pay/", {"method": "sandbox", "name": "Mei"}).status_code == 404
    assert client.post(f"{page}decline/", {"note": ""}).status_code == 404
    assert not Payment.objects.exists()
    assert client.post(f"/checkout/{order.token}/pay/", {"method": "sandbox"}).status_code == 303
    client.post(f"/checkout/{order.token}/ask/")
    assert client.get(page).status_code == 200
