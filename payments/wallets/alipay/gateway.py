"""Signed calls to Alipay's gateway: RSA2 alone, times in GMT+8, every answer verified over the bytes it came in."""

import base64
import json
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from friendpay.kit import limits
from payments.wallets import transport
from payments.wallets.base import BEIJING, Account, ProviderError

TIME_FORMAT = "%Y-%m-%d %H:%M:%S"

Node = dict[str, Any]

_AMOUNT_SUB_CODES = {
    "TOTAL_FEE_EXCEED",
    "BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR",
    "BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR",
    "BEYOND_PAY_RESTRICTION",
    "BEYOND_PER_RECEIPT_RESTRICTION",
}

_LIVE = "https://openapi.alipay.com"
_SANDBOX = "https://openapi-sandbox.dl.alipaydev.com"
_KEY_BITS = 2048  # what RSA2 asks for

_TRANSIENT_CODES = {"20000", "40005"}  # unavailable; called too often
_TRANSIENT_SUB_CODES = {
    "SYSTEM_ERROR",
    "TRADE_HAS_SUCCESS",  # an order that was paid is to be asked about, never given up
    "SELLER_BALANCE_NOT_ENOUGH",  # a refund waits for the shop's balance
    "invalid-timestamp",  # this machine's clock is wrong, not the order
}
_SHOP_CODES = {"20001", "40006"}  # no or no longer the authorization, or the right to this interface
_SHOP_SUB_CODES = {
    "SELLER_BALANCE_NOT_ENOUGH",
    "ACCESS_FORBIDDEN",  # the product is not signed for
    "PARTNER_ERROR",
    *("invalid-app-id", "missing-app-id", "invalid-signature", "missing-signature", "missing-signature-key"),
    *("invalid-signature-type", "insufficient-isv-permissions", "insufficient-user-permissions", "invalid-auth-token"),
    *("missing-app-auth-token", "app-auth-token-time-out", "forbidden-api", "app-call-limited"),
}
"""Refusals of the shop's app, keys, rights or balance, whatever was asked."""


def setting(account: Account, name: str) -> str:
    """A credential of the account. Raises a permanent ProviderError when it was never entered."""
    if value := account.config.get(name, "").strip():
        return value
    raise ProviderError(f"{name} is missing", permanent=True, code="configuration")


def private_key(account: Account) -> RSAPrivateKey:
    """The shop's key, as Alipay's key tool gives it or as PEM, PKCS#1 or PKCS#8."""
    key = _key(setting(account, "private_key"), secret=True)
    if isinstance(key, RSAPrivateKey) and key.key_size >= _KEY_BITS:
        return key
    raise ProviderError("private_key is not an RSA2 (2048 bit) private key", permanent=True, code="configuration")


def public_key(account: Account) -> RSAPublicKey:
    """Alipay's key, which Alipay shows in exchange for the shop's public key."""
    key = _key(setting(account, "alipay_public_key"), secret=False)
    if isinstance(key, RSAPublicKey) and key.key_size >= _KEY_BITS:
        return key
    raise ProviderError("alipay_public_key is not an RSA2 (2048 bit) public key", permanent=True, code="configuration")


@lru_cache(maxsize=256)
def _key(text: str, *, secret: bool) -> object:
    """The key in a PEM or in bare base64; None when there is none."""
    bare = "".join(line for line in text.splitlines() if "-----" not in line)
    try:
        der = base64.b64decode("".join(bare.split()), validate=True)
        return load_der_private_key(der, None) if secret else load_der_public_key(der)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def signed_text(params: Mapping[str, str]) -> bytes:
    """What RSA2 signs. It is ambiguous: a value that holds "&" reads as further parameters just as well."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params)).encode()


def signature(data: bytes, key: RSAPrivateKey) -> str:
    return base64.b64encode(key.sign(data, PKCS1v15(), SHA256())).decode()


def verifies(data: bytes, signature: str, key: RSAPublicKey) -> bool:
    try:
        key.verify(base64.b64decode(signature, validate=True), data, PKCS1v15(), SHA256())
    except (ValueError, InvalidSignature):
        return False
    return True


def signed_params(account: Account, method: str, content: Mapping[str, str], **urls: str) -> dict[str, str]:
    """Every parameter of one request, signed. `urls`: notify_url, return_url."""
    params = {
        "app_id": setting(account, "app_id"),
        "method": method,
        "format": "JSON",
        "charset": "utf-8",
        "sign_type": "RSA2",
        "timestamp": datetime.now(BEIJING).strftime(TIME_FORMAT),
        "version": "1.0",
        "biz_content": json.dumps(content, ensure_ascii=False, separators=(",", ":")),
        **{name: url for name, url in urls.items() if url},
    }
    return params | {"sign": signature(signed_text(params), private_key(account))}


def page_url(account: Account, method: str, content: Mapping[str, str], **urls: str) -> str:
    """Where the payer's browser goes: a signed order in the query of a link. Makes no call."""
    return f"{_gateway(account)}?{urlencode(signed_params(account, method, content, **urls))}"


def call(account: Account, method: str, content: Mapping[str, str], **urls: str) -> Node:
    """Make one call and give the verified node of its answer. Raises ProviderError for whatever is not a success."""
    params = signed_params(account, method, content, **urls)
    form = {"biz_content": params.pop("biz_content")}  # Alipay reads `charset` from the query before it reads the form
    answer = _body(
        transport.call(
            "POST",
            f"{_gateway(account)}?{urlencode(params)}",
            content=urlencode(form).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        )
    )
    node = _verified(account, method, answer)
    if node.get("code") != "10000":
        raise _refusal(node)
    return node


def download(url: str) -> bytes:
    """A file that a verified answer pointed to."""
    return _body(transport.call("GET", url, seconds=limits.BILL_FILE_SECONDS, limit=limits.BILL_FILE_BYTES))


def _body(answer: transport.Answer) -> bytes:
    """What a 200 answer holds. Any other tells nothing about what Alipay did."""
    if answer.status == 200:
        return answer.body
    raise ProviderError(f"Alipay answered HTTP {answer.status}", permanent=False, code=f"http_{answer.status}")


def _gateway(account: Account) -> str:
    base = account.base_url or (_LIVE if account.live else _SANDBOX)
    return f"{base.rstrip('/')}/gateway.do"


def _verified(account: Account, method: str, answer: bytes) -> Node:
    name = f"{method.replace('.', '_')}_response"
    try:
        parts = members(answer.decode())
        raw, node = parts[name] if name in parts else parts["error_response"]
        sign = str(parts["sign"][1]) if "sign" in parts else ""
    except (ValueError, KeyError, RecursionError):
        raise ProviderError("Alipay's answer cannot be read", permanent=False, code="unreadable") from None
    if not isinstance(node, dict):
        raise ProviderError("Alipay's answer cannot be read", permanent=False, code="unreadable")
    if sign and verifies(raw.encode(), sign, public_key(account)):
        return node
    if not sign and node.get("code") != "10000":
        raise _refusal(node, believed=False)
    raise ProviderError(
        "the answer's signature does not verify with alipay_public_key", permanent=False, code="signature"
    )


def _refusal(node: Node, *, believed: bool = True) -> ProviderError:
    """What Alipay said against it. What is not signed may be anybody's word: it settles nothing."""
    code, sub_code = str(node.get("code", "")), str(node.get("sub_code", ""))
    reason = sub_code.rpartition(".")[2]
    transient = (
        code in _TRANSIENT_CODES
        or sub_code.startswith("isp.")  # trouble on their side
        or reason in _TRANSIENT_SUB_CODES
    )
    words = str(node.get("sub_msg") or node.get("msg") or "no reason given")
    return ProviderError(
        words,
        permanent=believed and not transient,
        code=sub_code or code,
        for_shop=code in _SHOP_CODES or reason in _SHOP_SUB_CODES,
        over_limit=reason in _AMOUNT_SUB_CODES,
    )


_decoder = json.JSONDecoder(parse_float=Decimal)
_space = re.compile(r"[ \t\r\n]*")


def members(text: str) -> dict[str, tuple[str, object]]:
    """The members of a JSON object, each as (its text untouched, its value), since signatures cover the text.

    Raises ValueError for what is no object, for a name that comes twice, and for anything after the object.
    """

    def after_space(at: int) -> int:
        return _space.match(text, at).end()  # type: ignore[union-attr]  # matches everywhere

    found: dict[str, tuple[str, object]] = {}
    at = after_space(0)
    mark = text[at : at + 1]
    if mark != "{":
        raise ValueError("not an object")
    while mark in ("{", ","):
        name, at = _decoder.raw_decode(text, after_space(at + 1))
        at = after_space(at)
        if not isinstance(name, str) or name in found or text[at : at + 1] != ":":
            raise ValueError("not a member")
        start = after_space(at + 1)
        value, at = _decoder.raw_decode(text, start)
        found[name] = text[start:at], value
        at = after_space(at)
        mark = text[at : at + 1]
    if mark != "}" or after_space(at + 1) != len(text):
        raise ValueError("no end, or more than one")
    return found
