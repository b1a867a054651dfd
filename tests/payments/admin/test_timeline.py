"""The desk's timeline: the amount beside an event is that of the thing told of."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from friendpay.kit import clock, limits
from friendpay.kit.money import Money
from orders.admin import timeline
from orders.models import Event, Order
from orders.webhooks import endpoints
from payments.admin.story import Story
from payments.models import Mail, MailAddress, Payment, Refund
from payments.models.payment import TAKEN_OVER
from payments.settlement import lifecycle, outside, refund_moves, refunds
from payments.settlement.rules import Attempt, Payer, Split
from payments.share import phrases
from payments.wallets.base import Outcome, State
from tests import desk, shop
from tests.payments.admin.test_pages import notification

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


def story(order: Order) -> list[str]:
    """The timeline's rows, each as a line of words."""
    rows = Story(order).panel().table["rows"]
    return [re.sub(r"\s+", " ", unescape(strip_tags(" | ".join(str(cell) for cell in row[1:])))) for row in rows]


def test_each_row_about_money_says_whose_and_how_much_of_this_step() -> None:
    request = shop.make_request(amount=10000, split=Split(3))
    mei = shop.succeed(shop.hold(request, 3000, name="Mei"))
    shop.succeed(shop.hold(request, 7000, name=""), amount=7000)
    refunds.refund_payment(mei.pk, 1000, actor="merchant")
    arrive(mei)
    told = [line for line in story(request.order) if line.startswith(("Wallet", "friendpay")) and "¥" in line]
    assert [line for line in told if "Mei paid" in line][0].split(" | ")[2:4] == [
        "1 · Mei · Sandbox wallet",
        "CN¥30.00",
    ]
    assert [line for line in told if "A friend paid" in line][0].split(" | ")[2:4] == [
        "2 · no name · Sandbox wallet",
        "CN¥70.00",
    ]
    back = [line for line in told if "with the payer" in line or "arrived at" in line]
    assert len(back) == 2
    assert all("1 · Mei · Sandbox wallet | CN¥10.00" in line for line in back)


def test_a_take_over_is_told_as_one() -> None:
    request = shop.make_request()
    shop.attempts(request, limits.FRUITLESS_TRIES)
    first = shop.hold(request, name="Mei")
    attempt = Attempt(shop.account_of(request), "sandbox", "redirect", 9000, shop.HOLD)
    lifecycle.hold(request.pk, attempt, Payer(name="Jo", visitor="Jo"), take_over=True)
    lifecycle.end_payment(first.pk, cancelled=True, code=TAKEN_OVER)
    lines = story(request.order)
    whose = f"{limits.FRUITLESS_TRIES + 1} · Mei"
    for words in ("Somebody else takes over what Mei held", "Somebody else took over: the attempt of Mei was closed"):
        assert [line for line in lines if words in line and whose in line], "\n".join(lines)


def test_a_refund_that_a_bank_sent_back_is_not_told_as_refused() -> None:
    payment = paid()
    refund = refunds.refund_payment(payment.pk, actor="merchant")
    arrive(payment)
    refund_moves.move_refund(refund.pk, "failed", outcome=Outcome(State.FAILED, refund.reference, code="lost_card"))
    lines = story(payment.request.order)
    assert any("bank sent the refund back (lost_card). It is owed again." in line for line in lines), lines
    assert not any("The wallet refused" in line for line in lines)


def test_money_that_came_after_all_is_told_so() -> None:
    request = shop.make_request()
    payment = shop.hold(request)
    lifecycle.end_payment(payment.pk, cancelled=False, code="declined")
    shop.succeed(payment)
    assert any("Mei had paid with Sandbox wallet after all." in line for line in story(request.order))


def test_a_lost_notification_is_told_and_one_that_came_is_not() -> None:
    request = shop.make_request()
    payment = shop.succeed(shop.hold(request))
    unheard = "No notification had come; we asked the wallet."
    assert any(unheard in line for line in story(request.order))
    Event.objects.update(created_at=clock.now() + timedelta(seconds=1))
    notification(payment.account, reference=payment.reference, applied_at=clock.now())
    lines = story(request.order)
    assert not any(unheard in line for line in lines)
    assert any("The wallet wrote" in line and "1 · Mei" in line for line in lines), lines


def test_what_the_shop_was_told_staff_did_and_mails_said_stands_in_the_timeline() -> None:
    request = shop.make_request()
    endpoints.create(request.merchant, live=False, url="https://shop.example/hook")
    payment = shop.succeed(shop.hold(request))
    to = MailAddress.objects.create(
        role="buyer",
        order=request.order,
        request=request,
        address="lin@shop.example",
        digest="d",
        language="en",
        created_at=clock.now(),
        ends_at=clock.now() + timedelta(days=1),
    )
    Mail.objects.create(to=to, kind="paid", sent_at=clock.now())
    client = desk.staff(*desk.READ, "payments.refund_payment")
    client.post(desk.page(payment, "refund"), {"amount": "10", "note": "broken cup", "seen": "9000"} | desk.WHY)
    lines = story(request.order)
    assert any("Mail | Told l…@shop.example: it is paid." in line for line in lines), lines
    assert any("Support: anna | CN¥10.00 goes back to the payer." in line for line in lines), lines
    assert [line for line in lines if "to be delivered" in line], "\n".join(lines)


def test_a_long_story_asks_no_more_than_a_short_one() -> None:
    counts = []
    for payers in (2, 8):
        request = shop.make_request(split=Split(10), amount=16000)
        for number in range(payers):
            payment = shop.succeed(shop.hold(request, 1000, name=f"F{number}"))
        lifecycle.cancel_request(request.pk, actor="buyer")
        arrive(payment)
        with CaptureQueriesContext(connection) as asked:
            story(request.order)
        counts.append(len(asked))
    assert counts[0] == counts[1], counts
