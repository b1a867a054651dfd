"""The emulator driven by wechatpayv3 in public-key mode, a client we did not write, and the official vector (P1)."""

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from wechatpayv3 import WeChatPay as Client  # type: ignore[import-untyped]
from wechatpayv3 import WeChatPayType

from friendpay.demo.emulation.base import Emulator, running
from friendpay.demo.emulation.messages import Request, Response, route
from payments.wallets.wechatpay.emulator import server
from payments.wallets.wechatpay.emulator.orders import CHINA
from payments.wallets.wechatpay.emulator.phone import PAYER
from payments.wallets.wechatpay.emulator.sealing import seal, signed_text

pytestmark = pytest.mark.proof

VECTOR = json.loads((Path(__file__).parents[3] / "vectors/wechatpay_notify.json").read_text(encoding="utf-8"))
RESOURCE = json.loads(VECTOR["body"])["resource"]


class Shop(Emulator):
    """Hears notifications, and lets the client verify and open them."""

    name, brand = "shop", "Shop"

    def __init__(self) -> None:
        super().__init__()
        self.came: list[tuple[dict[str, str], bytes]] = []

    @route("POST", "/notify/")
    def receive(self, request: Request) -> Response:
        self.came.append((dict(request.headers), request.body))
        return Response(204)


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    with running(shop):
        yield shop


@pytest.fixture
def wechatpay() -> Iterator[server.WeChatPay]:
    emulator = server.WeChatPay()
    with running(emulator):
        yield emulator


def _client(config: dict[str, str], gateway: str = "") -> Client:
    client = Client(
        wechatpay_type=WeChatPayType.NATIVE,
        mchid=config["mchid"],
        private_key=config["private_key"],
        cert_serial_no=config["serial_no"],
        appid=config["appid"],
        apiv3_key=config["api_v3_key"],
        public_key=config["public_key"],
        public_key_id=config["public_key_id"],
        timeout=60,
    )
    client._core._gate_way = gateway  # it offers no other way to another gateway
    return client


@pytest.fixture
def client(wechatpay: server.WeChatPay, shop: Shop) -> Client:
    client = _client(wechatpay.account(), wechatpay.url)
    client._notify_url = f"{shop.url}/notify/"
    return client


def told(answer: tuple[int, str], status: int = 200) -> dict[str, Any]:
    assert answer[0] == status, answer
    value: dict[str, Any] = json.loads(answer[1] or "{}")
    return value


def scan(wechatpay: server.WeChatPay, code: str) -> None:
    with httpx.Client(follow_redirects=True, trust_env=False) as phone:
        sheet = phone.get(f"{wechatpay.url}/scan", params={"code": code})
        assert phone.post(str(sheet.url), data={"choice": "approve"}).status_code == 200


def test_p1_it_orders_queries_closes_refunds_and_hears_of_it(
    wechatpay: server.WeChatPay, client: Client, shop: Shop
) -> None:
    code = told(client.pay("Corner shop 礼物", "payment1", {"total": 9000}))["code_url"]
    assert told(client.query(out_trade_no="payment1"))["trade_state"] == "NOTPAY"
    scan(wechatpay, code)
    paid = told(client.query(out_trade_no="payment1"))
    assert (paid["trade_state"], paid["amount"]["total"]) == ("SUCCESS", 9000)
    assert told(client.query(transaction_id=paid["transaction_id"])) == paid
    assert told(client.close("payment1"), 400)["code"] == "ORDERPAID"

    amount = {"refund": 1000, "total": 9000, "currency": "CNY"}
    accepted = told(client.refund("refund1", amount, out_trade_no="payment1", reason="来晚了"))
    assert accepted["status"] == "PROCESSING"
    assert told(client.refund("refund1", amount, transaction_id=paid["transaction_id"]))["refund_id"]
    assert told(client.query_refund("refund1"))["status"] == "SUCCESS"

    wechatpay.notifier.settle()
    heard = [client.callback(headers, body) for headers, body in shop.came]
    assert [event["event_type"] for event in heard] == ["TRANSACTION.SUCCESS", "REFUND.SUCCESS"]
    assert heard[0]["resource"] == paid
    assert (heard[1]["resource"]["refund_status"], heard[1]["resource"]["out_refund_no"]) == ("SUCCESS", "refund1")

    told(client.pay("Corner shop", "payment2", {"total": 1}))
    assert client.close("payment2")[0] == 204
    assert told(client.query(out_trade_no="payment2"))["trade_state"] == "CLOSED"
    assert told(client.query(out_trade_no="payment3"), 404)["code"] == "ORDER_NOT_EXIST"


def test_it_opens_h5_and_jsapi(client: Client) -> None:
    scene = {"payer_client_ip": "203.0.113.7", "h5_info": {"type": "Wap"}}
    jump = told(client.pay("Shop", "payment1", {"total": 1}, scene_info=scene, pay_type=WeChatPayType.H5))
    assert jump["h5_url"].startswith("http")
    payer = {"openid": PAYER}
    sheet = told(client.pay("Shop", "payment2", {"total": 1}, payer=payer, pay_type=WeChatPayType.JSAPI))
    assert sheet["prepay_id"].startswith("wx")
    assert told(
        client.pay("Shop", "payment3", {"total": 1}, payer={"openid": PAYER[::-1]}, pay_type=WeChatPayType.JSAPI), 400
    )


def test_its_bill_is_downloaded_and_fits_the_hash(wechatpay: server.WeChatPay, client: Client) -> None:
    day = datetime.now(CHINA).date()
    scan(wechatpay, told(client.pay("Corner shop, 2nd floor", "payment1", {"total": 9000}))["code_url"])
    assert told(client.trade_bill(day.isoformat()), 400)["code"] == "INVALID_REQUEST"
    wechatpay.clock.advance(timedelta(days=1, hours=10).total_seconds())
    where = told(client.trade_bill(day.isoformat()))
    status, packed = client.download_bill(where["download_url"])
    assert status == 200
    text = gzip.decompress(packed)
    assert hashlib.sha1(text, usedforsecurity=False).hexdigest() == where["hash_value"]
    assert b"`payment1," in text
    assert b"`Corner shop, 2nd floor," in text


@pytest.mark.parametrize("fault", ["wrong_key"])
def test_the_client_does_not_believe_a_stranger(wechatpay: server.WeChatPay, client: Client, fault: str) -> None:
    told(client.pay("Shop", "payment1", {"total": 1}))
    wechatpay.faults.set(fault)
    with pytest.raises(Exception, match="failed to verify the signature"):
        client.query(out_trade_no="payment1")


# The official vector, through the client and through the emulator's own hands


def test_p1_the_client_opens_the_official_vector() -> None:
    key = x509.load_pem_x509_certificate(VECTOR["certificate"].encode()).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    config = server.WeChatPay().account() | {
        "api_v3_key": VECTOR["api_v3_key"],
        "public_key": pem,
        "public_key_id": VECTOR["headers"]["Wechatpay-Serial"],
    }
    opened = _client(config).callback(VECTOR["headers"], VECTOR["body"])
    assert opened["resource"]["mchid"] == "1234567890"


def test_p1_the_emulator_seals_as_the_official_vector_is_sealed() -> None:
    key, nonce, kind = VECTOR["api_v3_key"], RESOURCE["nonce"], RESOURCE["associated_data"]
    ciphertext = base64.b64decode(RESOURCE["ciphertext"])
    plain = AESGCM(key.encode()).decrypt(nonce.encode(), ciphertext, kind.encode())
    assert seal(key, plain, kind, nonce) == RESOURCE


def test_p1_the_emulator_signs_the_text_that_the_official_vector_signs() -> None:
    headers = VECTOR["headers"]
    text = signed_text(headers["Wechatpay-Timestamp"], headers["Wechatpay-Nonce"], VECTOR["body"].encode())
    key = x509.load_pem_x509_certificate(VECTOR["certificate"].encode()).public_key()
    assert isinstance(key, RSAPublicKey)
    key.verify(base64.b64decode(headers["Wechatpay-Signature"]), text, PKCS1v15(), SHA256())
