"""Each wallet's own bill against our books: days of its calendar, refunds by their own numbers."""

from collections.abc import Callable
from datetime import date, datetime, time

import pytest

from friendpay.kit import clock
from payments.models import BillMismatch, Fee, Refund
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


def test_what_a_wallet_keeps_is_booked_from_its_bill_once(scene: Scene, move_time: MoveTime) -> None:
    refunded(scene, move_time, 1000)
    day = day_of(scene)
    compared(scene)
    bills.compare(scene.account, day)
    expected = {
        "wechatpay": [("charge", "CNY", 54), ("refund", "CNY", -6)],
        "alipay": [("charge", "CNY", 54), ("refund", "CNY", -6)],
        "house": [],
    }
    found = list(Fee.objects.order_by("about").values_list("about", "currency", "amount"))
    assert set(Fee.objects.values_list("payment", "day")) <= {(scene.payment.pk, day)}
    if scene.account.provider == "stripe":  # in the currency the shop is paid out in, and given back never
        [(about, currency, amount)] = found
        assert (about, currency, amount > 0) == ("charge", "USD", True)
    else:
        assert found == expected[scene.account.provider]


@alipay_only
def test_a_refund_that_alipay_never_booked_is_missed(scene: Scene, move_time: MoveTime) -> None:
    refunded(scene, move_time, 1000, 2500)
    lost = Refund.objects.order_by("id")[1]
    del trade_refunds(scene)[lost.reference]
    noon = datetime.combine(day_of(scene), time(12), registry.get("alipay").zone)
    Refund.objects.update(created_at=noon, succeeded_at=noon)
    assert compared(scene) == [("missing_there", "refund")]
    assert BillMismatch.objects.get().reference == lost.reference
