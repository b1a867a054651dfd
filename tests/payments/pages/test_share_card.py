"""WeChat's own share card on the buyer's page: where there is one, what it says, and what else the page may load."""

from collections.abc import Iterator

import pytest
from django.test import Client

from friendpay.demo.emulation.base import running
from payments.models import PaymentRequest, ProviderAccount
from payments.pages import share_card
from payments.wallets.wechatpay.emulator import server
from tests import agents, shop
from tests.pages import words

pytestmark = pytest.mark.django_db

IN_WECHAT = {"User-Agent": agents.WECHAT_IPHONE, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def wechatpay(monkeypatch: pytest.MonkeyPatch) -> Iterator[server.WeChatPay]:
    monkeypatch.setattr(share_card, "_tickets", {})
    emulator = server.WeChatPay()
    with running(emulator):
        yield emulator


@pytest.fixture
def asked(wechatpay: server.WeChatPay) -> PaymentRequest:
    """By a shop whose account is set up for cards."""
    request = shop.make_request()
    request.shared_at = request.created_at
    request.save()
    account = ProviderAccount(
        merchant=request.merchant, provider="wechatpay", base_url=wechatpay.url, granted=["share_card"]
    )
    account.config = wechatpay.account()
    account.save()
    return request


def page_of(request: PaymentRequest) -> str:
    return f"/checkout/{request.order.token}/"


def test_inside_wechat_the_friends_page_is_what_is_sent(
    client: Client, asked: PaymentRequest, wechatpay: server.WeChatPay
) -> None:
    page = client.get(page_of(asked), headers=IN_WECHAT)
    assert f'<script src="{wechatpay.url}/open/js/jweixin-1.6.0.js" defer>' in page.content.decode()
    assert f"script-src 'self' {wechatpay.url};" in page["Content-Security-Policy"]
    assert "Or tap ··· at the top of the screen to send it to a friend." in words(page)
    told = client.get(f"{page_of(asked)}wechat-card.json?a=1", headers=IN_WECHAT).json()
    assert told["card"]["link"] == f"http://127.0.0.1:8000/p/{asked.token}/"
    assert told["card"]["title"] == "Could you help pay at Harbour Tea?"
    assert wechatpay.believes(told["config"], f"http://127.0.0.1:8000{page_of(asked)}?a=1")
    assert "Lin" not in str(told)


def test_elsewhere_and_where_the_shop_has_not_set_it_up_nothing_of_others_is_loaded(
    client: Client, asked: PaymentRequest
) -> None:
    def loads_others() -> bool:
        page = client.get(page_of(asked), headers=headers)
        policy = page["Content-Security-Policy"]
        return "jweixin" in page.content.decode() or "script-src 'self';" not in policy

    headers = {**IN_WECHAT, "User-Agent": agents.CHROME_ANDROID}
    assert not loads_others()
    headers = IN_WECHAT
    assert loads_others()
    ProviderAccount.objects.filter(provider="wechatpay").update(granted=["h5"])
    assert not loads_others()
    assert client.get(f"{page_of(asked)}wechat-card.json").status_code == 404


def test_where_wechat_refuses_there_is_no_card_and_wechat_is_left_alone(
    client: Client, asked: PaymentRequest, wechatpay: server.WeChatPay
) -> None:
    wechatpay.app_secret = "another"
    assert client.get(f"{page_of(asked)}wechat-card.json").status_code == 404
    wechatpay.app_secret = server.APP_SECRET
    assert client.get(f"{page_of(asked)}wechat-card.json").status_code == 404  # for a minute nobody asks again
    assert wechatpay.tickets == {}


def test_of_an_order_nobody_is_asked_for_there_is_no_card(client: Client, asked: PaymentRequest) -> None:
    asked.status = PaymentRequest.Status.CANCELLED
    asked.closed_at = asked.created_at
    asked.save()
    assert client.get(f"{page_of(asked)}wechat-card.json").status_code == 404
    assert client.post(f"{page_of(asked)}wechat-card.json").status_code == 405
