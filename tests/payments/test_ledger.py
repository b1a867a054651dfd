"""The ledger check finds every way in which the books could be wrong."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection

from orders.models import Order
from payments import ledger, lifecycle, refunds, tasks
from payments.models import Payment, PaymentRequest, Refund
from payments.rules import Split
from tests import shop

pytestmark = pytest.mark.django_db


def everything(move_time: Callable[[float], None]) -> None:
    """A shop where all that can happen has happened."""
    shop.make_request()
    paid = shop.make_request()
    first, second = shop.attempts(paid, 2)
    shop.succeed(first)
    shop.succeed(second)
    refunds.refund_payment(first.pk, 100, actor="merchant")
    refund = refunds.refund_payment(first.pk, 200, actor="merchant")
    refunds.move_refund(refund.pk, "succeeded")
    shop.succeed(shop.hold(shop.make_request()), amount=1)
    lifecycle.cancel_request(shop.hold(shop.make_request()).request_id, actor="buyer")
    short = shop.make_request(amount=10000, split=Split(3), expires_in=timedelta(seconds=60))
    shop.succeed(shop.hold(short, 3000))
    shop.hold(shop.make_request(amount=10000, split=Split(3)), 2000)
    move_time(61)
    lifecycle.expire_request(short.pk)


def test_right_books_pass(move_time: Callable[[float], None], capsys: pytest.CaptureFixture[str]) -> None:
    everything(move_time)
    assert ledger.check() == []
    call_command("check_ledger")
    assert "right" in capsys.readouterr().out


CORRUPTIONS: dict[str, Callable[[], object]] = {
    "lost refund": lambda: Refund.objects.filter(reason="duplicate").delete(),
    "refund of another amount": lambda: Refund.objects.filter(reason="mismatch").update(amount=2),
    "refunded twice": lambda: Refund.objects.filter(reason="merchant").update(amount=9000),
    "applied to nothing": lambda: Payment.objects.filter(amount_captured=1).update(amount_applied=1),
    "hold forgotten": lambda: PaymentRequest.objects.filter(amount_held__gt=0).update(amount_held=0),
    "hold left over": lambda: PaymentRequest.objects.filter(status="open").update(amount_held=1),
    "order's sum": lambda: Order.objects.filter(status="awaiting_payment").update(amount_paid=1),
    "order's refunds": lambda: Order.objects.filter(status="paid").update(amount_refunded=1),
    "refund in another currency": lambda: Refund.objects.update(currency="USD"),
    "event lost": lambda: _lose_an_event(),
}


def _lose_an_event() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM orders_event WHERE type = 'payment.succeeded'")


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_every_wrong_row_is_found_and_is_loud(
    corruption: str, move_time: Callable[[float], None], settings: object
) -> None:
    everything(move_time)
    settings.ADMINS = [("Ada", "ada@example.com")]  # type: ignore[attr-defined]
    CORRUPTIONS[corruption]()
    assert ledger.check()
    with pytest.raises(CommandError, match="wrong in"):
        call_command("check_ledger")
    tasks.check_ledger()
    assert "ledger is wrong" in mail.outbox[0].subject
