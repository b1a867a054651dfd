"""Twenty scams, each played through to the end: what the scammer has at last, and what stopped it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import Client

from friendpay.kit import clock, limits, trust_limits, worth
from orders import branding
from orders.models import ApiKey, Event, Merchant, Order
from orders.services import LineDraft
from payments.models import Payment, PaymentRequest, Refund, Report, StoppedBuyer
from payments.settlement import abuse, inbox, lifecycle, requests
from payments.share import safety_words
from sandbox import bank
from sandbox.models import Charge
from tests import shop
from tests.caller import ORDER, Caller
from tests.pages import words
from tests.payments.settlement.test_asking import DOLLARS, ask, live_shop, newest, pay
from tests.payments.settlement.test_checkout import begin
from tests.payments.settlement.test_inbox import approved, deliver
from tests.payments.settlement.test_races import at_once
from tests.payments.share.test_codes import guesses

pytestmark = pytest.mark.django_db

Move = Callable[[float], None]
CAP = trust_limits.SUM_UNTIL_PAID_SHOP * 100  # US cents, roughly: what a shop takes that nobody has checked
DAY = 86_400.0


def taken(merchant: Merchant) -> int:
    """What friends have paid a shop, in rough US cents."""
    paid = Payment.objects.filter(merchant=merchant, amount_applied__gt=0)
    return sum(worth.cents(it.amount_applied, it.currency) for it in paid)


def milk(caller: Caller, dollars: float, times: int, **how: Any) -> int:
    """Ask and be paid at once, each time by another address and as another buyer; how often that went through."""
    done = 0
    for number in range(times):
        if ask(caller, dollars, buyer=f"mule-{number}", **how).status == 201:
            pay(newest())
            done += 1
    return done


DISGUISES = (
    "pay to my account instead: IBAN DE89 3704 0044 0532 0130 00",
    "加我 微 信 lin888 转给我",
    "1️⃣3️⃣8️⃣0️⃣0️⃣1️⃣3️⃣8️⃣0️⃣0️⃣0️⃣",
    "write to lin at gmail dot com",
    "ｗｅｃｈａｔ：ｌｉｎ８８８",
)


def ask_by_some_way(caller: Caller, dollars: int, number: int) -> bool:
    """By two kinds of calls, at the checkout page and in the shop's frame, one after the other; each time as another
    buyer, from another address, and by a call with a message that leads elsewhere first. Whether there is a link then.
    """
    buyer, browser = f"mule-{number}", Client(REMOTE_ADDR=f"10.{number // 250}.{number % 250}.7")
    message = DISGUISES[number % len(DISGUISES)]
    if number % 4 == 0:
        order = ORDER | {"reference": f"W-{number}", "buyer": {"id": buyer, "name": "Lin"}}
        assert caller.post("/orders", order | {"payment_request": {"message": message}}).status == 422
        order |= {"lines": [{"name": "Tea", "quantity": 1, "unit_amount": dollars * DOLLARS}]}
        return caller.post("/orders", order | {"payment_request": {"message": "Please!"}}).status == 201
    placed = shop.make_order(
        caller.merchant, amount=dollars * DOLLARS, reference=f"W-{number}", buyer_id=buyer, live=True
    )
    if number % 4 == 1:
        asks = f"/orders/{placed.public_id}/payment-requests"
        return [caller.post(asks, {"message": it}).status for it in (message, "Please!")] == [422, 201]
    way = "ask" if number % 4 == 2 else "embed"
    return browser.post(f"/checkout/{placed.token}/{way}/").status_code == 303


def raised(caller: Caller, request: PaymentRequest, dollars: int) -> bool:
    """Whether the shop got a link to ask for more than it was given out for."""
    lines = [{"name": "Tea", "quantity": 1, "unit_amount": dollars * DOLLARS}]
    return caller.post(f"/orders/{request.order.public_id}/lines", {"lines": lines}).status == 200


def asked_for(merchant: Merchant) -> int:
    """What friends are asked for by a shop, or have paid, in rough US cents."""
    kept = PaymentRequest.objects.filter(merchant=merchant, status__in=["open", "paid"])
    return sum(worth.cents(it.amount, it.currency) for it in kept)


@pytest.mark.proof
def test_1_a_new_shops_cash_out_ends_at_one_cap_however_many_addresses_ways_and_links_it_has() -> None:
    caller, got = live_shop("Harbor Tea", is_verified=False), 0
    for number in range(1000):
        if ask_by_some_way(caller, 100, number):
            raised(caller, newest(), 150)
            assert not raised(caller, newest(), 3001)
            pay(newest())
            got += 1
    assert got == trust_limits.SUM_UNTIL_PAID_SHOP // 150
    assert 0.95 * CAP <= taken(caller.merchant) <= CAP
    assert asked_for(caller.merchant) <= CAP
    assert not PaymentRequest.objects.exclude(message__in=["", "Please!"]).exists()


@pytest.mark.proof
@pytest.mark.django_db(transaction=True)
def test_1_at_once_and_by_every_way_no_more_than_one_cap_comes_through() -> None:
    merchant = shop.make_merchant("Harbor Tea", is_verified=False)
    callers = [Caller(merchant, live=True) for _ in range(24)]
    asks = [partial(ask_by_some_way, caller, 200, number) for number, caller in enumerate(callers)]
    assert at_once(asks).count(True) == trust_limits.SUM_UNTIL_PAID_SHOP // 200
    assert asked_for(merchant) <= CAP
    for request in PaymentRequest.objects.all():
        pay(request)
    assert taken(merchant) <= CAP


@pytest.mark.proof
@pytest.mark.django_db(transaction=True)
def test_1_links_for_little_that_are_made_dear_at_once_stay_within_one_cap() -> None:
    merchant = shop.make_merchant("Harbor Tea", is_verified=False)
    callers = [Caller(merchant, live=True) for _ in range(6)]
    assert all(ask_by_some_way(caller, 100, number) for number, caller in enumerate(callers))
    links = PaymentRequest.objects.select_related("order")
    raises = [partial(raised, caller, request, 1100) for caller, request in zip(callers, links, strict=True)]
    assert at_once(raises).count(True) == 2
    assert asked_for(merchant) <= CAP


def test_2_a_sum_is_split_to_dodge_the_cap() -> None:
    caller = live_shop(is_verified=False)
    milk(caller, 7, 200)
    assert taken(caller.merchant) <= CAP
    assert PaymentRequest.objects.count() <= trust_limits.ASKS_OF_A_NEW_SHOP[1]  # of an hour


def test_3_the_currency_is_changed_to_dodge_the_cap() -> None:
    caller = live_shop(is_verified=False)
    for currency in ("CNY", "USD", "JPY", "KWD", "VND", "EUR"):
        milk(caller, 1000, 5, currency=currency)
    assert taken(caller.merchant) <= CAP


def test_4_the_scammer_pays_herself_waits_and_cashes_out_until_three_people_report(move_time: Move) -> None:
    caller = live_shop(is_verified=False)
    Merchant.objects.update(created_at=clock.now())
    ask(caller, 1)
    pay(newest())
    move_time(trust_limits.COOLING_SHOP.total_seconds() + 1)
    before = taken(caller.merchant)
    milk(caller, 500, 300)
    first_hour = taken(caller.merchant) - before
    assert first_hour <= trust_limits.SUMS_OF_A_SHOP[1] * 100
    for number, request in enumerate(PaymentRequest.objects.order_by("-id")[: trust_limits.REPORTERS]):
        abuse.report(request, reason="goods", words="", network=f"n{number}", owner=f"o{number}")
    move_time(DAY)
    assert milk(caller, 1, 50) == 0


def test_5_many_buyers_of_one_network(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust_limits, "ASKS_OF_A_NETWORK", (5, 5, 5))
    merchant = shop.make_merchant()
    told = []
    for number in range(8):
        order = shop.make_order(merchant, reference=f"N-{number}", buyer_id=f"buyer-{number}", live=True)
        told.append(client.post(f"/checkout/{order.token}/ask/").status_code)
    assert told == [303] * 5 + [429] * 3


def test_6_mule_orders_at_a_shop_that_was_checked_end_with_the_buyer() -> None:
    caller = live_shop()
    got = sum(ask(caller, 400, buyer="mule").status == 201 for _ in range(50))
    assert got == trust_limits.SUM_UNTIL_PAID_BUYER // 400
    assert PaymentRequest.objects.filter(status="open").count() == got


def test_7_mass_asking_by_hand_ends_with_the_hour(client: Client) -> None:
    caller = live_shop()
    for _ in range(60):
        if ask(caller, 1, buyer="spammer").status == 201:
            lifecycle.cancel_request(newest().pk, actor="buyer")
    assert PaymentRequest.objects.count() == trust_limits.ASKS_OF_A_NEW_BUYER[1]


def test_8_a_stolen_key_of_a_new_shop_takes_no_more_and_dies_when_it_is_revoked() -> None:
    caller = live_shop(is_verified=False)
    milk(caller, 500, 100)
    assert taken(caller.merchant) <= CAP
    ApiKey.objects.get(pk=caller.row.pk).revoke()
    assert ask(caller, 1).status == 401
    reader = Caller(caller.merchant, live=True, can_write=False)
    assert ask(reader, 1).status == 403


def test_9_a_shop_that_looks_like_another_bears_no_mark_and_says_that_it_was_not_checked(client: Client) -> None:
    caller = live_shop("Harbour Тea", is_verified=False)  # with a Cyrillic letter
    ask(caller)
    page = client.get(f"/p/{newest().token}/")
    assert "Verified shop" not in words(page)
    assert "We haven't checked this shop." in words(page)
    assert "This shop is new here" in words(page)


def test_10_a_relayed_link_pays_its_own_order_and_shows_its_own_words(client: Client) -> None:
    victim, scammer = shop.make_request(), shop.make_request(shop.make_order(reference="S"))
    shown = [safety_words.of(it.token) for it in (victim, scammer)]
    assert shown[0] != shown[1]
    assert client.get(f"/p/{scammer.token}/").status_code == 200
    pay(victim)
    scammer.refresh_from_db()
    assert (scammer.status, scammer.amount_paid) == ("open", 0)
    assert Order.objects.get(pk=victim.order_id).status == "paid"


@pytest.mark.parametrize("message", DISGUISES)
def test_11_a_message_that_leads_elsewhere_is_refused_kindly_and_nothing_is_made(message: str) -> None:
    caller = live_shop()
    answer = caller.post("/orders", ORDER | {"payment_request": {"message": message}})
    assert (answer.status, answer["errors"][0]["code"]) == (422, "message_has_contact")
    assert "Please leave out" in answer["detail"]
    assert not Order.objects.exists()


def test_12_codes_are_guessed(client: Client) -> None:
    payment_request = shop.make_request()
    told = [client.post("/open/", {"text": guess}).status_code for guess in guesses(limits.GUESSES_CALM[0] + 5)]
    assert 303 not in told
    assert told[-1] == 429
    assert client.post("/open/", {"text": payment_request.code}).status_code == 429


def test_13_the_amount_is_swapped_after_the_friend_has_opened_the_page(client: Client) -> None:
    payment_request = shop.make_request()
    page = f"/p/{payment_request.token}/"
    client.get(page)
    requests.change_order(payment_request.order_id, [LineDraft("Tea", 1, 900_000)], [], None)
    told = client.post(f"{page}pay/", {"method": "sandbox", "name": "Mei", "price": "9000"})
    assert told.status_code == 409
    assert not Payment.objects.exists()
    assert "9,000.00" in words(client.get(page))


def test_14_money_of_a_refund_scam_goes_back_to_who_paid_and_nowhere_else() -> None:
    caller = live_shop()
    payment_request = shop.make_request(shop.make_order(caller.merchant, live=True))
    payment = shop.succeed(shop.hold(payment_request, name="Victim"))
    answer = caller.post(f"/payments/{payment.public_id}/refunds", {"amount": 9000, "reason": "wrong", "to": "scammer"})
    assert answer.status == 422  # there is no field that names another payee
    assert caller.post(f"/payments/{payment.public_id}/refunds", {"amount": 9001}).status == 422
    assert caller.post(f"/payments/{payment.public_id}/refunds", {"amount": 9000}).status == 201
    assert Refund.objects.get().payment == payment
    assert caller.post(f"/payments/{payment.public_id}/refunds", {"amount": 1}).status >= 400
    assert Refund.objects.count() == 1


def test_15_a_ring_whose_payments_are_disputed_proves_nothing(move_time: Move) -> None:
    caller = live_shop(is_verified=False)
    milk(caller, 300, 10)
    Payment.objects.update(amount_disputed=1)
    move_time(DAY * 10)
    assert milk(caller, 300, 10) == 0
    assert taken(caller.merchant) <= CAP


def test_16_a_replayed_notification_pays_once() -> None:
    _request, account, notice = approved()
    assert [deliver(notice, account) for _ in range(20)] == [204] * 20
    inbox.apply()
    assert Payment.objects.filter(amount_applied__gt=0).count() == 1
    assert not Refund.objects.exists()


def test_17_who_shares_a_browser_learns_nothing_of_who_paid_before(client: Client) -> None:
    payment_request = shop.make_request()
    shop.succeed(shop.hold(payment_request, name="Mei"))
    stranger = Client()
    page = stranger.get(f"/p/{payment_request.token}/")
    assert "/r/" not in page.content.decode()  # no receipt
    assert "Mei" not in words(page)


def test_18_a_forged_way_back_pays_nothing(client: Client) -> None:
    payment_request = shop.make_request()
    payment = begin(payment_request)
    for address in (f"/r/{payment.token}/?status=paid", f"/r/{payment.token}/?state=succeeded&amount=9000"):
        client.get(address)
    payment_request.refresh_from_db()
    assert (payment_request.status, payment_request.amount_paid) == ("open", 0)
    bank.approve(Charge.objects.get().ref)
    client.get(f"/r/{payment.token}/?status=failed")
    assert not Refund.objects.exists()


def test_19_a_shop_leads_nobody_to_a_site_it_has_not_registered() -> None:
    caller = live_shop(is_verified=False)
    answer = caller.post("/orders", ORDER | {"return_url": "https://friendpay-login.example/"})
    assert answer.status == 422
    assert not Order.objects.exists()
    with pytest.raises(ValueError, match="not a PNG"):
        branding.redraw(b"<svg onload=alert(1)>")


def test_20_a_sticker_over_a_poster_is_noticed_by_the_words_on_both_screens(client: Client) -> None:
    real, sticker = shop.make_request(), shop.make_request(shop.make_order(reference="X", buyer_id="mallory"))
    assert safety_words.of(real.token) != safety_words.of(sticker.token)
    for number in range(trust_limits.REPORTERS):
        abuse.report(sticker, reason="stranger", words="", network=f"n{number}", owner=f"o{number}")
    assert StoppedBuyer.objects.get().buyer_id == "mallory"
    assert Event.objects.filter(type="payment_request.reported").count() == 1
    assert Report.objects.count() == trust_limits.REPORTERS
