"""A true order on every page, as a shop's receipt would have it, in English, Chinese and Arabic."""

from decimal import Decimal

import pytest
from django.test import Client
from django.utils.translation import override

from friendpay.kit.money import Money
from orders import returns
from orders.models import Adjustment, Order
from orders.returns import LineReturn
from orders.services import LineDraft, place_order
from payments.mail import messages
from payments.models import Mail, MailAddress
from payments.settlement import ledger, refunds
from payments.share import poster
from tests import desk, shop
from tests.pages import words

pytestmark = pytest.mark.django_db

LINES = [
    LineDraft("Soap", 3, None, amount=1000),
    LineDraft("Dried plums", Decimal("0.5"), None, unit="kg", amount=1500),
    LineDraft("A sample", 1, 0),
]
ADJUSTMENTS = [
    Adjustment("discount", "10% with WELCOME", -250),
    Adjustment("shipping", "Shipping", 600),
    Adjustment("credit", "Gift card", -2000),
    Adjustment("rounding", "Rounding", -2),
    Adjustment("tax", "VAT 19%", 455, included=True),
]
TOTAL = 848


def made(currency: str = "EUR", adjustments: list[Adjustment] | None = None) -> Order:
    return place_order(
        shop.make_merchant(),
        reference="A-1001",
        currency=currency,
        lines=LINES,
        adjustments=ADJUSTMENTS if adjustments is None else adjustments,
        buyer_name="Lin",
        buyer_id="lin",
    )


RECEIPTS = {
    "en": "Soap × 3 €10.00 Dried plums 0.5 kg €15.00 A sample €0.00 10% with WELCOME -€2.50 Shipping €6.00 "
    "Gift card -€20.00 Rounding -€0.02 Total €8.48 Includes VAT 19% €4.55",
    "zh-hans": "Soap × 3 €10.00 Dried plums 0.5 kg €15.00 A sample €0.00 10% with WELCOME -€2.50 Shipping €6.00 "
    "Gift card -€20.00 Rounding -€0.02",
    "ar": "Soap × 3 \u200f10.00 €\u200e Dried plums \u20680.5 kg\u2069 \u200f15.00 €\u200e A sample \u200f0.00 €\u200e "
    "10% with WELCOME \u200f\u200e-2.50\u200f €\u200e Shipping \u200f6.00 €\u200e "
    "Gift card \u200f\u200e-20.00\u200f €\u200e Rounding \u200f\u200e-0.02\u200f €\u200e",
}


@pytest.mark.parametrize("language", RECEIPTS)
def test_every_page_shows_it_as_a_receipt(language: str) -> None:
    order = made()
    request = shop.make_request(order)
    client = Client(headers={"Accept-Language": language})
    asked = [f"/checkout/{order.token}/", f"/p/{request.token}/"]
    pages = [words(client.get(url)) for url in asked]
    payment = shop.succeed(shop.hold(request))
    after = [f"/r/{payment.token}/", f"/checkout/{order.token}/", f"/checkout/{order.token}/receipt/"]
    pages += [words(client.get(url)) for url in after]
    for page in pages:
        assert RECEIPTS[language] in page.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("currency", "least"), [("JPY", "-¥2"), ("KWD", "-KWD0.002")], ids=["no decimals", "three decimals"]
)
def test_amounts_have_the_decimals_of_their_currency(currency: str, least: str) -> None:
    request = shop.make_request(made(currency))
    assert f"Rounding {least} Total" in words(Client().get(f"/p/{request.token}/")).replace("\u00a0", " ")


def test_without_adjustments_there_is_no_second_sum() -> None:
    request = shop.make_request(made(adjustments=[]))
    assert "Total" not in words(Client().get(f"/p/{request.token}/"))


def test_the_receipt_by_mail_has_all_of_it() -> None:
    order = made()
    payment = shop.succeed(shop.hold(shop.make_request(order)))
    to = MailAddress(order=order, payment=payment, language="en")
    facts = messages.write(Mail(kind=Mail.Kind.RECEIPT, to=to)).facts[5:]
    assert facts == [
        ("Soap × 3", "€10.00"),
        ("Dried plums 0.5 kg", "€15.00"),
        ("A sample", "€0.00"),
        ("10% with WELCOME", "-€2.50"),
        ("Shipping", "€6.00"),
        ("Gift card", "-€20.00"),
        ("Rounding", "-€0.02"),
        ("Total", "€8.48"),
        ("Includes VAT 19%", "€4.55"),
    ]


@pytest.mark.parametrize("language", RECEIPTS)
def test_the_receipt_by_mail_is_the_same_in_every_language(language: str) -> None:
    order = made()
    payment = shop.succeed(shop.hold(shop.make_request(order)))
    to = MailAddress(order=order, payment=payment, language=language)
    with override(language):
        facts = messages.write(Mail(kind=Mail.Kind.RECEIPT, to=to)).facts[5:]
    shown = " ".join(f"{name} {value}" for name, value in facts).replace("\u00a0", " ")
    assert RECEIPTS[language] in shown


@pytest.mark.parametrize("language", RECEIPTS)
def test_the_poster_says_how_much_of_it_and_what_is_beside_the_goods(language: str) -> None:
    request = shop.make_request(made())
    with override(language):
        drawn = poster.svg(request, goods=True, amount=True)
        without = poster.svg(request, goods=False, amount=True)
    for part in ("Soap", "0.5", "8.48", "10% with WELCOME · Shipping · Gift card · Rounding"):
        assert part in drawn
    assert "WELCOME" not in without


@pytest.mark.parametrize(("language", "total"), [("en", "Total"), ("zh-hans", "合计")])
def test_the_desk_shows_it_in_its_languages(language: str, total: str) -> None:
    client = desk.staff(*desk.READ)
    page = words(client.get(desk.page(made()), headers={"Accept-Language": language})).replace("\u00a0", " ")
    for row in ("Soap 3", "Dried plums 0.5 kg", "10% with WELCOME", "-€20.00", "-€0.02", total):
        assert row in page


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_parts_of_it_go_back_to_the_minor_unit(currency: str) -> None:
    """A piece of "3 for 10.00", then half of half a kilogram; and with what is left, exactly what was paid."""
    order = made(currency)
    payment = shop.succeed(shop.hold(shop.make_request(order)))
    worth = returns.worth(order, list(order.lines.order_by("id")))
    pieces = [LineReturn(1, Decimal(1)), LineReturn(2, Decimal("0.25"))]
    made_of = [refunds.refund_order(order, lines=[piece], actor="merchant")[0].amount for piece in pieces]
    assert made_of == [worth[0] // 3, worth[1] // 2]
    refunds.refund_order(order, lines=[LineReturn(1), LineReturn(2)], actor="merchant")
    refunds.refund_order(order, actor="merchant")  # what was paid for the shipping
    assert sum(payment.refunds.values_list("amount", flat=True)) == order.amount == TOTAL
    for language in RECEIPTS:
        page = words(Client(headers={"Accept-Language": language}).get(f"/r/{payment.token}/"))
        for amount in made_of:
            assert Money(amount, currency).text(language).replace("\u00a0", " ") in page.replace("\u00a0", " ")
    assert ledger.check() == []


def test_the_desk_shows_it_with_the_kinds() -> None:
    page = words(desk.staff(*desk.READ).get(desk.page(made())))
    for row in ("10% with WELCOME discount", "Shipping shipping", "VAT 19% tax (included)", "Total"):
        assert row in page
