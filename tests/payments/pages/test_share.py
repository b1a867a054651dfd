"""How a request is found and followed."""

import pytest
from django.test import Client, RequestFactory
from django.urls import get_resolver
from django.utils import translation

from payments.models import PaymentRequest
from payments.settlement import lifecycle
from payments.share import codes, text
from tests import shop
from tests.pages import words

pytestmark = pytest.mark.django_db


def test_status_says_what_the_socket_would_say(client: Client) -> None:
    payment_request = shop.make_request()
    shop.hold(payment_request)
    told = client.get(f"/p/{payment_request.token}/status.json").json()
    assert told["status"] == "open"
    assert (told["amount"], told["amount_paid"], told["amount_held"], told["currency"]) == (9000, 0, 9000, "CNY")
    assert told["seq"] == PaymentRequest.objects.get().seq
    assert [holder["name"] for holder in told["holders"]] == ["Mei"]
    assert told["expires_at"].endswith("Z")


def test_asking_again_costs_nothing_until_something_happens(client: Client) -> None:
    payment_request = shop.make_request()
    address = f"/p/{payment_request.token}/status.json"
    tag = client.get(address)["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    shop.hold(payment_request)
    answer = client.get(address, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer["ETag"] != tag


def test_the_links_code_is_a_picture_in_two_forms(client: Client) -> None:
    payment_request = shop.make_request()
    svg, png = client.get(f"/p/{payment_request.token}/qr.svg"), client.get(f"/p/{payment_request.token}/qr.png")
    assert (svg["Content-Type"], png["Content-Type"]) == ("image/svg+xml", "image/png")
    assert svg.content.startswith(b"<svg")
    assert png.content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "write", [str, str.lower, lambda code: code.replace("-", " "), lambda code: f"try {code}, ok?"]
)
def test_a_code_opens_its_request_however_it_is_typed(client: Client, write: object) -> None:
    payment_request = shop.make_request()
    answer = client.post("/open/", {"text": write(codes.shown(payment_request))})  # type: ignore[operator]
    assert (answer.status_code, answer["Location"]) == (303, f"/p/{payment_request.token}/")


def test_the_whole_message_opens_its_request(client: Client) -> None:
    payment_request = shop.make_request()
    answer = client.post("/open/", {"text": f"Lin: {text.share_text(payment_request)} 🙏"})
    assert answer["Location"] == f"/p/{payment_request.token}/"


@pytest.mark.parametrize(
    "typed", ["", " ", "AAAA-AAAA", "hello", "\x00", "x" * 50000, "\u2066\u2069", "/p/AAAAAAAAAAAAAAAAAAAAAAAA/"]
)
def test_what_is_no_code_is_told_beside_the_field(client: Client, typed: str) -> None:
    page = client.post("/open/", {"text": typed})
    assert page.status_code == 422
    assert 'id="id_text_error"' in page.content.decode()


def test_an_ended_code_opens_nothing(client: Client) -> None:
    payment_request = lifecycle.cancel_request(shop.make_request().pk, actor="buyer")
    assert client.post("/open/", {"text": payment_request.code}).status_code == 422


@pytest.mark.parametrize(
    "address",
    [
        "/p/unknown/",
        "/p/unknown/status.json",
        "/p/unknown/qr.svg",
        "/checkout/unknown/",
        "/r/unknown/",
        "/pay/unknown/",
        "/nothing/",
        "/p/%00/",
        "/p/x'--/",
    ],
)
def test_an_unknown_address_is_a_kind_404(client: Client, address: str) -> None:
    page = client.get(address)
    assert page.status_code == 404
    assert "Page not found" in words(page)


def test_the_wrong_method_is_told_and_moves_nothing(client: Client) -> None:
    payment_request = shop.make_request()
    before = payment_request.seq
    for path, method in (("", "post"), ("opened/", "get"), ("decline/", "put"), ("status.json", "delete")):
        page = client.generic(method.upper(), f"/p/{payment_request.token}/{path}")
        assert page.status_code == 405
        assert page["Allow"]
        assert "This link doesn't work on its own" in words(page)
    payment_request.refresh_from_db()
    assert (payment_request.seq, payment_request.status) == (before, "open")


def test_who_comes_back_to_the_address_of_a_form_is_led_to_its_page(client: Client) -> None:
    payment_request = shop.make_request()
    payment = shop.hold(payment_request)
    before = PaymentRequest.objects.get().seq
    forms = {
        f"/p/{payment_request.token}/": ("pay/", "decline/", "remind/"),
        f"/checkout/{payment_request.order.token}/": ("ask/", "message/", "parts/", "cancel/", "thanks/", "mail/"),
        f"/r/{payment.token}/": ("mail/",),
        "/basket/": ("order/",),
    }
    for page, ways in forms.items():
        for way in ways:
            for method in (client.get, client.head):
                answer = method(f"{page}{way}?method=sandbox")
                assert (answer.status_code, answer["Location"]) == (303, page)
    assert PaymentRequest.objects.get().seq == before


@pytest.mark.parametrize(
    "written",
    [
        "/p/{})",
        "/p/{}/)",
        "/p/{}。",
        "/p/{}/。请帮忙",
        "/p/{}/」",
        "/p//{}/",
        "/p/{}//",
        "/P/{}/",
        '/p/{}"',
        "/p/{}/%22%3E",
        "/p/{}/%E2%80%9D",
        "/p/%E2%80%8B{}/",
        "/p/{}/&from=singlemessage",
        "/p/{}%20thanks",
        "/p/{}/…",
        "/p/{}/.",
        "/p/{}'s",
        "/ｐ/{}/",
        "/https://pay.example/p/{}/",
        "/pay.example/p/{}/",
        "/p/{}/p/{}/",
        "/p/{}/index.html",
        "/p/{}&amp;x=1",
        "/p/{}%22%20target=%22_blank",
        "/p/{}）谢谢",
        "/%E2%81%A6/p/{}/%E2%81%A9",
        "/ p/{}/%0A",
    ],
)
def test_a_link_with_something_stuck_to_it_opens(client: Client, written: str) -> None:
    payment_request = shop.make_request()
    answer = client.get(written.replace("{}", payment_request.token))
    assert (answer.status_code, answer["Location"]) == (302, f"/p/{payment_request.token}/")


def test_a_link_in_capitals_opens(client: Client) -> None:
    payment_request = shop.make_request()
    assert client.get(f"/P/{payment_request.token.upper()}/")["Location"] == f"/p/{payment_request.token}/"
    assert client.post("/open/", {"text": f"HTTPS://PAY.EXAMPLE/P/{payment_request.token.upper()}/"}).status_code == 303


def test_the_buyers_and_the_payers_links_open_as_well(client: Client) -> None:
    payment_request = shop.make_request()
    payment = shop.hold(payment_request)
    for page in (
        f"/checkout/{payment_request.order.token}/",
        f"/r/{payment.token}/",
        f"/pay/{payment.token}/",
        "/open/",
    ):
        for spoilt in (f"{page})", f"{page[:-1]}。", f"/{page[1].upper()}{page[2:]}%3E"):
            assert client.get(spoilt)["Location"] == page


def test_what_was_never_a_link_stays_a_404(client: Client) -> None:
    payment = shop.hold(shop.make_request())
    nowhere = (f"/p/{'A' * 24})", f"/checkout/{'A' * 24}/)", f"/pay/{payment.token}/qr.svg", "/openly", "/p/)", "/p/")
    for path in nowhere:
        assert client.get(path).status_code == 404
    assert client.post(f"/p/{payment.request.token})").status_code == 404


def test_without_the_forms_token_nothing_is_done() -> None:
    payment_request = shop.make_request()
    strict = Client(enforce_csrf_checks=True)
    for address in (
        f"/p/{payment_request.token}/pay/",
        f"/p/{payment_request.token}/decline/",
        f"/checkout/{payment_request.order.token}/cancel/",
    ):
        page = strict.post(address, {"method": "sandbox"})
        assert page.status_code == 403
        assert "Please allow cookies" in words(page)
    payment_request.refresh_from_db()
    assert (payment_request.seq, payment_request.status) == (1, "open")


@pytest.mark.parametrize(
    ("method", "address", "again"),
    [
        ("get", f"/p/{'x' * 24}/?amount=30", f"/p/{'x' * 24}/?amount=30"),
        ("post", f"/p/{'x' * 24}/pay/", f"/p/{'x' * 24}/"),
        ("post", "/basket/order/", ""),
    ],
)
def test_a_fault_of_ours_offers_another_try(method: str, address: str, again: str) -> None:
    handler = get_resolver().resolve_error_handler(500)
    with translation.override("de"):
        page = handler(RequestFactory().generic(method.upper(), address))
    assert page.status_code == 500
    assert "Bei uns ist etwas schiefgelaufen" in words(page)
    assert (f'<a class="btn" href="{again}">' in page.content.decode()) is bool(again)


def test_more_than_a_page_takes_is_a_413(client: Client) -> None:
    payment_request = shop.make_request()
    page = client.post(f"/checkout/{payment_request.order.token}/message/", {"message": "x" * (1 << 20)})
    assert page.status_code == 413
    assert "That's too long" in words(page)


def test_pages_load_nothing_from_elsewhere_and_hold_no_inline_code(client: Client) -> None:
    payment_request = shop.make_request()
    for address in (f"/p/{payment_request.token}/", f"/checkout/{payment_request.order.token}/", "/open/", "/nothing/"):
        body = client.get(address).content.decode()
        assert " style=" not in body
        assert " onclick=" not in body
        assert "<style" not in body
        assert body.count("<script") == body.count('<script type="module" src="/static/') >= 1
        assert 'src="http' not in body
