"""What WeChat Pay demands of a request before it does anything: its signature over the exact bytes, then its form."""

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from friendpay.demo.emulation.messages import Request

SCHEME = "WECHATPAY2-SHA256-RSA2048"
FRESH_SECONDS = 300

_SIGNED = ["mchid", "nonce_str", "serial_no", "signature", "timestamp"]

Thing = dict[str, Any]


class Problem(Exception):
    """An answer that is no success. What fails before the business is looked at is answered without a signature."""

    def __init__(self, status: int, code: str, message: str, *, field: str = "", signed: bool = True) -> None:
        super().__init__(code)
        self.status = status
        self.content: Thing = {"code": code, "message": message}
        if field:
            self.content["detail"] = {"location": "body", "field": field, "issue": message}
        self.signed = signed


def malformed(field: str, message: str) -> Problem:
    return Problem(400, "PARAM_ERROR", message, field=field, signed=False)


class Doorkeeper:
    """Lets in what the merchant signed, once, and not long ago."""

    def __init__(self, mchid: str, serial_no: str, key: RSAPublicKey) -> None:
        self.mchid = mchid
        self.serial_no = serial_no
        self.key = key
        self._seen: dict[str, float] = {}

    def check(self, request: Request, now: datetime) -> None:
        """Raises Problem. A nonce is remembered for as long as its timestamp could be taken."""
        if not request.headers.get("user-agent"):
            raise Problem(403, "INVALID_REQUEST", "Http头缺少User-Agent", signed=False)
        if request.headers.get("accept") not in ("application/json", "*/*"):
            raise Problem(406, "INVALID_REQUEST", "Http头Accept必须为application/json", signed=False)
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        parts = re.findall(r'(\w+)="([^"]*)"', rest)
        given = dict(parts)
        whole = ",".join(f'{name}="{value}"' for name, value in parts) == rest
        if scheme != SCHEME or not whole or sorted(name for name, _ in parts) != _SIGNED:
            raise Problem(401, "SIGN_ERROR", "Http头Authorization值格式错误", signed=False)
        if given["mchid"] != self.mchid or given["serial_no"] != self.serial_no:
            raise Problem(401, "SIGN_ERROR", "商户证书序列号有误", signed=False)
        timestamp = given["timestamp"]
        if not timestamp.isdecimal() or abs(now.timestamp() - int(timestamp)) > FRESH_SECONDS:
            raise Problem(401, "SIGN_ERROR", "timestamp与发起请求的时间不得超过5分钟", signed=False)
        signed = f"{request.method}\n{request.target}\n{timestamp}\n{given['nonce_str']}\n".encode()
        try:
            signature = base64.b64decode(given["signature"], validate=True)
            self.key.verify(signature, signed + request.body + b"\n", PKCS1v15(), SHA256())
        except (ValueError, InvalidSignature):
            raise Problem(401, "SIGN_ERROR", "签名错误，验签失败", signed=False) from None
        self._once(given["nonce_str"], now.timestamp())

    def _once(self, nonce: str, now: float) -> None:
        self._seen = {name: until for name, until in self._seen.items() if until > now}
        if not re.fullmatch(r"\w{16,32}", nonce) or nonce in self._seen:
            raise Problem(401, "SIGN_ERROR", "nonce_str重复或格式错误", signed=False)
        self._seen[nonce] = now + 2 * FRESH_SECONDS


def content(request: Request, form: Mapping[str, object]) -> Thing:
    """The JSON body, in the form given."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise Problem(415, "INVALID_REQUEST", "Http头Content-Type必须为application/json", signed=False)
    try:
        value = json.loads(request.body.decode())
    except (ValueError, RecursionError):
        raise malformed("/", "请求体不是合法的JSON") from None
    conform(value, form, "")
    return dict(value)


def conform(value: object, form: Mapping[str, object], place: str) -> None:
    """Every field known and of its form; those marked "!" present."""
    if not isinstance(value, dict):
        raise malformed(place or "/", "必须为对象")
    known = {name.rstrip("!"): rule for name, rule in form.items()}
    for name in value:
        if name not in known:
            raise malformed(f"{place}/{name}", "未定义的参数")
    for name, rule in form.items():
        field = f"{place}/{name.rstrip('!')}"
        if name.rstrip("!") not in value:
            if name.endswith("!"):
                raise malformed(field, "缺少必填参数")
            continue
        given = value[name.rstrip("!")]
        if isinstance(rule, Mapping):
            conform(given, rule, field)
        elif callable(rule):
            if not rule(given):
                raise malformed(field, "参数不符合规则")
        elif not isinstance(given, str) or not re.fullmatch(str(rule), given):
            raise malformed(field, "参数不符合规则")


def _fen(value: object) -> bool:
    return type(value) is int and 0 < value <= 10**11


def _address(value: object) -> bool:
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


def _time(value: object) -> bool:
    try:
        return isinstance(value, str) and "T" in value and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _receiver(value: object) -> bool:
    """A notification address: absolute, without a query."""
    parts = urlsplit(value) if isinstance(value, str) and len(value) <= 255 else urlsplit("")
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not parts.query and not parts.fragment


def _bytes(most: int) -> Callable[[object], bool]:
    """A text of so many bytes, which are not characters (W13)."""
    return lambda value: isinstance(value, str) and 0 < len(value.encode()) <= most


_NUMBER = r"[0-9A-Za-z_\-|*]{6,32}"
_SCENE = {"payer_client_ip!": _address, "device_id": r".{1,32}"}
_ORDER: dict[str, object] = {
    "appid!": r"wx[0-9a-f]{16}",
    "mchid!": r"\d{8,32}",
    "description!": _bytes(127),
    "out_trade_no!": _NUMBER,
    "time_expire": _time,
    "attach": _bytes(128),
    "notify_url!": _receiver,
    "amount!": {"total!": _fen, "currency": "CNY"},
    "scene_info": _SCENE,
}
_H5: dict[str, object] = {"type!": "iOS|Android|Wap", "app_name": r".{1,64}", "app_url": r".{1,128}"}

ORDERS: dict[str, dict[str, object]] = {
    "native": _ORDER,
    "h5": {
        **{name: rule for name, rule in _ORDER.items() if name != "scene_info"},
        "scene_info!": _SCENE | {"h5_info!": _H5},
    },
    "jsapi": _ORDER | {"payer!": {"openid!": r"[\w-]{28}"}},
}
CLOSE: dict[str, object] = {"mchid!": r"\d{8,32}"}
REFUND: dict[str, object] = {
    "transaction_id": r"\d{28}",
    "out_trade_no": _NUMBER,
    "out_refund_no!": r"[0-9A-Za-z_\-|*@]{1,64}",
    "reason": _bytes(80),
    "notify_url": _receiver,
    "amount!": {"refund!": _fen, "total!": _fen, "currency!": "CNY"},
}
BILL: dict[str, object] = {"bill_date!": r"\d{4}-\d\d-\d\d", "bill_type": "ALL", "tar_type": "GZIP"}
