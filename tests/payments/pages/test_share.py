"""How a request is found and followed."""

import pytest
from django.test import Client

from payments.models import PaymentRequest
from payments.settlement import lifecycle
from payments.share import codes
from payments.share import text as sharing
from tests import shop
from tests.pages import words

pytestmark = pytest.mark.django_db


def test_status_says_what_the_socket_would_say(client: Client) -> None:
    plea = shop.make_request()
    shop.hold(plea)
    told = client.get(f"/p/{plea.token}/status.json").json()
    assert told["status"] == "open"
    assert (told["amount"], told["amount_paid"], told["amount_held"], told["currency"]) == (9000, 0, 9000, "CNY")
    assert told["seq"] == PaymentRequest.objects.get().seq
    assert [holder["name"] for holder in told["holders"]] == ["Mei"]
    assert told["expires_at"].endswith("Z")


def test_asking_again_costs_nothing_until_something_happens(client: Client) -> None:
    plea = shop.make_request()
    address = f"/p/{plea.token}/status.json"
    tag = client.get(address)["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    shop.hold(plea)
    answer = client.get(address, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer["ETag"] != tag


def test_the_links_code_is_a_picture_in_two_forms(client: Client) -> None:
    plea = shop.make_request()
    svg, png = client.get(f"/p/{plea.token}/qr.svg"), client.get(f"/p/{plea.token}/qr.png")
    assert (svg["Content-Type"], png["Content-Type"]) == ("image/svg+xml", "image/png")
    assert svg.content.startswith(b"<svg")
    assert png.content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "write", [str, str.lower, lambda code: code.replace("-", " "), lambda code: f"try {code}, ok?"]
)
def test_a_code_opens_its_request_however_it_is_typed(client: Client, write: object) -> None:
    plea = shop.make_request()
    answer = client.post("/open/", {"text": write(codes.shown(plea))})  # type: ignore[operator]
    assert (answer.status_code, answer["Location"]) == (303, f"/p/{plea.token}/")


def test_the_whole_message_opens_its_request(client: Client) -> None:
    plea = shop.make_request()
    answer = client.post("/open/", {"text": f"Lin: {sharing.share_text(plea)} 🙏"})
    assert answer["Location"] == f"/p/{plea.token}/"


@pytest.mark.parametrize(
    "text", ["", " ", "AAAA-AAAA", "hello", "\x00", "x" * 50000, "\u2066\u2069", "/p/AAAAAAAAAAAAAAAAAAAAAAAA/"]
)
def test_what_is_no_code_is_told_beside_the_field(client: Client, text: str) -> None:
    page = client.post("/open/", {"text": text})
    assert page.status_code == 422
    assert 'id="id_text_error"' in page.content.decode()


def test_an_ended_code_opens_nothing(client: Client) -> None:
    plea = lifecycle.cancel_request(shop.make_request().pk, actor="buyer")
    assert client.post("/open/", {"text": plea.code}).status_code == 422


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
    assert "Nothing is here" in words(page)


def test_the_wrong_method_is_told_and_moves_nothing(client: Client) -> None:
    plea = shop.make_request()
    before = plea.seq
    for path, method in (("", "post"), ("opened/", "get"), ("decline/", "put"), ("status.json", "delete")):
        page = client.generic(method.upper(), f"/p/{plea.token}/{path}")
        assert page.status_code == 405
        assert page["Allow"]
        assert "That does not work this way" in words(page)
    plea.refresh_from_db()
    assert (plea.seq, plea.status) == (before, "open")


def test_who_comes_back_to_the_address_of_a_form_is_led_to_its_page(client: Client) -> None:
    plea = shop.make_request()
    payment = shop.hold(plea)
    before = PaymentRequest.objects.get().seq
    forms = {
        f"/p/{plea.token}/": ("pay/", "decline/", "remind/"),
        f"/checkout/{plea.order.token}/": ("ask/", "message/", "parts/", "cancel/", "thanks/", "mail/"),
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
    ],
)
def test_a_link_with_something_stuck_to_it_opens(client: Client, written: str) -> None:
    plea = shop.make_request()
    answer = client.get(written.format(plea.token))
    assert (answer.status_code, answer["Location"]) == (302, f"/p/{plea.token}/")


def test_a_link_in_capitals_opens(client: Client) -> None:
    plea = shop.make_request()
    assert client.get(f"/P/{plea.token.upper()}/")["Location"] == f"/p/{plea.token}/"
    assert client.post("/open/", {"text": f"HTTPS://PAY.EXAMPLE/P/{plea.token.upper()}/"}).status_code == 303


def test_the_buyers_and_the_payers_links_open_as_well(client: Client) -> None:
    plea = shop.make_request()
    payment = shop.hold(plea)
    for page in (f"/checkout/{plea.order.token}/", f"/r/{payment.token}/", f"/pay/{payment.token}/", "/open/"):
        for spoilt in (f"{page})", f"{page[:-1]}。", f"/{page[1].upper()}{page[2:]}%3E"):
            assert client.get(spoilt)["Location"] == page


def test_what_was_never_a_link_stays_a_404(client: Client) -> None:
    payment = shop.hold(shop.make_request())
    nowhere = (f"/p/{'A' * 24})", f"/checkout/{'A' * 24}/)", f"/pay/{payment.token}/qr.svg", "/openly", "/p/)", "/p/")
    for path in nowhere:
        assert client.get(path).status_code == 404
    assert client.post(f"/p/{payment.request.token})").status_code == 404


def test_without_the_forms_token_nothing_is_done() -> None:
    plea = shop.make_request()
    strict = Client(enforce_csrf_checks=True)
    for address in (f"/p/{plea.token}/pay/", f"/p/{plea.token}/decline/", f"/checkout/{plea.order.token}/cancel/"):
        page = strict.post(address, {"method": "sandbox"})
        assert page.status_code == 403
        assert "Please try once more" in words(page)
    plea.refresh_from_db()
    assert (plea.seq, plea.status) == (1, "open")


def test_more_than_a_page_takes_is_a_413(client: Client) -> None:
    plea = shop.make_request()
    page = client.post(f"/checkout/{plea.order.token}/message/", {"message": "x" * (1 << 20)})
    assert page.status_code == 413
    assert "That is too long" in words(page)


def test_pages_load_nothing_from_elsewhere_and_hold_no_inline_code(client: Client) -> None:
    plea = shop.make_request()
    for address in (f"/p/{plea.token}/", f"/checkout/{plea.order.token}/", "/open/", "/nothing/"):
        body = client.get(address).content.decode()
        assert " style=" not in body
        assert " onclick=" not in body
        assert "<style" not in body
        assert body.count("<script") == body.count('<script type="module" src="/static/') >= 1
        assert 'src="http' not in body
