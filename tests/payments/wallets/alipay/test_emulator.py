"""The Alipay emulator refuses what Alipay would refuse, and runs as a process of its own."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from friendpay.demo.emulation.base import running
from payments.wallets.alipay.emulator import server
from payments.wallets.alipay.gateway import private_key, signature, signed_params, signed_text
from payments.wallets.base import Account

ORDER = {"out_trade_no": "pay1", "total_amount": "90.00", "subject": "Corner shop 42"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

Params = dict[str, str]


@pytest.fixture
def wallet() -> Iterator[server.Alipay]:
    with running(emulator := server.Alipay()):
        yield emulator


@pytest.fixture
def account(wallet: server.Alipay) -> Account:
    return Account(id="acc_1", live=False, config=wallet.account(), base_url=wallet.url)


def send(wallet: server.Alipay, body: str | Params, query: str = "") -> dict[str, str]:
    """The node of the answer to a form."""
    text = body if isinstance(body, str) else urlencode(body)
    answer = httpx.post(f"{wallet.url}/gateway.do?{query}", content=text, headers=FORM, trust_env=False).json()
    answer.pop("sign", None)
    (node,) = answer.values()
    return dict(node)


def signed(account: Account, method: str = "alipay.trade.precreate", content: Any = ORDER, **changed: str) -> Params:
    """A request in which some parameters were changed before it was signed; "" leaves one out."""
    params = signed_params(account, method, content) | changed
    params = {name: value for name, value in params.items() if value and name != "sign"}
    return params | {"sign": signature(signed_text(params), private_key(account))}


def test_what_is_signed_and_whole_is_taken_by_post_and_get(wallet: server.Alipay, account: Account) -> None:
    params = signed(account)
    assert send(wallet, params)["code"] == "10000"
    assert send(wallet, "", query=urlencode(params))["code"] == "10000"
    half = {name: params.pop(name) for name in ("biz_content", "sign")}
    assert send(wallet, half, query=urlencode(params))["code"] == "10000"
    assert httpx.get(f"{wallet.url}/gateway.do?{urlencode(params | half)}", trust_env=False).status_code == 200


@pytest.mark.parametrize(
    ("changed", "sub_code"),
    [
        ({"app_id": ""}, "isv.missing-app-id"),
        ({"method": ""}, "isv.missing-method"),
        ({"timestamp": ""}, "isv.missing-timestamp"),
        ({"sign_type": ""}, "isv.missing-signature-type"),
        ({"version": ""}, "isv.missing-version"),
        ({"app_id": "2021999999999999"}, "isv.invalid-app-id"),
        ({"sign_type": "RSA"}, "isv.invalid-signature-type"),
        ({"charset": "GBK"}, "isv.invalid-charset"),
        ({"timestamp": "2021-01-01 00:00:00"}, "isv.invalid-timestamp"),
        ({"timestamp": "now"}, "isv.invalid-timestamp"),
        ({"format": "XML"}, "isv.invalid-parameter"),
        ({"notify_url": "not a url"}, "isv.invalid-parameter"),
        ({"surprise": "x"}, "isv.invalid-parameter"),
        ({"method": "alipay.trade.cancel"}, "isv.invalid-method"),
        ({"biz_content": "{"}, "isv.invalid-json-format"),
        ({"biz_content": "[]"}, "ACQ.INVALID_PARAMETER"),
    ],
)
def test_a_malformed_request_is_refused_though_signed(
    wallet: server.Alipay, account: Account, changed: Params, sub_code: str
) -> None:
    assert send(wallet, signed(account, **changed))["sub_code"] == sub_code
    assert wallet.book.trades == {}


@pytest.mark.parametrize(
    ("tamper", "sub_code"),
    [
        (lambda params: params | {"sign": ""}, "isv.invalid-parameter"),
        (lambda params: {name: params[name] for name in params if name != "sign"}, "isv.missing-signature"),
        (lambda params: params | {"sign": "AAAA"}, "isv.invalid-signature"),
        (lambda params: params | {"notify_url": "http://127.0.0.1:9/"}, "isv.invalid-signature"),
        (lambda params: params | {"biz_content": params["biz_content"].replace("90", "9")}, "isv.invalid-signature"),
    ],
)
def test_an_unsigned_or_altered_request_is_refused(
    wallet: server.Alipay, account: Account, tamper: Callable[[Params], Params], sub_code: str
) -> None:
    assert send(wallet, tamper(signed(account)))["sub_code"] == sub_code
    assert wallet.book.trades == {}


def test_a_parameter_that_comes_twice_is_refused(wallet: server.Alipay, account: Account) -> None:
    params = signed(account)
    assert send(wallet, params, query="app_id=2021000000000001")["sub_code"] == "isv.invalid-parameter"


def test_a_body_that_is_no_form_is_refused(wallet: server.Alipay, account: Account) -> None:
    answer = httpx.post(f"{wallet.url}/gateway.do", json=signed(account), trust_env=False).json()
    assert answer["error_response"]["sub_code"] == "isv.invalid-content-type"


@pytest.mark.parametrize(
    "changed",
    [
        {"subject": "a&b"},
        {"total_amount": "0.00"},
        {"total_amount": "1.001"},
        {"total_amount": "-1"},
        {"total_amount": 90},
        {"out_trade_no": "a b"},
        {"out_trade_no": None},
        {"time_expire": "2021-01-01 00:00:00"},
        {"surprise": "x"},
    ],
)
def test_an_order_that_breaks_the_rules_is_refused(
    wallet: server.Alipay, account: Account, changed: dict[str, object]
) -> None:
    content = {name: value for name, value in {**ORDER, **changed}.items() if value is not None}
    assert send(wallet, signed(account, content=content))["sub_code"] == "ACQ.INVALID_PARAMETER"
    assert wallet.book.trades == {}


def test_the_same_number_with_another_amount_is_refused(wallet: server.Alipay, account: Account) -> None:
    send(wallet, signed(account))
    other = signed(account, content={**ORDER, "total_amount": "9.00"})
    assert send(wallet, other)["sub_code"] == "ACQ.CONTEXT_INCONSISTENT"


def test_a_page_says_what_is_wrong_to_the_payer(wallet: server.Alipay, account: Account) -> None:
    params = signed(account, "alipay.trade.wap.pay", {**ORDER, "product_code": "QUICK_WAP_WAY"})  # without quit_url
    answer = httpx.get(f"{wallet.url}/gateway.do?{urlencode(params)}", trust_env=False)
    assert answer.status_code == 400
    assert "ACQ.INVALID_PARAMETER" in answer.text


def test_the_payers_page_is_plainly_a_simulation(wallet: server.Alipay, account: Account) -> None:
    page = httpx.get(send(wallet, signed(account))["qr_code"], trust_env=False).text
    assert "no money moves" in page
    assert "¥90.00" in page


def test_it_runs_as_a_process_and_says_what_an_account_must_hold() -> None:
    command = [sys.executable, "-m", "payments.wallets.alipay.emulator.server"]
    with subprocess.Popen(command, cwd=Path(__file__).parents[4], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            told = json.loads(process.stdout.readline())
            assert told["provider"] == "alipay"
            account = Account(id="acc_1", live=False, config=told["config"], base_url=told["base_url"])
            answer = httpx.post(
                f"{account.base_url}/gateway.do", content=urlencode(signed(account)), headers=FORM, trust_env=False
            )
            assert answer.json()["alipay_trade_precreate_response"]["code"] == "10000"
        finally:
            process.terminate()
