"""The WeChat Pay emulator is strict: what the real one would refuse is refused, and changes nothing."""

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from friendpay.demo.emulation.base import rsa_key, running
from payments.wallets.wechatpay.emulator import server
from payments.wallets.wechatpay.emulator.phone import PAYER
from payments.wallets.wechatpay.emulator.requests import SCHEME

ORDER: dict[str, Any] = {
    "appid": server.APPID,
    "mchid": server.MCHID,
    "description": "Corner shop 42",
    "out_trade_no": "payment1",
    "notify_url": "http://127.0.0.1:9/notify/",
    "amount": {"total": 9000, "currency": "CNY"},
}
NATIVE = "/v3/pay/transactions/native"


@pytest.fixture
def wechatpay() -> Iterator[server.WeChatPay]:
    emulator = server.WeChatPay()
    with running(emulator):
        yield emulator


def signed(
    method: str, target: str, body: bytes = b"", *, late: float = 0, key: str = "wechatpay shop", **changed: str
) -> dict[str, str]:
    """The headers of a request as the shop signs it."""
    parts = {
        "mchid": server.MCHID,
        "nonce_str": secrets.token_hex(16),
        "timestamp": str(int(time.time() - late)),
        "serial_no": server.SERIAL_NO,
        **changed,
    }
    text = f"{method}\n{target}\n{parts['timestamp']}\n{parts['nonce_str']}\n".encode() + body + b"\n"
    signature = rsa_key(key).sign(text, PKCS1v15(), SHA256())
    parts["signature"] = base64.b64encode(signature).decode()
    authorization = ",".join(f'{name}="{value}"' for name, value in parts.items())
    headers = {"Authorization": f"{SCHEME} {authorization}", "Accept": "application/json", "User-Agent": "test"}
    return headers | ({"Content-Type": "application/json"} if body else {})


def ask(
    wechatpay: server.WeChatPay, method: str, target: str, content: object = None, **options: Any
) -> httpx.Response:
    body = b"" if content is None else json.dumps(content).encode()
    return httpx.request(
        method, wechatpay.url + target, content=body, headers=signed(method, target, body, **options), trust_env=False
    )


def test_a_rightly_signed_order_is_opened_and_the_answer_signed(wechatpay: server.WeChatPay) -> None:
    answer = ask(wechatpay, "POST", NATIVE, ORDER)
    assert answer.status_code == 200
    assert answer.headers["wechatpay-serial"] == server.PUBLIC_KEY_ID


@pytest.mark.parametrize(
    "options",
    [
        {"key": "a stranger"},
        {"late": 302},
        {"late": -302},
        {"mchid": "1900000110"},
        {"serial_no": "00"},
        {"nonce_str": "short"},
        {"timestamp": "now"},
    ],
)
def test_a_wrongly_signed_request_is_refused(wechatpay: server.WeChatPay, options: dict[str, Any]) -> None:
    answer = ask(wechatpay, "POST", NATIVE, ORDER, **options)
    assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_ERROR")
    assert "wechatpay-signature" not in answer.headers
    assert wechatpay.book.orders == {}


Change = Callable[[dict[str, str]], dict[str, str]]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda headers: {**headers, "Authorization": ""}, 401),
        (lambda headers: {**headers, "Authorization": headers["Authorization"].replace(SCHEME, "Bearer")}, 401),
        (lambda headers: {**headers, "Authorization": headers["Authorization"] + ',mchid="1900000109"'}, 401),
        (lambda headers: {**headers, "Accept": "text/html"}, 406),
        (lambda headers: {**headers, "User-Agent": ""}, 403),
        (lambda headers: {**headers, "Content-Type": "text/plain"}, 415),
        (lambda headers: {**headers, "Wechatpay-Serial": "PUB_KEY_ID_0"}, 400),
    ],
)
def test_headers_of_another_form_are_refused(wechatpay: server.WeChatPay, change: Change, status: int) -> None:
    body = json.dumps(ORDER).encode()
    headers = change(signed("POST", NATIVE, body))
    assert httpx.post(wechatpay.url + NATIVE, content=body, headers=headers).status_code == status
    assert wechatpay.book.orders == {}


def test_the_signature_covers_every_byte_of_target_and_body(wechatpay: server.WeChatPay) -> None:
    body = json.dumps(ORDER).encode()
    headers = signed("POST", NATIVE, body)
    for target, sent in ((NATIVE, body + b" "), (NATIVE + "?", body), (NATIVE.replace("native", "h5"), body)):
        assert httpx.post(wechatpay.url + target, content=sent, headers=headers).status_code in (401, 404)
    assert httpx.post(wechatpay.url + NATIVE, content=body, headers=headers).status_code == 200
    assert httpx.post(wechatpay.url + NATIVE, content=body, headers=headers).status_code == 401  # the nonce was used


@pytest.mark.parametrize(
    "changed",
    [
        {"out_trade_no": "short"},
        {"out_trade_no": "x" * 33},
        {"out_trade_no": "with space"},
        {"description": ""},
        {"description": "x" * 128},
        {"notify_url": "http://127.0.0.1:9/?a=1"},
        {"notify_url": "/notify/"},
        {"amount": {"total": 0}},
        {"amount": {"total": "9000"}},
        {"amount": {"total": 90.0}},
        {"amount": {"total": True}},
        {"amount": {"currency": "CNY"}},
        {"amount": {"total": 9000, "currency": "EUR"}},
        {"amount": 9000},
        {"time_expire": "tomorrow"},
        {"time_expire": "2026-01-01T00:00:00"},
        {"time_expire": "2020-01-01T00:00:00+08:00"},
        {"scene_info": {"payer_client_ip": "localhost"}},
        {"unknown": "1"},
        {"appid": "another"},
    ],
)
def test_an_order_of_another_form_is_refused(wechatpay: server.WeChatPay, changed: dict[str, Any]) -> None:
    answer = ask(wechatpay, "POST", NATIVE, ORDER | changed)
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")
    assert "wechatpay-signature" not in answer.headers
    assert wechatpay.book.orders == {}


@pytest.mark.parametrize("name", sorted(ORDER))
def test_what_an_order_must_have_is_not_left_out(wechatpay: server.WeChatPay, name: str) -> None:
    order = {field: value for field, value in ORDER.items() if field != name}
    assert ask(wechatpay, "POST", NATIVE, order).status_code == 400


def test_h5_wants_the_payers_address_and_jsapi_a_payer_it_knows(wechatpay: server.WeChatPay) -> None:
    h5, jsapi = NATIVE.replace("native", "h5"), NATIVE.replace("native", "jsapi")
    assert ask(wechatpay, "POST", h5, ORDER).status_code == 400
    assert ask(wechatpay, "POST", h5, ORDER | {"scene_info": {"payer_client_ip": "203.0.113.7"}}).status_code == 400
    assert ask(wechatpay, "POST", jsapi, ORDER).status_code == 400
    assert ask(wechatpay, "POST", jsapi, ORDER | {"payer": {"openid": PAYER[::-1]}}).status_code == 400
    assert ask(wechatpay, "POST", jsapi, ORDER | {"payer": {"openid": PAYER}}).status_code == 200


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"mchid": "1900000110"}, "MCH_NOT_EXISTS"),
        ({"appid": "wx0000000000000000"}, "APPID_MCHID_NOT_MATCH"),
    ],
)
def test_a_business_refusal_is_signed(wechatpay: server.WeChatPay, changed: dict[str, str], code: str) -> None:
    answer = ask(wechatpay, "POST", NATIVE, ORDER | changed)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert "wechatpay-signature" in answer.headers


def test_a_number_stands_for_one_order(wechatpay: server.WeChatPay) -> None:
    ask(wechatpay, "POST", NATIVE, ORDER)
    other = ask(wechatpay, "POST", NATIVE, ORDER | {"amount": {"total": 1, "currency": "CNY"}})
    assert (other.status_code, other.json()["code"]) == (403, "OUT_TRADE_NO_USED")
    assert ask(wechatpay, "POST", NATIVE, ORDER).status_code == 200


def test_a_query_must_name_the_merchant(wechatpay: server.WeChatPay) -> None:
    ask(wechatpay, "POST", NATIVE, ORDER)
    where = "/v3/pay/transactions/out-trade-no/payment1"
    assert ask(wechatpay, "GET", where).status_code == 400
    assert ask(wechatpay, "GET", f"{where}?mchid=1900000110").json()["code"] == "MCH_NOT_EXISTS"
    assert ask(wechatpay, "GET", f"{where}?mchid={server.MCHID}").json()["trade_state"] == "NOTPAY"


def test_a_bill_is_downloaded_only_by_who_signs(wechatpay: server.WeChatPay) -> None:
    assert httpx.get(f"{wechatpay.url}/v3/billdownload/file?token=x").status_code == 401


@pytest.mark.parametrize(
    "changed",
    [{"appid": "another"}, {"scope": "snsapi_userinfo"}, {"response_type": "token"}, {"redirect_uri": "javascript:1"}],
)
def test_a_login_of_another_form_is_refused(wechatpay: server.WeChatPay, changed: dict[str, str]) -> None:
    query = {
        "appid": server.APPID,
        "redirect_uri": "https://shop.example/back/",
        "response_type": "code",
        "scope": "snsapi_base",
    }
    where, agent = f"{wechatpay.url}/connect/oauth2/authorize", {"User-Agent": "MicroMessenger/8.0"}
    assert httpx.get(where, params=query, headers=agent).status_code == 302
    assert httpx.get(where, params=query | changed, headers=agent).status_code == 400
