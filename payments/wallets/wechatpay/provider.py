"""WeChat Pay, API v3: a code to scan, a jump from the phone's browser, and the sheet inside WeChat itself.

WeChat Pay counts in fen and takes CNY alone. The rules W1 to W12 are the names of the tests.
"""

import hashlib
import secrets
import time
from collections.abc import Iterable, Mapping
from datetime import date, datetime, tzinfo
from typing import Any
from urllib.parse import quote, urlencode

from friendpay.kit import limits
from payments.wallets.about import App, Credential, gettext_noop
from payments.wallets.base import (
    BEIJING,
    DESKTOP,
    PHONE,
    Account,
    BillLine,
    Method,
    NextStep,
    NoBill,
    Notification,
    Outcome,
    ProviderError,
    Rail,
    RefundOrder,
    Reply,
    Start,
    State,
)
from payments.wallets.transport import call
from payments.wallets.wechatpay import bill, share_card
from payments.wallets.wechatpay import crypto as crypto
from payments.wallets.wechatpay import reading as reading
from payments.wallets.wechatpay.client import ask, exchange, parsed, private_key, refusal, setting
from payments.wallets.wechatpay.credentials import FIELDS

LOGIN = "https://open.weixin.qq.com"  # where the payer's browser goes for its openid
LOGIN_API = "https://api.weixin.qq.com"  # where we fetch it

DESCRIPTION_BYTES = 127  # not characters (W13)

_H5_URL_LIVES = 5 * 60  # seconds (W9)
_NEVER_HEARD = {"ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"}


class WeChatPay:
    """The provider. What WeChat Pay has not signed moves no money."""

    name: str = "wechatpay"
    label: str = gettext_noop("WeChat Pay")
    app: App | None = App(gettext_noop("WeChat"), sign="micromessenger")
    methods: tuple[Method, ...] = (
        Method(
            "wechatpay",
            gettext_noop("WeChat Pay"),
            currencies=frozenset({"CNY"}),
            rails={"wechatpay": (Rail.JSAPI,), PHONE: (Rail.H5,), DESKTOP: (Rail.NATIVE,)},
        ),
    )
    rails: tuple[Rail, ...] = (Rail.NATIVE, Rail.H5, Rail.JSAPI)
    grants: Mapping[str, str] = {"h5": "H5支付", share_card.GRANT: "JS接口安全域名"}
    max_hold: int = 2 * 60 * 60  # a code and a prepay_id live no longer (W9)
    min_hold: int = 90  # WeChat Pay wants more than a minute, by its own clock
    hold: int = 5 * 60
    yields_after: int = 1 * 60
    zone: tzinfo = BEIJING
    fields: Mapping[str, Credential] = FIELDS
    pages: tuple[str, ...] = ("https://wx.tenpay.com", LOGIN)
    run_by_shop: bool = False
    identity: tuple[str, ...] = ("mchid", "appid", "base_url")
    identity_key: str = ""
    knows_from_start: bool = True
    refund_gap: int = 65  # WeChat Pay asks for a minute, from when a call arrives and by its own clock
    steps: Mapping[str, int] = {}

    def lacks(self, account: Account, rail: Rail) -> str:
        if rail is Rail.JSAPI and not account.config.get("app_secret"):
            return "no_app_secret"
        return "h5_not_granted" if rail is Rail.H5 and "h5" not in account.granted else ""

    def ends_at(self, account: Account) -> datetime | None:
        """Platform certificates end; WeChat Pay's public key does not."""
        return crypto.ends_at(account.config.get("public_key", ""))

    def start(self, account: Account, start: Start) -> NextStep:
        """Repeating it after a code or a link has lapsed opens the same order anew (W9)."""
        if start.amount.currency != "CNY":
            raise ProviderError("WeChat Pay takes CNY alone", permanent=True, code="currency")
        order: dict[str, Any] = {
            "appid": setting(account, "appid"),
            "mchid": setting(account, "mchid"),
            "description": start.subject.encode()[:DESCRIPTION_BYTES].decode(errors="ignore"),
            "out_trade_no": start.reference,
            "time_expire": start.deadline.astimezone(BEIJING).isoformat(timespec="seconds"),
            "notify_url": start.notify_url,
            "amount": {"total": start.amount.minor, "currency": "CNY"},
        }
        match start.rail:
            case Rail.NATIVE:
                return NextStep(start.rail, code=_open(account, start.rail, order, "code_url"))
            case Rail.H5:
                payer_ip = _given(start.payer_ip, "the payer's IP address")
                order["scene_info"] = {"payer_client_ip": payer_ip, "h5_info": {"type": "Wap"}}
                url = _open(account, start.rail, order, "h5_url")
                url = f"{url}&redirect_url={quote(start.return_url, safe='')}"
                return NextStep(start.rail, url=url, lives=_H5_URL_LIVES)
            case Rail.JSAPI:
                order["payer"] = {"openid": _given(start.payer_id, "the payer's openid")}
                prepay_id = _open(account, start.rail, order, "prepay_id")
                return NextStep(start.rail, params=_prepay_package(account, prepay_id))
        raise ProviderError(f"WeChat Pay has no {start.rail} rail", permanent=True, code="rail")

    def fetch(self, account: Account, reference: str, session: str = "") -> Outcome:
        try:
            told = _query(account, reference)
        except ProviderError as error:
            return _unknown(error, reference)
        return reading.charge(account, told, reference)

    def close(self, account: Account, reference: str, session: str = "") -> Outcome:
        """Close, query, decide (W10): whatever WeChat Pay said to the closing, only the query's word counts."""
        path = f"/v3/pay/transactions/out-trade-no/{quote(reference, safe='')}/close"
        try:
            ask(account, "POST", path, {"mchid": setting(account, "mchid")})
        except ProviderError as error:
            if error.code == "transport":
                raise
        return self.fetch(account, reference)

    def refund(self, account: Account, refund: RefundOrder) -> Outcome:
        order: dict[str, Any] = {
            **reading.named(refund.charge, refund.charge_ref),
            "out_refund_no": refund.reference,
            "reason": refund.reason.encode()[:80].decode(errors="ignore"),
            "amount": {
                "refund": refund.amount.minor,
                "total": refund.charged.minor,
                "currency": refund.amount.currency,
            },
        }
        if account.notify_url:
            order["notify_url"] = account.notify_url
        told = ask(account, "POST", "/v3/refund/domestic/refunds", order)
        return reading.refund(told, refund.reference, refund.charge, refund.charge_ref)

    def fetch_refund(self, account: Account, *, reference: str, charge: str, charge_ref: str = "") -> Outcome:
        try:
            told = ask(account, "GET", f"/v3/refund/domestic/refunds/{quote(reference, safe='')}")
        except ProviderError as error:
            return _unknown(error, reference)
        return reading.refund(told, reference, charge, charge_ref)

    def read_notification(
        self, account: Account, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Notification:
        return reading.notification(account, headers, body, now)

    def acknowledge(self) -> Reply:
        return Reply(204)

    def bill(self, account: Account, day: date) -> Iterable[BillLine]:
        """The trade bill of a day in Beijing, ready about 10:00 on the next. A day without trades has none."""
        query = urlencode({"bill_date": day.isoformat(), "bill_type": "ALL"})
        try:
            where = ask(account, "GET", f"/v3/bill/tradebill?{query}")
        except ProviderError as error:
            if error.permanent and error.code == "NO_STATEMENT_EXIST":
                raise NoBill(error.message, code=error.code) from error
            raise
        url, seconds, most = reading.text(where, "download_url"), limits.BILL_FILE_SECONDS, limits.BILL_FILE_BYTES
        answer = exchange(account, "GET", url, seconds=seconds, limit=most)
        if answer.status != 200:
            raise refusal(answer, believed=False)
        # The file is not signed, but its hash is: it stood in the answer that told where the file lies.
        if hashlib.sha1(answer.body, usedforsecurity=False).hexdigest() != reading.text(where, "hash_value").lower():
            raise ProviderError("the file is not the bill WeChat Pay announced", permanent=False, code="hash")
        try:
            return list(bill.lines(answer.body.decode()))
        except ValueError as error:
            raise ProviderError(str(error), permanent=False, code="unreadable") from error

    def check(self, account: Account) -> str:
        """Ask about an order that cannot exist: WeChat Pay signs its "no" only when the credentials are right."""
        if len(setting(account, "api_v3_key").encode()) != 32:
            raise ProviderError("api_v3_key must have 32 characters", permanent=True, code="configuration")
        try:
            _query(account, f"check{secrets.token_hex(10)}")
        except ProviderError as error:
            if error.code not in _NEVER_HEARD or not error.permanent:
                raise
        return f"WeChat Pay answered, signed with a key of this account, and knows merchant {account.config['mchid']}."

    # The openid, which the sheet inside WeChat asks for

    def authorize_url(self, account: Account, redirect_uri: str, state: str) -> str:
        """Where WeChat's own browser is sent. It comes back at once with a `code`; the payer sees nothing."""
        query = {
            "appid": setting(account, "appid"),
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": "snsapi_base",
            "state": state,
        }
        return f"{account.base_url or LOGIN}/connect/oauth2/authorize?{urlencode(query)}#wechat_redirect"

    def openid(self, account: Account, code: str) -> str:
        """Who the payer is to this app, for the `code` she came back with. A code works once, within five minutes."""
        query = {
            "appid": setting(account, "appid"),
            "secret": setting(account, "app_secret"),
            "code": code,
            "grant_type": "authorization_code",
        }
        answer = call("GET", f"{account.base_url or LOGIN_API}/sns/oauth2/access_token?{urlencode(query)}")
        told = parsed(answer.body)
        if isinstance(openid := told.get("openid"), str) and openid:
            return openid
        refused = str(told.get("errcode", ""))
        raise ProviderError(
            str(told.get("errmsg") or "no openid"),
            permanent=refused not in ("", "-1"),  # -1: the system is busy
            code=refused or f"http_{answer.status}",
        )


def _query(account: Account, reference: str) -> dict[str, Any]:
    query = urlencode({"mchid": setting(account, "mchid")})
    return ask(account, "GET", f"/v3/pay/transactions/out-trade-no/{quote(reference, safe='')}?{query}")


def _open(account: Account, rail: Rail, order: dict[str, Any], wanted: str) -> str:
    """Open an order. Even an unsigned refusal is final here: without an answer no payer has anything to pay."""
    return reading.text(ask(account, "POST", f"/v3/pay/transactions/{rail}", order, believe_refusals=True), wanted)


def _prepay_package(account: Account, prepay_id: str) -> dict[str, str]:
    """What WeixinJSBridge's getBrandWCPayRequest takes. The fourth signed line is "prepay_id=..." (W12)."""
    params = {
        "appId": setting(account, "appid"),
        "timeStamp": str(int(time.time())),
        "nonceStr": secrets.token_hex(16),
        "package": f"prepay_id={prepay_id}",
    }
    return params | {"signType": "RSA", "paySign": crypto.sign(private_key(account), *params.values())}


def _unknown(error: ProviderError, reference: str) -> Outcome:
    """That there is no such order is an answer, not an error."""
    if error.code not in _NEVER_HEARD:
        raise error
    return Outcome(State.UNKNOWN, reference, code=error.code, message=error.message)


def _given(value: str, what: str) -> str:
    if not value:
        raise ProviderError(f"WeChat Pay needs {what}", permanent=True, code="missing")
    return value
