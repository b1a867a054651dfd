"""Support refunds an order by the lines that go back, each with its share of what stands beside the goods."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from friendpay.admin_kit import reauthentication
from orders.models import Event, Order, OrderLine
from payments.models import Refund
from payments.settlement import ledger, refunds
from tests import desk, shop
from tests.caller import ledger as moved
from tests.payments.pages.test_true_orders import TOTAL, made

pytestmark = pytest.mark.django_db


@pytest.fixture
def order() -> Order:
    order = made()
    shop.succeed(shop.hold(shop.make_request(order)))
    return order


def support() -> Client:
    return desk.staff(*desk.READ, "payments.refund_payment")


def refund(client: Client, order: Order, **given: str) -> Any:
    form = {"seen": str(refunds.left_of(order)), "note": "A soap was broken"} | given
    return client.post(desk.page(order, "refund"), desk.WHY | form)


def test_lines_go_back_with_their_share_and_the_reason(order: Order) -> None:
    client = support()
    page = desk.text(client, desk.page(order, "refund"))
    for part in ("Soap", "3 at most", "Dried plums", "0.5 kg at most", "Up to €8.48"):
        assert part in page.replace("\u00a0", " ")
    assert "A sample" not in page  # nothing was paid for it
    assert refund(client, order, line_1="1", line_2="0.25").status_code == 302
    back = Refund.objects.get()
    returned = list(OrderLine.objects.order_by("id").values_list("quantity_returned", flat=True))
    assert (back.note, returned[:2]) == ("A soap was broken", [Decimal(1), Decimal("0.25")])
    assert 0 < back.amount < TOTAL
    assert Event.objects.get(type="refund.requested").actor == "support:anna"
    assert ledger.check() == []


def test_an_amount_goes_back_and_nothing_beyond(order: Order) -> None:
    client = support()
    assert refund(client, order, amount="6.00").status_code == 302
    assert refund(client, order, amount="2.49").status_code == 422
    assert refund(client, order, amount="2.48").status_code == 302
    assert sum(Refund.objects.values_list("amount", flat=True)) == TOTAL


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"line_1": "1", "amount": "1.00"},
        {"line_1": "4"},
        {"line_1": "-1"},
        {"line_9": "1"},
        {"amount": "0.001"},
        {"amount": "0"},
        {"line_1": "1", "why": ""},
        {"line_1": "1", "seen": "1"},
    ],
)
def test_what_cannot_go_back_moves_nothing(order: Order, given: dict[str, str]) -> None:
    client = support()
    before = moved()
    assert refund(client, order, **given).status_code in (200, 409, 422)
    assert moved() == before


def test_a_double_click_refunds_once(order: Order) -> None:
    client, seen = support(), str(refunds.left_of(order))
    refund(client, order, line_1="1", seen=seen)
    assert refund(client, order, line_1="1", seen=seen).status_code == 409
    assert Refund.objects.count() == 1


def test_it_needs_its_right_and_the_password_again(order: Order) -> None:
    before = moved()
    reader = desk.staff(*desk.READ, name="bert")
    assert refund(reader, order, line_1="1").status_code == 403
    client = support()
    session = client.session
    del session[reauthentication.GIVEN_AT]
    session.save()
    refund(client, order, line_1="1")
    assert moved() == before
