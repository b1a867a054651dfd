"""What the gateway's words mean: how a payment or a refund stands, in an answer or in an event. Makes no call."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from friendpay.kit import limits
from friendpay.kit.money import Money
from payments.wallets.base import Account, BillLine, Notification, NotificationRefused, Outcome, Reply, State
from payments.wallets.house import signing

_LARGEST = 64 * 1024
_NUMBER = re.compile(r"[!-~]{1,64}", re.ASCII)  # printable, without spaces: nothing a log or a table would stumble over

_PAYMENTS = {
    "unknown": State.UNKNOWN,
    "pending": State.PENDING,
    "captured": State.SUCCEEDED,
    "failed": State.FAILED,
    "closed": State.FAILED,
    "returned": State.RETURNED,
}
_REFUNDS = {
    "unknown": State.UNKNOWN,
    "pending": State.PENDING,
    "succeeded": State.SUCCEEDED,
    "failed": State.FAILED,
}

_DISPUTES = {
    "unknown": State.UNKNOWN,
    "inquiry": State.PENDING,
    "open": State.PENDING,
    "won": State.SUCCEEDED,
    "lost": State.FAILED,
}

Thing = Mapping[str, Any]


class Nonsense(ValueError):
    """It is not what the protocol says."""


def payment(said: object, reference: str | None = None) -> Outcome:
    """How a payment stands. Only one that was captured has moved money, and says how much."""
    thing = _thing(said)
    ours, status = _number(thing, "reference"), thing.get("status")
    if status not in _PAYMENTS:
        raise Nonsense(f"{status!r} is no status of a payment")
    _same(ours, reference)
    code, words = _text(thing, "code"), _text(thing, "message")
    if status == "captured":
        return Outcome(State.SUCCEEDED, ours, _number(thing, "capture"), _money(thing), code, words)
    return Outcome(_PAYMENTS[status], ours, code=code or str(status), message=words)


def refund(said: object, reference: str | None = None) -> Outcome:
    """How a refund stands. One that failed has failed for ever under its number, as the protocol wants it."""
    thing = _thing(said)
    ours, status = _number(thing, "reference"), thing.get("status")
    if status not in _REFUNDS:
        raise Nonsense(f"{status!r} is no status of a refund")
    _same(ours, reference)
    code, words = _text(thing, "code"), _text(thing, "message")
    if status == "unknown":
        return Outcome(State.UNKNOWN, ours, code=code, message=words)
    return Outcome(
        _REFUNDS[status],
        ours,
        _number(thing, "number"),
        _money(thing),
        code,
        words,
        for_shop=code == "balance",
        dead=status == "failed",
    )


def dispute(said: object, number: str | None = None) -> Outcome:
    """How a dispute stands. Its amount is what the payer wants back. Only who asks by its number may be told that it is
    unknown.
    """
    thing = _thing(said)
    theirs, status = _number(thing, "number"), thing.get("status")
    if status not in _DISPUTES or (status == "unknown" and number is None):
        raise Nonsense(f"{status!r} is no status of a dispute")
    _same(theirs, number)
    code, words = _text(thing, "code"), _text(thing, "message")
    if status == "unknown":
        return Outcome(State.UNKNOWN, "", theirs, code=code, message=words)
    return Outcome(_DISPUTES[status], "", theirs, _money(thing), code, words, inquiry=status == "inquiry")


def line(said: object) -> BillLine:
    """A line of a day's bill: a payment, a refund or a dispute, as it would be answered, too."""
    thing = _thing(said)
    if "dispute" in thing:
        told, whole = dispute(thing["dispute"]), _thing(thing["dispute"])
        assert told.amount
        of = _number(whole, "payment"), _number(whole, "capture")
        return BillLine("dispute", "", told.provider_ref, told.amount, told.state, *of, code=told.code)
    if "payment" in thing:
        told = payment(thing["payment"])
        if told.amount is None:
            raise Nonsense("a bill has what was captured alone")
        return BillLine("charge", told.reference, told.provider_ref, told.amount, told.state)
    told, whole = refund(thing.get("refund")), _thing(thing.get("refund"))
    if told.amount is None:
        raise Nonsense("a bill has refunds with their amounts alone")
    about = _number(whole, "payment"), _number(whole, "capture")
    return BillLine("refund", told.reference, told.provider_ref, told.amount, told.state, *about)


def read_event(account: Account, headers: Mapping[str, str], body: bytes, now: datetime) -> Notification:
    """Verify an event over its raw body, then read it. It must be of this very account and mode."""
    if len(body) > _LARGEST:
        raise _refused(413, "too large")
    try:
        event_id = signing.verify(signing.key_of(account), headers, body, now)
    except signing.Unverified as error:
        raise _refused(401, str(error)) from None
    try:
        event = _thing(json.loads(body))
        if event.get("account") != account.id or event.get("live") is not account.live:
            raise _refused(401, "for another account or mode")
        # Under one id two different events may come, by a fault at the gateway: each counts.
        return _read(f"{event_id} {hashlib.sha256(body).hexdigest()[:16]}", event)
    except (ValueError, TypeError, RecursionError) as error:
        raise _refused(400, f"malformed: {error}") from None


def _read(event_id: str, event: Thing) -> Notification:
    match event.get("type"):
        case "payment.updated":
            told = payment(event.get("payment"))
            return Notification(event_id, f"payment.{event['payment']['status']}", told.reference, "charge", told)
        case "refund.updated":
            thing, told = _thing(event.get("refund")), refund(event.get("refund"))
            numbers = told.provider_ref, _number(thing, "payment"), _number(thing, "capture")
            return Notification(event_id, f"refund.{thing['status']}", told.reference, "refund", told, *numbers)
        case "dispute.updated":
            thing, told = _thing(event.get("dispute")), dispute(event.get("dispute"))
            numbers = told.provider_ref, _number(thing, "payment"), _number(thing, "capture")
            return Notification(event_id, f"dispute.{thing['status']}", "", "dispute", told, *numbers)
        case "ping":
            return Notification(event_id, "ping", "", "charge")
        case _:
            raise Nonsense("no type of event we know")


def _thing(said: object) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise Nonsense("not an object")
    return said


def _number(thing: Thing, name: str) -> str:
    value = thing.get(name)
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise Nonsense(f"{name} must have 1 to 64 printable characters")
    return value


def _text(thing: Thing, name: str) -> str:
    value = thing.get(name, "")
    if not isinstance(value, str):
        raise Nonsense(f"{name} must be text")
    return value[:300].replace("\0", "")


def _money(thing: Thing) -> Money:
    amount, currency = thing.get("amount"), thing.get("currency")
    if type(amount) is not int or not 0 < amount <= limits.MAX_MINOR or not isinstance(currency, str):
        raise Nonsense("amount must be a whole number of minor units, with its currency")
    return Money(amount, currency)


def _same(ours: str, reference: str | None) -> None:
    if reference is not None and ours != reference:
        raise Nonsense("it is about another one")


def _refused(status: int, why: str) -> NotificationRefused:
    return NotificationRefused(why, reply=Reply(status, why.encode()))
