"""The friend's page as a typed thing: its state, what each state shows, and that equal pages are drawn once."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import translation

from friendpay.kit import rendering
from friendpay.kit.money import Money
from orders.models import Merchant
from payments.models import PaymentRequest, ProviderAccount, RolloutRule
from payments.offers.habits import Habits
from payments.offers.weighing import Surface
from payments.pages import friend_page
from payments.pages.friend_page import FriendPage, State
from payments.pages.friend_reading import read
from payments.settlement import lifecycle, requests
from payments.settlement.rules import Split
from tests import agents, shop
from tests.pages import Answer, words

pytestmark = pytest.mark.django_db

CSRF = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


def page_for(payment_request: PaymentRequest, visitor: str = "") -> FriendPage:
    return friend_page.built(
        read(payment_request.token, visitor), Surface(), Habits(), url=f"/p/{payment_request.token}/"
    )


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        ("large", "This is much more than Lin usually asks for. If in doubt, call first."),
        ("new_shop", "This shop is new here. If in doubt, call Lin first."),
        ("first", "This is the first time Lin has asked a friend at this shop."),
        ("", ""),
    ],
)
def test_what_is_unusual_is_one_plain_sentence_while_she_can_pay(client: Client, hint: str, said: str) -> None:
    payment_request = shop.make_request()
    PaymentRequest.objects.update(hint=hint)
    address = f"/p/{payment_request.token}/"
    shown = client.get(address)
    assert ('id="unusual"' in shown.content.decode(), said in words(shown)) == (bool(hint), True)
    shop.succeed(shop.hold(payment_request))
    assert 'id="unusual"' not in client.get(address).content.decode()


def opened(payment_request: PaymentRequest) -> PaymentRequest:
    return payment_request


def held(payment_request: PaymentRequest) -> PaymentRequest:
    shop.hold(payment_request, name="Ann")
    return payment_request


def paid(payment_request: PaymentRequest) -> PaymentRequest:
    shop.succeed(shop.hold(payment_request, name="Ann"))
    return payment_request


def paid_twice(payment_request: PaymentRequest) -> PaymentRequest:
    late, first = shop.attempts(payment_request, 1)[0], shop.hold(payment_request, name="Ann")
    shop.succeed(first)
    shop.succeed(late)
    return payment_request


def cancelled(payment_request: PaymentRequest) -> PaymentRequest:
    lifecycle.cancel_request(payment_request.pk, actor="buyer")
    return payment_request


def paused(payment_request: PaymentRequest) -> PaymentRequest:
    Merchant.objects.filter(pk=payment_request.merchant_id).update(is_frozen=True)
    return payment_request


@pytest.mark.parametrize(
    ("happens", "visitor", "state"),
    [
        (opened, "", State.OPEN),
        (held, "", State.HELD),
        (held, "Mei", State.HELD),
        (held, "Ann", State.MINE),
        (paid, "Ann", State.THANKS),
        (paid, "Mei", State.PAID),
        (paid, "", State.PAID),
        (paid_twice, "Friend 0", State.RETURNED),
        (cancelled, "", State.CANCELLED),
        (paused, "", State.PAUSED),
    ],
)
def test_state(happens: Callable[[PaymentRequest], PaymentRequest], visitor: str, state: State) -> None:
    page = page_for(happens(shop.make_request()), visitor)
    assert page.state is state
    assert page.can_pay == (page.asking is not None) == page.watched == (state in friend_page.CAN_PAY)
    assert (page.receipt != "") == (state in (State.THANKS, State.RETURNED))


def test_what_ran_out_is_expired_before_any_sweep_came(move_time: Callable[[float], None]) -> None:
    payment_request = shop.make_request()
    move_time(payment_request.merchant.request_life.total_seconds() + 1)
    page = page_for(payment_request)
    assert (page.state, page.live.status, page.asking) == (State.EXPIRED, "expired", None)
    payment_request.refresh_from_db()
    assert payment_request.status == PaymentRequest.Status.OPEN


def test_amounts_know_their_currency() -> None:
    payment_request = shop.make_request(amount=9000, currency="JPY", split=Split(3))
    shop.succeed(shop.hold(payment_request, 3000, name="Ann"))
    page = page_for(payment_request)
    assert (page.amount, page.missing, page.live.paid) == tuple(Money(minor, "JPY") for minor in (9000, 6000, 3000))
    assert [(given.name, given.amount) for given in page.given] == [("Ann", Money(3000, "JPY"))]
    assert page.asking
    assert page.asking.part
    assert page.asking.part.field.value == "3000"


def test_back_says_how_much_and_why() -> None:
    page = page_for(paid_twice(shop.make_request()), "Friend 0")
    assert page.back
    assert (page.back.sum, page.back.where) == (Money(9000, "CNY"), "on_its_way")
    assert page.back.why == "Someone else paid first."


def test_thanks_are_told_to_who_paid_alone() -> None:
    payment_request = paid(shop.make_request())
    requests.thank(payment_request.pk, words="You are kind")
    assert [page_for(payment_request, visitor).thanks for visitor in ("Ann", "Mei", "")] == ["You are kind", "", ""]


def test_rules_of_the_shop_count() -> None:
    payment_request = shop.make_request()
    RolloutRule.objects.create(merchant=payment_request.merchant, method="sandbox", denied_buyers=["lin"])
    page = page_for(payment_request)
    assert page.state is State.OPEN
    assert page.asking
    assert page.asking.wallets.ways == ()


def alipay_alone(merchant: Merchant) -> None:
    [account] = ProviderAccount.objects.filter(merchant=merchant)
    account.provider, account.granted, account.config = "alipay", ["h5"], {"any": "thing"}
    account.save()


def no_wallet(merchant: Merchant) -> None:
    ProviderAccount.objects.filter(merchant=merchant).update(enabled=False)


@pytest.mark.parametrize(
    ("comes", "said"),
    [(alipay_alone, "copy the link and open it in your browser"), (no_wallet, "There is no way to pay this here")],
)
def test_nothing_is_asked_for_a_wallet_that_cannot_be_tapped(
    client: Client, comes: Callable[[Merchant], None], said: str
) -> None:
    """No name and no part, neither where nothing can be paid nor where the link has to be opened elsewhere first."""
    payment_request = shop.make_request(split=Split(3, 1000))
    address, headers = f"/p/{payment_request.token}/", {"User-Agent": agents.WECHAT_IPHONE}
    fields = ('id="id_name"', 'id="id_amount"', "data-part")
    page = client.get(address, headers=headers)
    assert all(field in page.content.decode() for field in fields)
    comes(payment_request.merchant)
    page = client.get(address, headers=headers)
    assert said in words(page)
    assert not any(field in page.content.decode() for field in fields)
    assert "Remind me" in words(page)
    refused = client.post(f"{address}pay/", {"method": "sandbox", "name": "x" * 21, "amount": "-5"}, headers=headers)
    assert 'role="alert"' in refused.content.decode()


def test_nobody_is_invited_to_pay_where_nothing_can_be_paid(client: Client) -> None:
    """Not to give a part, not after a no, not once somebody else is done, nor by what a screen reader says."""
    payment_request = shop.make_request(split=Split(3, 1000))
    address = f"/p/{payment_request.token}/"
    part, after_no = "you can pay just a part", "If you change your mind, you can still pay."
    assert (part in words(client.get(address)), page_for(payment_request).announced) == (True, "You can pay.")
    assert after_no in words(client.post(f"{address}decline/", {"choice": "sorry"}, follow=True))
    no_wallet(payment_request.merchant)
    assert (part in words(client.get(address)), page_for(payment_request).announced) == (False, "")
    told = words(client.post(f"{address}decline/", {"choice": "sorry"}, follow=True))
    assert ("We've told Lin." in told, after_no in told) == (True, False)


def test_who_waits_for_another_is_not_told_that_she_can_pay_where_nothing_can_be_paid(
    client: Client, move_time: Callable[[float], None]
) -> None:
    payment_request = held(shop.make_request())
    address, buyers = f"/p/{payment_request.token}/", f"/checkout/{payment_request.order.token}/pay/"
    for seconds, invites in ((0, "you can pay in"), (70, "cancel their attempt first")):
        move_time(seconds)
        ProviderAccount.objects.update(enabled=True)
        assert [invites in words(client.get(page)) for page in (address, buyers)] == [True, True]
        no_wallet(payment_request.merchant)
        assert [invites in words(client.get(page)) for page in (address, buyers)] == [False, False]


def test_a_request_is_contested_by_what_came_to_nothing_within_the_hour(move_time: Callable[[float], None]) -> None:
    payment_request = shop.make_request()
    shop.attempts(payment_request, 2)
    held(payment_request)
    asking = page_for(payment_request).asking
    assert asking
    assert asking.held
    assert asking.held.contested
    assert asking.held.free_at is None


def test_a_page_that_looks_the_same_is_drawn_once_for_all() -> None:
    payment_request = shop.make_request()
    rendering._drawn.cache_clear()
    answers = [Client().get(f"/p/{payment_request.token}/") for _ in range(3)]
    assert rendering._drawn.cache_info().misses == 1
    tokens = [set(CSRF.findall(answer.content.decode())) for answer in answers]
    assert [len(found) for found in tokens] == [1, 1, 1]
    assert len(set.union(*tokens)) == 3


def test_what_a_visitor_did_is_on_no_page_but_hers() -> None:
    payment_request = shop.make_request()
    friend, other = Client(), Client()
    friend.post(f"/p/{payment_request.token}/pay/", {"method": "sandbox", "name": "Mei"})
    pages = [words(who.get(f"/p/{payment_request.token}/")) for who in (friend, other, friend)]
    assert ["You started paying" in page for page in pages] == [True, False, True]


def test_the_time_that_is_left_runs_on_a_page_that_was_drawn_before(
    client: Client, move_stopped_time: Callable[[float], None]
) -> None:
    payment_request = shop.make_request()

    def left(page: Answer) -> int:
        found = re.search(r'data-state="open" data-left="(\d+)"', page.content.decode())
        assert found
        return int(found[1])

    first = left(client.get(f"/p/{payment_request.token}/"))
    drawn = rendering._drawn.cache_info().misses
    move_stopped_time(61)
    assert left(client.get(f"/p/{payment_request.token}/")) == first - 61
    assert rendering._drawn.cache_info().misses == drawn


def test_nothing_that_was_typed_is_taken_for_a_mark(client: Client) -> None:
    payment_request = shop.make_request()
    page = client.post(f"/p/{payment_request.token}/pay/", {"method": "sandbox", "name": "\0csrf\0"})
    assert page.status_code == 422
    assert len(set(CSRF.findall(page.content.decode()))) == 1
    assert 'value="\0csrf\0"' in page.content.decode()


def test_each_language_is_drawn_for_itself() -> None:
    payment_request = shop.make_request()
    seen = []
    for language in ("en", "es", "en"):
        with translation.override(language):
            asking = page_for(payment_request).asking
            assert asking
            seen.append(asking.declines)
    assert seen[0] == seen[2] != seen[1]
