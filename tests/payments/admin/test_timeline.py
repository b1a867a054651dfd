"""The desk's timeline: the amount beside an event is that of the thing told of."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils.html import strip_tags

from friendpay.kit.money import Money
from orders.admin import timeline
from orders.models import Event
from payments.models import Payment, Refund
from payments.settlement import lifecycle, outside, refund_moves, refunds
from payments.settlement.rules import Split
from payments.share import phrases
from payments.wallets.base import Outcome, State
from tests import desk, shop

pytestmark = pytest.mark.django_db


def told(type: str) -> list[str]:
    """The amounts of all events of a type, in their order."""
    return [strip_tags(str(timeline.how_much(event))) for event in Event.objects.filter(type=type).order_by("id")]


def paid(captured: int = 9000) -> Payment:
    return shop.succeed(shop.hold(shop.make_request()), amount=captured)


def arrive(payment: Payment) -> None:
    for refund in payment.refunds.all():
        refund_moves.move_refund(refund.pk, "submitted")
        refund_moves.move_refund(refund.pk, "succeeded")


def test_a_payment_tells_what_was_taken_and_its_refund_what_goes_back() -> None:
    arrive(paid(8999))
    assert told("payment.created") == ["CN¥90.00"]
    assert told("payment.succeeded") == ["CN¥89.99"]
    assert told("refund.requested") == told("refund.succeeded") == ["CN¥89.99"]


def test_a_part_tells_of_the_part() -> None:
    request = shop.make_request(amount=10000, split=Split(3))
    shop.succeed(shop.hold(request, 3000))
    assert told("payment.created") == told("payment.succeeded") == ["CN¥30.00"]
    assert told("payment_request.created") == ["CN¥100.00"]


def test_a_refund_tells_what_went_back_not_what_the_order_cost() -> None:
    payment = paid()
    refunds.refund_payment(payment.pk, 2000, actor="merchant")
    arrive(payment)
    assert told("refund.requested") == told("refund.succeeded") == told("order.refunded") == ["CN¥20.00"]


def test_a_refund_made_in_the_wallets_own_site_tells_its_sum() -> None:
    outside.book_refund(paid().pk, "byhand1", Money(2500, "CNY"))
    assert told("refund.external") == ["CN¥25.00"]


@pytest.mark.parametrize(("ends", "event"), [(State.SUCCEEDED, "dispute_won"), (State.FAILED, "dispute_lost")])
def test_a_dispute_tells_what_is_disputed_in_its_own_currency(ends: State, event: str) -> None:
    payment = paid()
    for state in (State.PENDING, ends):
        outside.hear_dispute(payment.pk, Outcome(state, "", "dp_1", Money(700, "USD")))
    assert told("payment.disputed") == told(f"payment.{event}") == ["$7.00"]


def test_a_part_of_a_cancelled_request_does_not_go_back_for_want_of_money() -> None:
    """On the refund, on whatever it belongs to, in the list and in the story; and in the payer's wallet."""
    payment = shop.succeed(shop.hold(shop.make_request(split=Split(3)), 3000))
    lifecycle.cancel_request(payment.request_id, actor="buyer")
    refund = Refund.objects.get()
    client = desk.staff(*desk.READ)
    for thing in (refund, payment, payment.request, payment.request.order):
        text = desk.text(client, desk.page(thing))
        assert "the request was cancelled" in text, thing
        assert "did not come together" not in text, thing
    assert "the request was cancelled" in desk.text(client, desk.rows(Refund))
    assert phrases.to_wallet(refund) == "The request was cancelled."


def test_a_part_goes_back_for_want_of_money_where_time_was_over(move_time: Callable[[float], None]) -> None:
    payment = shop.succeed(shop.hold(shop.make_request(split=Split(3), expires_in=timedelta(seconds=60)), 3000))
    move_time(61)
    lifecycle.expire_request(payment.request_id)
    text = desk.text(desk.staff(*desk.READ), desk.page(payment.refunds.get()))
    assert "the full amount wasn't reached" in text
    assert "the request was cancelled" not in text
