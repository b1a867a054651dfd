"""The desk's one search box: whatever a caller may say opens what it is about, or lists it with what differs."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import Model
from django.test import Client

from friendpay.kit import clock, desk_limits
from orders.models import Event, Order
from payments.admin import finding
from payments.models import MailAddress, Payment, PaymentRequest, Refund
from payments.pages.addresses import digest_of
from payments.settlement import refunds
from payments.share import codes, receipt_numbers, safety_words, text
from tests import desk, shop
from tests.payments.admin.test_search import Story

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    """What a caller asks of, and another payment of the same shop and amount, of last week."""
    merchant = shop.make_merchant()
    request = shop.make_request(shop.make_order(merchant, reference="A-1001"))
    payment = shop.succeed(shop.hold(request, name="Mei"), ref="4200001234")
    refund = refunds.refund_payment(payment.pk, 1000, actor="merchant")
    other = shop.make_order(merchant, reference="B-77")
    Order.objects.filter(pk=other.pk).update(buyer_name="Wang Wei", buyer_id="wang-7")
    stranger = shop.succeed(shop.hold(shop.make_request(other), name="Kenji"))
    ago = clock.now() - timedelta(days=7)
    Order.objects.filter(pk=other.pk).update(created_at=ago)
    Payment.objects.filter(pk=stranger.pk).update(succeeded_at=ago)
    now = clock.now()
    MailAddress.objects.create(
        role="buyer", order=request.order, request=request, address="lin@post.example", language="en",
        digest=digest_of("lin@post.example"), created_at=now, ends_at=now + timedelta(days=1),
    )  # fmt: skip
    client = desk.staff(*desk.READ, "payments.view_dispute")
    return Story(request.order, request, payment, refund, client)


def opened(client: Client, said: str) -> str:
    """Where a search leads at once; "" where it lists, or finds nothing."""
    response = client.get("/admin/find/", {"q": said})
    assert response.status_code in (200, 302)
    return response.headers.get("Location", "")


SAID: dict[str, Callable[[Story], str]] = {
    "order number": lambda s: " a-1001 ",
    "how the order number begins": lambda s: "A-10",
    "order id": lambda s: s.order.public_id,
    "request id as a heading once wrote it": lambda s: s.request.public_id.capitalize()[:3] + s.request.public_id[3:],
    "link with junk around": lambda s: f"she sent me <{text.link(s.request)}>, is it real?",
    "link broken by a mail program": lambda s: text.link(s.request)[:-9] + "=\r\n" + text.link(s.request)[-9:],
    "checkout link": lambda s: f"http://x.example/checkout/{s.order.token}/?a=b",
    "share code": lambda s: f"code: {codes.shown(s.request).lower()}!",
    "spelled code": lambda s: " ".join(s.request.code),
    "the whole message": lambda s: text.share_text(s.request),
    "receipt number": lambda s: f"{receipt_numbers.number(s.payment.pk)}.",
    "the wallet's number": lambda s: "4200001234",
    "our reference": lambda s: s.payment.reference,
    "buyer's name": lambda s: "lin",
    "payer's name": lambda s: "mei",
    "e-mail address": lambda s: "Lin+shop@post.example",
    "the two words": lambda s: safety_words.of(s.request.token).text,
    "the two words as they are said": lambda s: " and ".join(safety_words.of(s.request.token).words),
    "amount and day": lambda s: "90 today",
    "amount and day in Chinese": lambda s: "今天 ¥90",
    "amount, day and name": lambda s: "Mei ¥90.00 today",
}


@pytest.mark.parametrize("name", SAID)
def test_whatever_a_caller_says_opens_the_request_at_once(story: Story, name: str) -> None:
    assert opened(story.client, SAID[name](story)) == desk.page(story.request)


def test_what_has_a_page_of_its_own_opens_that(story: Story) -> None:
    event = Event.objects.filter(order=story.order).first()
    assert event is not None
    named: dict[str, Model] = {
        story.refund.public_id: story.refund,
        story.refund.reference: story.refund,
        story.payment.public_id: story.payment,
        event.public_id.upper()[:3] + event.public_id[3:]: event,
        story.order.merchant.public_id: story.order.merchant,
    }
    assert {said: opened(story.client, said) for said in named} == {
        said: desk.page(thing) for said, thing in named.items()
    }


def test_an_order_nobody_was_asked_for_yet_is_found(story: Story) -> None:
    bare = shop.make_order(story.order.merchant, reference="C-5", amount=4200)
    assert opened(story.client, "c-5") == desk.page(bare)
    assert opened(story.client, "42 today") == desk.page(bare)


def test_several_hits_are_listed_with_what_tells_them_apart(story: Story) -> None:
    words = desk.text(story.client, "/admin/find/?q=90")
    assert "2 hits" in words
    for told in ("A-1001", "B-77", "Lin", "Wang Wei", "Mei", "Kenji", "CN¥90.00", "Harbour Tea", "paid"):
        assert told in words


def test_of_many_hits_only_those_that_are_shown_are_drawn(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        shop.make_request(shop.make_order(story.request.merchant, reference=f"SET-{number}"))
    drawn: list[int] = []

    def draw(row: PaymentRequest, _now: object) -> finding.Cells:
        drawn.append(row.pk)
        return ()

    monkeypatch.setattr(desk_limits, "HITS_SHOWN", 3)
    monkeypatch.setattr(finding, "_request", draw)
    page = desk.text(story.client, "/admin/find/?q=SET-")
    assert "4 hits" in page
    assert len(drawn) == 3


def test_an_order_asked_for_twice_opens_the_newest_request(story: Story) -> None:
    order = shop.make_order(story.order.merchant, reference="D-1")
    shop.make_request(order)
    PaymentRequest.objects.filter(order=order).update(status="expired", closed_at=clock.now())
    again = shop.make_request(order)
    assert opened(story.client, "D-1") == desk.page(again)


def test_a_day_is_one_of_the_staff_members_own(story: Story) -> None:
    assert opened(story.client, "90 yesterday") == ""
    assert "A-1001" not in desk.text(story.client, "/admin/find/?q=90 yesterday")


def test_nothing_found_says_what_to_try(story: Story) -> None:
    words = desk.text(story.client, "/admin/find/?q=nobody at all")
    assert "Nothing was found for “nobody at all”" in words
    assert "90 yesterday" in words


@pytest.mark.parametrize("said", ["%", "_", "'; --", "😀", "x" * 3000, "pay_", "/p/", "R-", "¥", "30 Feb", "1/1/1"])
def test_nonsense_finds_nothing(story: Story, said: str) -> None:
    assert opened(story.client, said) == ""
    assert story.client.get("/admin/find/", {"q": said}).context["found"] == 0


def test_nobody_finds_what_they_may_not_see(story: Story) -> None:
    assert desk.staff(name="carl").get("/admin/find/?q=A-1001").status_code == 403
    orders = desk.staff("orders.view_order", name="olga")
    assert opened(orders, "A-1001") == desk.page(story.order)
    assert opened(orders, story.request.public_id) == ""
    requests = desk.staff("payments.view_paymentrequest", name="rita")
    assert opened(requests, story.refund.public_id) == ""
    assert opened(requests, story.payment.public_id) == desk.page(story.request)
    assert Client().get("/admin/find/?q=A-1001").headers["Location"].startswith("/admin/login/")


def test_the_box_stands_on_every_page_of_the_desk(story: Story) -> None:
    for address in ("/admin/", desk.rows(Order), desk.page(story.request), desk.rows(Refund), "/admin/find/"):
        assert 'action="/admin/find/"' in story.client.get(address).content.decode(), address


def test_a_heading_names_a_thing_as_it_is(story: Story) -> None:
    heading = story.client.get(desk.page(story.refund)).content.decode().split("<h1")[1].split("</h1>")[0]
    assert story.refund.public_id in heading
    assert "Refunds" in heading


def test_the_box_holds_what_was_searched_and_nothing_else(story: Story) -> None:
    client = desk.staff("payments.refund_payment", "payments.view_payment", name="olaf")
    assert 'name="q" value="90"' in story.client.get("/admin/find/?q=90").content.decode()
    assert 'name="q" value=""' in client.get(desk.page(story.payment, "refund")).content.decode()
