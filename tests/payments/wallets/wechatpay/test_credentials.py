"""An account's credentials: the check says what does not fit; certificates serve as the public key does."""

import os

import httpx
import pytest

from friendpay.demo.emulation.base import running
from payments.wallets import transport
from payments.wallets.base import Account, ProviderError
from payments.wallets.wechatpay import client
from payments.wallets.wechatpay.emulator import server
from payments.wallets.wechatpay.emulator.requests import Problem
from tests.payments.wallets.wechatpay.shop import provider, with_config


def test_the_check_says_that_everything_fits(wechatpay: server.WeChatPay, wechatpay_account: Account) -> None:
    assert "knows merchant 1900000109" in provider.check(wechatpay_account)
    assert len(wechatpay.calls) == 1


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"mchid": "1900000110"}, "SIGN_ERROR"),
        ({"serial_no": "00"}, "SIGN_ERROR"),
        ({"public_key_id": "PUB_KEY_ID_0"}, "PARAM_ERROR"),
        ({"private_key": "nonsense"}, "configuration"),
        ({"public_key": "nonsense"}, "configuration"),
        ({"public_key_id": ""}, "configuration"),
        ({"api_v3_key": "short"}, "configuration"),
        ({"appid": "wxd678efb567e96787", "mchid": ""}, "configuration"),
    ],
)
def test_the_check_finds_what_does_not_fit(wechatpay_account: Account, changed: dict[str, str], code: str) -> None:
    with pytest.raises(ProviderError) as error:
        provider.check(with_config(wechatpay_account, **changed))
    assert error.value.code == code


def test_the_check_finds_a_public_key_that_is_not_wechat_pays(
    wechatpay: server.WeChatPay, wechatpay_account: Account
) -> None:
    wechatpay.faults.set("wrong_key")
    with pytest.raises(ProviderError, match="cannot be trusted"):
        provider.check(wechatpay_account)


def test_the_check_trusts_no_unsigned_answer(wechatpay: server.WeChatPay, wechatpay_account: Account) -> None:
    wechatpay.scripted.append(Problem(404, "ORDER_NOT_EXIST", "订单不存在", signed=False))
    with pytest.raises(ProviderError):
        provider.check(wechatpay_account)


def test_platform_certificates_verify_as_the_public_key_does() -> None:
    emulator = server.WeChatPay(certificate=True)
    with running(emulator):
        account = Account(id="acc_1", live=False, config=emulator.account(), base_url=emulator.url)
        assert provider.check(account)
        moving = account.config["public_key"] + server.WeChatPay().account()["public_key"]
        both = with_config(account, public_key=moving, public_key_id=server.PUBLIC_KEY_ID)
        assert set(client.public_keys(both)) == {emulator.serial.lstrip("0"), server.PUBLIC_KEY_ID}


def test_connections_are_kept_and_never_shared_across_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = transport._client(os.getpid(), None)
    assert transport._client(os.getpid(), None) is mine
    assert transport._client(os.getpid() + 1, None) is not mine
    assert transport._client(os.getpid(), False) is not mine
    asked: list[int] = []

    def made(process: int, loopback: bool | None) -> httpx.Client:
        asked.append(process)
        return mine

    monkeypatch.setattr(transport, "_client", made)
    monkeypatch.setattr(os, "getpid", lambda: 7)
    with pytest.raises(ProviderError):
        transport.call("GET", "http://127.0.0.1:9/")
    assert asked == [7]
    assert (mine.timeout.connect, mine.timeout.read, mine.follow_redirects) == (2.0, 6.0, False)
