"""What is done at the wallet by others than us - in its own site, by the payer's bank - and what we make of it."""

from collections.abc import Callable
from typing import Any

import pytest

from payments import ledger, reconcile
from payments.models import Payment
from tests.emulators.alipay import Alipay
from tests.emulators.alipay_trades import Refund as TradeRefund
from tests.emulators.stripe import Stripe
from tests.emulators.wechatpay import WeChatPay
from tests.payments.scene import Scene

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]


def by_hand(scene: Scene, fen: int, number: str = "by-hand-1") -> None:
    """Somebody of the shop refunds in the wallet's own site."""
    match scene.wallet:
        case WeChatPay():
            amount = {"refund": fen, "total": 9000, "currency": "CNY"}
            order: dict[str, Any] = {"out_trade_no": scene.payment.reference, "out_refund_no": number, "amount": amount}
            scene.wallet.book.refund(order)
        case Alipay():
            trade = scene.wallet.book.trades[scene.payment.reference]
            trade.refunds[number] = TradeRefund(fen, scene.wallet.clock.now())
            trade.status = "TRADE_CLOSED" if trade.refunded == trade.paid else trade.status
            scene.wallet.book.refunded(trade, number)
        case Stripe():
            intent = scene.wallet.book.all("payment_intent")[0]
            scene.wallet.book.refund({"payment_intent": intent["id"], "amount": str(fen)})


# Money that had gone back before we heard of it


def test_money_that_is_gone_again_pays_nothing(scene: Scene, move_time: MoveTime) -> None:
    scene.pay()
    by_hand(scene, 9000)
    move_time(20)
    reconcile.ask()
    assert scene.stands() == ("open", "failed", 0)
    move_time(7200)
    reconcile.ask()
    assert (scene.stands(), scene.moved()) == (("open", "failed", 0), ([9000], [9000]))


def test_old_news_of_money_that_is_gone_again_pays_nothing(scene: Scene, move_time: MoveTime) -> None:
    """The notification of the payment was late, and comes after we asked."""
    scene.pay()
    scene.wallet.notifier.settle()
    letter = scene.postbox.letters[0]
    by_hand(scene, 9000)
    move_time(20)
    reconcile.ask()
    scene.deliver(letter)
    scene.hear()
    assert scene.stands() == ("open", "failed", 0)
    assert ledger.check() == []
    assert Payment.objects.count() == 1
