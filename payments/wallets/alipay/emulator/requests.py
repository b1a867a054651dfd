"""What Alipay's gateway demands of a request before it does anything."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qsl, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from friendpay.demo.emulation.messages import Request

CHINA = timezone(timedelta(hours=8))
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
CLOCKS_APART = timedelta(minutes=15)

_NUMBER = r"[A-Za-z0-9_]{1,64}"
_AMOUNT = r"(?!0+(\.0+)?$)(0|[1-9]\d{0,8})(\.\d{1,2})?"
_TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
_URL = r"https?://[^\s]{1,240}"

_ORDER = {
    "out_trade_no!": _NUMBER,
    "total_amount!": _AMOUNT,
    "subject!": r"[^/=&]{1,256}",
    "body": r".{1,128}",
    "passback_params": r".{1,512}",
    "time_expire": _TIME,
    "timeout_express": r"\d{1,5}[mhd]|1c",
    "seller_id": r"2088\d{12}",
}
_TRADE = {"out_trade_no": _NUMBER, "trade_no": r"\d{28}"}

METHODS = {
    "alipay.trade.precreate": {**_ORDER, "product_code": "FACE_TO_FACE_PAYMENT|QR_CODE_OFFLINE"},
    "alipay.trade.wap.pay": {**_ORDER, "product_code!": "QUICK_WAP_WAY", "quit_url!": _URL},
    "alipay.trade.page.pay": {**_ORDER, "product_code!": "FAST_INSTANT_TRADE_PAY"},
    "alipay.trade.query": _TRADE,
    "alipay.trade.close": {**_TRADE, "operator_id": r".{1,28}"},
    "alipay.trade.refund": {
        **_TRADE,
        "refund_amount!": _AMOUNT,
        "out_request_no": _NUMBER,
        "refund_reason": r".{1,256}",
    },
    "alipay.trade.fastpay.refund.query": {**_TRADE, "out_request_no!": _NUMBER},
    "alipay.data.dataservice.bill.downloadurl.query": {
        "bill_type!": "trade|signcustomer",
        "bill_date!": r"\d{4}-\d\d-\d\d",
    },
}
"""Each method and the fields of its `biz_content`; "!" marks what must be there."""

_PUBLIC = {
    "app_id": r"\d{16}",
    "method": r"[a-z.]{1,128}",
    "charset": "utf-8",
    "sign_type": "RSA2",
    "sign": r"[A-Za-z0-9+/=]{1,1024}",
    "timestamp": _TIME,
    "version": r"1\.0",
    "biz_content": r"(?s).+",
}
_PUBLIC_TOO = {"format": "JSON", "notify_url": _URL, "return_url": _URL, "alipay_sdk": r".{1,64}"}
_NAMES = {"sign": "signature", "sign_type": "signature-type", "app_id": "app-id", "biz_content": "parameter"}


class Wrong(Exception):
    """An answer that is no success."""

    def __init__(self, code: str, sub_code: str, words: str, *, signed: bool = True) -> None:
        super().__init__(sub_code)
        titles = {"40001": "Missing Required Arguments", "40002": "Invalid Arguments", "40004": "Business Failed"}
        titles["40006"] = "Insufficient Permissions"
        self.node = {
            "code": code,
            "msg": titles.get(code, "Service Currently Unavailable"),
            "sub_code": sub_code,
            "sub_msg": words,
        }
        self.signed = signed


@dataclass(frozen=True)
class Call:
    """A request that was signed by the shop and is well formed."""

    method: str
    content: dict[str, str]
    notify_url: str
    return_url: str


def read(request: Request, app_id: str, key: RSAPublicKey, named: Callable[[str], None]) -> Call:
    """The call in a request, else Wrong. `named` hears the method as soon as it is known, refused or not."""
    params = _params(request)
    method = params.get("method", "")
    named(method)
    for name, pattern in _PUBLIC.items():
        if name not in params:
            raise Wrong("40001", f"isv.missing-{_NAMES.get(name, name)}", f"缺少{name}参数", signed=False)
        if not re.fullmatch(pattern, params[name]):
            raise Wrong("40002", f"isv.invalid-{_NAMES.get(name, name)}", f"无效的{name}参数", signed=False)
    if params["app_id"] != app_id:
        raise Wrong("40002", "isv.invalid-app-id", "无效的AppID参数", signed=False)
    for name in params.keys() - _PUBLIC.keys():
        if not re.fullmatch(_PUBLIC_TOO.get(name, r"(?!)"), params[name]):
            raise Wrong("40002", "isv.invalid-parameter", f"无效的{name}参数")
    sent = datetime.strptime(params["timestamp"], TIME_FORMAT).replace(tzinfo=CHINA)
    if abs(datetime.now(UTC) - sent) > CLOCKS_APART:
        raise Wrong("40002", "isv.invalid-timestamp", "非法的时间戳参数")
    text = "&".join(f"{name}={value}" for name, value in sorted(params.items()) if name != "sign")
    try:
        key.verify(base64.b64decode(params["sign"]), text.encode(), PKCS1v15(), SHA256())
    except (ValueError, InvalidSignature):
        raise Wrong("40002", "isv.invalid-signature", "验签出错，建议检查签名私钥与应用公钥是否匹配") from None
    if method not in METHODS:
        raise Wrong("40002", "isv.invalid-method", "不存在的方法名")
    content = _content(params["biz_content"], METHODS[method])
    return Call(method, content, params.get("notify_url", ""), params.get("return_url", ""))


def _params(request: Request) -> dict[str, str]:
    pairs = []
    texts = [urlsplit(request.target).query]
    if request.body:
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
            raise Wrong("40002", "isv.invalid-content-type", "Content-Type必须为表单", signed=False)
        texts.append(request.body.decode("utf-8", "replace"))
    for text in texts:
        try:
            pairs += parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict")
        except ValueError:
            raise Wrong("40002", "isv.invalid-encoding", "编码错误", signed=False) from None
    if len(dict(pairs)) != len(pairs) or not all(value for _, value in pairs):
        raise Wrong("40002", "isv.invalid-parameter", "参数重复或为空", signed=False)
    return dict(pairs)


def _content(text: str, fields: dict[str, str]) -> dict[str, str]:
    try:
        content = json.loads(text)
    except ValueError:
        raise Wrong("40002", "isv.invalid-json-format", "biz_content不是JSON") from None
    patterns = {name.rstrip("!"): pattern for name, pattern in fields.items()}
    required = {name.rstrip("!") for name in fields if name.endswith("!")}
    well_formed = (
        isinstance(content, dict)
        and required <= content.keys()
        and all(
            name in patterns and isinstance(value, str) and re.fullmatch(patterns[name], value)
            for name, value in content.items()
        )
        and ("trade_no" not in patterns or {"trade_no", "out_trade_no"} & content.keys())
    )
    if not well_formed:
        raise Wrong("40004", "ACQ.INVALID_PARAMETER", "参数有误")
    return dict(content)
