"""How a request goes out: the words, the ways to send them, and the poster."""

import io
import re
import time
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import zxingcpp
from django.conf import settings
from django.test import Client
from django.utils import translation
from PIL import Image

from friendpay.kit.money import Money
from orders.services import LineDraft, place_order
from payments.models import PaymentRequest
from payments.share import codes, drawing, poster, safety_words, text
from tests import agents, shop
from tests.pages import words

pytestmark = pytest.mark.django_db


def drawn(payment_request: PaymentRequest, language: str = "en", **shown: bool) -> str:
    """The words on a poster."""
    with translation.override(language):
        svg = poster.svg(payment_request, **{"goods": False, "amount": False, **shown})
    return re.sub(r"<[^>]+>", "", svg.replace("</text>", "\n"))


def request_of(name: str, *goods: str) -> PaymentRequest:
    lines = [LineDraft(thing, 2, 4500) for thing in goods or ("Spring oolong",)]
    order = place_order(
        shop.make_merchant(), reference="A-1", currency="CNY", lines=lines, buyer_name=name, buyer_id="lin"
    )
    return shop.make_request(order)


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_the_message_is_short_and_opens_its_request_in_every_language(language: str) -> None:
    payment_request = shop.make_request()
    with translation.override(language):
        message = text.share_text(payment_request)
    assert len(message) < 240
    assert text.link(payment_request) in message
    assert codes.shown(payment_request) in message
    without_link = message.replace(text.link(payment_request), "")
    assert codes.find(message) == codes.find(without_link) == payment_request


@pytest.mark.parametrize(
    ("language", "first"),
    [("zh-hans", "wechat"), ("zh-hant", "line"), ("ja", "line"), ("ru", "telegram"), ("es", "whatsapp")],
)
def test_the_most_usual_way_of_a_language_comes_first(language: str, first: str) -> None:
    with translation.override(language):
        assert [target.key for target in text.targets(shop.make_request(), in_wechat=False)][0] == first


def test_each_way_to_send_carries_the_message_whole() -> None:
    payment_request = request_of("Lin & Co #1 + 100%?")
    with translation.override("en"):
        ways = {target.key: target.url for target in text.targets(payment_request, in_wechat=True)}
        message = text.share_text(payment_request)
    assert next(iter(ways)) == "wechat"
    assert parse_qs(urlsplit(ways["whatsapp"]).query)["text"] == [message]
    assert parse_qs(urlsplit(ways["line"]).query)["text"] == [message]
    told = parse_qs(urlsplit(ways["telegram"]).query)
    assert told["url"] == [text.link(payment_request)]
    assert "Harbour Tea" in told["text"][0]
    assert unquote(ways["sms"].removeprefix("sms:?&body=")) == message
    assert parse_qs(urlsplit(ways["mail"]).query)["body"] == [message]


def test_the_buyers_page_offers_them_and_the_words_for_the_phone(client: Client) -> None:
    payment_request = shop.make_request()
    page = client.get(f"/checkout/{payment_request.order.token}/")
    body = page.content.decode()
    for way in (
        "https://wa.me/?text=",
        "https://t.me/share/url?",
        "sms:?",
        "mailto:?",
        f"/p/{payment_request.token}/poster.png",
    ):
        assert way in body
    said = codes.spoken(payment_request)
    assert " ".join(f"{char} {word}" for char, word in said) in words(page)
    in_wechat = client.get(f"/checkout/{payment_request.order.token}/", headers={"User-Agent": agents.WECHAT_ANDROID})
    dock = in_wechat.content.decode().split('class="dock"')[1]
    assert dock.index("Copy message") < dock.index("WeChat")  # no page may open a share sheet there
    assert (dock.count("Copy message"), dock.count("Share")) == (1, 0)


def test_the_posters_code_can_be_scanned(client: Client) -> None:
    payment_request = shop.make_request()
    for query in ("", "?goods=on&amount=on"):
        answer = client.get(f"/p/{payment_request.token}/poster.png{query}")
        assert answer["Content-Type"] == "image/png"
        picture = Image.open(io.BytesIO(answer.content))
        assert picture.size == (1080, 1440)
        assert [code.text for code in zxingcpp.read_barcodes(picture.convert("L"))] == [text.link(payment_request)]
        small = picture.convert("L").resize((360, 480))
        assert [code.text for code in zxingcpp.read_barcodes(small)] == [text.link(payment_request)]


def test_the_poster_says_who_asks_and_only_what_the_buyer_wants_shown() -> None:
    payment_request = request_of("Lin Berger", "Spring oolong", "White tea", "Pot")
    plain = drawn(payment_request)
    assert "Lin is asking:" in plain
    assert codes.shown(payment_request) in plain
    assert safety_words.of(payment_request.token).text in plain
    for hidden in ("Berger", "oolong", "270.00"):
        assert hidden not in plain
    full = drawn(payment_request, goods=True, amount=True)
    assert "Spring oolong × 2" in full
    assert "White tea × 2 …" in full
    assert "270.00" in full


@pytest.mark.parametrize(
    ("name", "font"),
    [
        ("王小芳", "CJK"),
        ("ليلى", "Arabic"),
        ("प्रिया", "Devanagari"),
        ("さくら", "CJK"),
        ("김민지", "CJK"),
        ("Żółć Нина", "Noto Sans"),
    ],
)
def test_names_in_every_script_are_drawn(name: str, font: str) -> None:
    line = poster.line(name, 100, 50, "#000000")
    assert font in line
    empty = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="1080" height="200">{poster.line("", 100, 50, "#000000")}</svg>'
    )
    assert drawing.png(empty.replace("</svg>", line + "</svg>")) != drawing.png(empty)


def test_an_address_stays_whole_in_a_line_that_reads_the_other_way() -> None:
    line = poster.line("اكتب الرمز على shop.example/open/", 100, 50, "#000000", ltr="shop.example/open/")
    assert '<tspan font-family="Noto Sans">\u202ashop.example/open/\u202c</tspan>' in line


def test_a_sum_keeps_the_marks_that_put_its_parts_in_order() -> None:
    drawn = re.sub(r"<[^>]+>", "", poster.line(Money(9000, "CNY").text("ar"), 100, 50, "#000000"))
    assert drawn == "\u202b\u200f90.00 CN¥\u200e\u202c"
    assert "\u202e" not in poster.line("\u202eLin", 100, 50, "#000000")


@pytest.mark.parametrize("name", ["🍵🍵", "\x00\x07", "<b>&amp;", "x" * 60, "\u202eLin", "ᓀᐯᑎ"])
def test_no_name_breaks_a_poster(name: str) -> None:
    payment_request = shop.make_request()
    payment_request.order.buyer_name = name
    assert drawing.png(poster.svg(payment_request, goods=True, amount=True)).startswith(b"\x89PNG")


def test_a_poster_is_drawn_once_and_not_sent_twice(client: Client) -> None:
    payment_request = shop.make_request()
    address = f"/p/{payment_request.token}/poster.png"
    first = client.get(address)
    drawn_before = drawing.png.cache_info().misses
    assert client.get(address).content == first.content
    assert drawing.png.cache_info().misses == drawn_before
    kept = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert (kept.status_code, kept.content) == (304, b"")
    other = client.get(f"{address}?amount=on", headers={"If-None-Match": first["ETag"]})
    assert other.status_code == 200
    assert other["ETag"] != first["ETag"]
    assert "attachment" in client.get(f"{address}?save=")["Content-Disposition"]


def test_drawing_a_poster_takes_little_of_the_processor() -> None:
    payment_request = shop.make_request()
    spent: list[float] = []
    for amount in (False, True, False):
        drawing.png.cache_clear()
        began = time.thread_time()
        drawing.png(poster.svg(payment_request, goods=True, amount=amount))
        spent.append(time.thread_time() - began)
    assert min(spent) < 0.15
