"""WeChat's own share card: tokens and tickets as WeChat gives them, and the signature of a page."""

from dataclasses import replace

import httpx
import pytest

from payments.wallets.base import Account, ProviderError
from payments.wallets.wechatpay import share_card
from payments.wallets.wechatpay.emulator import server
from tests.payments.wallets.wechatpay.shop import with_config

PAGE = "https://shop.example/checkout/o/?from=a"


def test_a_page_is_signed_as_wechats_manual_signs_it() -> None:
    ticket = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
    told = share_card.signature(ticket, "Wm3WZYTPz0wzccnW", 1414587457, "http://mp.weixin.qq.com?params=value#there")
    assert told == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"


def test_wechat_believes_what_is_signed_by_its_ticket(wechatpay: server.WeChatPay, wechatpay_account: Account) -> None:
    ticket = share_card.ticket(wechatpay_account)
    assert 7000 < ticket.lasts <= 7200
    assert share_card.ticket(wechatpay_account).text == ticket.text  # the same until it ends
    config = share_card.config(wechatpay_account, ticket, f"{PAGE}#preview")
    assert wechatpay.believes(config, PAGE)
    assert not wechatpay.believes(config, "https://shop.example/checkout/o/")
    assert not wechatpay.believes({**config, "nonceStr": "another"}, PAGE)
    forged = share_card.config(wechatpay_account, replace(ticket, text="forged"), PAGE)
    assert not wechatpay.believes(forged, PAGE)


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"appid": "wx0"}, "40013"), ({"app_secret": "no"}, "40125"), ({"app_secret": ""}, "configuration")],
)
def test_wrong_credentials_give_no_ticket(
    wechatpay: server.WeChatPay, wechatpay_account: Account, changed: dict[str, str], code: str
) -> None:
    with pytest.raises(ProviderError) as error:
        share_card.ticket(with_config(wechatpay_account, **changed))
    assert error.value.code == code
    assert wechatpay.tickets == {}


@pytest.mark.parametrize(("query", "code"), [("access_token=x&type=jsapi", 40001), ("type=jsapi", 40001)])
def test_the_stand_in_gives_no_ticket_to_a_stranger(wechatpay: server.WeChatPay, query: str, code: int) -> None:
    told = httpx.get(f"{wechatpay.url}/cgi-bin/ticket/getticket?{query}").json()
    assert told["errcode"] == code


def test_it_is_set_up_where_the_shop_says_so_and_has_the_secret(wechatpay_account: Account) -> None:
    assert not share_card.is_set_up(wechatpay_account)
    ticked = replace(wechatpay_account, granted=frozenset({share_card.GRANT}))
    assert share_card.is_set_up(ticked)
    assert not share_card.is_set_up(with_config(ticked, app_secret=""))
    assert share_card.script(replace(ticked, base_url="")) == "https://res.wx.qq.com/open/js/jweixin-1.6.0.js"
