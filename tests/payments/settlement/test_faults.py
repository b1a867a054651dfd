"""Every fault of protocols P2 at every wallet, from the tap to the books: the end is right."""

from collections.abc import Callable

import pytest

from friendpay.demo.emulation import faults
from friendpay.kit.errors import Refused
from payments.models import ProviderEvent, Refund
from payments.settlement import inbox, ledger, lifecycle, reconcile, refunds
from tests.payments.scene import CALLED, TELLS, Scene

pytestmark = [pytest.mark.proof, pytest.mark.django_db]

TOLD = (
    *("duplicate_notification", "reorder_notification", "delay_notification", "drop_notification"),
    *("wrong_key", "clock_skew"),
)
UNANSWERED = ("hang_after_commit", "error_after_commit")
Move = Callable[[float], None]


def sweep(move_time: Move, seconds: float = 60) -> None:
    """What the beat does, some time later."""
    move_time(seconds)
    inbox.apply()
    reconcile.ask()
    refunds.send()


def test_p2_no_fault_is_left_out() -> None:
    assert {*TOLD, *UNANSWERED, "wrong_amount"} == faults.NAMES.keys()


@pytest.mark.parametrize("fault", TOLD)
def test_p2_whatever_happens_to_a_notification_it_is_paid_once(scene: Scene, move_time: Move, fault: str) -> None:
    scene.wallet.faults.set(fault, seconds=100_000, only=TELLS[scene.method])
    scene.pay()
    assert scene.wallet.faults.listed() == [] or fault in (
        "wrong_key",
        "clock_skew",
    )  # it struck, or does so on sending
    scene.hear()
    assert scene.wallet.faults.listed() == []
    told_once = fault == "duplicate_notification"
    assert scene.stands() == (("paid", "succeeded", 9000) if told_once else ("open", "pending", 0))
    assert ProviderEvent.objects.count() == told_once
    sweep(move_time)
    assert scene.stands() == ("paid", "succeeded", 9000)

    assert not Refund.objects.exists()
    scene.wallet.clock.advance(100_000)  # what was late or refused comes after all, what was held back behind the next
    refund = refunds.refund_payment(scene.payment.pk, 1000, actor="merchant")
    sweep(move_time)
    scene.hear()
    sweep(move_time)
    refund.refresh_from_db()
    assert (*scene.stands(), refund.status) == ("paid", "succeeded", 9000, "succeeded")
    assert scene.moved() == ([9000], [1000])


def test_p2_another_amount_than_asked_for_goes_back(scene: Scene, move_time: Move) -> None:
    scene.wallet.faults.set("wrong_amount")
    scene.pay()
    scene.hear()
    sweep(move_time)
    sweep(move_time)
    assert scene.stands() == ("open", "succeeded", 8999)
    assert [(refund.reason, refund.status) for refund in Refund.objects.all()] == [("mismatch", "succeeded")]
    assert scene.moved() == ([8999], [8999])


@pytest.mark.parametrize(
    ("stage", "fault", "question"),
    [
        ("wechatpay", "wrong_key", "GET "),
        ("wechatpay", "clock_skew", "GET "),
        ("alipay", "wrong_key", "alipay.trade.query"),
    ],
    indirect=["stage"],
)
def test_p2_an_answer_that_is_not_the_wallets_own_is_not_believed(
    scene: Scene, move_time: Move, fault: str, question: str
) -> None:
    """Where answers are signed."""
    scene.wallet.notify_url = "http://127.0.0.1:9/"
    scene.pay()
    scene.wallet.faults.set(fault, seconds=100_000, only=question)
    sweep(move_time)
    assert scene.stands() == ("open", "pending", 0)
    assert scene.wallet.faults.listed() == []
    sweep(move_time)
    assert scene.stands() == ("paid", "succeeded", 9000)


@pytest.mark.parametrize("stage", CALLED, indirect=True)
@pytest.mark.parametrize("fault", UNANSWERED)
def test_p2_a_start_without_an_answer_holds_nothing_and_is_never_forgotten(
    stage: Scene, move_time: Move, fault: str
) -> None:
    stage.wallet.faults.set(fault, seconds=0.02)
    with pytest.raises(Refused):
        stage.begin()
    assert stage.stands() == ("open", "created", 0)
    assert stage.payment.held_until is None
    stage.wallet.notify_url = "http://127.0.0.1:9/"
    stage.pay()  # it took effect after all
    sweep(move_time)
    assert stage.stands() == ("paid", "succeeded", 9000)
    assert stage.moved() == ([9000], [])


@pytest.mark.parametrize("fault", UNANSWERED)
def test_p2_a_close_without_an_answer_is_asked_again_until_it_is_decided(
    scene: Scene, move_time: Move, fault: str
) -> None:
    scene.look()  # without which Alipay has nothing to close
    scene.wallet.faults.set(fault, seconds=0.02)
    lifecycle.cancel_request(scene.payment_request.pk, actor="buyer")
    for _question in range(3):
        sweep(move_time)
    assert scene.wallet.faults.listed() == []
    assert scene.stands() == ("cancelled", "cancelled", 0)
    assert scene.moved() == ([], [])


@pytest.mark.parametrize("fault", UNANSWERED)
def test_p2_a_refund_without_an_answer_is_sent_again_and_counts_once(scene: Scene, move_time: Move, fault: str) -> None:
    scene.pay()
    scene.hear()
    scene.wallet.faults.set(fault, seconds=0.02)
    refund = refunds.refund_payment(scene.payment.pk, 1000, actor="merchant")
    refunds.send()
    refund.refresh_from_db()
    assert refund.status == "requested"
    sweep(move_time)
    sweep(move_time, 600)
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert scene.stands() == ("paid", "succeeded", 9000)
    assert scene.moved() == ([9000], [1000])
    assert ledger.check() == []
