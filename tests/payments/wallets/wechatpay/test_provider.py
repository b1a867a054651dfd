"""What the WeChat Pay provider asks for, and what it makes of the answers: rules W1 and W9 to W12."""

import base64
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from friendpay.kit.money import Money
from payments.wallets import transport
from payments.wallets.base import Account, Provider, ProviderError, Rail, State
from payments.wallets.wechatpay import client
from payments.wallets.wechatpay.emulator import server
from payments.wallets.wechatpay.emulator.requests import Problem
from tests.payments.wallets.wechatpay.shop import CNY90, IN_WECHAT, order, paid, pay, provider, refund

QUERY = "GET /v3/pay/transactions/out-trade-no/payment1"
CLOSE = "POST /v3/pay/transactions/out-trade-no/payment1/close"


def test_it_is_a_provider() -> None:
    wallet: Provider = provider
    assert [(it.name, it.currencies) for it in wallet.methods] == [("wechatpay", frozenset({"CNY"}))]


def test_w1_the_signature_covers_the_exact_bytes_that_are_sent(
    wechatpay: server.WeChatPay, wechatpay_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[httpx.Request] = []
    watched = httpx.Client(event_hooks={"request": [sent.append]})
    monkeypatch.setattr(transport, "_client", lambda *which: watched)
    provider.start(wechatpay_account, order())
    provider.fetch(wechatpay_account, "with space/and|more")
    assert sent[1].url.raw_path.decode().endswith("/with%20space%2Fand%7Cmore?mchid=1900000109")
    for request in sent:
        parts = dict(re.findall(r'(\w+)="([^"]*)"', request.headers["authorization"]))
        lines = [request.method, request.url.raw_path.decode(), parts["timestamp"], parts["nonce_str"]]
        text = "".join(f"{line}\n" for line in lines).encode() + request.content + b"\n"
        wechatpay.shop_key.public_key().verify(base64.b64decode(parts["signature"]), text, PKCS1v15(), SHA256())


def test_w1_a_machine_with_a_wrong_clock_learns_the_time_and_goes_on(
    wechatpay: server.WeChatPay, wechatpay_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "time", SimpleNamespace(time=lambda: time.time() - 1000))
    assert provider.start(wechatpay_account, order()).code
    assert provider.fetch(wechatpay_account, "payment1").state == State.PENDING


# The rails


def test_native_gives_a_code_that_the_payer_scans(wechatpay: server.WeChatPay, wechatpay_account: Account) -> None:
    step = provider.start(wechatpay_account, order())
    assert step.code.startswith("weixin://wxpay/bizpayurl?pr=")
    pay(wechatpay, step)
    told = provider.fetch(wechatpay_account, "payment1")
    assert (told.state, told.amount, len(told.provider_ref)) == (State.SUCCEEDED, CNY90, 28)


def test_h5_gives_a_link_that_comes_back_to_our_page(wechatpay: server.WeChatPay, wechatpay_account: Account) -> None:
    start = order(rail=Rail.H5)
    step = provider.start(wechatpay_account, start)
    assert step.lives == 5 * 60  # W9
    assert pay(wechatpay, step).headers["location"] == start.return_url
    assert provider.fetch(wechatpay_account, "payment1").state == State.SUCCEEDED


@pytest.mark.parametrize(
    "headers", [{}, {"Referer": ""}, {"Referer": "https://shop.example/", "User-Agent": IN_WECHAT}]
)
def test_h5_is_refused_without_a_referer_and_inside_wechat(
    wechatpay: server.WeChatPay, wechatpay_account: Account, headers: dict[str, str]
) -> None:
    step = provider.start(wechatpay_account, order(rail=Rail.H5))
    assert httpx.get(step.url, headers=headers).status_code == 403


def test_w12_the_fourth_line_that_jsapi_signs_is_the_prepay_id(
    wechatpay: server.WeChatPay, wechatpay_account: Account
) -> None:
    params = dict(provider.start(wechatpay_account, order(rail=Rail.JSAPI)).params)
    assert sorted(params) == ["appId", "nonceStr", "package", "paySign", "signType", "timeStamp"]
    lines = [params["appId"], params["timeStamp"], params["nonceStr"], params["package"]]
    assert lines[3].startswith("prepay_id=wx")
    text = "".join(f"{line}\n" for line in lines).encode()
    wechatpay.shop_key.public_key().verify(base64.b64decode(params["paySign"]), text, PKCS1v15(), SHA256())

    def sheet(asked: dict[str, str], choice: str = "approve") -> str:
        answer = httpx.post(f"{wechatpay.url}/bridge", json={"params": asked, "choice": choice})
        return str(answer.json()["err_msg"]).rpartition(":")[2]

    assert sheet(params | {"package": params["package"] + "0"}) == "fail"
    assert sheet(params, "refuse") == "cancel"
    assert provider.fetch(wechatpay_account, "payment1").state == State.PENDING
    assert sheet(params) == "ok"
    assert provider.fetch(wechatpay_account, "payment1").state == State.SUCCEEDED


def test_jsapi_asks_wechat_silently_who_the_payer_is(wechatpay: server.WeChatPay, wechatpay_account: Account) -> None:
    link = provider.authorize_url(wechatpay_account, "https://shop.example/back/?p=1", "state1")
    assert link.endswith("#wechat_redirect")
    assert httpx.get(link).status_code == 403  # not WeChat's browser
    back = httpx.URL(httpx.get(link, headers={"User-Agent": IN_WECHAT}).headers["location"])
    assert (back.path, back.params["p"], back.params["state"]) == ("/back/", "1", "state1")
    openid = provider.openid(wechatpay_account, back.params["code"])
    assert provider.start(wechatpay_account, replace(order(rail=Rail.JSAPI), payer_id=openid)).params
    with pytest.raises(ProviderError) as error:
        provider.openid(wechatpay_account, back.params["code"])  # a code works once
    assert (error.value.code, error.value.permanent) == ("40029", True)


@pytest.mark.parametrize(
    ("answer", "code", "permanent"),
    [
        ({"errcode": -1, "errmsg": "system error"}, "-1", False),
        ({"errcode": 40125, "errmsg": "invalid appsecret"}, "40125", True),
        ({"openid": ""}, "http_200", False),
    ],
)
def test_an_openid_that_is_not_given_is_an_error(
    wechatpay_account: Account, monkeypatch: pytest.MonkeyPatch, answer: object, code: str, permanent: bool
) -> None:
    answering = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, json=answer)))
    monkeypatch.setattr(transport, "_client", lambda *which: answering)
    with pytest.raises(ProviderError) as error:
        provider.openid(wechatpay_account, "code")
    assert (error.value.code, error.value.permanent) == (code, permanent)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"rail": Rail.H5, "payer_ip": ""}, "missing"),
        ({"rail": Rail.JSAPI, "payer_id": ""}, "missing"),
        ({"rail": Rail.REDIRECT}, "rail"),
        ({"amount": Money(9000, "EUR")}, "currency"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_before_any_call(
    wechatpay: server.WeChatPay, wechatpay_account: Account, changed: dict[str, object], code: str
) -> None:
    with pytest.raises(ProviderError) as error:
        provider.start(wechatpay_account, replace(order(), **changed))  # type: ignore[arg-type]
    assert (error.value.code, error.value.permanent, wechatpay.calls) == (code, True, [])


def test_the_deadline_is_set_at_wechat_pay_too(wechatpay: server.WeChatPay, wechatpay_account: Account) -> None:
    start = replace(order(), deadline=datetime(2026, 1, 1, 20, 30, 59, 900_000, tzinfo=UTC))
    with pytest.raises(ProviderError) as error:  # long over
        provider.start(wechatpay_account, start)
    assert error.value.permanent
    start = replace(order(), deadline=datetime.now(UTC) + timedelta(seconds=provider.min_hold))
    step = provider.start(wechatpay_account, start)
    assert wechatpay.book.orders["payment1"].content["time_expire"].endswith("+08:00")
    wechatpay.clock.advance(provider.min_hold)
    assert pay(wechatpay, step).status_code == 410


# Orders


@pytest.mark.parametrize(("rail", "lives"), [(Rail.NATIVE, 2 * 3600), (Rail.H5, 5 * 60)])
def test_w9_a_code_lapses_and_the_same_order_is_opened_anew(
    wechatpay: server.WeChatPay, wechatpay_account: Account, rail: Rail, lives: int
) -> None:
    start = replace(order(rail=rail), deadline=datetime.now(UTC) + timedelta(hours=4))
    lapsed = provider.start(wechatpay_account, start)
    wechatpay.clock.advance(lives)
    assert pay(wechatpay, lapsed).status_code == 410
    pay(wechatpay, provider.start(wechatpay_account, start))
    assert provider.fetch(wechatpay_account, "payment1").amount == CNY90
    assert len(wechatpay.book.orders) == 1


def test_w10_closing_closes_queries_and_decides(wechatpay: server.WeChatPay, wechatpay_account: Account) -> None:
    step = provider.start(wechatpay_account, order())
    closed = provider.close(wechatpay_account, "payment1")
    assert (closed.state, closed.code) == (State.FAILED, "CLOSED")
    assert wechatpay.calls[1:] == [CLOSE, QUERY]
    assert pay(wechatpay, step).status_code == 410
    assert provider.close(wechatpay_account, "payment1").state == State.FAILED


def test_w10_closing_what_was_paid_is_a_success(wechatpay: server.WeChatPay, wechatpay_account: Account) -> None:
    paid(wechatpay, wechatpay_account)
    closed = provider.close(wechatpay_account, "payment1")
    assert (closed.state, closed.amount) == (State.SUCCEEDED, CNY90)


def test_w10_only_the_query_decides_when_closing_is_refused(
    wechatpay: server.WeChatPay, wechatpay_account: Account
) -> None:
    provider.start(wechatpay_account, order())
    wechatpay.scripted.append(Problem(429, "FREQUENCY_LIMITED", "频率超限"))
    assert provider.close(wechatpay_account, "payment1").state == State.PENDING
    assert provider.close(wechatpay_account, "unheard-of").state == State.UNKNOWN


def test_w11_coming_back_from_wechat_is_not_being_paid(wechatpay: server.WeChatPay, wechatpay_account: Account) -> None:
    start = order(rail=Rail.H5)
    step = provider.start(wechatpay_account, start)
    assert pay(wechatpay, step, "refuse").headers["location"] == start.return_url
    told = provider.fetch(wechatpay_account, "payment1")
    assert (told.state, told.amount, told.code) == (State.PENDING, None, "NOTPAY")


@pytest.mark.parametrize("other", ["mchid", "appid"])
def test_an_answer_for_another_merchant_or_app_is_not_believed(
    wechatpay: server.WeChatPay, wechatpay_account: Account, other: str
) -> None:
    paid(wechatpay, wechatpay_account)
    wechatpay.book.orders["payment1"].content[other] = "another"
    with pytest.raises(ProviderError) as error:
        provider.fetch(wechatpay_account, "payment1")
    assert (error.value.code, error.value.permanent) == ("mismatch", False)


def test_a_refunded_order_was_paid_and_is_no_money_any_more(
    wechatpay: server.WeChatPay, wechatpay_account: Account
) -> None:
    paid(wechatpay, wechatpay_account)
    refund(wechatpay_account)
    told = provider.fetch(wechatpay_account, "payment1")
    assert (told.state, told.amount) == (State.RETURNED, CNY90)


@pytest.mark.parametrize("subject", ["礼" * 60, "a" + "礼" * 60, "ab" + "礼" * 60, "é" * 100, "x" * 127, "🎁" * 40])
def test_w13_a_description_is_cut_by_bytes_and_never_within_a_character(
    wechatpay: server.WeChatPay, wechatpay_account: Account, subject: str
) -> None:
    provider.start(wechatpay_account, replace(order(), subject=subject))
    sent = wechatpay.book.orders["payment1"].content["description"]
    assert subject.startswith(sent)
    assert 124 <= len(sent.encode()) <= 127
