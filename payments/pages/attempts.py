"""What a page says of attempts to pay: the visitor's own one, what became of it, and others' in its way. It only
reads.
"""

from datetime import datetime
from math import ceil
from typing import Any

from django.urls import reverse

from payments.models import Payment, PaymentRequest
from payments.offers.weighing import is_card, label
from payments.settlement import turns


def mine(payment_request: PaymentRequest, visitor: str, now: datetime) -> dict[str, Any]:
    """The visitor's own attempt that can still be paid, where it goes on, and after how many seconds another friend may
    take over. Where there is none: what became of the last one (`was`).
    """
    own = [payment for payment in turns.own(payment_request, visitor, now) if now < turns.ends_at(payment)]
    if not own:
        return {"mine": None, **was(payment_request, visitor, now)}
    return {
        "mine": own[-1],
        "mine_left": int((turns.ends_at(own[-1]) - now).total_seconds()),
        "mine_url": next_url(own[-1]),
        "mine_label": label(own[-1].method, own[-1].account),
        "mine_by_card": is_card(own[-1].method, own[-1].account),
        "aside": not own[-1].held_until,
        "yields": announced(own[-1], payment_request, now),
    }


def was(payment_request: PaymentRequest, visitor: str, now: datetime) -> dict[str, Any]:
    """How the visitor's last attempt stands that nothing goes on with: "late" while its wallet has not decided and
    others may pay already, "overtaken" where another friend took over and nothing was paid.
    """
    own = payment_request.payments.filter(visitor=visitor).select_related("account").last() if visitor else None
    if own is None or not (is_late(own, now) or own.was_taken_over):
        return {"was": ""}
    state = "late" if is_late(own, now) else "overtaken"
    return {"was": state, "was_url": reverse("receipt", args=[own.token])}


def is_late(payment: Payment, now: datetime) -> bool:
    """Whether its payer was sent to the wallet, her time is over, and the wallet has not decided."""
    over = payment.closing or turns.ends_at(payment) <= now
    return payment.status == Payment.Status.PENDING and payment.held_until is None and over


def announced(payment: Payment, payment_request: PaymentRequest, now: datetime) -> int | None:
    """Seconds until another may take over, for the eyes of the holder; None where nobody need take over, because there
    is enough for others too, or somebody has.
    """
    if payment_request.remaining > 0 or not payment.held_until:
        return None
    return 0 if turns.is_contested(payment_request, now) else _seconds(turns.yields_at(payment), now)


def held(payment_request: PaymentRequest, visitor: str, now: datetime) -> dict[str, Any]:
    """Whether others hold all that is left, and after how many seconds the first of them may be taken over."""
    others = (
        payment_request.payments.filter(held_until__gt=now).exclude(visitor=visitor or "-").select_related("account")
    )
    yields = min(map(turns.yields_at, others), default=None)
    if yields is None or payment_request.remaining > 0:
        return {"held": False, "wait": 0}
    contested = turns.is_contested(payment_request, now)
    return {"held": True, "wait": 0 if contested else _seconds(yields, now), "contested": contested}


def _seconds(moment: datetime, now: datetime) -> int:
    return max(0, ceil((moment - now).total_seconds()))


def next_url(payment: Payment) -> str:
    """Where the payer goes on: the wallet's own address, or our page with the code to scan."""
    return payment.next_step.get("url") or reverse("scan", args=[payment.token])
