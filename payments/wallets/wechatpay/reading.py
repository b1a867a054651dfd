"""What WeChat Pay's words mean: an order, a refund, a notification. Nothing here makes a call."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from friendpay.kit.money import Money
from payments.wallets.base import Account, Notification, NotificationRefused, Outcome, ProviderError, Reply, State
from payments.wallets.wechatpay import crypto as crypto
from payments.wallets.wechatpay.client import public_keys, setting

_CHARGES = {  # trade_state
    "SUCCESS": State.SUCCEEDED,
    "REFUND": State.RETURNED,  # paid, then all or part of it sent back, by us or by hand: of which, it does not say
    "CLOSED": State.FAILED,
    "REVOKED": State.FAILED,
}
_REFUNDS = {  # status; PROCESSING is accepted, and accepted is not refunded (W8)
    "SUCCESS": State.SUCCEEDED,
    "CLOSED": State.FAILED,  # the shop's balance was short for a week: only another number can send it now
}
_ABNORMAL = "ABNORMAL"  # the payer's bank would not have it: the shop decides in WeChat Pay's merchant platform
_CHARGE = ("out_trade_no", "transaction_id")  # what a refund's notification says it is of

Thing = Mapping[str, Any]


def charge(account: Account, told: Thing, reference: str) -> Outcome:
    """Where an order stands. One of another merchant, app or number is never believed (W5)."""
    expected = {"mchid": setting(account, "mchid"), "appid": setting(account, "appid"), "out_trade_no": reference}
    _must_match(told, expected)
    word = text(told, "trade_state")
    state, words = _CHARGES.get(word, State.PENDING), str(told.get("trade_state_desc", ""))
    if state in (State.SUCCEEDED, State.RETURNED):
        code = word if state is State.RETURNED else ""
        taken = text(told, "transaction_id"), _money(told, "total", "currency")
        return Outcome(state, reference, *taken, code, words if code else "")
    return Outcome(state, reference, code=word, message=words)


def named(charge: str, charge_ref: str) -> dict[str, str]:
    """What a refund's charge is called: by WeChat Pay's own number where it is known."""
    return {"transaction_id": charge_ref} if charge_ref else {"out_trade_no": charge}


def refund(told: Thing, reference: str, charge: str, charge_ref: str = "") -> Outcome:
    """Where a refund stands. Its state is `refund_status` in a notification, `status` elsewhere."""
    _must_match(told, {"out_refund_no": reference, **named(charge, charge_ref)})
    word = text(told, "refund_status" if "refund_status" in told else "status")
    if (state := _REFUNDS.get(word, State.PENDING)) is State.SUCCEEDED:
        return Outcome(state, reference, text(told, "refund_id"), _money(told, "refund"))
    return Outcome(state, reference, code=word, for_shop=word == _ABNORMAL, dead=state is State.FAILED)


def notification(account: Account, headers: Mapping[str, str], body: bytes, now: datetime) -> Notification:
    """Verified first, over the raw body; decrypted and read only then (W2 to W5). Raises NotificationRefused."""
    try:
        crypto.verify(public_keys(account), headers, body, now)
    except (crypto.Unverified, ProviderError) as error:
        raise _refused(401, error) from None
    try:
        envelope = crypto.parse(body)
        kind = text(envelope, "event_type")
        content = crypto.decrypt(setting(account, "api_v3_key"), envelope.get("resource"))
        _must_match(content, {"mchid": setting(account, "mchid")})
        reference, about, outcome = _told(account, kind, content)
        charge = ["", *(str(content.get(name, "")) for name in _CHARGE)] if about == "refund" else []
        return Notification(text(envelope, "id"), kind, reference, about, outcome, *charge)
    except (crypto.Unreadable, ProviderError) as error:
        raise _refused(400, error) from None


def _told(account: Account, kind: str, content: Thing) -> tuple[str, str, Outcome | None]:
    """Only a payment that says SUCCESS and the end of a refund bring an outcome; of all else the provider is asked."""
    if kind.startswith("REFUND."):
        reference = text(content, "out_refund_no")
        return reference, "refund", refund(content, reference, text(content, "out_trade_no"))
    if not kind.startswith("TRANSACTION."):
        return "", "charge", None
    reference = text(content, "out_trade_no")
    outcome = charge(account, content, reference)
    return reference, "charge", outcome if content.get("trade_state") == "SUCCESS" else None


def text(told: Thing, name: str) -> str:
    """A value that must be there."""
    if isinstance(value := told.get(name), str) and value:
        return value
    raise ProviderError(f"{name} is missing", permanent=False, code="unreadable")


def _money(told: Thing, name: str, currency: str = "") -> Money:
    """A sum of fen. Without a `currency` to read, as in a refund's notification, it is CNY."""
    try:
        return Money(told["amount"][name], told["amount"][currency] if currency else "CNY")
    except (KeyError, TypeError, ValueError):
        raise ProviderError("the amount cannot be read", permanent=False, code="unreadable") from None


def _must_match(told: Thing, expected: Mapping[str, str]) -> None:
    for name, value in expected.items():
        if told.get(name) != value:
            raise ProviderError(f"{name} is {told.get(name)!r}, not {value!r}", permanent=False, code="mismatch")


def _refused(status: int, reason: Exception) -> NotificationRefused:
    body = json.dumps({"code": "FAIL", "message": str(reason)}).encode()
    return NotificationRefused(str(reason), reply=Reply(status, body, "application/json"))
