"""What Alipay's words mean: a notification, which only says what to ask about, and an answer. Makes no call."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qsl

from friendpay.kit.money import Money
from payments.wallets.alipay.gateway import TIME_FORMAT, Node, public_key, setting, signed_text, verifies
from payments.wallets.base import BEIJING, Account, Notification, NotificationRefused, ProviderError, Reply

_MAX_NOTIFICATION = 64 << 10
_CLOCKS_APART = timedelta(minutes=5)
_LAST_RETRY = timedelta(hours=26)  # Alipay gives up after 24 h 24 min


def notification(account: Account, headers: Mapping[str, str], body: bytes, now: datetime) -> Notification:
    """Verify a notification and say what to ask Alipay about: the charge, or the refund that it speaks of."""
    params = _parse(body)
    sign, sign_type = params.pop("sign", ""), params.pop("sign_type", "")
    if sign_type != "RSA2":
        raise _refused("not signed by RSA2", 401)
    try:
        genuine = verifies(signed_text(params), sign, public_key(account))
        ours = {name: setting(account, name) for name in ("app_id", "seller_id")}
    except ProviderError as error:
        raise _refused(error.message, 401) from None
    if not genuine:
        raise _refused("the signature does not verify", 401)
    for name, value in ours.items():
        if params.get(name) != value:
            raise _refused(f"{name} is not this account's", 403)
    try:
        sent = datetime.strptime(params["notify_time"], TIME_FORMAT).replace(tzinfo=BEIJING)
        event_id, kind = params["notify_id"], f"{params['notify_type']}:{params['trade_status']}"
    except (KeyError, ValueError):
        raise _refused("a field is missing or malformed", 400) from None
    if not now - _LAST_RETRY <= sent <= now + _CLOCKS_APART:
        raise _refused("it is not from now", 400)
    if params.get("refund_fee") and params.get("out_biz_no"):
        charge = params.get("out_trade_no", ""), params.get("trade_no", "")
        return Notification(event_id, kind, params["out_biz_no"], "refund", None, "", *charge)
    return Notification(event_id, kind, params.get("out_trade_no", ""), "charge")


def _parse(body: bytes) -> dict[str, str]:
    """The fields of a notification, refused unless the signed text can be split in no other way."""
    if len(body) > _MAX_NOTIFICATION:
        raise _refused("too long", 413)
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=100
        )
    except ValueError:
        raise _refused("not a form in UTF-8", 400) from None
    params = dict(pairs)
    if len(params) != len(pairs):
        raise _refused("a field comes twice", 400)
    for name, value in pairs:
        if not re.fullmatch(r"[A-Za-z0-9_]+", name) or "&" in value:
            raise _refused(f"{name[:40]} may hold more than one field", 400)
    return params


def _refused(message: str, status: int) -> NotificationRefused:
    return NotificationRefused(message, reply=Reply(status, b"failure"))


def text(node: Node, name: str) -> str:
    value = node.get(name)
    if isinstance(value, str) and value:
        return value
    raise ProviderError(f"Alipay's answer has no {name}", permanent=False, code="unreadable")


def same(node: Node, name: str, ours: str) -> None:
    """An answer must speak of what was asked."""
    if node.get(name) != ours:
        raise ProviderError(f"Alipay's answer is about another {name}", permanent=False, code="unreadable")


def named(charge: str, charge_ref: str) -> dict[str, str]:
    """The charge as Alipay knows it."""
    return {"trade_no": charge_ref} if charge_ref else {"out_trade_no": charge}


def speaks_of(node: Node, charge: str, charge_ref: str) -> None:
    for name, ours in named(charge, charge_ref).items():
        same(node, name, ours)


def money(node: Node, name: str) -> Money:
    try:
        return Money.from_decimal(Decimal(str(node[name])), "CNY")
    except (KeyError, ValueError, InvalidOperation):
        raise ProviderError(f"Alipay's answer has no {name}", permanent=False, code="unreadable") from None
