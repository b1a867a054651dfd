"""Outcomes: what a provider said of a charge or a refund, as it is stored with its notification and read again."""

from typing import Any

from friendpay.kit.money import Money
from payments.wallets.base import Outcome, State


def pack(outcome: Outcome | None) -> dict[str, Any] | None:
    if outcome is None:
        return None
    amount = outcome.amount
    said = None if amount is None else {"minor": amount.minor, "currency": amount.currency}
    return {**vars(outcome), "amount": said}


def unpack(packed: dict[str, Any] | None) -> Outcome | None:
    """The outcome of a stored notification; None for one that was only a hint."""
    if packed is None:
        return None
    amount = Money(**packed["amount"]) if packed["amount"] else None
    return Outcome(**{**packed, "state": State(packed["state"]), "amount": amount})
