"""The payer's side of WeChat: a phone that scans, the H5 jump, the sheet inside WeChat, and the silent login."""

import base64
import json
import re
import time
from collections.abc import Collection
from datetime import datetime, timedelta
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from friendpay.demo.emulation.base import Emulator, is_private, token
from friendpay.demo.emulation.messages import Request, Response, as_json, redirect, route
from friendpay.demo.emulation.pages import buttons, page
from payments.wallets.wechatpay.emulator.bills import yuan
from payments.wallets.wechatpay.emulator.orders import Book, Order
from payments.wallets.wechatpay.emulator.requests import FRESH_SECONDS

PAYER = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
CODE_LIVES = timedelta(minutes=5)
CODE_URL = "weixin://wxpay/bizpayurl?pr="

_BRIDGE = """
window.WeixinJSBridge = {
  invoke(name, params, done) {
    if (name !== "getBrandWCPayRequest") throw new Error("WeixinJSBridge has no " + name);
    const choice = confirm("Simulated WeChat Pay: no money moves here. Pay?") ? "approve" : "refuse";
    fetch("%s/bridge", { method: "POST", body: JSON.stringify({ choice, params, page: location.href }) })
      .then((answer) => answer.json()).then(done);
  },
};
document.dispatchEvent(new Event("WeixinJSBridgeReady"));
"""


class Phone(Emulator):
    """What the gateway's half of the emulator is mixed with."""

    book: Book
    appid: str
    app_secret: str
    shop_key: RSAPrivateKey

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.openids = {PAYER}
        self.h5_hosts = {"shop.example"}  # H5支付域名
        self.login_host = "shop.example"  # 网页授权域名
        self.folders = {"https://shop.example/pay/"}  # JSAPI支付授权目录
        self._codes: dict[str, datetime] = {}

    def registered(self, url: str, known: Collection[str]) -> bool:
        """Whether a page is where the shop said its pages are (W14): its host, or its folder."""
        if self.private and is_private(url):
            return True
        return urlsplit(url).hostname in known or any(url.startswith(it) for it in known if "/" in it)

    def tell_paid(self, order: Order) -> None:
        raise NotImplementedError

    # A phone that scans

    @route("GET", "/")
    def home(self, request: Request) -> Response:
        waiting = [(name, order) for name in self.book.prepays if (order := self.book.payable(name))]
        lines = "".join(
            f'<li><a href="/scan?{urlencode({"code": CODE_URL + name})}">{escape(order.content["description"])} '
            f"¥{yuan(order.asked)}</a></li>"
            for name, order in reversed(waiting)
            if order.kind == "native"
        )
        form = '<form action="/scan"><label>A code <input name="code" required></label><button>Scan it</button></form>'
        return page(self.brand, "Scan", f"<ul>{lines}</ul>{form}")

    @route("GET", "/scan")
    def scan(self, request: Request) -> Response:
        code = request.query.get("code", "")
        if not code.startswith(CODE_URL):
            return page(self.brand, "Not a WeChat Pay code", "", status=404)
        return redirect(f"/pay/{code.removeprefix(CODE_URL)}")

    @route("GET", "/cgi-bin/mmpayweb-bin/checkmweb")
    def h5_jump(self, request: Request) -> Response:
        """WeChat asks which page the payer comes from; without a Referer it refuses."""
        if urlsplit(request.headers.get("referer", "")).scheme not in ("http", "https"):
            return page(self.brand, "商家参数格式有误，请联系商家解决", "", status=403)
        if not self.registered(request.headers["referer"], self.h5_hosts):
            return page(self.brand, "商家存在未配置的参数，请联系商家解决", "", status=403)
        if "micromessenger" in request.headers.get("user-agent", "").lower():
            return page(self.brand, "请在微信外打开订单，进行支付", "", status=403)
        prepay_id = request.query.get("prepay_id", "")
        if self.book.payable(prepay_id) is None:
            return page(self.brand, "支付请求已失效，请重新发起支付", "", status=410)
        back = {"back": request.query["redirect_url"]} if "redirect_url" in request.query else {}
        return redirect(f"/pay/{prepay_id}?{urlencode(back)}")

    @route("GET", "/pay/{prepay_id}")
    def ask(self, request: Request, prepay_id: str) -> Response:
        if (order := self.book.payable(prepay_id)) is None:
            return page(self.brand, "This order cannot be paid", "", status=410)
        body = f"<p>{escape(order.content['description'])}</p>"
        choices = buttons(request.target, approve="Pay", refuse="Not now", lapse="Let it lapse")
        return page(self.brand, f"Pay ¥{yuan(order.asked)}", body + choices)

    @route("POST", "/pay/{prepay_id}")
    def decide(self, request: Request, prepay_id: str) -> Response:
        """approve: pay. refuse: walk away, which leaves the order open. lapse: its time is over at once."""
        if (order := self.book.payable(prepay_id)) is None:
            return page(self.brand, "This order cannot be paid", "", status=410)
        choice = request.form.get("choice", "")
        self._choose(order, choice)
        if back := request.query.get("back"):
            return redirect(back)
        return page(self.brand, f"Paid ¥{yuan(order.paid)}" if choice == "approve" else "Not paid", "")

    def _choose(self, order: Order, choice: str) -> None:
        if choice == "approve":
            short = 1 if self.faults.take("wrong_amount", order.kind) else 0
            self.book.pay(order, order.asked - short, order.content.get("payer", {}).get("openid", PAYER))
            self.tell_paid(order)
        elif choice == "lapse":
            order.payable_until = self.clock.now()

    # The sheet inside WeChat

    @route("GET", "/bridge.js")
    def bridge_script(self, request: Request) -> Response:
        """What WeChat's own browser puts into every page, for a browser that is not WeChat's."""
        return Response(200, (_BRIDGE % self.url).encode(), "text/javascript")

    @route("POST", "/bridge")
    def bridge(self, request: Request) -> Response:
        """{"params": what getBrandWCPayRequest was given, "choice": "approve" or "refuse", "page": where it stands}."""
        asked = json.loads(request.body)
        if not self.registered(asked.get("page", self.url), self.folders):
            response = as_json({"err_msg": "get_brand_wcpay_request:fail", "err_desc": "当前页面的URL未注册"})
            response.headers["Access-Control-Allow-Origin"] = "*"
            return response
        word = self._sheet(asked["params"], asked["choice"])
        response = as_json({"err_msg": f"get_brand_wcpay_request:{word}"})
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    def _sheet(self, params: dict[str, str], choice: str) -> str:
        names = ("appId", "timeStamp", "nonceStr", "package")
        if sorted(params) != sorted((*names, "signType", "paySign")) or params["signType"] != "RSA":
            return "fail"
        text = "".join(f"{params[name]}\n" for name in names)
        try:
            signature = base64.b64decode(params["paySign"], validate=True)
            self.shop_key.public_key().verify(signature, text.encode(), PKCS1v15(), SHA256())
        except (ValueError, InvalidSignature):
            return "fail"
        fresh = params["timeStamp"].isdecimal() and abs(time.time() - int(params["timeStamp"])) <= FRESH_SECONDS
        name, _, prepay_id = params["package"].partition("=")
        order = self.book.payable(prepay_id)
        if name != "prepay_id" or params["appId"] != self.appid or not fresh or not order or order.kind != "jsapi":
            return "fail"
        self._choose(order, choice)
        return "ok" if choice == "approve" else "cancel"

    # The silent login

    @route("GET", "/connect/oauth2/authorize")
    def authorize(self, request: Request) -> Response:
        query = request.query
        if "micromessenger" not in request.headers.get("user-agent", "").lower():
            return page(self.brand, "请在微信客户端打开链接", "", status=403)
        if query.get("appid") != self.appid:
            return page(self.brand, "Scope 参数错误或没有 Scope 权限", "10005", status=400)
        if query.get("response_type") != "code" or query.get("scope") != "snsapi_base":
            return page(self.brand, "Scope 参数错误或没有 Scope 权限", "10005", status=400)
        if urlsplit(query.get("redirect_uri", "")).scheme not in ("http", "https"):
            return page(self.brand, "redirect_uri 参数错误", "10003", status=400)
        if not self.registered(query["redirect_uri"], {self.login_host}):
            return page(self.brand, "redirect_uri域名与后台配置不一致", "10003", status=400)
        if not re.fullmatch(r"[a-zA-Z0-9]{0,128}", query.get("state", "")):
            return page(self.brand, "state 参数错误", "", status=400)
        code = token(32)
        self._codes[code] = self.clock.now() + CODE_LIVES
        back = urlsplit(query["redirect_uri"])
        given = [*parse_qsl(back.query, keep_blank_values=True), ("code", code), ("state", query.get("state", ""))]
        return redirect(back._replace(query=urlencode(given)).geturl())

    @route("GET", "/sns/oauth2/access_token")
    def access_token(self, request: Request) -> Response:
        query = request.query
        if query.get("grant_type") != "authorization_code":
            return as_json({"errcode": 40002, "errmsg": "invalid grant_type"})
        if query.get("appid") != self.appid:
            return as_json({"errcode": 40013, "errmsg": "invalid appid"})
        if query.get("secret") != self.app_secret:
            return as_json({"errcode": 40125, "errmsg": "invalid appsecret"})
        expires_at = self._codes.pop(query.get("code", ""), self.clock.now())
        if expires_at <= self.clock.now():
            return as_json({"errcode": 40029, "errmsg": "invalid code"})
        tokens = {"access_token": token(64), "expires_in": 7200, "refresh_token": token(64)}
        return as_json(tokens | {"openid": PAYER, "scope": "snsapi_base"})
