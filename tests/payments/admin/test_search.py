"""Support finds an order, a request, a payment and a refund by whatever somebody holds in the hand."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from friendpay.kit import desk_limits
from orders.models import Order
from payments.admin import search
from payments.models import Payment, PaymentRequest, Refund
from payments.settlement import refunds
from payments.share import codes, receipt_numbers, text
from tests import desk, shop

pytestmark = pytest.mark.django_db


@dataclass
class Story:
    """One order paid by Mei and partly refunded, and another one that must not be found."""

    order: Order
    request: PaymentRequest
    payment: Payment
    refund: Refund
    client: Client


@pytest.fixture
def story() -> Story:
    merchant = shop.make_merchant()
    request = shop.make_request(shop.make_order(merchant, reference="A-1001"))
    payment = shop.succeed(shop.hold(request, name="Mei"), ref="4200001234")
    refund = refunds.refund_payment(payment.pk, 1000, actor="merchant")
    refund.provider_ref = "5030009876"
    refund.save()
    other = shop.make_order(merchant, reference="A-10012")
    Order.objects.filter(pk=other.pk).update(buyer_name="Wang", buyer_id="wang-7")
    stranger = shop.succeed(shop.hold(shop.make_request(other), name="Kenji"))
    refunds.refund_payment(stranger.pk, 500, actor="merchant")
    return Story(request.order, request, payment, refund, desk.staff(*desk.READ))


KEYS: dict[str, Callable[[Story], str]] = {
    "order number": lambda s: "A-1001",
    "order number with blanks around": lambda s: "  A-1001 ",
    "order id": lambda s: s.order.public_id,
    "checkout link": lambda s: f"https://pay.example/checkout/{s.order.token}/",
    "request id": lambda s: s.request.public_id,
    "link": lambda s: text.link(s.request),
    "token": lambda s: s.request.token,
    "share code": lambda s: s.request.code,
    "share code as people type it": lambda s: codes.shown(s.request).lower(),
    "the whole message": lambda s: text.share_text(s.request),
    "payment id": lambda s: s.payment.public_id,
    "our reference": lambda s: s.payment.reference,
    "the wallet's number": lambda s: "4200001234",
    "receipt link": lambda s: f"http://127.0.0.1:8000/r/{s.payment.token}/",
    "receipt number": lambda s: receipt_numbers.number(s.payment.pk),
    "receipt number as it is typed": lambda s: receipt_numbers.number(s.payment.pk).lower().replace("-", " "),
    "refund id": lambda s: s.refund.public_id,
    "our refund reference": lambda s: s.refund.reference,
    "the wallet's refund number": lambda s: "5030009876",
}


@pytest.mark.proof
@pytest.mark.parametrize("model", [Order, PaymentRequest, Payment, Refund])
def test_every_list_finds_its_row_by_every_key(story: Story, model: type[Model]) -> None:
    rows: dict[type[Model], Model] = {
        Order: story.order,
        PaymentRequest: story.request,
        Payment: story.payment,
        Refund: story.refund,
    }
    found = {name: desk.found(story.client, model, key(story)) for name, key in KEYS.items()}
    assert found == dict.fromkeys(KEYS, [rows[model].pk])


WORDS: list[tuple[type[Model], str, int]] = [
    (Order, "lin", 1),
    (Order, "A-100", 2),
    (Order, "Wang A-10", 1),
    (PaymentRequest, "Lin", 1),
    (PaymentRequest, "wang-7", 1),
    (PaymentRequest, "A-100", 2),
    (Payment, "mei", 1),
    (Refund, "mei", 1),
]


def test_words_find_what_holds_them(story: Story) -> None:
    assert [(model, words, len(desk.found(story.client, model, words))) for model, words, _count in WORDS] == WORDS


PARTS: list[tuple[type[Model], str, int]] = [
    (Order, "1001", 2),
    (Order, "ANG", 1),
    (Order, "ang 001", 1),
    (PaymentRequest, "g-7", 1),
    (Payment, "ei", 1),
    (Refund, "enj", 1),
]


def test_the_newest_are_found_by_a_part_of_a_word_and_older_ones_by_how_it_begins(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [(model, part, len(desk.found(story.client, model, part))) for model, part, _count in PARTS] == PARTS
    monkeypatch.setattr(desk_limits, "SEARCHED_FIRST", 0)
    assert [part for model, part, _count in PARTS if desk.found(story.client, model, part)] == []
    assert [(model, words, len(desk.found(story.client, model, words))) for model, words, _count in WORDS] == WORDS


@pytest.mark.parametrize("first", [desk_limits.SEARCHED_FIRST, 0])
def test_a_part_of_a_word_with_a_sum_or_day_finds_older_ones_too(
    story: Story, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    monkeypatch.setattr(desk_limits, "SEARCHED_FIRST", first)
    assert desk.found(story.client, Payment, "ei 90 today") == [story.payment.pk]
    assert desk.found(story.client, Order, "in 90") == [story.order.pk]
    assert desk.found(story.client, Payment, "ei 91 today") == []


def test_a_search_of_words_sum_and_day_asks_no_index_of_words() -> None:
    """Of a common name that holds a third of all rows."""
    with CaptureQueriesContext(connection) as asked:
        search.spoken_of("mei 90 today")
    dated = [it["sql"] for it in asked if '"succeeded_at" >=' in (it["sql"] or "")]
    assert len(dated) == 2
    assert not [sql for sql in dated if "NOT (" in sql]


@pytest.mark.parametrize("first", [desk_limits.SEARCHED_FIRST, 0])
def test_a_name_of_two_words_is_found_by_how_it_begins(
    story: Story, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    monkeypatch.setattr(desk_limits, "SEARCHED_FIRST", first)
    Order.objects.filter(pk=story.order.pk).update(buyer_name="Wang Wei")
    assert desk.found(story.client, Order, "wang we") == [story.order.pk]


def test_what_names_nothing_finds_nothing(story: Story) -> None:
    nothings = ["nobody", "pay_", "/p/", "2222-2222", "%", "'; --", "😀", "x" * 5000]
    assert [nothing for nothing in nothings if desk.found(story.client, Payment, nothing)] == []


def test_a_search_that_no_database_takes_is_an_error_in_words(story: Story) -> None:
    response = story.client.get(f"{desk.rows(Payment)}?q=A%00")
    assert response.status_code == 400
    assert "Something isn&#39;t right" in response.content.decode()


def test_a_request_that_ended_is_still_found_by_its_code(story: Story) -> None:
    assert desk.found(story.client, PaymentRequest, codes.shown(story.request)) == [story.request.pk]
    assert codes.find(story.request.code) is None
