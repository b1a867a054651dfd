"""Simulated outcomes: what a charge does besides being paid, so that a developer sees all that can happen.

An amount of `BY_AMOUNT` says it by itself, whatever the currency; `bank.simulate` says it by name.
"""

from dataclasses import asdict
from datetime import datetime, timedelta

from friendpay.kit import ids
from friendpay.kit.writes import Writes
from sandbox import notices
from sandbox.details import DisputeDetails, RefundDetails, Rejected
from sandbox.models import Charge, ChargeRefund

Simulated = Charge.Simulated

BY_AMOUNT = {
    4001: Simulated.REFUSED,
    4002: Simulated.UNTOLD,
    4003: Simulated.DISPUTED,
    4004: Simulated.DISPUTE_WON,
    4005: Simulated.DISPUTE_LOST,
    4006: Simulated.REFUND_REFUSED,
    4007: Simulated.REFUND_SLOW,
    4008: Simulated.REFUNDED_BY_HAND,
}
"""Minor units of just this charge."""

DISPUTE = "dsp_"
"""How the number of a dispute begins; the charge's follows."""

LATER = timedelta(seconds=3)
"""From one thing that is told to the next: the shop has heard of the payment before it hears what becomes of it."""

_DISPUTES = {
    Simulated.DISPUTED: ("open",),
    Simulated.DISPUTE_WON: ("open", "won"),
    Simulated.DISPUTE_LOST: ("open", "lost"),
}


def follow(charge: Charge, now: datetime) -> None:
    """Queue what happens after a charge was paid, in the transaction that pays it."""
    writes = Writes()
    for number, status in enumerate(_DISPUTES.get(Simulated(charge.simulated or Simulated.PAID), ()), 1):
        dispute = {
            "number": _number(charge),
            "status": status,
            "amount": charge.amount,
            "currency": charge.currency,
            "charge": charge.reference,
            "charge_transaction": charge.transaction,
        }
        notices.write(charge, f"dispute.{status}", {"dispute": dispute}, now, writes, after=number * LATER)
    if charge.simulated == Simulated.REFUNDED_BY_HAND:
        made = ChargeRefund.objects.create(
            charge=charge,
            account=charge.account,
            reference=ids.public_id("byhand"),
            amount=charge.amount,
            transaction=ids.public_id("txn"),
            created_at=now,
        )
        charge.refunded = charge.amount
        writes.update(charge, "refunded")
        told = {"refund": _said(refund_details(made, charge, now))}
        notices.write(charge, "refund.succeeded", told, now, writes, after=LATER)
    writes.run()


def dispute_details(charge: Charge, now: datetime) -> DisputeDetails | None:
    """The dispute of a charge as it stands now, whatever was told of it; None where there is none, or not yet."""
    moves = _DISPUTES.get(Simulated(charge.simulated or Simulated.PAID), ())
    if charge.decided_at is None or not (past := moves[: max(0, (now - charge.decided_at) // LATER)]):
        return None
    return DisputeDetails(_number(charge), past[-1], charge.amount, charge.currency)


def _number(charge: Charge) -> str:
    """Its dispute's."""
    return f"{DISPUTE}{charge.transaction}"


def check_refundable(charge: Charge) -> None:
    """Raises Rejected where nothing of this charge goes back."""
    if charge.simulated == Simulated.REFUND_REFUSED:
        raise Rejected("refund_refused", "The sandbox wallet refuses refunds of this payment.")
    if charge.simulated in (Simulated.DISPUTED, Simulated.DISPUTE_LOST):
        raise Rejected("disputed", "The payer's bank has the money of this payment.")


def refund_details(made: ChargeRefund, charge: Charge, now: datetime) -> RefundDetails:
    """A refund as it stands now."""
    return RefundDetails(
        made.reference,
        made.transaction,
        made.amount,
        charge.currency,
        charge.reference,
        charge.transaction,
        pending=charge.simulated == Simulated.REFUND_SLOW and now < made.created_at + LATER,
    )


def tell_of_refund(charge: Charge, made: RefundDetails, now: datetime, writes: Writes) -> None:
    """Once it has arrived."""
    after = LATER if made.pending else timedelta()
    notices.write(charge, "refund.succeeded", {"refund": _said(made)}, now, writes, after=after)


def _said(made: RefundDetails) -> dict[str, object]:
    return {name: value for name, value in asdict(made).items() if name != "pending"}
