"""What the real wallets refuse, the stand-ins refuse: addresses nobody outside can reach, pages nobody registered."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from friendpay.demo.emulation.base import running
from payments.wallets.alipay.emulator.server import Alipay
from payments.wallets.base import Account, ProviderError, Rail
from payments.wallets.stripe.emulator.server import Stripe
from payments.wallets.wechatpay.emulator.phone import PAYER
from payments.wallets.wechatpay.emulator.server import WeChatPay
from tests import agents
from tests.payments.wallets.alipay import shop as alipay_shop
from tests.payments.wallets.wechatpay import shop as wechatpay_shop

PUBLIC = "https://pay.shop.example/notify/"


@pytest.fixture
def wechatpay() -> Iterator[WeChatPay]:
    with running(wallet := WeChatPay()):
        wallet.private = False
        yield wallet


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        (PUBLIC, True),
        ("http://pay.shop.example/notify/", False),
        ("https://127.0.0.1/notify/", False),
        ("https://192.168.1.5/notify/", False),
        ("https://localhost/notify/", False),
        ("https://shop/notify/", False),
    ],
)
def test_notifications_go_to_public_https_addresses_alone(wechatpay: WeChatPay, url: str, taken: bool) -> None:
    account = Account(id="acc_1", live=False, config=wechatpay.account(), base_url=wechatpay.url)
    with running(alipay := Alipay()):
        alipay.private = False
        other = replace(account, config=alipay.account(), base_url=alipay.url, granted=frozenset({"order_code"}))
        for provider, at, order in (
            (wechatpay_shop.provider, account, wechatpay_shop.order(notify=url)),
            (alipay_shop.provider, other, alipay_shop.order(notify=url)),
        ):
            if taken:
                assert provider.start(at, order).code
            else:
                with pytest.raises(ProviderError):
                    provider.start(at, order)
    with running(stripe := Stripe()):
        stripe.private = False
        answer = httpx.post(f"{stripe.url}/_emulator/webhook", json={"url": url}, trust_env=False)
        assert answer.is_success is taken


def test_a_demo_on_this_machine_is_told_too_but_no_public_host_without_https() -> None:
    with running(wallet := WeChatPay()):
        account = Account(id="acc_1", live=False, config=wallet.account(), base_url=wallet.url)
        assert wechatpay_shop.provider.start(account, wechatpay_shop.order(notify="http://127.0.0.1:8000/notify/"))
        with pytest.raises(ProviderError):
            wechatpay_shop.provider.start(account, wechatpay_shop.order("b", notify="http://pay.shop.example/notify/"))


@pytest.mark.parametrize(
    ("referer", "status"),
    [("https://shop.example/", 302), ("https://other.example/", 403), ("http://127.0.0.1:8000/", 403)],
)
def test_w14_h5_opens_from_registered_hosts_alone(wechatpay: WeChatPay, referer: str, status: int) -> None:
    account = Account(id="acc_1", live=False, config=wechatpay.account(), base_url=wechatpay.url)
    step = wechatpay_shop.provider.start(account, wechatpay_shop.order(rail=Rail.H5, notify=PUBLIC))
    assert httpx.get(step.url, headers={"Referer": referer}, trust_env=False).status_code == status


@pytest.mark.parametrize(("back", "status"), [("https://shop.example/login/", 302), ("https://other.example/", 400)])
def test_w14_the_login_comes_back_to_the_registered_host_alone(wechatpay: WeChatPay, back: str, status: int) -> None:
    account = Account(id="acc_1", live=False, config=wechatpay.account(), base_url=wechatpay.url)
    url = wechatpay_shop.provider.authorize_url(account, back, "abc")
    answer = httpx.get(url, headers={"User-Agent": agents.WECHAT_IPHONE}, trust_env=False)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("page", "word"),
    [
        ("https://shop.example/pay/abc/", "ok"),
        ("https://shop.example/p/abc/", "fail"),
        ("https://other.example/pay/abc/", "fail"),
    ],
)
def test_w14_the_sheet_opens_in_registered_folders_alone(wechatpay: WeChatPay, page: str, word: str) -> None:
    account = Account(id="acc_1", live=False, config=wechatpay.account(), base_url=wechatpay.url)
    order = replace(wechatpay_shop.order(rail=Rail.JSAPI, notify=PUBLIC), payer_id=PAYER)
    params = dict(wechatpay_shop.provider.start(account, order).params)
    asked = {"choice": "approve", "params": params, "page": page}
    said = httpx.post(f"{wechatpay.url}/bridge", json=asked, trust_env=False).json()
    assert said["err_msg"] == f"get_brand_wcpay_request:{word}"
    assert bool(wechatpay.book.moved()[0]) is (word == "ok")
