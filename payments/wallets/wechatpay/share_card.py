"""WeChat's own share card: what "send to a friend" in WeChat's menu sends, as its JS-SDK lets a page say.

It takes an official account with its app secret, our host among its JS接口安全域名 and our machines in its IP白名单.
Where the account is not ticked as having that, nothing of this is done.
"""

import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from payments.wallets.base import Account, ProviderError
from payments.wallets.transport import Answer, call
from payments.wallets.wechatpay.client import parsed, setting

GRANT = "share_card"
API = "https://api.weixin.qq.com"
SCRIPTS = "https://res.wx.qq.com"
CALLS = ("updateAppMessageShareData", "updateTimelineShareData")


def is_set_up(account: Account) -> bool:
    """Whether the shop has said so. Makes no call."""
    return GRANT in account.granted and bool(account.config.get("app_secret"))


def script(account: Account) -> str:
    """WeChat's own script, which only WeChat's own host serves."""
    return f"{account.base_url or SCRIPTS}/open/js/jweixin-1.6.0.js"


@dataclass(frozen=True)
class Ticket:
    """What signs pages, and how many seconds from now."""

    text: str
    lasts: int


def ticket(account: Account) -> Ticket:
    """A new one, which needs a token first; the stable one, which ends no other that somebody uses for the app."""
    host = account.base_url or API
    who = {
        "grant_type": "client_credential",
        "appid": setting(account, "appid"),
        "secret": setting(account, "app_secret"),
    }
    headers = {"Content-Type": "application/json"}
    token = _told(
        call("POST", f"{host}/cgi-bin/stable_token", content=json.dumps(who).encode(), headers=headers), "access_token"
    )
    query = urlencode({"access_token": token["access_token"], "type": "jsapi"})
    given = _told(call("GET", f"{host}/cgi-bin/ticket/getticket?{query}"), "ticket")
    lasts = given.get("expires_in")
    return Ticket(given["ticket"], lasts if isinstance(lasts, int) else 0)


def config(account: Account, signed_by: Ticket, url: str) -> dict[str, Any]:
    """What `wx.config` takes on the page at this address."""
    nonce, timestamp = secrets.token_hex(8), int(time.time())
    return {
        "appId": setting(account, "appid"),
        "timestamp": timestamp,
        "nonceStr": nonce,
        "signature": signature(signed_by.text, nonce, timestamp, url),
        "jsApiList": list(CALLS),
    }


def signature(ticket: str, nonce: str, timestamp: int, url: str) -> str:
    """Of the page's address as it stands, without what comes after a #; names in alphabetical order."""
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url.partition('#')[0]}"
    return hashlib.sha1(text.encode()).hexdigest()  # noqa: S324  # WeChat's own choice


def _told(answer: Answer, wanted: str) -> dict[str, Any]:
    told = parsed(answer.body)
    if isinstance(told.get(wanted), str) and told[wanted]:
        return told
    refused = str(told.get("errcode", ""))
    raise ProviderError(
        str(told.get("errmsg") or f"no {wanted}"),
        permanent=refused not in ("", "-1"),  # -1: the system is busy
        code=refused or f"http_{answer.status}",
    )
