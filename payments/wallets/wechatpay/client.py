"""Signed calls to WeChat Pay's gateway and verified answers, by one account's credentials."""

import json
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from payments.wallets.base import Account, ProviderError
from payments.wallets.transport import Answer, call
from payments.wallets.wechatpay import crypto as crypto

GATEWAY = "https://api.mch.weixin.qq.com"

ASK_AGAIN = {  # refusals of the moment, and those that say no more than that the reference is known: a query decides
    *("SYSTEM_ERROR", "SYSTEMERROR", "FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "RULE_LIMIT", "RULELIMIT"),
    *("BANK_ERROR", "BANKERROR", "BIZERR_NEED_RETRY", "USER_PAYING", "USERPAYING", "STATEMENT_CREATING"),
    *("NOT_ENOUGH", "NOTENOUGH"),  # the shop's balance: the same refund succeeds once it is filled
    *("ORDERPAID", "ORDER_PAID", "OUT_TRADE_NO_USED"),
}
FOR_SHOP = {"SIGN_ERROR", "NO_AUTH", "MCH_NOT_EXISTS", "APPID_MCHID_NOT_MATCH", "NOT_ENOUGH", "NOTENOUGH"}
"""Refusals of the shop's keys, rights or balance, whatever was asked."""

_ahead = 0.0  # seconds the gateway's clock is ahead of this machine's, learned when the gateway refused our time


def ask(
    account: Account,
    method: str,
    target: str,
    content: Mapping[str, Any] | None = None,
    *,
    believe_refusals: bool = False,
) -> dict[str, Any]:
    """One signed call and its verified answer, {} when it has no body. Raises ProviderError for everything else.

    A refusal without a signature, which is how WeChat Pay answers a malformed request, is permanent only with
    `believe_refusals`; an answer with a wrong signature never is.
    """
    body = b"" if content is None else json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    answer = exchange(account, method, (account.base_url or GATEWAY).rstrip("/") + target, body)
    if answer.status >= 400 and "wechatpay-signature" not in answer.headers:
        raise refusal(answer, believed=believe_refusals)
    try:
        crypto.verify(public_keys(account), answer.headers, answer.body, _now())
    except crypto.Unverified as error:
        raise ProviderError(f"the answer cannot be trusted: {error}", permanent=False, code="signature") from None
    if answer.status not in (200, 204):
        raise refusal(answer, believed=True)
    return parsed(answer.body) if answer.body else {}


def exchange(account: Account, method: str, url: str, body: bytes = b"", **limits: Any) -> Answer:
    """Send it signed (W1). A machine whose clock is wrong learns the time from the refusal, and tries once more."""
    global _ahead
    answer = call(method, url, content=body, headers=_headers(account, method, url, body), **limits)
    try:
        ahead = parsedate_to_datetime(answer.headers.get("date", "")).timestamp() - time.time()
    except ValueError:
        return answer
    if answer.status in (400, 401) and abs(ahead - _ahead) > crypto.FRESH_SECONDS / 5:
        _ahead = ahead
        return call(method, url, content=body, headers=_headers(account, method, url, body), **limits)
    return answer


def _headers(account: Account, method: str, url: str, body: bytes) -> dict[str, str]:
    timestamp, nonce = str(int(_now().timestamp())), secrets.token_hex(16)
    target = httpx.URL(url).raw_path.decode()  # as it will stand on the request line
    parts = {
        "mchid": setting(account, "mchid"),
        "nonce_str": nonce,
        "signature": crypto.sign(private_key(account), method, target, timestamp, nonce, body.decode()),
        "timestamp": timestamp,
        "serial_no": setting(account, "serial_no"),
    }
    headers = {
        "Authorization": f"{crypto.SCHEME} " + ",".join(f'{name}="{value}"' for name, value in parts.items()),
        "Accept": "application/json",
    }
    if body:
        headers["Content-Type"] = "application/json"
    if key_id := account.config.get("public_key_id", "").strip():
        headers["Wechatpay-Serial"] = key_id  # to be answered under this key while certificates are in use
    return headers


def refusal(answer: Answer, *, believed: bool) -> ProviderError:
    """WeChat Pay's own code and words. Permanent only when it is believed, and not a refusal of the moment."""
    told = parsed(answer.body)
    code = str(told.get("code", ""))
    final = believed and bool(code) and 400 <= answer.status < 500 and answer.status != 429 and code not in ASK_AGAIN
    words = str(told.get("message") or "no reason given")
    for_shop = answer.status == 401 or code in FOR_SHOP
    return ProviderError(words, permanent=final, code=code or f"http_{answer.status}", for_shop=for_shop)


def parsed(body: bytes) -> dict[str, Any]:
    try:
        return crypto.parse(body)
    except crypto.Unreadable:
        return {}


# The account's credentials


def setting(account: Account, name: str) -> str:
    """A credential. Raises a permanent ProviderError when it was never entered."""
    if value := account.config.get(name, "").strip():
        return value
    raise ProviderError(f"{name} is missing", permanent=True, code="configuration")


def private_key(account: Account) -> RSAPrivateKey:
    try:
        return crypto.private_key(setting(account, "private_key"))
    except ValueError:
        raise ProviderError("private_key is not an RSA key in PEM form", permanent=True, code="configuration") from None


def public_keys(account: Account) -> Mapping[str, RSAPublicKey]:
    """The keys WeChat Pay may sign with, by serial number."""
    try:
        return crypto.public_keys(setting(account, "public_key"), account.config.get("public_key_id", "").strip())
    except ValueError as error:
        raise ProviderError(f"public_key: {error}", permanent=True, code="configuration") from None


def _now() -> datetime:
    return datetime.fromtimestamp(time.time() + _ahead, UTC)
