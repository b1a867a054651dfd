"""The daily bill of WeChat Pay: rule W7, fen there and yuan here."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from friendpay.kit.money import Money
from payments.wallets.base import BEIJING, Account, BillLine, NoBill, ProviderError, State
from payments.wallets.transport import Answer
from payments.wallets.wechatpay import bill
from payments.wallets.wechatpay.client import exchange
from payments.wallets.wechatpay.emulator import server
from payments.wallets.wechatpay.emulator.requests import Problem
from tests.payments.wallets.wechatpay.shop import CNY90, paid, provider, refund

HEADER = (
    "\ufeff交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,"
    "费率,订单金额,申请退款金额,费率备注\r\n"
)
CHARGE = (
    "`2026-11-21 19:57:02,`wx1,`1900000109,`0,`,`4200001,`payment1,`o1,`NATIVE,`SUCCESS,`OTHERS,`CNY,`0.09,"
    "`0.00,`0,`0,`0.00,`0.00,`,`,`Tea, two cups,`,`0.01600,`0.60%,`0.10,`0.00,`\r\n"
)
REFUND = (
    "`2026-11-21 20:01:00,`wx1,`1900000109,`0,`,`4200001,`payment1,`o1,`NATIVE,`REFUND,`OTHERS,`CNY,`0.00,"
    "`0.00,`50300,`refund1,`0.04,`0.00,`ORIGINAL,`{state},`Tea, two cups,`,`-0.01200,`0.60%,`0.00,`0.05,`\r\n"
)
SUMMARY = "总交易单数,应结订单总金额,退款总金额\r\n`2,`0.09,`0.04\r\n"


def test_w7_a_bill_in_yuan_is_read_in_fen() -> None:
    lines = list(bill.lines(HEADER + CHARGE + REFUND.format(state="SUCCESS") + SUMMARY))
    assert lines == [
        BillLine("charge", "payment1", "4200001", Money(10, "CNY"), State.SUCCEEDED, fee=Money(2, "CNY")),
        BillLine(
            "refund", "refund1", "50300", Money(5, "CNY"), State.SUCCEEDED, "payment1", "4200001", Money(-1, "CNY")
        ),
    ]


@pytest.mark.parametrize(
    ("word", "state"), [("PROCESSING", State.PENDING), ("CHANGE", State.FAILED), ("FAIL", State.FAILED)]
)
def test_a_refund_in_a_bill_has_the_state_of_that_day(word: str, state: State) -> None:
    (line,) = bill.lines(HEADER + REFUND.format(state=word) + SUMMARY)
    assert line.state == state


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no bill",
        HEADER + CHARGE.replace("`0.10", "`0.105"),
        HEADER + CHARGE.replace("`0.10", "`ten"),
        HEADER + CHARGE.replace("`CNY", "`XXX"),
        HEADER + CHARGE.replace(",`0.60%", ""),
        HEADER.replace("订单金额,申请", "金额,申请") + CHARGE,
    ],
)
def test_a_bill_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="bill"):
        list(bill.lines(text))


@pytest.fixture
def today(wechatpay: server.WeChatPay, wechatpay_account: Account) -> date:
    """A day with two charges and a refund, whose bill is ready now."""
    day = datetime.now(BEIJING).date()
    paid(wechatpay, wechatpay_account)
    paid(wechatpay, wechatpay_account, "payment2")
    refund(wechatpay_account, minor=1000)
    wechatpay.clock.advance(86400 + 10 * 3600)
    return day


def test_every_charge_and_refund_of_a_day_is_in_its_bill(
    wechatpay: server.WeChatPay, wechatpay_account: Account, today: date
) -> None:
    lines = [(line.about, line.reference, line.amount, line.state) for line in provider.bill(wechatpay_account, today)]
    assert lines == [
        ("charge", "payment1", CNY90, State.SUCCEEDED),
        ("refund", "refund1", Money(1000, "CNY"), State.SUCCEEDED),
        ("charge", "payment2", CNY90, State.SUCCEEDED),
    ]
    told = provider.fetch(wechatpay_account, "payment1")
    assert told.provider_ref in {line.provider_ref for line in provider.bill(wechatpay_account, today)}


def test_a_day_without_trades_has_no_bill(wechatpay: server.WeChatPay, wechatpay_account: Account, today: date) -> None:
    with pytest.raises(NoBill):
        provider.bill(wechatpay_account, today - timedelta(days=1))


def test_a_bill_that_is_not_ready_or_not_signed_for_is_asked_for_again(
    wechatpay: server.WeChatPay, wechatpay_account: Account
) -> None:
    wechatpay.scripted.append(Problem(400, "STATEMENT_CREATING", "账单生成中"))
    wechatpay.scripted.append(Problem(400, "NO_STATEMENT_EXIST", "账单文件不存在", signed=False))
    for code in ("STATEMENT_CREATING", "NO_STATEMENT_EXIST"):
        with pytest.raises(ProviderError) as error:
            provider.bill(wechatpay_account, datetime.now(BEIJING).date() - timedelta(days=1))
        assert (error.value.permanent, error.value.code) == (False, code)


def test_a_bill_whose_link_has_lapsed_is_asked_for_again(
    wechatpay: server.WeChatPay, wechatpay_account: Account, today: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "BILL_LINK_LIVES", timedelta(0))
    with pytest.raises(ProviderError, match="下载链接已失效") as error:
        provider.bill(wechatpay_account, today)
    assert not error.value.permanent


def test_a_file_with_another_hash_is_not_the_bill(
    wechatpay: server.WeChatPay, wechatpay_account: Account, today: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tampered(*asked: Any, **limits: Any) -> Answer:
        answer = exchange(*asked, **limits)
        return replace(answer, body=answer.body.replace(b"90.00", b"10.00"))

    monkeypatch.setattr("payments.wallets.wechatpay.provider.exchange", tampered)
    with pytest.raises(ProviderError) as error:
        provider.bill(wechatpay_account, today)
    assert (error.value.code, error.value.permanent) == ("hash", False)
