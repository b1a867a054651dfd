"""The friend's page in every state, and what may be sent to it."""

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.test import Client

from orders.models import Event, Merchant
from orders.services import LineDraft
from payments.models import Payment, PaymentRequest, ProviderAccount
from payments.pages import fields
from payments.settlement import lifecycle, requests
from payments.settlement.rules import Split
from tests import shop
from tests.pages import DANGEROUS, HTML, Answer, forms, words
from tests.payments.conftest import Fault

pytestmark = pytest.mark.django_db


def sent_by(page: Answer) -> dict[str, str]:
    """The hidden fields of the form that pays."""
    form = re.search(r'<form class="dock".*?</form>', page.content.decode(), re.S)
    assert form
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[0]))
    return {name: value for name, value in fields.items() if name != "csrfmiddlewaretoken"}


def page_of(payment_request: PaymentRequest) -> str:
    return f"/p/{payment_request.token}/"


def untouched(payment_request: PaymentRequest) -> bool:
    """Nothing was moved by what was sent."""
    before = payment_request.seq
    payment_request.refresh_from_db()
    return payment_request.seq == before and not Payment.objects.exists()


def test_everything_a_friend_asks_is_answered_before_paying(client: Client) -> None:
    payment_request = shop.make_request()
    page = client.get(page_of(payment_request))
    text = words(page)
    for word in (
        "Lin is asking you to pay",
        "Harbour Tea",
        "Verified shop",
        "help@harbourtea.example",
        "CN¥90.00",
        "Spring oolong, 100 g",
        "Until",
        "Refunds go back to the wallet you pay with.",
        "Pay CN¥90.00 with Sandbox wallet",
        "I can't this time",
    ):
        assert word in text
    assert forms(page) == [f"{page_of(payment_request)}{way}/" for way in ("pay", "remind", "decline")]


def test_looking_writes_nothing(client: Client) -> None:
    payment_request = shop.make_request()
    events = Event.objects.count()
    for _time in range(3):
        page = client.get(page_of(payment_request))
    assert untouched(payment_request)
    assert Event.objects.count() == events
    assert set(page.cookies) <= {"csrftoken"}


def test_a_link_preview_tells_the_shop_and_neither_name_nor_amount(client: Client) -> None:
    head = client.get(page_of(shop.make_request())).content.decode().split("<body>")[0]
    assert 'name="robots" content="noindex' in head
    assert "og:title" in head
    assert "Could you help pay at Harbour Tea?" in head
    for secret in ("Lin", "90", "oolong"):
        assert secret not in head


def test_one_tap_leads_to_the_wallet(client: Client) -> None:
    payment_request = shop.make_request()
    answer = client.post(page_of(payment_request) + "pay/", {"method": "sandbox", "name": " Mei "})
    assert answer.status_code == 303
    assert answer["Location"].startswith("http://127.0.0.1:8000/sandbox/")
    payment = Payment.objects.get()
    assert (payment.payer_name, payment.by_buyer, payment.amount, payment.status) == ("Mei", False, 9000, "pending")
    assert client.cookies["visitor"].value not in (payment.visitor, "")


def test_two_taps_begin_once(client: Client) -> None:
    payment_request = shop.make_request()
    first = client.post(page_of(payment_request) + "pay/", {"method": "sandbox"})
    second = client.post(page_of(payment_request) + "pay/", {"method": "sandbox"})
    assert first["Location"] == second["Location"]
    assert Payment.objects.count() == 1


def test_two_taps_of_a_first_visit_are_one_visitors(client: Client) -> None:
    """The second tap leaves before the first is answered, so it brings no cookie but the one the page gave."""
    payment_request = shop.make_request()
    client.get(page_of(payment_request))
    again = Client()
    again.cookies["csrftoken"] = client.cookies["csrftoken"].value
    first, second = (who.post(page_of(payment_request) + "pay/", {"method": "sandbox"}) for who in (client, again))
    assert first["Location"] == second["Location"]
    assert Payment.objects.count() == 1
    assert client.cookies["csrftoken"].value not in client.cookies["visitor"].value


def test_who_began_to_pay_can_go_on(client: Client) -> None:
    payment_request = shop.make_request()
    answer = client.post(page_of(payment_request) + "pay/", {"method": "sandbox"})
    page = client.get(page_of(payment_request))
    assert "You started paying with Sandbox wallet" in words(page)
    assert answer["Location"] in page.content.decode()


def test_another_friend_sees_who_is_paying_and_may_take_over(
    client: Client, move_time: Callable[[float], None]
) -> None:
    payment_request = shop.make_request()
    Client().post(page_of(payment_request) + "pay/", {"method": "sandbox", "name": "Mei"})
    text = words(client.get(page_of(payment_request)))
    assert "Mei is paying" in text
    assert "you can pay in 1:00" in text
    assert "Pay CN¥90.00" not in text
    assert client.post(page_of(payment_request) + "pay/", {"method": "sandbox", "take_over": "1"}).status_code == 409
    move_time(61)
    assert "Pay CN¥90.00 with Sandbox wallet" in words(client.get(page_of(payment_request)))
    assert client.post(page_of(payment_request) + "pay/", {"method": "sandbox", "take_over": "1"}).status_code == 303
    assert [bool(payment.held_until) for payment in Payment.objects.all()] == [False, True]


@pytest.mark.parametrize(
    ("permanent", "status", "said"),
    [(False, 503, "This wallet does not answer."), (True, 409, "This wallet refused.")],
)
def test_a_wallet_that_fails_is_told_and_holds_nothing(
    client: Client, faulty: Fault, permanent: bool, status: int, said: str
) -> None:
    payment_request = shop.make_request()
    faulty("start", permanent=permanent)
    page = client.post(page_of(payment_request) + "pay/", {"method": "sandbox"})
    assert page.status_code == status
    assert f"{said} Nothing was paid" in words(page)
    assert "Pay CN¥90.00 with Sandbox wallet" in words(page)


def test_the_payer_is_thanked_and_everybody_else_told(client: Client) -> None:
    payment_request = shop.make_request()
    client.post(page_of(payment_request) + "pay/", {"method": "sandbox"})
    payment = Payment.objects.get()
    shop.succeed(payment)
    page = client.get(page_of(payment_request))
    assert "You paid CN¥90.00 for Lin." in words(page)
    assert f"/r/{payment.token}/" in page.content.decode()
    other = Client().get(page_of(payment_request))
    assert "Someone has already paid for Lin" in words(other)
    assert payment.token not in other.content.decode()


def test_money_that_was_not_needed_is_said_to_go_back(client: Client) -> None:
    payment_request = shop.make_request()
    client.post(page_of(payment_request) + "pay/", {"method": "sandbox"})
    lifecycle.cancel_request(payment_request.pk, actor="buyer")
    shop.succeed(Payment.objects.get())
    assert "CN¥90.00 is on its way back." in words(client.get(page_of(payment_request)))


def test_past_its_time_nothing_can_be_begun(client: Client, move_time: Callable[[float], None]) -> None:
    payment_request = shop.make_request(expires_in=timedelta(minutes=1))
    move_time(61)
    page = client.get(page_of(payment_request))
    assert "This request has expired" in words(page)
    assert forms(page) == []
    assert client.post(page_of(payment_request) + "pay/", {"method": "sandbox"}).status_code == 409
    assert client.post(page_of(payment_request) + "decline/").status_code == 409
    assert untouched(payment_request)


def test_a_cancelled_request_offers_nothing(client: Client) -> None:
    payment_request = lifecycle.cancel_request(shop.make_request().pk, actor="buyer")
    page = client.get(page_of(payment_request))
    assert "Lin cancelled the request." in words(page)
    assert forms(page) == []
    assert client.post(page_of(payment_request) + "pay/", {"method": "sandbox"}).status_code == 409
    assert untouched(payment_request)


def test_a_frozen_shop_takes_nothing(client: Client) -> None:
    payment_request = shop.make_request()
    payment_request.merchant.is_frozen = True
    payment_request.merchant.save()
    assert "Payments are paused" in words(client.get(page_of(payment_request)))
    assert client.post(page_of(payment_request) + "pay/", {"method": "sandbox"}).status_code == 403
    assert untouched(payment_request)


def test_a_kind_no_is_passed_on_and_leaves_the_request_open(client: Client) -> None:
    payment_request = shop.make_request()
    answer = client.post(page_of(payment_request) + "decline/", {"note": HTML})
    assert (answer.status_code, answer["Location"]) == (303, page_of(payment_request))
    page = client.get(answer["Location"])
    assert "We've let Lin know." in words(page)
    assert "Pay CN¥90.00 with Sandbox wallet" in words(page)
    assert Event.objects.get(type="payment_request.declined").data["words"] == HTML


@pytest.mark.parametrize("note", DANGEROUS.values(), ids=DANGEROUS.keys())
def test_a_note_that_cannot_be_is_refused_beside_its_field(client: Client, note: str) -> None:
    payment_request = shop.make_request()
    page = client.post(page_of(payment_request) + "decline/", {"note": note})
    assert page.status_code == 422
    assert 'id="decline_note_error"' in page.content.decode()
    assert untouched(payment_request)


@pytest.mark.parametrize("name", ["x" * 21, "Mei\x00", "Mei\x1b[31m"])
def test_a_name_that_cannot_be_is_refused_beside_its_field(client: Client, name: str) -> None:
    payment_request = shop.make_request()
    page = client.post(page_of(payment_request) + "pay/", {"method": "sandbox", "name": name})
    assert page.status_code == 422
    assert 'id="id_name_error"' in page.content.decode()
    assert untouched(payment_request)


@pytest.mark.parametrize("method", ["", "gold", "wechatpay", "<b>", "x" * 10_000])
def test_a_method_that_is_not_offered_begins_nothing(client: Client, method: str) -> None:
    payment_request = shop.make_request()
    page = client.post(page_of(payment_request) + "pay/", {"method": method})
    assert page.status_code == 422
    assert 'role="alert"' in page.content.decode()
    assert untouched(payment_request)


@pytest.mark.parametrize("amount", ["1.00", "0", "-5", "1e3", "90.001", "9" * 30, "NaN", "ninety"])
def test_nobody_names_an_amount_of_their_own_for_one_friends_request(client: Client, amount: str) -> None:
    payment_request = shop.make_request()
    page = client.post(page_of(payment_request) + "pay/", {"method": "sandbox", "amount": amount})
    assert page.status_code in (409, 422)
    assert 'role="alert"' in page.content.decode()
    assert untouched(payment_request)


def test_a_friend_gives_a_part(client: Client) -> None:
    payment_request = shop.make_request(split=Split(3, 1000))
    assert 'value="30.00"' in client.get(page_of(payment_request)).content.decode()
    answer = client.post(page_of(payment_request) + "pay/", {"method": "sandbox", "amount": "25,50"})
    assert answer.status_code == 303
    assert Payment.objects.get().amount == 2550
    assert "CN¥64.50" in words(Client().get(page_of(payment_request)))


@pytest.mark.parametrize("amount", ["0", "5", "85.00", "90.01", "-5", "1e3", "20.001", "9" * 30, "NaN", "ninety"])
def test_a_part_that_does_not_fit_is_refused_beside_its_field(client: Client, amount: str) -> None:
    payment_request = shop.make_request(split=Split(3, 1000))
    page = client.post(page_of(payment_request) + "pay/", {"method": "sandbox", "amount": amount})
    assert page.status_code == 422
    assert 'id="id_amount_error"' in page.content.decode()
    assert 'role="alert"' not in page.content.decode()
    assert untouched(payment_request)


def test_the_page_speaks_chinese(client: Client) -> None:
    page = client.get(page_of(shop.make_request()), headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert '<html lang="zh-hans" dir="ltr">' in page.content.decode()
    assert "¥90.00" in words(page)


def test_the_sum_of_a_part_stands_on_the_button_before_it_goes(client: Client) -> None:
    payment_request = shop.make_request(split=Split(3, 1000))
    page = client.get(page_of(payment_request))
    assert "Pay CN¥30.00 with Sandbox wallet" in words(page)
    assert 'name="seen" value="3000"' in page.content.decode()
    changed = {"method": "sandbox", "amount": "2,5", "seen": "3000"}
    refused = client.post(page_of(payment_request) + "pay/", {**changed, "amount": "2,500"})
    assert refused.status_code == 200
    assert "about to pay CN¥2,500.00" in words(refused)
    assert untouched(payment_request)
    page = client.post(page_of(payment_request) + "pay/", {**changed, "amount": "25,5"})
    assert page.status_code == 200
    assert "Pay CN¥25.50 with Sandbox wallet" in words(page)
    assert 'value="25,5"' in page.content.decode()
    assert 'name="seen" value="2550"' in page.content.decode()
    assert untouched(payment_request)
    assert (
        client.post(page_of(payment_request) + "pay/", {**changed, "amount": "25,5", "seen": "2550"}).status_code == 303
    )
    assert Payment.objects.get().amount == 2550


def test_an_emptied_field_means_all_that_is_missing_and_says_so_first(client: Client) -> None:
    payment_request = shop.make_request(split=Split(3, 1000))
    page = client.post(page_of(payment_request) + "pay/", {"method": "sandbox", "amount": " ", "seen": "3000"})
    assert "about to pay CN¥90.00" in words(page)
    assert untouched(payment_request)


@pytest.mark.parametrize(
    ("language", "typed", "label"),
    [("en", "20", "CN¥20.00"), ("fr", "20,5", "20,50 CNY"), ("en", "2,0", "CN¥2.00"), ("hi", "२०", "CN¥20.00")],
)
def test_the_page_is_drawn_for_what_is_typed(client: Client, language: str, typed: str, label: str) -> None:
    payment_request = shop.make_request(split=Split(3, 1000))
    page = client.get(page_of(payment_request), {"amount": typed}, headers={"Accept-Language": language})
    assert label in words(page)
    assert f'value="{typed}"' in page.content.decode()


def test_of_what_was_sent_nothing_stays_for_the_next_who_opens_it(client: Client) -> None:
    """Forms of a kind share their fields."""
    page = page_of(shop.make_request(split=Split(3, 1000)))
    fresh = client.get(page).content.decode()
    sent = client.post(page + "pay/", {"method": "sandbox", "amount": "2", "name": "Lin\u202e"}).content.decode()
    fields._empty.cache_clear()
    assert "data-typed" in sent
    assert "type it again" in sent
    assert "data-typed" not in fresh
    assert FORM.findall(client.get(page).content.decode()) == FORM.findall(fresh) != FORM.findall(sent)


FORM = re.compile(r"<input [^>]*(?:amount|name=\"name\")[^>]*>")


def test_while_no_amount_is_typed_no_sum_is_on_the_button(client: Client) -> None:
    page = client.get(page_of(shop.make_request(split=Split(3, 1000))), {"amount": "2,0,0"})
    assert "Pay with Sandbox wallet" in words(page)
    assert 'name="seen"' not in page.content.decode()


def test_another_wallet_instead_takes_the_same_part(client: Client) -> None:
    payment_request = shop.make_request(amount=1234560, currency="KWD", split=Split(3, 1000))
    client.post(page_of(payment_request) + "pay/", {"method": "sandbox", "amount": "30.250"})
    page = client.get(page_of(payment_request), headers={"Accept-Language": "fr"})
    assert 'name="amount" value="30,250"' in page.content.decode()


def change_price(payment_request: PaymentRequest, amount: int) -> None:
    requests.change_order(payment_request.order_id, [LineDraft("Spring oolong, 100 g", 1, amount)])


@pytest.mark.parametrize("split", [None, Split(3)])
@pytest.mark.parametrize("now", [8000, 9001, 20000])
def test_a_price_that_changed_is_shown_before_it_is_charged(client: Client, split: Split | None, now: int) -> None:
    payment_request = shop.make_request(split=split)
    drawn = sent_by(client.get(page_of(payment_request)))
    assert drawn["price"] == "9000"
    change_price(payment_request, now)
    tap = {**drawn, "method": "sandbox"} | ({"amount": "30.00", "seen": "3000"} if split else {})
    page = client.post(page_of(payment_request) + "pay/", tap)
    assert page.status_code == 409
    assert f"The price has changed: the total is now CN¥{now / 100:.2f}." in words(page)
    assert not Payment.objects.exists()
    again = {**tap, "price": sent_by(page)["price"]}
    assert client.post(page_of(payment_request) + "pay/", again).status_code == 303
    assert Payment.objects.get().amount == (3000 if split else now)


@pytest.mark.parametrize("seen", ["", "9000"])
def test_the_price_that_was_seen_is_charged_at_once(client: Client, seen: str) -> None:
    payment_request = shop.make_request()
    assert client.post(page_of(payment_request) + "pay/", {"method": "sandbox", "price": seen}).status_code == 303


@pytest.mark.parametrize("seen", ["x", "9e3", "9" * 30, "-9000", "0"])
def test_a_price_nobody_was_shown_begins_nothing(client: Client, seen: str) -> None:
    payment_request = shop.make_request()
    page = client.post(page_of(payment_request) + "pay/", {"method": "sandbox", "price": seen})
    assert page.status_code in (409, 422)
    assert 'role="alert"' in page.content.decode()
    assert untouched(payment_request)


@pytest.mark.parametrize("of", ["buyer", "friend"])
def test_every_form_that_pays_carries_the_price(client: Client, move_time: Callable[[float], None], of: str) -> None:
    payment_request = shop.make_request()
    address = f"/checkout/{payment_request.order.token}/pay/" if of == "buyer" else page_of(payment_request)
    assert sent_by(client.get(address))["price"] == "9000"
    Client().post(page_of(payment_request) + "pay/", {"method": "sandbox"})
    move_time(61)
    assert sent_by(client.get(address)) == {"price": "9000", "take_over": "1"}


def held_by(client: Client, payment_request: PaymentRequest) -> Payment:
    assert client.post(f"{page_of(payment_request)}pay/", {"method": "sandbox"}).status_code == 303
    return payment_request.payments.latest("pk")


def test_who_pays_reads_from_when_on_others_can_take_over(client: Client, move_time: Callable[[float], None]) -> None:
    payment_request = shop.make_request()
    held_by(client, payment_request)
    move_time(15)
    assert "Someone else can take over in 0:45" in words(client.get(page_of(payment_request)))
    move_time(46)
    text = words(client.get(page_of(payment_request)))
    assert "Someone else can take over now." in text
    assert "Continue to payment" in text


def test_nobody_need_take_over_a_part_while_there_is_enough_for_others(client: Client) -> None:
    payment_request = shop.make_request(split=Split(3))
    assert client.post(f"{page_of(payment_request)}pay/", {"method": "sandbox", "amount": "30.00"}).status_code == 303
    text = words(client.get(page_of(payment_request)))
    assert "You started paying" in text
    assert "take over" not in text


def test_who_was_overtaken_and_comes_back_reads_that_nothing_was_paid(
    client: Client, move_time: Callable[[float], None]
) -> None:
    payment_request = shop.make_request()
    mine = held_by(client, payment_request)
    move_time(61)
    other = Client()
    assert other.post(f"{page_of(payment_request)}pay/", {"method": "sandbox", "take_over": "1"}).status_code == 303
    mine.refresh_from_db()
    assert (mine.status, mine.was_taken_over) == ("cancelled", True)
    assert "Someone else took over. You were not charged." in words(client.get(page_of(payment_request)))
    assert "took over" not in words(other.get(page_of(payment_request)))
    assert "took over" not in words(Client().get(page_of(payment_request)))
    shop.succeed(payment_request.payments.latest("pk"))
    text = words(client.get(page_of(payment_request)))
    assert "This is paid" in text
    assert "You were not charged." in text


def test_whose_time_to_pay_is_over_is_warned_of_paying_twice(
    client: Client, move_time: Callable[[float], None]
) -> None:
    """The wallet has not decided yet, and others can pay."""
    payment_request = shop.make_request()
    mine = held_by(client, payment_request)
    lifecycle.let_go(mine.pk)
    warning = "If you have already paid, please don't pay again."
    assert warning in words(client.get(page_of(payment_request)))
    assert warning in words(client.get(f"/r/{mine.token}/"))
    assert f'href="/r/{mine.token}/"' in client.get(page_of(payment_request)).content.decode()
    assert warning not in words(Client().get(page_of(payment_request)))
    shop.succeed(shop.hold(payment_request))
    for page in (page_of(payment_request), f"/r/{mine.token}/"):
        text = words(client.get(page))
        assert "If you paid as well, your money is refunded automatically." in text
        assert warning not in text
    shop.succeed(mine)
    assert "is being returned" in words(client.get(page_of(payment_request)))
    assert "If you paid as well" not in words(client.get(page_of(payment_request)))


def test_a_wallet_that_did_not_open_is_no_payment_that_is_late(client: Client) -> None:
    payment_request = shop.make_request()
    mine = held_by(client, payment_request)
    Payment.objects.filter(pk=mine.pk).update(status="created")
    lifecycle.let_go(mine.pk)
    assert "is over" not in words(client.get(page_of(payment_request)))


def test_the_first_screen_says_who_gets_the_money_and_what_doing_nothing_costs(client: Client) -> None:
    page = client.get(page_of(shop.make_request()))
    form = re.search(r'<form class="dock".*?</form>', page.content.decode(), re.S)
    assert form
    assert "Paid to Harbour Tea, not to Lin." in re.sub("<[^>]+>", "", form[0])
    assert "If you do nothing, you won&#39;t be charged." in form[0]


def test_goods_are_read_before_the_button(client: Client) -> None:
    text = words(client.get(page_of(shop.make_request())))
    order = [
        "Lin is asking you to pay",
        "Lin's order at Harbour Tea",
        "CN¥90.00",
        "Spring oolong",
        "Paid to",
        "Pay CN¥90.00",
    ]
    places = [text.index(word) for word in order]
    assert places == sorted(places)


def test_the_badge_says_whom_it_is_about_and_when_that_was_checked(client: Client) -> None:
    payment_request = shop.make_request()
    known = {"legal_name": "Harbour Tea Ltd.", "site": "https://harbourtea.example/", "verified_on": date(2026, 11, 2)}
    Merchant.objects.update(**known)
    text = words(client.get(page_of(payment_request)))
    assert "Checked by 127.0.0.1 on Nov 2, 2026." in text
    assert "Legal name Harbour Tea Ltd. Website harbourtea.example Contact help@harbourtea.example" in text
    Merchant.objects.update(is_verified=False)
    text = words(client.get(page_of(payment_request)))
    assert "We haven't checked this shop." in text
    assert "Checked by" not in text


def test_the_wallet_used_last_comes_first(client: Client) -> None:
    payment_request = shop.make_request()
    client.post(page_of(payment_request) + "pay/", {"method": "sandbox"})
    assert client.cookies["wallet"].value == "sandbox"
    assert client.cookies["wallet"]["httponly"]


def test_one_way_is_a_button_and_the_others_wait_behind_a_word(client: Client) -> None:
    payment_request = shop.make_request()
    for provider in ("wechatpay", "alipay"):
        account = ProviderAccount(merchant=payment_request.merchant, provider=provider, base_url="http://127.0.0.1:1")
        account.config = {}
        account.save()
    client.cookies["wallet"] = "sandbox"
    page = client.get(page_of(payment_request)).content.decode()
    form = re.search(r'<form class="dock".*?</form>', page, re.S)
    assert form
    before, _fold, _behind = form[0].partition("<details")
    assert re.findall('name="method" value="([^"]+)"', before) == ["sandbox"]
    assert "payments/marks/wallet.svg" in before


def test_an_error_page_names_the_way_back(client: Client) -> None:
    payment_request = shop.make_request()
    answer = client.put(page_of(payment_request) + "report/")
    assert answer.status_code == 405
    assert f'<a class="btn" href="{page_of(payment_request)}">Back to the request</a>' in answer.content.decode()


def test_a_part_is_chosen_by_a_tap(client: Client) -> None:
    payment_request = shop.make_request(amount=9000, split=Split(3))
    page = client.get(page_of(payment_request)).content.decode()
    assert re.findall(r'data-part="([^"]+)"', page) == ["30.00", "45.00", "90.00"]
    assert "At least CN¥15.00" in words(client.get(page_of(payment_request)))
    tapped = client.get(page_of(payment_request), {"amount": "45.00"})
    assert "Pay CN¥45.00 with Sandbox wallet" in words(tapped)


def test_a_reminder_asks_for_a_time_once_and_then_how(client: Client) -> None:
    payment_request = shop.make_request()
    page = client.get(page_of(payment_request)).content.decode()
    assert page.count("In 1 hour") == 1
    answer = client.post(page_of(payment_request) + "remind/", {"at": "hour", "calendar": "1"})
    assert answer["Location"] == page_of(payment_request) + "remind.ics?at=hour"
    assert client.get(answer["Location"])["Content-Type"].startswith("text/calendar")


def test_an_apps_own_browser_is_offered_no_file(client: Client) -> None:
    page = client.get(page_of(shop.make_request()), headers={"User-Agent": "Mozilla/5.0 (iPhone) MicroMessenger/8.0"})
    assert "Add a reminder to my calendar" not in words(page)
