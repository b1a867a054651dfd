"""Signed calls to the shop's gateway, and its answers. Its certificate proves who answers, as with any other wallet."""

import json
import re
import secrets
import time
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from payments.wallets import transport
from payments.wallets.base import Account, ProviderError
from payments.wallets.house import signing
from payments.wallets.transport import Answer

BILL_BYTES = 8 << 20

_AGAIN = {408, 409, 425, 429}  # another try of the same call can turn these
_MISWIRED = {401, 403, 404, 405, 410}  # the address or the secret is not the gateway's: for the shop to put right
_CODE = re.compile(r"[\w.:-]{1,80}", re.ASCII)

Thing = dict[str, Any]


def ask(account: Account, kind: str, *, limit: int = 1 << 20, **says: Any) -> Thing:
    """One call and its answer. Raises ProviderError for everything but a 200 of this very account."""
    key = signing.key_of(account)
    if account.live and urlsplit(account.base_url).scheme != "https":
        raise ProviderError("a live gateway's address begins with https", permanent=True, code="configuration")
    body = json.dumps({"type": kind, "account": account.id, "live": account.live, **says}).encode()

    def send(timestamp: float) -> Answer:
        signed = signing.headers(key, f"call_{secrets.token_hex(12)}", int(timestamp), body)
        headers = {"Content-Type": "application/json", **signed}
        return transport.call("POST", account.base_url, content=body, headers=headers, limit=limit)

    answer = send(time.time())
    if answer.status == 401 and (theirs := _time_of(answer)):
        answer = send(theirs)
    said = _read(answer.body)
    if answer.status != 200:
        raise _refusal(answer, said or {})
    if said is None or said.get("account") != account.id or said.get("live") is not account.live:
        raise unreadable("its answer is not about this account and mode")
    return said


def unreadable(words: str) -> ProviderError:
    """An answer that says nothing: whatever was asked is asked again."""
    return ProviderError(f"the gateway: {words}", permanent=False, code="answer")


def _time_of(answer: Answer) -> float | None:
    """The gateway's time, where its clock and this machine's are too far apart for what one of them signs."""
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except ValueError:
        return None
    return theirs if abs(theirs - time.time()) > signing.TOLERANCE / 5 else None


def _read(body: bytes) -> Thing | None:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _refusal(answer: Answer, said: Thing) -> ProviderError:
    """The gateway's own code and words; what it cannot mean for good is not taken as such."""
    code = said.get("code")
    code = code if isinstance(code, str) and _CODE.fullmatch(code) else str(answer.status)
    words = said.get("message")
    words = words[:300] if isinstance(words, str) and words else f"the gateway answered {answer.status}"
    miswired = answer.status in _MISWIRED or 300 <= answer.status < 400
    permanent = 400 <= answer.status < 500 and answer.status not in _AGAIN
    return ProviderError(words, permanent=permanent, code=code, for_shop=miswired)
