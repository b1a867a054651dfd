"""A strict stand-in for WeChat Pay, API v3: gateway, payer's phone, login for the openid, notifications, bills.

    python -m payments.wallets.wechatpay.emulator.server --port 29002

The phone is at `/`: it lists the codes that wait to be scanned. The clock that can be moved rules deadlines, refunds
and bills; what is signed is stamped with the real one.
"""

import gzip
import hashlib
import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from friendpay.demo.emulation.base import Emulator, main, receives, rsa_key, token
from friendpay.demo.emulation.messages import Request, Response, route
from friendpay.demo.emulation.notifier import Outgoing
from payments.wallets.wechatpay.emulator.bills import bill
from payments.wallets.wechatpay.emulator.orders import Book, Order, Refund, china
from payments.wallets.wechatpay.emulator.phone import Phone
from payments.wallets.wechatpay.emulator.requests import (
    BILL,
    CLOSE,
    ORDERS,
    REFUND,
    Doorkeeper,
    Problem,
    Thing,
    conform,
    content,
    malformed,
)
from payments.wallets.wechatpay.emulator.sealing import (
    certificate_pem,
    private_pem,
    public_pem,
    seal,
    signature_headers,
)
from payments.wallets.wechatpay.emulator.share_card import ShareCard

MCHID = "1900000109"
APPID = "wxd678efb567e96787"
APP_SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
API_V3_KEY = "a-simulated-api-v3-key-of-32-chr"
SERIAL_NO = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
PUBLIC_KEY_ID = "PUB_KEY_ID_0119000001092026010100000000000001"
CERTIFICATE_NUMBER = 0x0D7CE59D1F522D7015157F09EFDC096DE15EBE8

BILL_LINK_LIVES = timedelta(minutes=5)

_MINUTE, _HOUR = 60, 3600


class WeChatPay(Phone, ShareCard, Emulator):
    name = "wechatpay"
    brand = "WeChat Pay"
    schedule = (
        *(15, 15, 30, 3 * _MINUTE, 10 * _MINUTE, 20 * _MINUTE, 30 * _MINUTE, 30 * _MINUTE, 30 * _MINUTE),
        *(60 * _MINUTE, 3 * _HOUR, 3 * _HOUR, 3 * _HOUR, 6 * _HOUR, 6 * _HOUR),
    )

    def __init__(self, *, certificate: bool = False, **options: Any) -> None:
        """`certificate`: a merchant of old, answered under a platform certificate, not WeChat Pay's public key."""
        super().__init__(**options)
        self.certificate = certificate
        self.appid, self.app_secret = APPID, APP_SECRET
        self.shop_key = rsa_key("wechatpay shop")
        self.book = Book(self.clock, MCHID, APPID, refund_ended=self._tell_refund)
        self.doorkeeper = Doorkeeper(MCHID, SERIAL_NO, self.shop_key.public_key())
        self.bills: dict[str, tuple[datetime, bytes]] = {}
        self.calls: list[str] = []  # every call that was rightly signed
        self.scripted: list[Problem] = []  # refusals to answer instead of doing what the next calls ask

    @property
    def serial(self) -> str:
        return f"{CERTIFICATE_NUMBER:040X}" if self.certificate else PUBLIC_KEY_ID

    def account(self) -> dict[str, str]:
        key = rsa_key("wechatpay")
        return {
            "mchid": MCHID,
            "appid": APPID,
            "app_secret": APP_SECRET,
            "serial_no": SERIAL_NO,
            "private_key": private_pem(self.shop_key),
            "api_v3_key": API_V3_KEY,
            "public_key_id": "" if self.certificate else PUBLIC_KEY_ID,
            "public_key": certificate_pem(key, CERTIFICATE_NUMBER) if self.certificate else public_pem(key),
        }

    def accepted(self, status: int, body: bytes) -> bool:
        return status in (200, 204)

    def failure(self, request: Request) -> Response:
        return self._answer(request, 500, {"code": "SYSTEM_ERROR", "message": "系统异常，请稍后重试"}, signed=False)

    # The gateway

    @route("POST", "/v3/pay/transactions/native", commits=True)
    def native(self, request: Request) -> Response:
        def work() -> Thing:
            prepay_id = self.book.open("native", self._order(request, "native"))
            return {"code_url": f"weixin://wxpay/bizpayurl?pr={prepay_id}"}

        return self._v3(request, work)

    @route("POST", "/v3/pay/transactions/h5", commits=True)
    def h5(self, request: Request) -> Response:
        def work() -> Thing:
            prepay_id = self.book.open("h5", self._order(request, "h5"))
            return {"h5_url": f"{self.url}/cgi-bin/mmpayweb-bin/checkmweb?prepay_id={prepay_id}&package=1405458241"}

        return self._v3(request, work)

    @route("POST", "/v3/pay/transactions/jsapi", commits=True)
    def jsapi(self, request: Request) -> Response:
        def work() -> Thing:
            order = self._order(request, "jsapi")
            if order["payer"]["openid"] not in self.openids:
                raise Problem(400, "PARAM_ERROR", "无效的openid", field="/payer/openid")
            return {"prepay_id": self.book.open("jsapi", order)}

        return self._v3(request, work)

    def _order(self, request: Request, kind: str) -> Thing:
        order = content(request, ORDERS[kind])
        if not receives(order["notify_url"], private=self.private):
            raise malformed("/notify_url", "回调地址必须为外网可访问的https地址")
        return order

    @route("GET", "/v3/pay/transactions/out-trade-no/{number}")
    def query(self, request: Request, number: str) -> Response:
        return self._v3(request, lambda: self.book.told(self._asked_for(request, self.book.find(number))))

    @route("GET", "/v3/pay/transactions/id/{transaction_id}")
    def query_by_id(self, request: Request, transaction_id: str) -> Response:
        def work() -> Thing:
            return self.book.told(self._asked_for(request, self.book.find("", transaction_id=transaction_id)))

        return self._v3(request, work)

    def _asked_for(self, request: Request, order: Order) -> Order:
        conform(request.query, CLOSE, "")
        self.book.check_merchant(request.query["mchid"])
        return order

    @route("POST", "/v3/pay/transactions/out-trade-no/{number}/close", commits=True)
    def close(self, request: Request, number: str) -> Response:
        def work() -> None:
            self.book.check_merchant(content(request, CLOSE)["mchid"])
            self.book.close(number)

        return self._v3(request, work)

    @route("POST", "/v3/refund/domestic/refunds", commits=True)
    def refund(self, request: Request) -> Response:
        return self._v3(request, lambda: self.book.refund(content(request, REFUND)))

    @route("GET", "/v3/refund/domestic/refunds/{number}")
    def query_refund(self, request: Request, number: str) -> Response:
        return self._v3(request, lambda: self.book.find_refund(number))

    @route("GET", "/v3/certificates")
    def certificates(self, request: Request) -> Response:
        def work() -> None:
            raise Problem(404, "RESOURCE_NOT_EXISTS", "无可用的平台证书，请在商户平台申请使用微信支付公钥")

        return self._v3(request, work)

    @route("GET", "/v3/bill/tradebill")
    def trade_bill(self, request: Request) -> Response:
        def work() -> Thing:
            conform(request.query, BILL, "")
            now = self.clock.now()
            plain = bill(self.book.orders.values(), date.fromisoformat(request.query["bill_date"]), now).encode()
            packed, name = request.query.get("tar_type") == "GZIP", token(32)
            self.bills[name] = now + BILL_LINK_LIVES, gzip.compress(plain) if packed else plain
            link = f"{self.url}/v3/billdownload/file?token={name}" + ("&tartype=gzip" if packed else "")
            digest = hashlib.sha1(plain, usedforsecurity=False).hexdigest()
            return {"hash_type": "SHA1", "hash_value": digest, "download_url": link}

        return self._v3(request, work)

    @route("GET", "/v3/billdownload/file")
    def download(self, request: Request) -> Response:
        """The one answer without a signature: its hash was told, signed, by the call before."""
        try:
            self.doorkeeper.check(request, datetime.now(UTC))
        except Problem as problem:
            return self._answer(request, problem.status, problem.content, signed=False)
        until, file = self.bills.get(request.query.get("token", ""), (self.clock.now(), b""))
        if until <= self.clock.now():
            return self._answer(request, 404, {"code": "NO_STATEMENT_EXIST", "message": "下载链接已失效"}, signed=False)
        return Response(200, file, "text/plain")

    def _v3(self, request: Request, work: Callable[[], Thing | None]) -> Response:
        """Check, work, sign."""
        request.commits = False
        try:
            self.doorkeeper.check(request, datetime.now(UTC))
            if request.headers.get("wechatpay-serial", self.serial) != self.serial:
                raise Problem(400, "PARAM_ERROR", "Wechatpay-Serial与当前使用的公钥或证书不符", signed=False)
            self.calls.append(request.operation)
            if self.scripted:
                raise self.scripted.pop(0)
            told = work()
        except Problem as problem:
            return self._answer(request, problem.status, problem.content, signed=problem.signed)
        request.commits = True
        return self._answer(request, 200, told) if told is not None else self._answer(request, 204)

    def _answer(self, request: Request, status: int, told: Thing | None = None, *, signed: bool = True) -> Response:
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() if told is not None else b""
        response = Response(status, body, "application/json; charset=utf-8" if body else "")
        response.headers["Request-ID"] = token(32).upper()
        if signed:
            response.headers.update(self.signature(body, request.operation, time.time()))
        return response

    def signature(self, body: bytes, operation: str, now: float) -> dict[str, str]:
        skew = self.faults.take("clock_skew", operation)
        key = rsa_key("a stranger" if self.faults.take("wrong_key", operation) else "wechatpay")
        return signature_headers(key, self.serial, body, now + (skew.seconds if skew else 0))

    # Notifications

    def tell_paid(self, order: Order) -> None:
        self.notify(
            "TRANSACTION.SUCCESS", "支付成功", "transaction", self.book.told(order), order.content["notify_url"]
        )

    def _tell_refund(self, order: Order, refund: Refund) -> None:
        told = self.book.refund_told(order, refund)
        sums = {name: told["amount"][name] for name in ("total", "refund", "payer_total", "payer_refund")}
        names = ("out_trade_no", "transaction_id", "out_refund_no", "refund_id", "user_received_account")
        plain = {"mchid": MCHID, **{name: told[name] for name in names}, "refund_status": refund.status, "amount": sums}
        if refund.status == "SUCCESS" and refund.done_at:
            plain["success_time"] = china(refund.done_at)
        self.notify(f"REFUND.{refund.status}", "退款结果", "refund", plain, refund.content.get("notify_url", ""))

    def notify(self, event: str, summary: str, kind: str, plain: Thing, url: str) -> None:
        """Tell the shop. Retries carry the same id and body, signed anew."""
        if not (url := self.notify_url or url):
            return
        told = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()
        envelope = {
            "id": f"{token(8)}-{token(4)}-{token(4)}-{token(4)}-{token(12)}",
            "create_time": china(self.clock.now()),
            "resource_type": "encrypt-resource",
            "event_type": event,
            "summary": summary,
            "resource": seal(API_V3_KEY, told, kind, token(12)),
        }
        body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()

        def make() -> Outgoing:
            signature = self.signature(body, event, self.clock.stamp().timestamp())
            return Outgoing(url, body, {"Content-Type": "application/json", **signature})

        self.notifier.send(make, event)


if __name__ == "__main__":
    main(WeChatPay)
