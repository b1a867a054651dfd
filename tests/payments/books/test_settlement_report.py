"""The settlement report adds up, day by day, with the rows that the ledger check proves."""

import random
from collections.abc import Callable
from datetime import UTC, date, timedelta

import pytest
from django.db.models import F, Sum

from friendpay.kit import clock
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from orders.models import Merchant, Order
from payments.books import days, settlement_report
from payments.books.settlement_report import Line
from payments.models import Fee, Payment, PaymentRequest, Refund
from payments.settlement import ledger, lifecycle, outside, refund_moves, refunds
from payments.settlement.rules import Split
from payments.wallets.base import Outcome, State
from tests import shop

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]
DAY = 24 * 3600
BACK = [Refund.Status.SUCCEEDED, Refund.Status.RETURNED_ELSEWHERE]


def report(since: date, until: date | None = None, zone: str = "UTC", shops: list[int] | None = None) -> list[Line]:
    return settlement_report.report(days.Scope(since, until or since, days.zone_of(zone), shops, live=False))


def today(zone: str = "UTC") -> date:
    return clock.now().astimezone(days.zone_of(zone) or UTC).date()


def of(merchant: Merchant, lines: list[Line]) -> Line:
    [line] = [line for line in lines if line.shop == merchant.public_id]
    return line


def story(seed: int, move_time: MoveTime) -> None:
    """Some days of two shops: friends pay in whole or in part, late and twice; shops refund; banks dispute."""
    chance = random.Random(seed)  # noqa: S311  # of a test
    shops = [shop.make_merchant("Harbour Tea"), shop.make_merchant("Night Market")]
    for _ in range(14):
        amount = chance.choice([9000, 10000, 333])
        currency = chance.choice(["CNY", "EUR"])
        order = shop.make_order(chance.choice(shops), amount=amount, currency=currency)
        split = Split(3) if chance.random() < 0.4 and amount > 1000 else None
        request = shop.make_request(order, split=split, expires_in=timedelta(hours=12))
        _pay(chance, request, split)
        taken = list(Payment.objects.filter(status="succeeded").order_by("id"))
        for payment in chance.sample(taken, min(2, len(taken))):
            _meet(chance, payment)
        move_time(chance.choice([600, DAY / 3, DAY]))
        for stale in PaymentRequest.objects.filter(status="open"):
            lifecycle.expire_request(stale.pk)


def _pay(chance: random.Random, request: PaymentRequest, split: Split | None) -> None:
    match chance.choice(["whole", "whole", "part", "twice", "wrong", "cancelled"]):
        case "part" if split:
            shop.succeed(shop.hold(request, request.amount // 3))
        case "twice":
            for attempt in shop.attempts(request, 2):
                shop.succeed(attempt)
        case "wrong":
            shop.succeed(shop.hold(request), amount=request.amount + 7)
        case "cancelled":
            late = shop.attempts(request, 1)[0]
            lifecycle.cancel_request(request.pk, actor="buyer")
            shop.succeed(late)
        case _:
            shop.succeed(shop.hold(request))


def _meet(chance: random.Random, payment: Payment) -> None:
    """Something that happens to money that was taken."""
    number, amount = f"n{chance.random()}", Money(payment.amount_captured, payment.currency)
    try:
        match chance.choice(["refund", "by hand", "dispute", "decide", "send", "send", "come back"]):
            case "refund":
                refunds.refund_payment(payment.pk, chance.randint(1, 400), actor="merchant")
            case "by hand":
                outside.book_refund(payment.pk, number, Money(chance.randint(1, 400), payment.currency))
            case "dispute":
                outside.hear_dispute(payment.pk, Outcome(State.PENDING, "", number, amount))
            case "decide":
                for dispute in payment.disputes.filter(closed_at=None):
                    state = chance.choice([State.SUCCEEDED, State.FAILED])
                    outside.hear_dispute(payment.pk, Outcome(state, "", dispute.provider_ref, amount))
            case "send":
                for refund in payment.refunds.filter(status="requested"):
                    refund_moves.move_refund(refund.pk, chance.choice(["succeeded", "succeeded", "failed"]))
            case "come back":
                for refund in payment.refunds.filter(status="succeeded")[:1]:
                    refund_moves.move_refund(refund.pk, "failed")
    except Refused:
        pass


@pytest.mark.parametrize("seed", range(8))
def test_every_day_adds_up_and_all_of_them_with_the_rows(seed: int, move_time: MoveTime) -> None:
    first = {zone: today(zone) for zone in ("UTC", "America/New_York", "wallet")}
    story(seed, move_time)
    assert ledger.check() == []
    for zone in first:
        adds_up(zone, first[zone], today(zone))


def adds_up(zone: str, first: date, last: date) -> None:
    by_day = [report(first + timedelta(days=n), zone=zone) for n in range(-1, (last - first).days + 2)]
    held: dict[tuple[str, str], int] = {}
    for lines in by_day:
        assert {(line.shop, line.currency): line.opening for line in lines if line.opening} == held, zone
        held = {(line.shop, line.currency): line.closing for line in lines if line.closing}
    whole = report(first - timedelta(days=1), last + timedelta(days=1), zone)
    assert {(line.shop, line.currency): line.closing for line in whole if line.closing} == held, zone
    for line in whole:
        assert _sums(line) == _rows(line), zone
        every = [it for lines in by_day for it in lines if (it.shop, it.currency) == (line.shop, line.currency)]
        for name in ("captured", "applied", "refunded", "returned", "disputed", "fees"):
            assert sum(getattr(it, name) for it in every) == getattr(line, name), (zone, name)


def _sums(line: Line) -> tuple[int, ...]:
    return line.captured, line.applied, line.refunded, line.returned, line.disputed


def _rows(line: Line) -> tuple[int, ...]:
    """The same from the columns of the rows, which the ledger check has proved."""
    merchant = Merchant.objects.get(public_id=line.shop)
    paid = Payment.objects.filter(merchant=merchant, currency=line.currency)
    back = Refund.objects.filter(merchant=merchant, currency=line.currency, status__in=BACK)
    orders = Order.objects.filter(merchant=merchant, currency=line.currency)

    def summed(rows: object, column: str) -> int:
        return rows.aggregate(sum=Sum(column))["sum"] or 0  # type: ignore[attr-defined]

    assert summed(orders, "amount_paid") == summed(paid, "amount_applied")
    assert summed(orders, "amount_refunded") == summed(back.filter(reason="merchant"), "amount")
    return (
        summed(paid, "amount_captured"),
        summed(paid, "amount_applied"),
        summed(back.filter(reason="merchant"), "amount"),
        summed(back.exclude(reason="merchant"), "amount"),
        summed(paid, "amount_disputed"),
    )


def test_a_day_that_is_over_reads_the_same_whatever_happens_later(move_time: MoveTime) -> None:
    payment = shop.succeed(shop.hold(shop.make_request()))
    part = shop.succeed(
        shop.hold(shop.make_request(amount=10000, split=Split(3), expires_in=timedelta(hours=30)), 3000)
    )
    outside.hear_dispute(payment.pk, Outcome(State.PENDING, "", "dp_1", Money(4000, "CNY")))
    refund = refunds.refund_payment(payment.pk, 500, actor="merchant")
    refund_moves.move_refund(refund.pk, "succeeded")
    that_day = today()
    before = report(that_day)
    move_time(2 * DAY)
    outside.hear_dispute(payment.pk, Outcome(State.SUCCEEDED, "", "dp_1", Money(4000, "CNY")))
    refund_moves.move_refund(refund.pk, "failed")
    lifecycle.expire_request(part.request_id)
    assert report(that_day) == before
    line = of(payment.merchant, report(today()))
    assert (line.opening, line.refunded, line.disputed, line.closing) == (4500, -500, -4000, 9000)
    assert of(part.merchant, report(today())).applied == -3000


def test_the_days_are_those_of_the_zone_that_was_chosen(move_time: MoveTime) -> None:
    payment = shop.succeed(shop.hold(shop.make_request()))
    Payment.objects.filter(pk=payment.pk).update(succeeded_at="2026-05-03T22:30:00Z")
    for zone, day in (("UTC", 3), ("Asia/Shanghai", 4), ("America/New_York", 3), ("wallet", 4)):
        assert [line.captured for line in report(date(2026, 5, day), zone=zone)] == [9000]
        assert [line.captured for line in report(date(2026, 5, 7 - day), zone=zone)] == ([] if day == 4 else [0])


def test_fees_are_taken_off_on_the_day_of_their_bill() -> None:
    payment = shop.succeed(shop.hold(shop.make_request()))
    day = today("wallet")
    Fee.objects.create(
        account=payment.account, payment=payment, about="charge", reference="r", day=day, currency="CNY", amount=54
    )
    for zone in ("wallet", "UTC"):
        [line] = report(day - timedelta(days=1), day + timedelta(days=1), zone)
        assert (line.fees, line.closing) == (54, 8946)


def test_a_shop_sees_its_own_money_alone() -> None:
    mine, others = (shop.succeed(shop.hold(shop.make_request())) for _ in range(2))
    [line] = report(today(), shops=[mine.merchant_id])
    assert line.shop == mine.merchant.public_id
    assert len(report(today())) == 2
    assert report(today(), shops=[]) == []
    assert others.merchant_id != mine.merchant_id


def test_what_the_journal_has_otherwise_than_the_rows_the_ledger_finds() -> None:
    payment = shop.succeed(shop.hold(shop.make_request()))
    outside.book_refund(payment.pk, "n", Money(100, "CNY"))
    outside.hear_dispute(payment.pk, Outcome(State.PENDING, "", "dp_1", Money(4000, "CNY")))
    part = shop.succeed(shop.hold(shop.make_request(amount=10000, split=Split(3)), 3000))
    lifecycle.cancel_request(part.request_id, actor="buyer")
    assert ledger.check() == []
    kinds = set()
    for movement in (*payment.movements.all(), *part.movements.all()):
        kinds.add(movement.kind)
        type(movement).objects.filter(pk=movement.pk).update(amount=F("amount") + 3001)
        assert len(ledger.check()) == 1, movement
        type(movement).objects.filter(pk=movement.pk).update(amount=movement.amount)
    assert kinds == {"refunded", "disputed", "unapplied"}
