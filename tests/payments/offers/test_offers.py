"""The ladder: on every kind of screen each wallet gets the rail that works there, and nobody stands before a wall."""

import pytest
from django.test import Client

from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from orders.models import Merchant, Order
from payments.admin.rollout import REASONS
from payments.models import ProviderAccount
from payments.offers import weighing
from payments.offers.weighing import Surface
from payments.settlement import rules
from payments.settlement.rules import Payer, Split
from payments.share import text
from tests import agents, shop
from tests.pages import words

pytestmark = pytest.mark.django_db

GRANTED = {"wechatpay": ["h5"], "alipay": ["h5", "order_code"], "stripe": ["card"]}
EVERYTHING = {"wechatpay": "native", "alipay": "native", "card": "redirect", "sandbox": "redirect"}
ON_A_PHONE = {**EVERYTHING, "wechatpay": "h5", "alipay": "h5"}
IN_WECHAT = {"wechatpay": "jsapi", "card": "redirect", "sandbox": "redirect"}
IN_ALIPAY = {"alipay": "h5", "card": "redirect", "sandbox": "redirect"}
IN_ANOTHER_APP = {"card": "redirect", "sandbox": "redirect"}


def add(merchant: Merchant, provider: str, **options: object) -> ProviderAccount:
    config = {"app_secret": "secret"} if provider == "wechatpay" else {"any": "thing"}
    given = {"config": config, "granted": GRANTED[provider], "merchant": merchant, "provider": provider, **options}
    account = ProviderAccount()
    for name, value in given.items():
        setattr(account, name, value)
    account.save()
    return account


@pytest.fixture
def order() -> Order:
    """An order of a shop that takes everything."""
    order = shop.make_order()
    for provider in ("wechatpay", "alipay", "stripe"):
        add(order.merchant, provider)
    return order


def on_page(order: Order, agent: str) -> dict[str, str]:
    return {offer.method: str(offer.rail) for offer in weighing.for_page(order, Surface.of(agent))}


def away(order: Order, agent: str) -> dict[str, str]:
    considered = weighing.consider(order, Surface.of(agent))
    return {offer.method: offer.elsewhere for offer in weighing.elsewhere(considered)}


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        (agents.WECHAT_IPHONE, IN_WECHAT),
        (agents.WECHAT_ANDROID, IN_WECHAT),
        (agents.ALIPAY_IPHONE, IN_ALIPAY),
        (agents.ALIPAY_ANDROID, IN_ALIPAY),
        (agents.SAFARI_IPHONE, ON_A_PHONE),
        (agents.CHROME_ANDROID, ON_A_PHONE),
        (agents.HARMONY, ON_A_PHONE),
        (agents.CHROME_DESKTOP, EVERYTHING),
        (agents.WECHAT_WINDOWS, EVERYTHING),
        (agents.WECHAT_MAC, EVERYTHING),
        (agents.WECOM, IN_ANOTHER_APP),
        (agents.MINI_PROGRAM, IN_ANOTHER_APP),
        ("", EVERYTHING),
    ],
)
def test_every_screen_gets_the_best_rail_of_each_wallet(order: Order, agent: str, shown: dict[str, str]) -> None:
    assert on_page(order, agent) == shown


@pytest.mark.parametrize(
    ("agent", "where"),
    [
        (agents.WECHAT_IPHONE, {"alipay": "browser"}),
        (agents.ALIPAY_ANDROID, {"wechatpay": "browser"}),
        (agents.WECOM, {"wechatpay": "browser", "alipay": "browser"}),
        (agents.SAFARI_IPHONE, {}),
        (agents.CHROME_DESKTOP, {}),
    ],
)
def test_what_does_not_work_here_says_where_it_does(order: Order, agent: str, where: dict[str, str]) -> None:
    assert away(order, agent) == where


@pytest.mark.parametrize(
    ("agent", "h5", "secret", "reason", "where"),
    [
        (agents.WECHAT_IPHONE, True, "", "no_app_secret", "browser"),
        (agents.WECHAT_IPHONE, False, "", "no_app_secret", "desktop"),
        (agents.SAFARI_IPHONE, False, "secret", "h5_not_granted", "wallet"),
        (agents.SAFARI_IPHONE, False, "", "h5_not_granted", "desktop"),
        (agents.ALIPAY_IPHONE, False, "secret", "no_rail_here", "wallet"),
    ],
)
def test_a_rail_the_account_lacks_is_withheld_with_its_reason(
    agent: str, h5: bool, secret: str, reason: str, where: str
) -> None:
    order = shop.make_order()
    add(order.merchant, "wechatpay", config={"app_secret": secret}, granted=["h5"] if h5 else [])
    assert "wechatpay" not in on_page(order, agent)
    considered = weighing.consider(order, Surface.of(agent))
    assert [(offer.reason, offer.elsewhere) for offer in considered if offer.method == "wechatpay"] == [(reason, where)]


@pytest.mark.parametrize(
    ("agent", "granted", "works", "reason", "where"),
    [
        (agents.CHROME_DESKTOP, ["order_code", "page"], ("native", "redirect"), "", ""),
        (agents.CHROME_DESKTOP, ["face_to_face", "page"], ("native", "redirect"), "", ""),
        (agents.CHROME_DESKTOP, ["order_code", "h5"], ("native",), "", ""),
        (agents.CHROME_DESKTOP, ["page"], ("redirect",), "", ""),  # without a product for codes, the page is the way
        (agents.CHROME_DESKTOP, ["h5"], (), "code_not_granted", "browser"),
        (agents.CHROME_DESKTOP, [], (), "code_not_granted", ""),
        (agents.SAFARI_IPHONE, ["h5", "order_code"], ("h5",), "", ""),
        (agents.SAFARI_IPHONE, ["page"], (), "h5_not_granted", "desktop"),
        (agents.ALIPAY_ANDROID, ["order_code"], (), "h5_not_granted", "desktop"),
        (agents.WECHAT_IPHONE, ["order_code"], (), "no_rail_here", "desktop"),
    ],
)
def test_alipay_works_as_far_as_its_products_go(
    agent: str, granted: list[str], works: tuple[str, ...], reason: str, where: str
) -> None:
    order = shop.make_order()
    add(order.merchant, "alipay", granted=granted)
    (offer,) = (it for it in weighing.consider(order, Surface.of(agent)) if it.method == "alipay")
    assert (offer.rails, offer.reason, offer.elsewhere) == (works, reason, where)


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [
        ("EUR", 49, False),
        ("EUR", 50, True),
        ("JPY", 49, False),
        ("JPY", 50, True),
        ("KWD", 180, False),
        ("KWD", 200, True),
        ("HUF", 17_499, False),
        ("IDR", 500_000, False),  # no sum of Stripe's own: about half a dollar
        ("IDR", 2_000_000, True),
    ],
)
def test_a_method_is_not_offered_below_the_smallest_amount_it_takes(currency: str, amount: int, shown: bool) -> None:
    order = shop.make_order(currency=currency, amount=amount)
    add(order.merchant, "stripe")
    assert ("card" in on_page(order, agents.CHROME_DESKTOP)) is shown
    (card,) = (it for it in weighing.consider(order, Surface()) if it.method == "card")
    assert card.reason == ("" if shown else "below_minimum")
    assert card.detail == ("" if shown else f"This wallet takes payments from {Money(card.least, currency)}.")


def test_what_is_left_of_an_order_counts_not_what_it_was() -> None:
    order = shop.make_order(currency="EUR", amount=1000)
    add(order.merchant, "stripe")
    Order.objects.filter(pk=order.pk).update(amount_paid=970)
    order.refresh_from_db()
    assert "card" not in on_page(order, agents.CHROME_DESKTOP)


@pytest.mark.parametrize(
    ("currency", "amount", "paid", "fits"),
    [
        ("KWD", 10_000, 0, True),
        ("KWD", 10_005, 0, False),
        ("JOD", 10_001, 0, False),
        ("MGA", 500_050, 0, False),
        ("MGA", 500_000, 0, True),
        ("KWD", 10_005, 3_335, True),  # another wallet took what this one does not
        ("KWD", 10_000, 3_335, False),
        ("EUR", 10_005, 0, True),
        ("JPY", 1_005, 0, True),
    ],
)
def test_a_wallet_that_counts_in_steps_is_not_offered_for_what_lies_between_them(
    currency: str, amount: int, paid: int, fits: bool
) -> None:
    order = shop.make_order(currency=currency, amount=amount)
    add(order.merchant, "stripe")
    Order.objects.filter(pk=order.pk).update(amount_paid=paid)
    order.refresh_from_db()
    assert ("card" in on_page(order, agents.CHROME_DESKTOP)) is fits
    (card,) = (it for it in weighing.consider(order, Surface()) if it.method == "card")
    assert card.reason == ("" if fits else "amount_step")
    assert ("in steps of" in card.detail) is not fits
    assert card.reason in ("", *REASONS)  # the desk has words for it


@pytest.mark.parametrize(
    ("typed", "code", "fitting"),
    [
        (3_335, "amount_out_of_range", ["3.340", "10.000"]),  # the smallest part is 3.333
        (4_001, "amount_step", ["4.000"]),
        (4_009, "amount_step", ["4.000"]),
        (10_001, "amount_out_of_range", ["3.340", "10.000"]),
    ],
)
def test_a_typed_part_is_told_what_fits(typed: int, code: str, fitting: list[str]) -> None:
    order = shop.make_order(currency="KWD", amount=10_000)
    add(order.merchant, "stripe")
    request = shop.make_request(order, split=Split(3, 3_333))
    with pytest.raises(Refused, match=code) as refused:
        rules.check_amount(request, typed)
    assert all(amount in str(refused.value.message) for amount in fitting)
    for amount in fitting:
        rules.check_amount(request, int(amount.replace(".", "")))


# What a shop has chosen at Stripe


def test_a_shop_offers_what_it_has_chosen_and_no_more() -> None:
    order = shop.make_order(currency="EUR")
    account = add(order.merchant, "stripe", granted=["card", "ideal", "paypal", "blik"])
    assert list(on_page(order, agents.SAFARI_IPHONE)) == ["card", "paypal", "ideal", "sandbox"]
    considered = {offer.method: offer.reason for offer in weighing.consider(order, Surface())}
    assert considered == {"card": "", "paypal": "", "ideal": "", "blik": "currency_not_taken", "sandbox": ""}
    account.granted = ["ideal"]
    account.save()
    assert list(on_page(order, agents.SAFARI_IPHONE)) == ["ideal", "sandbox"]


@pytest.mark.parametrize(
    ("currency", "granted", "shown"),
    [
        ("CNY", ["wechatpay", "alipay"], {"wechatpay": "wechatpay", "alipay": "alipay"}),
        ("EUR", ["wechatpay", "alipay"], {"wechatpay": "stripe", "alipay": "stripe"}),
        ("EUR", ["card"], {"card": "stripe"}),
    ],
)
def test_no_page_names_a_wallet_twice_and_the_shops_own_account_comes_first(
    currency: str, granted: list[str], shown: dict[str, str]
) -> None:
    order = shop.make_order(currency=currency)
    add(order.merchant, "stripe", granted=granted)  # older than the shop's own accounts
    add(order.merchant, "wechatpay")
    add(order.merchant, "alipay")
    page = weighing.for_page(order, Surface())
    assert {offer.method: offer.provider for offer in page if offer.provider != "sandbox"} == shown
    labels = [offer.label for offer in page]
    assert len(labels) == len(set(labels))


def test_wechat_pay_by_stripe_shows_a_code_and_so_needs_a_second_screen() -> None:
    order = shop.make_order(currency="EUR")
    add(order.merchant, "stripe", granted=["wechatpay", "alipay"])
    assert set(on_page(order, agents.CHROME_DESKTOP)) == {"wechatpay", "alipay", "sandbox"}
    assert set(on_page(order, agents.SAFARI_IPHONE)) == {"alipay", "sandbox"}
    assert away(order, agents.SAFARI_IPHONE) == {"wechatpay": "desktop"}
    assert away(order, agents.WECHAT_IPHONE) == {"wechatpay": "desktop", "alipay": "browser"}


def test_of_two_ways_elsewhere_the_shops_own_account_is_told(order: Order) -> None:
    add(order.merchant, "stripe", granted=["wechatpay"])
    assert away(order, agents.ALIPAY_IPHONE) == {"wechatpay": "browser"}


def test_of_two_accounts_the_one_that_can_is_taken() -> None:
    order = shop.make_order()
    add(order.merchant, "wechatpay", config={"app_secret": ""})
    able = add(order.merchant, "wechatpay")
    shown = weighing.for_page(order, Surface.of(agents.WECHAT_IPHONE))
    assert [offer.account for offer in shown if offer.method == "wechatpay"] == [able]
    assert away(order, agents.WECHAT_IPHONE) == {}


@pytest.mark.parametrize("changes", [{"enabled": False}, {"live": True}])
def test_nobody_is_sent_elsewhere_for_a_wallet_that_is_withheld_there_too(
    order: Order, changes: dict[str, bool]
) -> None:
    ProviderAccount.objects.filter(provider="alipay").update(**changes)
    assert away(order, agents.WECHAT_IPHONE) == {}


def test_a_currency_a_wallet_does_not_take_sends_nobody_elsewhere() -> None:
    order = shop.make_order(currency="EUR")
    add(order.merchant, "alipay")
    assert away(order, agents.WECHAT_IPHONE) == {}


def test_what_is_not_on_the_page_cannot_be_begun(order: Order) -> None:
    request = shop.make_request(order)
    with pytest.raises(Refused, match="method_not_offered"):
        shop.begin(request, method="alipay", payer=Payer(), surface=Surface.of(agents.WECHAT_IPHONE))


# The page


def see(client: Client, order: Order, agent: str, **headers: str) -> str:
    return words(client.get(f"/p/{shop.make_request(order).token}/", headers={"User-Agent": agent, **headers}))


def test_the_page_says_in_one_line_where_to_go_and_has_the_button_for_it(client: Client, order: Order) -> None:
    request = shop.make_request(order)
    page = client.get(f"/p/{request.token}/", headers={"User-Agent": agents.WECHAT_IPHONE})
    assert "WeChat can't open Alipay here: copy the link and open it in your browser. Copy link" in words(page)
    assert f'data-copy="{text.link(request)}"' in page.content.decode()


def test_it_says_so_in_chinese_too(client: Client, order: Order) -> None:
    shown = see(client, order, agents.WECHAT_IPHONE, **{"Accept-Language": "zh-CN"})
    assert "微信里打不开支付宝：请复制链接，到浏览器中打开。" in shown


def test_without_any_method_here_the_page_gives_the_link_and_its_code(client: Client) -> None:
    order = shop.make_order()
    ProviderAccount.objects.update(enabled=False)
    add(order.merchant, "alipay")
    shown = see(client, order, agents.WECHAT_IPHONE)
    assert "WeChat can't open Alipay here" in shown
    assert "Copy link" in shown
    assert "Or scan this with the camera of another phone." in shown
    assert "Pay CN¥" not in shown


def test_without_any_method_anywhere_the_page_sends_to_the_shop(client: Client) -> None:
    order = shop.make_order()
    ProviderAccount.objects.update(enabled=False)
    shown = see(client, order, agents.SAFARI_IPHONE)
    assert "There is no way to pay this here right now. Please ask the shop." in shown
    assert "help@harbourtea.example" in shown


def test_a_simulated_wallet_says_so_wherever_it_is_named(client: Client, order: Order) -> None:
    ProviderAccount.objects.filter(provider="alipay").update(base_url="http://127.0.0.1:9")
    assert "Alipay (simulated)" in see(client, order, agents.SAFARI_IPHONE)
    assert "WeChat can't open Alipay (simulated) here" in see(client, order, agents.WECHAT_IPHONE)
    assert "Sandbox wallet (simulated)" not in see(client, order, agents.SAFARI_IPHONE)


# Pay by code


def pay_page(client: Client, order: Order, agent: str) -> str:
    return words(client.get(f"/checkout/{order.token}/pay/", headers={"User-Agent": agent}))


def test_a_phone_can_show_the_code_for_another_phone(client: Client, order: Order) -> None:
    shown = pay_page(client, order, agents.SAFARI_IPHONE)
    assert "Pay by code" in shown
    assert "Show a code for WeChat Pay" in shown
    assert "Show a code for Alipay" in shown
    assert "Show a code for Card" not in shown
    assert "Pay by code" not in pay_page(client, order, agents.CHROME_DESKTOP)


@pytest.mark.parametrize(
    ("gateway", "button"),
    [("", "Pay CN¥90.00 by card"), ("http://127.0.0.1:9/", "Pay CN¥90.00 with Card (simulated)")],
)
def test_one_pays_by_card_and_with_a_wallet(client: Client, gateway: str, button: str) -> None:
    """What only plays a card has a name, which says so."""
    payment_request = shop.make_request()
    payment_request.merchant.provider_accounts.update(enabled=False)
    add(payment_request.merchant, "stripe", base_url=gateway)
    assert button in words(client.get(f"/p/{payment_request.token}/"))
