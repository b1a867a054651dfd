"""What messengers see of a link, and that their looking changes nothing."""

import re

import pytest
from django.apps import apps
from django.test import Client

from orders.services import LineDraft, place_order
from payments.models import PaymentRequest
from tests import agents, shop

pytestmark = pytest.mark.django_db

CRAWLERS = {
    **{name: agents.PREVIEWS[name] for name in ("WhatsApp", "Telegram", "iMessage")},
    "WeChat": agents.WECHAT_ANDROID,  # it fetches as its own browser does
    "one we do not know": "curl/8.5.0",
}
PEOPLE = {
    **agents.IN_APPS,
    "Safari": agents.SAFARI_IPHONE,
    "Chrome": agents.CHROME_ANDROID,
    "a desktop": agents.CHROME_DESKTOP,
    "WeChat": agents.WECHAT_IPHONE,
    "WeChat on a desk": agents.WECHAT_WINDOWS,
    "Alipay": agents.ALIPAY_ANDROID,
    "nobody": "",
}
NAME, THING = "Linnea Bergström", "Silver teapot"


def asked() -> PaymentRequest:
    order = place_order(
        shop.make_merchant(),
        reference="A-1",
        currency="CNY",
        lines=[LineDraft(THING, 1, 123456)],
        buyer_name=NAME,
        buyer_id="linnea",
    )
    return shop.make_request(order)


def addresses(payment_request: PaymentRequest) -> list[str]:
    """Every public page and picture of a request that somebody has begun to pay."""
    payment = shop.hold(payment_request)
    friend, buyer = f"/p/{payment_request.token}/", f"/checkout/{payment_request.order.token}/"
    extra = ("status.json", "qr.svg", "qr.png", "poster.png", "poster.png?goods=on&amount=on")
    return [
        friend,
        buyer,
        *(friend + name for name in extra),
        *(buyer + name for name in ("pay/", "receipt/", "embed/")),
        f"/r/{payment.token}/",
        f"/pay/{payment.token}/",
        "/open/",
    ]


def rows() -> dict[str, list[object]]:
    """All there is."""
    models = [model for model in apps.get_models() if model._meta.app_label in ("orders", "payments", "sessions")]
    return {model._meta.label: list(model._default_manager.order_by("pk").values()) for model in models}


def told(body: str) -> str:
    """What a preview is made of."""
    return " ".join(re.findall(r"<title>.*?</title>|<meta[^>]*>", body, re.DOTALL))


@pytest.mark.parametrize("agent", CRAWLERS.values(), ids=CRAWLERS)
def test_a_crawler_changes_nothing_and_learns_nothing(client: Client, agent: str) -> None:
    payment_request = asked()
    pages = addresses(payment_request)
    before = rows()
    for address in pages:
        for method in ("get", "head"):
            answer = getattr(client, method)(address, headers={"User-Agent": agent})
            assert answer.status_code in (200, 303), address
        body = client.get(address, headers={"User-Agent": agent}).content.decode(errors="replace")
        preview = told(body)
        for secret in (NAME, "Linnea", "1234", "1,234", THING, payment_request.code):
            assert secret not in preview, address
    assert rows() == before
    assert not client.cookies.get("visitor")


def test_known_crawlers_are_shown_one_page_for_all_and_the_shop_of_a_friends_link(client: Client) -> None:
    payment_request = asked()
    link = f"/p/{payment_request.token}/"
    pages = [page for page in addresses(payment_request) if page not in ("/open/", link)]
    preview = client.get(link, headers={"User-Agent": agents.PREVIEWS["Telegram"]}).content.decode()
    assert f"Could you help pay at {payment_request.merchant.name}?" in told(preview)
    seen = {
        re.sub(r'value="[^"]*"', "", client.get(address, headers={"User-Agent": agent}).content.decode())
        for agent in CRAWLERS.values()
        if agent in agents.PREVIEWS.values()
        for address in [*pages, "/p/unknown/"]
    }
    assert len(seen) == 1
    assert "Could you help with a payment?" in seen.pop()


@pytest.mark.parametrize("agent", agents.PREVIEWS.values(), ids=agents.PREVIEWS)
def test_a_crawler_is_known_by_its_exact_introduction(client: Client, agent: str) -> None:
    body = client.get(f"/p/{asked().token}/", headers={"User-Agent": agent}).content.decode()
    assert NAME not in body
    assert "Could you help with a payment?" in body


def test_the_preview_has_words_and_a_picture_that_can_be_fetched(client: Client) -> None:
    body = client.get(f"/p/{asked().token}/").content.decode()
    told = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]+)"', body))
    assert told["title"] == "Could you help pay at Harbour Tea?"
    assert told["description"]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/static/og[.\w]*png", told["image"])


@pytest.mark.parametrize("agent", PEOPLE.values(), ids=PEOPLE)
def test_a_person_is_never_taken_for_a_crawler(client: Client, agent: str) -> None:
    body = client.get(f"/p/{asked().token}/", headers={"User-Agent": agent}).content.decode()
    assert NAME in body
