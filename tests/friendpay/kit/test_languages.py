"""Which language a page speaks."""

from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation
from django.utils.translation import ngettext

from friendpay.kit.languages import supported
from friendpay.kit.money import Money
from friendpay.kit.templatetags.times import moment
from orders.models import Order
from payments.share import safety_words
from tests import shop

pytestmark = pytest.mark.django_db


def language_of(client: Client, path: str, wanted: str = "") -> str:
    return str(client.get(path, headers={"Accept-Language": wanted}).headers["Content-Language"])


def checkout(locale: str) -> str:
    order = shop.make_order()
    Order.objects.update(locale=locale)
    return f"/checkout/{order.token}/"


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("zh-CN", "zh-hans"),
        ("zh-TW", "zh-hant"),
        ("zh-HK", "zh-hant"),
        ("zh", "zh-hans"),
        ("pt", "pt-br"),
        ("ar-EG", "ar"),
        ("en-GB", "en-gb"),
        ("en-US", "en"),
        ("tlh", ""),
        ("", ""),
    ],
)
def test_any_code_finds_the_language_nearest_to_it(code: str, language: str) -> None:
    assert supported(code) == language


def test_a_page_speaks_what_the_browser_asks_for(client: Client) -> None:
    assert language_of(client, "/open/", "tlh, zh;q=0.9, en;q=0.8") == "zh-hans"
    assert language_of(client, "/open/", "zh-TW") == "zh-hant"
    assert language_of(client, "/open/", "tlh") == "en"


def test_of_an_endless_header_the_beginning_is_read(client: Client) -> None:
    assert language_of(client, "/open/", f"zh-TW,{'tlh,' * 1000}") == "zh-hant"
    assert language_of(client, "/open/", f"{'tlh,' * 1000}zh-TW") == "en"
    assert "Accept-Language" in client.get("/open/")["Vary"]


def test_the_buyers_page_speaks_the_orders_language_first(client: Client) -> None:
    assert language_of(client, checkout("zh-CN"), "en") == "zh-hans"
    assert language_of(client, checkout("tlh"), "zh-CN") == "zh-hans"
    assert language_of(client, f"{checkout('zh-CN')}embed/", "en") == "zh-hans"


def test_a_friend_hears_nothing_of_the_orders_language(client: Client) -> None:
    payment_request = shop.make_request()
    Order.objects.update(locale="zh-CN")
    assert language_of(client, f"/p/{payment_request.token}/", "en") == "en"


def test_what_was_chosen_counts_everywhere_and_is_kept(client: Client) -> None:
    answer = client.post("/lang/", {"language": "en", "next": "/open/"})
    cookie = answer.cookies[settings.LANGUAGE_COOKIE_NAME]
    assert int(cookie["max-age"]) > 300 * 24 * 3600
    assert language_of(client, checkout("zh-CN"), "zh-CN") == "en"
    assert language_of(client, "/open/", "zh-CN") == "en"


def test_every_language_can_be_chosen_by_its_own_name_on_every_page(client: Client) -> None:
    payment_request = shop.make_request()
    for path in ("/open/", f"/p/{payment_request.token}/", f"/checkout/{payment_request.order.token}/", "/nowhere/"):
        page = client.get(path, headers={"Accept-Language": "ar"}).content.decode()
        assert all(f">{name}<" in page for _code, name in settings.LANGUAGES), path
        assert f'name="next" value="{path}"' in page


def test_in_britain_the_day_comes_first_and_the_words_are_the_same() -> None:
    when = datetime(2026, 11, 27, 15, 7, tzinfo=UTC)
    with translation.override("en-gb"):
        assert "27 Nov" in moment(when)
        assert Money(500, "GBP").text("en-gb") == "£5.00"
        assert Money(500, "USD").text("en-gb") == "US$5.00"
        british = safety_words.of("a token")
        assert translation.gettext("Ask a friend to pay") == "Ask a friend to pay"
    with translation.override("en"):
        assert "Nov 27" in moment(when)
        assert safety_words.of("a token") == british


def test_a_page_says_which_way_it_is_read(client: Client) -> None:
    page = client.get("/open/", headers={"Accept-Language": "zh-CN"}).content.decode()
    assert '<html lang="zh-hans" dir="ltr">' in page
    page = client.get("/open/", headers={"Accept-Language": "ar"}).content.decode()
    assert '<html lang="ar" dir="rtl">' in page


def test_the_desk_and_the_api_keep_to_the_languages_of_staff(client: Client) -> None:
    assert language_of(client, "/admin/login/", "ar") == "en"
    assert language_of(client, "/admin/login/", "zh-CN") == "zh-hans"
    assert language_of(client, "/api/v1/orders", "ar") == "en"


@pytest.mark.parametrize(("number", "words"), [(1, "صنف واحد"), (2, "صنفان"), (5, "أصناف"), (11, "صنفًا")])
def test_things_are_counted_as_the_language_counts(number: int, words: str) -> None:
    with translation.override("ar"):
        text = ngettext("Basket, %(counter)s item", "Basket, %(counter)s items", number)
    assert words in text
