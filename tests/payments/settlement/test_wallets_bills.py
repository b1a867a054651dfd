"""Each wallet's own bill against our books: days of its calendar, refunds by their own numbers."""

from collections.abc import Callable
from datetime import date, datetime, time

import pytest

from friendpay.kit import clock
from payments.models import BillMismatch, Refund
from payments.settlement import bills, refunds
from payments.wallets import registry
from payments.wallets.alipay.emulator.server import Alipay
from payments.wallets.alipay.emulator.trades import Refund as TradeRefund
from tests.payments.scene import Scene

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]
alipay_only = pytest.mark.parametrize("stage", ["alipay"], indirect=True)


def day_of(scene: Scene) -> date:
    return clock.now().astimezone(registry.get(scene.account.provider).zone).date()


def compared(scene: Scene) -> list[tuple[str, str]]:
    """Today's bill, a day and a half later."""
    day = day_of(scene)
    scene.wallet.clock.advance(36 * 3600)
    bills.compare(scene.account, day)
    return list(BillMismatch.objects.order_by("id").values_list("kind", "about"))


def refunded(scene: Scene, move_time: MoveTime, *parts: int) -> None:
    """Each part a minute after the one before: closer, WeChat Pay and Alipay take none."""
    scene.pay()
    scene.hear()
    for part in parts:
        refunds.refund_payment(scene.payment.pk, part, actor="merchant")
        refunds.send()
        scene.hear()
        scene.wallet.clock.advance(66)
        move_time(66)


def trade_refunds(scene: Scene) -> dict[str, TradeRefund]:
    assert isinstance(scene.wallet, Alipay)
    return next(iter(scene.wallet.book.trades.values())).refunds


def test_part_refunds_agree_with_the_bill_of_every_wallet(scene: Scene, move_time: MoveTime) -> None:
    refunded(scene, move_time, 1000, 2500)
    assert list(Refund.objects.values_list("status", flat=True)) == ["succeeded"] * 2
    assert compared(scene) == []


@alipay_only
def test_a_refund_that_alipay_never_booked_is_missed(scene: Scene, move_time: MoveTime) -> None:
    refunded(scene, move_time, 1000, 2500)
    lost = Refund.objects.order_by("id")[1]
    del trade_refunds(scene)[lost.reference]
    noon = datetime.combine(day_of(scene), time(12), registry.get("alipay").zone)
    Refund.objects.update(created_at=noon, succeeded_at=noon)
    assert compared(scene) == [("missing_there", "refund")]
    assert BillMismatch.objects.get().reference == lost.reference
