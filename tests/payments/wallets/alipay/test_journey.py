"""What is Alipay's own, from the tap to the books."""

from collections.abc import Callable
from urllib.parse import urlencode

import httpx
import pytest
from django.test import Client

from payments.models import Payment, Refund
from payments.settlement import ledger, lifecycle, reconcile, refunds
from payments.wallets.alipay.emulator.server import Alipay
from tests import agents
from tests.payments.scene import RawNotification, Scene
from tests.payments.wallets.alipay.shop import genuine

pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("stage", ["alipay"], indirect=True)]


def test_a4_a_genuine_word_of_a_payment_that_alipay_does_not_have_moves_nothing(scene: Scene) -> None:
    assert isinstance(scene.wallet, Alipay)
    word = genuine(scene.wallet, out_trade_no=scene.payment.reference, total_amount="90.00")
    form = {"content-type": "application/x-www-form-urlencoded"}
    scene.postbox.notifications.append(RawNotification(form, urlencode(word).encode()))
    assert scene.hear() == [200]
    assert scene.stands() == ("open", "pending", 0)


def scan_page(scene: Scene, desk: Client) -> str:
    """Mei taps at her desk, and sees the code."""
    answer = desk.post(f"/p/{scene.payment_request.token}/pay/", {"method": "alipay", "name": "Mei"})
    return desk.get(answer["Location"]).content.decode()


def test_who_has_no_phone_at_hand_pays_on_alipays_page(stage: Scene, move_time: Callable[[float], None]) -> None:
    stage.account.granted = ["order_code", "page"]
    stage.account.save()
    desk = Client(headers={"User-Agent": agents.CHROME_DESKTOP})
    assert "Pay on the Alipay" in scan_page(stage, desk)
    fields = {"method": "alipay", "on_page": "1", "name": "Mei"}
    cashier = httpx.get(desk.post(f"/p/{stage.payment_request.token}/pay/", fields)["Location"], trust_env=False)
    assert cashier.status_code == 302
    code, page = Payment.objects.order_by("id")
    assert (code.rail, code.held_until, page.rail, page.payer_name) == ("native", None, "redirect", "Mei")
    httpx.get(cashier.headers["Location"], trust_env=False)
    back = httpx.post(cashier.headers["Location"], data={"choice": "approve"}, trust_env=False)
    assert back.headers["Location"].startswith(f"http://127.0.0.1:8000/r/{page.token}/?")
    stage.hear()
    code.refresh_from_db()
    page.refresh_from_db()
    assert (page.status, code.status) == ("succeeded", "pending")  # a code nobody scanned cannot be closed (A7)

    pays_too = stage.wallet.book.trades[code.reference].code  # type: ignore[union-attr]
    httpx.get(f"{stage.wallet.url}/cashier/{pays_too}", trust_env=False)
    httpx.post(f"{stage.wallet.url}/cashier/{pays_too}", data={"choice": "approve"}, trust_env=False)
    stage.hear()
    move_time(60)
    refunds.send()
    assert stage.moved() == ([9000, 9000], [9000])
    assert ledger.check() == []


def test_without_that_product_the_page_is_not_offered_and_asking_for_it_shows_the_code(stage: Scene) -> None:
    desk = Client(headers={"User-Agent": agents.CHROME_DESKTOP})
    assert "Pay on a page of" not in scan_page(stage, desk)
    desk.post(f"/p/{stage.payment_request.token}/pay/", {"method": "alipay", "on_page": "1"})
    assert stage.payment.rail == "native"


def test_a6_refund_notifications_pay_nothing_again_and_undo_no_refund(scene: Scene) -> None:
    scene.pay()
    scene.hear()
    refunds.refund_payment(scene.payment.pk, actor="merchant")
    refunds.send()
    scene.wallet.notifier.settle()
    assert len(scene.postbox.notifications) == 2
    scene.postbox.notifications.reverse()
    assert scene.hear() + scene.hear() == [200] * 4
    assert scene.stands() == ("paid", "succeeded", 9000)
    assert [refund.status for refund in Refund.objects.all()] == ["succeeded"]


def test_a7_a_code_nobody_had_scanned_when_the_request_ended_is_paid_and_the_money_goes_back(
    scene: Scene, move_time: Callable[[float], None]
) -> None:
    lifecycle.cancel_request(scene.payment_request.pk, actor="buyer")
    move_time(60)
    reconcile.ask()
    scene.pay()
    for _question in range(3):
        move_time(600)
        reconcile.ask()
        refunds.send()
    assert scene.stands() == ("cancelled", "succeeded", 9000)
    assert scene.moved() == ([9000], [9000])
