"""POST /notify/…/: whatever is not a wallet's own, fresh and whole word is refused, moves nothing and calls nobody."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.test import Client

from payments.models import PaymentRequest, ProviderAccount, ProviderEvent, Refund
from payments.offers.weighing import Surface
from payments.settlement import inbox
from payments.settlement.rules import Payer
from payments.wallets.alipay.emulator.server import Alipay
from tests import shop
from tests.payments.scene import TELLS, RawNotification, Scene
from tests.payments.wallets.alipay.shop import genuine, split_anew

pytestmark = pytest.mark.django_db

SIGNATURES = {"wechatpay-signature", "stripe-signature", "webhook-signature"}
OTHER_SHOP = {
    "wechatpay": {"mchid": "1900000999"},
    "alipay": {"app_id": "2021000000000999"},
    "card": {"webhook_secret": "whsec_of_another_shop"},
    "house": {},  # with the same secret, even
}
LONG = 100_000  # seconds: longer than any wallet goes on trying


def test_the_wallets_own_word_is_taken_and_twice_is_once(scene: Scene) -> None:
    notification = scene.notification()
    for _time in range(3):
        assert scene.deliver(notification) in (200, 204)
        inbox.apply()
    assert scene.stands() == ("paid", "succeeded", 9000)
    assert (ProviderEvent.objects.count(), Refund.objects.count()) == (1, 0)


def test_without_its_signature_it_is_refused(scene: Scene) -> None:
    notification = scene.notification()
    headers = {name: value for name, value in notification.headers.items() if name not in SIGNATURES}
    scene.refuses(RawNotification(headers, notification.body.replace(b"sign=", b"unsigned=")))
    scene.account.refresh_from_db()
    assert scene.account.refused_notifications == 1


def test_signed_by_a_stranger_it_is_refused(scene: Scene) -> None:
    scene.wallet.faults.set("wrong_key", only=TELLS[scene.method])
    scene.refuses(scene.notification())


@pytest.mark.parametrize("seconds", [LONG, -LONG])
def test_from_the_future_and_from_the_past_it_is_refused(scene: Scene, seconds: int) -> None:
    scene.wallet.faults.set("clock_skew", seconds=seconds, only=TELLS[scene.method])
    scene.refuses(scene.notification())


def test_replayed_much_later_it_is_refused(scene: Scene, move_time: Callable[[float], None]) -> None:
    notification = scene.notification()
    assert scene.deliver(notification) in (200, 204)
    inbox.apply()
    scene.calls.clear()
    move_time(LONG)
    assert 400 <= scene.deliver(notification) < 500
    inbox.apply()
    assert scene.stands() == ("paid", "succeeded", 9000)
    assert (ProviderEvent.objects.count(), Refund.objects.count()) == (1, 0)
    assert scene.calls == []


def test_truncated_it_is_refused(scene: Scene) -> None:
    notification = scene.notification()
    for length in (0, 1, len(notification.body) // 2, len(notification.body) - 1):
        scene.refuses(RawNotification(notification.headers, notification.body[:length]))


def test_ten_mebibytes_are_refused(scene: Scene) -> None:
    notification = scene.notification()
    scene.refuses(RawNotification(notification.headers, notification.body + b" " * (10 << 20)))


def test_what_is_no_text_is_refused(scene: Scene) -> None:
    notification = scene.notification()
    scene.refuses(RawNotification(notification.headers, b"\xff\xfe" + notification.body))
    scene.refuses(RawNotification(notification.headers, b"\xff\x00\xfe" * 100))


def test_for_another_account_it_is_refused(scene: Scene) -> None:
    notification = scene.notification()
    other = ProviderAccount(merchant=shop.make_merchant("Other"), provider=scene.wallet.name, base_url=scene.wallet.url)
    other.config = {**scene.account.config, **OTHER_SHOP[scene.method]}
    other.save()
    scene.refuses(notification, other)
    scene.refuses(notification, ProviderAccount(provider=scene.wallet.name, public_id="acc_nobody"))
    scene.refuses(notification, ProviderAccount(provider="sandbox", public_id=scene.account.public_id))


def test_only_a_post_is_heard(scene: Scene) -> None:
    assert Client().get(f"/notify/{scene.account.provider}/{scene.account.public_id}/").status_code == 405


@pytest.mark.parametrize("stage", ["alipay"], indirect=True)
def test_the_alipay_ambiguity_attack_moves_nothing(scene: Scene) -> None:
    """Signed bytes that read as 0.01 and as 90.00: a subject no order of ours has, since no buyer writes one."""
    assert isinstance(scene.wallet, Alipay)
    subject = "gift&total_amount=90.00&trade_no=1&trade_status=TRADE_SUCCESS&z="
    honest = genuine(scene.wallet, out_trade_no=scene.payment.reference, subject=subject)
    form = {"content-type": "application/x-www-form-urlencoded"}
    scene.refuses(RawNotification(form, urlencode(split_anew(honest, "z")).encode()))
    scene.refuses(RawNotification(form, urlencode(honest).encode()))


@pytest.mark.parametrize("stage", ["alipay"], indirect=True)
def test_no_text_of_the_buyer_reaches_alipay(scene: Scene) -> None:
    order = shop.make_order(scene.account.merchant, reference="A&total_amount=0.01&subject=free")
    order.buyer_name = "Lin&total_amount=0.01"
    order.save()
    payment_request = shop.make_request(order)
    PaymentRequest.objects.filter(pk=payment_request.pk).update(message="&total_amount=0.01")
    payment = shop.begin(payment_request, method="alipay", payer=Payer(name="&x=1", visitor="Bo"), surface=Surface())
    assert isinstance(scene.wallet, Alipay)
    content = scene.wallet.book.trades[payment.reference].call.content
    assert (content["total_amount"], "&" in str(content)) == ("90.00", False)
