"""What is Alipay's own, from the tap to the books."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from payments import lifecycle, reconcile, refunds
from payments.models import Refund
from tests.emulators.alipay import Alipay
from tests.payments.providers.alipay_shop import genuine
from tests.payments.scene import Letter, Scene

pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("stage", ["alipay"], indirect=True)]


def test_a4_a_genuine_word_of_a_payment_that_alipay_does_not_have_moves_nothing(scene: Scene) -> None:
    assert isinstance(scene.wallet, Alipay)
    word = genuine(scene.wallet, out_trade_no=scene.payment.reference, total_amount="90.00")
    form = {"content-type": "application/x-www-form-urlencoded"}
    scene.postbox.letters.append(Letter(form, urlencode(word).encode()))
    assert scene.hear() == [200]
    assert scene.stands() == ("open", "pending", 0)


def test_a6_refund_notifications_pay_nothing_again_and_undo_no_refund(scene: Scene) -> None:
    scene.pay()
    scene.hear()
    refunds.refund_payment(scene.payment.pk, actor="merchant")
    refunds.send()
    scene.wallet.notifier.settle()
    assert len(scene.postbox.letters) == 2
    scene.postbox.letters.reverse()
    assert scene.hear() + scene.hear() == [200] * 4
    assert scene.stands() == ("paid", "succeeded", 9000)
    assert [refund.status for refund in Refund.objects.all()] == ["succeeded"]


def test_a7_a_code_nobody_had_scanned_when_the_request_ended_is_paid_and_the_money_goes_back(
    scene: Scene, move_time: Callable[[float], None]
) -> None:
    lifecycle.cancel_request(scene.plea.pk, actor="buyer")
    move_time(60)
    reconcile.ask()
    scene.pay()
    for _question in range(3):
        move_time(600)
        reconcile.ask()
        refunds.send()
    assert scene.stands() == ("cancelled", "succeeded", 9000)
    assert scene.moved() == ([9000], [9000])
