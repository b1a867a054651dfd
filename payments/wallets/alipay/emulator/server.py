"""A strict stand-in for Alipay: gateway, payer's cashier, notifications and bills. No money moves.

    python -m payments.wallets.alipay.emulator.server --port 29001

As at Alipay, an order is no trade until a payer has opened it: until then query and close know nothing of it while it
stays payable. The clock that can be moved rules deadlines, refunds and bills; signatures are stamped with the real one.
"""

import base64
import json
import secrets
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from friendpay.demo.emulation.base import Emulator, main, receives, rsa_key
from friendpay.demo.emulation.messages import Request, Response, redirect, route
from friendpay.demo.emulation.notifier import Outgoing
from friendpay.demo.emulation.pages import buttons, page
from payments.wallets.alipay.emulator.requests import Call, Wrong, read
from payments.wallets.alipay.emulator.trades import BUYER, Book, Trade, china, yuan

APP_ID = "2021000000000001"
SELLER_ID = "2088000000000001"

PAGES = ("alipay.trade.wap.pay", "alipay.trade.page.pay")
PRODUCTS = ("QR_CODE_OFFLINE", "FACE_TO_FACE_PAYMENT", "QUICK_WAP_WAY", "FAST_INSTANT_TRADE_PAY")
CHANGES = ("alipay.trade.precreate", "alipay.trade.close", "alipay.trade.refund")

BILL_LINK_LIVES = timedelta(seconds=30)


class Alipay(Emulator):
    name = "alipay"
    brand = "Alipay"
    schedule = (4 * 60, 10 * 60, 10 * 60, 3600, 2 * 3600, 6 * 3600, 15 * 3600)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.book = Book(self.clock, refunded=self._tell_refunded)
        self.contracts = set(PRODUCTS)  # the products signed for this application
        self.bills: dict[str, tuple[datetime, bytes]] = {}
        self.calls: list[str] = []  # every method asked for, whatever came of it
        self.scripted: list[dict[str, str]] = []  # answers to give, signed, instead of doing what the next calls ask

    def account(self) -> dict[str, str]:
        private = rsa_key("alipay shop").private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        public = rsa_key("alipay").public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return {
            "app_id": APP_ID,
            "seller_id": SELLER_ID,
            "private_key": base64.b64encode(private).decode(),
            "alipay_public_key": base64.b64encode(public).decode(),
        }

    def accepted(self, status: int, body: bytes) -> bool:
        return body == b"success"

    def failure(self, request: Request) -> Response:
        return self._answer(request.operation, Wrong("20000", "ACQ.SYSTEM_ERROR", "系统繁忙").node)

    # The gateway

    @route("POST", "/gateway.do", commits=True)
    def posted(self, request: Request) -> Response:
        return self._gateway(request)

    @route("GET", "/gateway.do", commits=True)
    def got(self, request: Request) -> Response:
        return self._gateway(request)

    def _gateway(self, request: Request) -> Response:
        def named(method: str) -> None:
            request.operation = method
            self.calls.append(method)

        request.commits = False
        try:
            call = read(request, APP_ID, rsa_key("alipay shop").public_key(), named)
            if self.scripted:
                return self._answer(call.method, self.scripted.pop(0))
            self._check_contract(call)
            if call.notify_url and not receives(call.notify_url, private=self.private):
                raise Wrong("40002", "isv.invalid-parameter", "notify_url必须为外网可访问的https地址")
            if call.method in PAGES:
                return redirect(f"{self.url}/cashier/{self.book.order(call).code}")
            node = self._do(call)
        except Wrong as wrong:
            if request.operation in PAGES:
                return page(self.brand, wrong.node["sub_code"], escape(wrong.node["sub_msg"]), status=400)
            return self._answer(request.operation, wrong.node, signed=wrong.signed)
        request.commits = call.method in CHANGES
        return self._answer(call.method, {"code": "10000", "msg": "Success", **node})

    def _check_contract(self, call: Call) -> None:
        """Every order is of a product, which the application must have."""
        if call.method not in (*PAGES, "alipay.trade.precreate"):
            return
        product = call.content.get("product_code", "FACE_TO_FACE_PAYMENT")
        if product in self.contracts:
            return
        if self.contracts & {"FACE_TO_FACE_PAYMENT", "QR_CODE_OFFLINE"} and call.method == "alipay.trade.precreate":
            raise Wrong("40004", "ACQ.ACCESS_FORBIDDEN", "无权限使用接口")
        raise Wrong(
            "40006", "isv.insufficient-isv-permissions", "ISV权限不足，建议在开发者中心检查对应功能是否已经添加"
        )

    def _do(self, call: Call) -> dict[str, str]:
        match call.method:
            case "alipay.trade.precreate":
                trade = self.book.order(call)
                return {"out_trade_no": trade.number, "qr_code": f"{self.url}/cashier/{trade.code}"}
            case "alipay.trade.query":
                return self.book.query(call)
            case "alipay.trade.close":
                return self.book.close(call)
            case "alipay.trade.refund":
                return self.book.refund(call)
            case "alipay.trade.fastpay.refund.query":
                return self.book.refund_query(call)
            case _:
                name, archive = secrets.token_hex(16), self.book.bill(call.content["bill_date"])
                self.bills[name] = self.clock.now() + BILL_LINK_LIVES, archive
                empty = {} if len(archive) > 22 else {"bill_file_code": "EMPTY_DATA_WITH_BILL_FILE"}
                return {"bill_download_url": f"{self.url}/bill/{name}"} | empty

    def _answer(self, method: str, node: dict[str, str], *, signed: bool = True) -> Response:
        text = json.dumps(node, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")
        if signed:
            text = f'{{"{method.replace(".", "_")}_response":{text},"sign":"{self.sign(text, method)}"}}'
        else:
            text = f'{{"error_response":{text}}}'
        return Response(200, text.encode(), "text/html;charset=utf-8")

    def sign(self, text: str, operation: str = "") -> str:
        key = rsa_key("a stranger" if self.faults.take("wrong_key", operation) else "alipay")
        return base64.b64encode(key.sign(text.encode(), PKCS1v15(), SHA256())).decode()

    def sign_params(self, params: dict[str, str], operation: str = "") -> dict[str, str]:
        """As notifications and returns are signed: everything but the signature's own two fields."""
        text = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
        return params | {"sign": self.sign(text, operation), "sign_type": "RSA2"}

    @route("GET", "/bill/{name}")
    def bill(self, request: Request, name: str) -> Response:
        expires_at, archive = self.bills.get(name, (self.clock.now(), b""))
        if expires_at <= self.clock.now():
            return Response(403)
        return Response(200, archive, "application/octet-stream")

    # The payer

    def _trade(self, code: str) -> Trade | None:
        return next((trade for trade in self.book.trades.values() if trade.code == code), None)

    @route("GET", "/cashier/{code}")
    def cashier(self, request: Request, code: str) -> Response:
        if (trade := self._trade(code)) is None:
            return page(self.brand, "No such code", "", status=404)
        self.book.open(trade)
        if not self.book.payable(trade):
            return self._result(trade)
        body = f"<p>{escape(trade.call.content['subject'])}</p>"
        return page(
            self.brand,
            f"Pay ¥{yuan(trade.asked)}",
            body + buttons(f"/cashier/{code}", approve="Pay", refuse="Close this order", lapse="Let it lapse"),
        )

    @route("POST", "/cashier/{code}")
    def decide(self, request: Request, code: str) -> Response:
        """approve: pay. refuse: the payer closes the order. lapse: its time is over at once."""
        trade = self._trade(code)
        if trade is None or trade.status != "WAIT_BUYER_PAY" or not self.book.payable(trade):
            return self._result(trade)
        match request.form.get("choice"):
            case "approve":
                short = 1 if self.faults.take("wrong_amount", trade.call.method) else 0
                self.book.pay(trade, trade.asked - short)
                self.notify(trade)
            case "refuse":
                trade.status = "TRADE_CLOSED"
            case "lapse":
                trade.expires_at = self.clock.now()
        return self._result(trade)

    def _result(self, trade: Trade | None) -> Response:
        if trade is None or not trade.paid:
            body = ""
            if trade and (away := trade.call.content.get("quit_url", trade.call.return_url)):
                body = f'<p><a href="{escape(away)}">Back to the shop</a></p>'
            return page(self.brand, "This order is closed", body, status=410)
        if not trade.call.return_url:
            return page(self.brand, f"Paid ¥{yuan(trade.paid)}", "")
        params = {
            "app_id": APP_ID,
            "auth_app_id": APP_ID,
            "charset": "utf-8",
            "method": f"{trade.call.method}.return",
            "out_trade_no": trade.number,
            "seller_id": SELLER_ID,
            "timestamp": china(datetime.now(UTC)),
            "total_amount": yuan(trade.paid),
            "trade_no": trade.trade_no,
            "version": "1.0",
        }
        joint = "&" if urlsplit(trade.call.return_url).query else "?"
        return redirect(f"{trade.call.return_url}{joint}{urlencode(self.sign_params(params))}")

    # Notifications

    def end_refunds(self, number: str) -> None:
        """The time for refunds is over: a paid trade becomes TRADE_FINISHED, which is told too."""
        with self.lock:
            trade = self.book.trades[number]
            trade.status = "TRADE_FINISHED"
            self.notify(trade)

    def _tell_refunded(self, trade: Trade, number: str) -> None:
        gone = f"{china(trade.refunds[number].done_at)}.000"
        self.notify(trade, refund_fee=yuan(trade.refunded), gmt_refund=gone, out_biz_no=number)

    def notify(self, trade: Trade, **more: str) -> None:
        """Tell the shop how the trade stands now. Retries carry the same notify_id."""
        if not (url := self.notify_url or trade.call.notify_url):
            return
        params = BUYER | {
            "app_id": APP_ID,
            "auth_app_id": APP_ID,
            "buyer_pay_amount": yuan(trade.paid),
            "charset": "utf-8",
            "gmt_create": china(trade.created_at),
            "gmt_payment": china(trade.paid_at or trade.created_at),
            "notify_id": f"{trade.trade_no[:8]}00222{secrets.randbelow(10**21):021}",
            "notify_type": "trade_status_sync",
            "out_trade_no": trade.number,
            "seller_id": SELLER_ID,
            "subject": trade.call.content["subject"],
            "total_amount": yuan(trade.paid),
            "trade_no": trade.trade_no,
            "trade_status": trade.status,
            "version": "1.0",
            **more,
        }
        kind = f"{params['notify_type']}:{trade.status}"

        def make() -> Outgoing:
            skew = self.faults.take("clock_skew", kind)
            sent = self.clock.stamp() + timedelta(seconds=skew.seconds if skew else 0)
            form = urlencode(self.sign_params(params | {"notify_time": china(sent)}, kind))
            return Outgoing(url, form.encode(), {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})

        self.notifier.send(make, kind)


if __name__ == "__main__":
    main(Alipay)
