"""Every fault of protocols P2 through the provider, and answers that are none: the end is right."""

import json
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from friendpay.kit import limits
from friendpay.kit.money import Money
from payments.wallets import transport
from payments.wallets.base import Account, ProviderError, State
from payments.wallets.wechatpay.emulator import server
from payments.wallets.wechatpay.emulator.requests import Problem
from tests.payments.wallets.shop import Shop
from tests.payments.wallets.wechatpay.shop import CNY90, order, paid, pay, provider, refund


@pytest.mark.parametrize("fault", ["duplicate_notification", "reorder_notification", "delay_notification"])
def test_notifications_twice_reordered_or_late_mean_the_same(
    wechatpay: server.WeChatPay, wechatpay_account: Account, wechatpay_shop: Shop, fault: str
) -> None:
    wechatpay.faults.set(fault, seconds=3600)
    paid(wechatpay, wechatpay_account, "payment1", f"{wechatpay_shop.url}/notify/")
    paid(wechatpay, wechatpay_account, "payment2", f"{wechatpay_shop.url}/notify/")
    wechatpay.clock.advance(3600)
    wechatpay_shop.until(lambda: len(wechatpay_shop.heard) >= 2 + (fault == "duplicate_notification"))
    assert len({told.event_id for told in wechatpay_shop.heard}) == 2
    for told in wechatpay_shop.heard:
        assert told.outcome == provider.fetch(wechatpay_account, told.reference)


def test_a_dropped_notification_is_found_by_asking(
    wechatpay: server.WeChatPay, wechatpay_account: Account, wechatpay_shop: Shop
) -> None:
    wechatpay.faults.set("drop_notification")
    paid(wechatpay, wechatpay_account, notify=f"{wechatpay_shop.url}/notify/")
    wechatpay.notifier.settle()
    assert wechatpay.notifier.log == []
    assert provider.fetch(wechatpay_account, "payment1").amount == CNY90


@pytest.mark.parametrize("fault", ["wrong_key", "clock_skew"])
def test_a_notification_by_a_stranger_or_a_wrong_clock_is_refused_and_its_retry_taken(
    wechatpay: server.WeChatPay, wechatpay_account: Account, wechatpay_shop: Shop, fault: str
) -> None:
    wechatpay.faults.set(fault, seconds=-600, only="TRANSACTION")
    wechatpay.faults.set(fault, seconds=600, only="TRANSACTION")
    paid(wechatpay, wechatpay_account, notify=f"{wechatpay_shop.url}/notify/")
    wechatpay_shop.until(lambda: wechatpay_shop.heard)
    assert wechatpay_shop.refused == [401, 401]


@pytest.mark.parametrize("fault", ["wrong_key", "clock_skew"])
def test_an_answer_by_a_stranger_or_a_wrong_clock_settles_nothing(
    wechatpay: server.WeChatPay, wechatpay_account: Account, fault: str
) -> None:
    paid(wechatpay, wechatpay_account)
    wechatpay.faults.set(fault, seconds=600, only="GET ")
    with pytest.raises(ProviderError) as error:
        provider.fetch(wechatpay_account, "payment1")
    assert (error.value.code, error.value.permanent) == ("signature", False)
    assert provider.fetch(wechatpay_account, "payment1").state == State.SUCCEEDED


@pytest.mark.parametrize("fault", ["hang_after_commit", "error_after_commit"])
def test_a_call_that_took_effect_without_an_answer_is_made_again_and_counts_once(
    wechatpay: server.WeChatPay, wechatpay_account: Account, fault: str
) -> None:
    def twice(call: Callable[[], Any]) -> Any:
        wechatpay.faults.set(fault, seconds=0.02)
        with pytest.raises(ProviderError) as error:
            call()
        assert not error.value.permanent
        return call()

    start = order()
    pay(wechatpay, twice(lambda: provider.start(wechatpay_account, start)))
    twice(lambda: refund(wechatpay_account, minor=1000))
    book = wechatpay.book
    assert (len(book.orders), len(book.orders["payment1"].refunds)) == (1, 1)

    provider.start(wechatpay_account, order("payment2"))
    wechatpay.faults.set(fault, seconds=0.02)
    if fault == "hang_after_commit":
        with pytest.raises(ProviderError):
            provider.close(wechatpay_account, "payment2")
    assert provider.close(wechatpay_account, "payment2").state == State.FAILED


def test_the_amount_told_is_the_one_that_was_taken(
    wechatpay: server.WeChatPay, wechatpay_account: Account, wechatpay_shop: Shop
) -> None:
    wechatpay.faults.set("wrong_amount")
    paid(wechatpay, wechatpay_account, notify=f"{wechatpay_shop.url}/notify/")
    assert provider.fetch(wechatpay_account, "payment1").amount == Money(8999, "CNY")
    wechatpay_shop.until(lambda: wechatpay_shop.heard)
    assert wechatpay_shop.heard[0].outcome == provider.fetch(wechatpay_account, "payment1")


# Refusals: which of them are the last word


@pytest.mark.parametrize(
    ("problem", "permanent"),
    [
        (Problem(400, "APPID_MCHID_NOT_MATCH", "AppID和mch_id不匹配"), True),
        (Problem(403, "NO_AUTH", "商户无权限"), True),
        (Problem(400, "ORDER_CLOSED", "该订单已关闭"), True),
        (Problem(400, "PARAM_ERROR", "参数错误", signed=False), True),  # nothing was opened, so nobody can pay
        (Problem(400, "ORDERPAID", "该订单已支付"), False),  # to be asked about, never given up
        (Problem(403, "OUT_TRADE_NO_USED", "商户订单号重复"), False),
        (Problem(429, "FREQUENCY_LIMITED", "频率超限"), False),
        (Problem(400, "FREQUENCY_LIMITED", "频率超限"), False),
        (Problem(429, "ANY_OTHER", "频率超限"), False),
        (Problem(500, "SYSTEM_ERROR", "系统错误"), False),
        (Problem(400, "SYSTEMERROR", "系统错误", signed=False), False),
        (Problem(502, "BAD_GATEWAY", "", signed=False), False),
    ],
)
def test_a_refusal_to_open_keeps_the_providers_code_and_words(
    wechatpay: server.WeChatPay, wechatpay_account: Account, problem: Problem, permanent: bool
) -> None:
    wechatpay.scripted.append(problem)
    with pytest.raises(ProviderError) as error:
        provider.start(wechatpay_account, order())
    assert (error.value.code, error.value.permanent) == (problem.content["code"], permanent)
    assert error.value.message == (problem.content["message"] or "no reason given")


def test_paying_twice_is_not_possible(wechatpay: server.WeChatPay, wechatpay_account: Account) -> None:
    start = order()
    pay(wechatpay, provider.start(wechatpay_account, start))
    with pytest.raises(ProviderError) as error:
        provider.start(wechatpay_account, start)
    assert (error.value.code, error.value.permanent) == ("ORDERPAID", False)


def test_an_unsigned_refusal_of_a_refund_settles_nothing(
    wechatpay: server.WeChatPay, wechatpay_account: Account
) -> None:
    paid(wechatpay, wechatpay_account)
    wechatpay.scripted.append(Problem(400, "PARAM_ERROR", "参数错误", signed=False))
    with pytest.raises(ProviderError) as error:
        refund(wechatpay_account)
    assert not error.value.permanent


# Answers that are none


def _answering(monkeypatch: pytest.MonkeyPatch, status: int, body: bytes) -> None:
    answer = httpx.MockTransport(lambda request: httpx.Response(status, content=body))
    client = httpx.Client(transport=answer)
    monkeypatch.setattr(transport, "_client", lambda *which: client)


PAID = json.dumps({"mchid": server.MCHID, "trade_state": "SUCCESS", "amount": {"total": 1, "currency": "CNY"}})


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, PAID.encode()),
        (200, b""),
        (200, b"<html>"),
        (204, b""),
        (302, b""),
        (403, b"<html>"),
        (404, b"\xff"),
        (500, b""),
    ],
)
def test_an_unsigned_answer_moves_nothing(
    wechatpay_account: Account, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes
) -> None:
    _answering(monkeypatch, status, body)
    for call in (
        lambda: provider.start(wechatpay_account, order()),
        lambda: provider.fetch(wechatpay_account, "payment1"),
        lambda: provider.close(wechatpay_account, "payment1"),
        lambda: refund(wechatpay_account),
        lambda: provider.check(wechatpay_account),
    ):
        with pytest.raises(ProviderError) as error:
            call()
        assert not error.value.permanent


def test_an_endless_answer_is_cut_off(wechatpay_account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    _answering(monkeypatch, 200, b"x" * (limits.WALLET_ANSWER_BYTES + 1))
    with pytest.raises(ProviderError, match="too long"):
        provider.fetch(wechatpay_account, "payment1")


def test_a_gateway_that_cannot_be_reached_is_no_last_word(wechatpay_account: Account) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        account = Account(id="acc_1", live=False, config=wechatpay_account.config, base_url=nobody)
        with pytest.raises(ProviderError) as error:
            provider.fetch(account, "payment1")
    assert (error.value.code, error.value.permanent) == ("transport", False)
