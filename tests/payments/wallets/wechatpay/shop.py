"""A shop at the WeChat Pay emulator: its account, its orders, its payer, and notifications made by hand."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from friendpay.demo.emulation.base import rsa_key, running
from friendpay.kit.money import Money
from payments.wallets.base import (
    Account,
    NextStep,
    Notification,
    NotificationRefused,
    Outcome,
    Rail,
    RefundOrder,
    Start,
)
from payments.wallets.wechatpay import client
from payments.wallets.wechatpay.emulator import server
from payments.wallets.wechatpay.emulator.phone import PAYER
from payments.wallets.wechatpay.emulator.sealing import seal, signature_headers
from payments.wallets.wechatpay.provider import WeChatPay
from tests.payments.wallets.shop import Shop

CNY90 = Money(9000, "CNY")
NOWHERE = "http://127.0.0.1:9/notify/"
IN_WECHAT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 MicroMessenger/8.0.50"

provider = WeChatPay()


@pytest.fixture
def wechatpay(monkeypatch: pytest.MonkeyPatch) -> Iterator[server.WeChatPay]:
    monkeypatch.setattr(client, "_ahead", 0.0)
    emulator = server.WeChatPay(compress=0.00001)
    with running(emulator):
        yield emulator


@pytest.fixture
def wechatpay_account(wechatpay: server.WeChatPay) -> Account:
    return Account(id="acc_1", live=False, config=wechatpay.account(), base_url=wechatpay.url)


@pytest.fixture
def wechatpay_shop(wechatpay_account: Account) -> Iterator[Shop]:
    shop = Shop(provider, wechatpay_account)
    with running(shop):
        yield shop


def order(reference: str = "payment1", rail: Rail = Rail.NATIVE, *, notify: str = NOWHERE) -> Start:
    return Start(
        reference=reference,
        amount=CNY90,
        subject="Corner shop 42 礼物",
        method="wechatpay",
        rail=rail,
        deadline=datetime.now(UTC) + timedelta(minutes=100),
        notify_url=notify,
        return_url="http://127.0.0.1:9/r/token/?a=1&b=2",
        cancel_url="http://127.0.0.1:9/r/token/back/",
        payer_ip="203.0.113.7",
        payer_id=PAYER,
    )


def pay(wechatpay: server.WeChatPay, step: NextStep, choice: str = "approve") -> httpx.Response:
    """The payer scans the code or takes the jump from the shop's page, and decides."""
    with httpx.Client(follow_redirects=True, trust_env=False) as phone:
        if step.code:
            sheet = phone.get(f"{wechatpay.url}/scan", params={"code": step.code})
        else:
            sheet = phone.get(step.url, headers={"Referer": "https://shop.example/"})
        if sheet.status_code != 200:
            return sheet
        return phone.post(str(sheet.url), data={"choice": choice}, follow_redirects=False)


def paid(wechatpay: server.WeChatPay, account: Account, reference: str = "payment1", notify: str = NOWHERE) -> None:
    pay(wechatpay, provider.start(account, order(reference, notify=notify)))


def refund(account: Account, reference: str = "refund1", minor: int = 9000, charge: str = "payment1") -> Outcome:
    asked = RefundOrder(reference, charge, "", Money(minor, "CNY"), charged=CNY90, reason="late")
    return provider.refund(account, asked)


def with_config(account: Account, **changed: str) -> Account:
    return replace(account, config={**account.config, **changed})


# Notifications made by hand, and signed as WeChat Pay signs

TRANSACTION = {
    "mchid": server.MCHID,
    "appid": server.APPID,
    "out_trade_no": "payment1",
    "transaction_id": "4200002611221234567890123456",
    "trade_state": "SUCCESS",
    "trade_state_desc": "支付成功",
    "amount": {"total": 9000, "payer_total": 9000, "currency": "CNY", "payer_currency": "CNY"},
}
REFUND = {
    "mchid": server.MCHID,
    "out_trade_no": "payment1",
    "out_refund_no": "refund1",
    "refund_id": "50300002611221234567890123456",
    "refund_status": "SUCCESS",
    "amount": {"total": 9000, "refund": 1000, "payer_total": 9000, "payer_refund": 1000},
}


def envelope(content: dict[str, Any], event: str = "TRANSACTION.SUCCESS", **resource: object) -> bytes:
    """The body of a notification about `content`; `resource` overrides parts of what is encrypted."""
    sealed = seal(server.API_V3_KEY, json.dumps(content).encode(), "transaction", "0123456789ab")
    told = {"id": "event-1", "event_type": event, "resource": {**sealed, **resource}}
    return json.dumps(told).encode()


def signed(body: bytes, *, late: float = 0, key: str = "wechatpay", **changed: str) -> dict[str, str]:
    """The headers as our server gets them, signed `late` seconds ago."""
    headers = signature_headers(rsa_key(key), server.PUBLIC_KEY_ID, body, time.time() - late)
    return {name.lower(): value for name, value in headers.items()} | {
        name.replace("_", "-"): value for name, value in changed.items()
    }


def read(account: Account, body: bytes, headers: dict[str, str] | None = None) -> Notification:
    return provider.read_notification(account, signed(body) if headers is None else headers, body, datetime.now(UTC))


def refusal(account: Account, body: bytes, headers: dict[str, str] | None = None) -> int:
    """The status it is refused with; the body says FAIL, as WeChat Pay wants it (W6)."""
    with pytest.raises(NotificationRefused) as refused:
        read(account, body, headers)
    assert json.loads(refused.value.reply.body)["code"] == "FAIL"
    return refused.value.reply.status
