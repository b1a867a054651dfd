"""The share sheet in a shop's page: who may show it, what it asks for, and what everybody else gets."""

import gzip
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from friendpay.kit import clock
from orders import services
from orders.models import Order
from payments.models import PaymentRequest, RolloutRule
from tests import shop
from tests.pages import words

pytestmark = pytest.mark.django_db

SHOP = "https://shop.example"
EVIL = "https://evil.example"
LOOKALIKES = (
    "",
    "null",
    "http://shop.example",
    "https://shop.example:8443",
    "https://shop.example.evil.example",
    "https://shop.example@evil.example",
    "https://evil.example#https://shop.example",
    "https://shop.example; script-src *",
    "https://SHOP\\.example",
    "javascript:alert(1)",
)


@pytest.fixture
def order() -> Order:
    order = shop.make_order()
    order.merchant.embed_origins = ["https://other.example", SHOP]
    order.merchant.save()
    return order


def sheet(order: Order, origin: str = SHOP) -> str:
    return f"/checkout/{order.token}/embed/?origin={origin}"


def ancestors(policy: str) -> str:
    (found,) = [part.strip() for part in policy.split(";") if part.strip().startswith("frame-ancestors")]
    return found


def test_the_registered_page_alone_may_frame_the_sheet(client: Client, order: Order) -> None:
    answer = client.get(sheet(order))
    assert ancestors(answer["Content-Security-Policy"]) == f"frame-ancestors {SHOP}"
    assert not answer.has_header("X-Frame-Options")
    assert f'data-shop="{SHOP}"' in answer.content.decode()


def test_the_sheet_says_whose_shop_it_is_of(client: Client, order: Order) -> None:
    assert "Harbour Tea Verified shop" in words(client.get(sheet(order)))


@pytest.mark.parametrize("origin", [EVIL, *LOOKALIKES])
def test_nobody_else_may(client: Client, order: Order, origin: str) -> None:
    answer = client.get(f"/checkout/{order.token}/embed/", {"origin": origin})
    assert answer.status_code == 200
    assert ancestors(answer["Content-Security-Policy"]) == "frame-ancestors 'none'"
    assert 'data-shop=""' in answer.content.decode()
    told = client.get(f"/checkout/{order.token}/embed.json", headers={"Origin": origin})
    assert told.status_code == 403
    assert not told.has_header("Access-Control-Allow-Origin")
    assert "Origin" in told["Vary"]


def test_a_shop_without_embed_origins_is_framed_by_nobody(client: Client) -> None:
    order = shop.make_order()
    assert ancestors(client.get(sheet(order))["Content-Security-Policy"]) == "frame-ancestors 'none'"


def test_payers_and_buyers_own_pages_are_framed_by_nobody(client: Client, order: Order) -> None:
    request = shop.make_request(order)
    for page in (f"/p/{request.token}/?origin={SHOP}", f"/checkout/{order.token}/?origin={SHOP}", "/open/"):
        answer = client.get(page, headers={"Origin": SHOP})
        assert ancestors(answer["Content-Security-Policy"]) == "frame-ancestors 'none'"
        assert answer["X-Frame-Options"] == "DENY"
        assert not answer.has_header("Access-Control-Allow-Origin")


def test_asking_needs_no_cookie_and_happens_once(order: Order) -> None:
    client = Client(enforce_csrf_checks=True)
    assert "data-at-once" in client.get(sheet(order)).content.decode()
    assert PaymentRequest.objects.count() == 0
    for _twice in range(2):
        answer = client.post(sheet(order))
        assert (answer.status_code, answer["Location"]) == (303, sheet(order))
    request = PaymentRequest.objects.get()
    assert request.shared_at
    page = client.get(sheet(order)).content.decode()
    assert f"/p/{request.token}/qr.svg" in page
    assert f'data-socket="/ws/p/{request.token}/"' in page
    assert 'data-stage="asked"' in page
    assert "data-at-once" not in page
    assert "csrf" not in page


def test_what_ended_is_not_asked_for_again_by_itself(client: Client, order: Order) -> None:
    client.post(sheet(order))
    client.post(f"/checkout/{order.token}/cancel/")
    page = client.get(sheet(order)).content.decode()
    assert 'data-stage="cancelled"' in page
    assert "Ask a friend again" in page
    assert "The link no longer works. Nobody was charged. You can ask again with a new link." in words(
        client.get(sheet(order))
    )
    assert "data-at-once" not in page


def test_a_withheld_friend_is_not_offered_in_the_sheet_either(client: Client, order: Order) -> None:
    RolloutRule.objects.create(merchant=order.merchant, method="friend", share=0)
    page = client.get(sheet(order))
    assert "Ask a friend" not in words(page)
    assert "data-at-once" not in page.content.decode()
    answer = client.post(sheet(order))
    assert answer.status_code == 403
    assert "data-at-once" not in answer.content.decode()
    told = client.get(f"/checkout/{order.token}/embed.json", headers={"Origin": SHOP}).json()
    assert (told["opens"], told["label"]) == (False, "Pay now")


def test_where_nothing_can_be_paid_the_sheet_says_so(client: Client, order: Order) -> None:
    for method in ("friend", "sandbox"):
        RolloutRule.objects.create(merchant=order.merchant, method=method, share=0)
    page = words(client.get(sheet(order)))
    assert "There is no way to pay for this order here. Please ask the shop." in page
    assert "Pay now" not in page


def test_what_became_of_an_order_that_is_over_is_said_in_the_sheet(client: Client, order: Order) -> None:
    services.cancel_order(order, clock.now())
    assert "Harbour Tea has cancelled it. It can no longer be paid." in words(client.get(sheet(order)))


def test_the_button_is_told_how_far_it_is(client: Client, order: Order) -> None:
    def told() -> tuple[str, bool, str]:
        answer = client.get(f"/checkout/{order.token}/embed.json", headers={"Origin": SHOP})
        assert answer["Access-Control-Allow-Origin"] == SHOP
        assert "Origin" in answer["Vary"]
        assert not answer.has_header("Access-Control-Allow-Credentials")
        body = answer.json()
        return body["stage"], body["opens"], body["label"]

    assert told() == ("ready", True, "Ask a friend to pay")
    client.post(sheet(order))
    assert told() == ("asked", True, "Ask a friend to pay")
    payment = shop.hold(PaymentRequest.objects.get())
    assert told() == ("paying", True, "Ask a friend to pay")
    shop.succeed(payment)
    assert told() == ("paid", False, "Paid")
    page = client.get(sheet(order))
    assert "Harbour Tea has your order." in words(page)
    assert 'data-stage="paid"' in page.content.decode()


def test_an_unknown_order_is_the_same_404(client: Client) -> None:
    assert client.get(f"/checkout/nobody/embed/?origin={SHOP}").status_code == 404
    assert client.get("/checkout/nobody/embed.json", headers={"Origin": SHOP}).status_code == 404


def test_the_script_is_small_and_stands_alone() -> None:
    script = (Path(settings.BASE_DIR) / "static" / "payments" / "friendpay.js").read_bytes()
    assert len(gzip.compress(script, 9)) < 6 * 1024
    code = [line for line in script.splitlines() if not line.startswith(b"//")]
    for word in (b"import ", b"innerHTML", b"eval(", b"setAttribute("):  # what a strict policy of the shop's refuses
        assert not any(word in line for line in code)
