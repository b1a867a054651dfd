"""The wallet that comes first is the likeliest one."""

import pytest

from payments.offers.habits import Habits

ALL = ["sandbox", "wechatpay", "alipay", "card", "link", "paypal", "paypay", "upi", "house"]


def first(habits: Habits, *, app: str = "", language: str = "en") -> str:
    return habits.order(ALL, app=app, language=language)[0]


@pytest.mark.parametrize(
    ("cookies", "accepts", "app", "language", "wallet"),
    [
        ({}, "en-GB,en;q=0.9", "", "en", "card"),
        ({}, "zh-CN,zh;q=0.9", "", "zh-hans", "wechatpay"),
        ({}, "ja", "", "ja", "paypay"),
        ({}, "en-IN", "", "en", "upi"),
        ({}, "zh-Hans-HK", "", "zh-hans", "alipay"),
        ({}, "", "", "zh-hans", "wechatpay"),
        ({"wallet": "paypal"}, "zh-CN", "", "zh-hans", "paypal"),
        ({"wallet": "paypal"}, "zh-CN", "alipay", "zh-hans", "alipay"),
        ({"wallet": "nobody's"}, "en-US", "", "en", "card"),
    ],
)
def test_app_then_last_then_region_then_language(
    cookies: dict[str, str], accepts: str, app: str, language: str, wallet: str
) -> None:
    assert first(Habits.of(cookies, accepts), app=app, language=language) == wallet


def test_every_wallet_stays_on_the_page_once() -> None:
    assert sorted(Habits("card", "JP").order(ALL, app="wechatpay", language="hi")) == sorted(ALL)


def test_what_is_kept_of_a_visitor_is_one_of_few_things() -> None:
    """Pages are kept under it, so that it must not be whatever somebody sends."""
    assert Habits.of({"wallet": "x" * 400}, "xx-ZZ" * 100) == Habits()
