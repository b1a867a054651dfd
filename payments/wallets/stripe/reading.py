"""What Stripe's words mean: a session, a refund, a signed event. Nothing here makes a call."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import stripe

from payments.wallets.base import Account, Notification, NotificationRefused, Outcome, ProviderError, Reply, State
from payments.wallets.stripe.amounts import from_units
from payments.wallets.stripe.gateway import reference_of, wrong_mode

TOLERANCE = 300  # seconds a notification's timestamp may be off, either way

_REFUND_STATES = {
    "pending": State.PENDING,
    "requires_action": State.PENDING,
    "succeeded": State.SUCCEEDED,
    "failed": State.FAILED,
    "canceled": State.FAILED,
}
_DISPUTES = {  # whatever else Stripe says of one: it is open
    "won": State.SUCCEEDED,
    "warning_closed": State.SUCCEEDED,
    "prevented": State.SUCCEEDED,
    "lost": State.FAILED,
}
_SIGNATURE = re.compile(r"t=(\d{1,12})(?:,v\d+=[\w+/=-]+)+", re.ASCII)

Thing = dict[str, Any]


def check_ours(account: Account, session: Thing, reference: str) -> None:
    """A session of the other mode, or for another payment, is never believed."""
    if session["livemode"] is not account.live:
        raise wrong_mode()
    if session["client_reference_id"] != reference:
        raise ProviderError("Stripe's session is for another payment", permanent=True, code="reference")


def charge_outcome(account: Account, session: Thing, reference: str) -> Outcome:
    """Where a session stands. Complete is not paid (S4): some ways to pay decide days later."""
    check_ours(account, session, reference)
    intent = session["payment_intent"]
    payment = intent if isinstance(intent, dict) else {"id": intent}
    if session["payment_status"] == "paid":
        amount = from_units(session["amount_total"], session["currency"])
        if _is_refunded(payment):
            return Outcome(State.RETURNED, reference, payment["id"], amount, "refunded")
        return Outcome(State.SUCCEEDED, reference, provider_ref=payment["id"], amount=amount)
    error = payment.get("last_payment_error") or {}
    code, words = error.get("decline_code") or error.get("code") or "", error.get("message") or ""
    if session["status"] == "expired":
        return Outcome(State.FAILED, reference, code=code or "expired", message=words)
    failed = session["status"] == "complete" and payment.get("status") in {"requires_payment_method", "canceled"}
    return Outcome(State.FAILED if failed else State.PENDING, reference, code=code, message=words)


def refund_state(refund: Thing) -> State:
    """Stripe's reference calls `status` nullable: without one, or with a word we do not know, it is not decided."""
    return _REFUND_STATES.get(refund["status"] or "", State.PENDING)


def _is_refunded(payment: Thing) -> bool:
    """Whether all that was charged has been sent back; of a part of it, the refunds tell."""
    charge = payment.get("latest_charge")
    return isinstance(charge, dict) and bool(charge["refunded"])


def refund_outcome(refund: Thing, reference: str) -> Outcome:
    """Accepted is not refunded, and what succeeded still fails when the payer's bank sends it back (S7)."""
    code = refund.get("failure_reason") or refund.get("pending_reason") or ""
    return Outcome(
        refund_state(refund),
        reference,
        provider_ref=refund["id"],
        amount=from_units(refund["amount"], refund["currency"]),
        code=code,
        for_shop=code == "insufficient_funds",  # it waits for the shop's balance
    )


def read_event(account: Account, headers: Mapping[str, str], body: bytes, now: datetime) -> Notification:
    """Verify an event over its raw body, then read it. It must be of this very account and mode."""
    _verify(account, headers.get("stripe-signature", ""), body, now)
    try:
        event = json.loads(body)
        if event["object"] != "event" or event["livemode"] is not account.live or event.get("account"):
            raise _refused(400, "not an event of this account and mode")
        return _read(account, str(event["id"]), str(event["type"]), event["data"]["object"])
    except (KeyError, TypeError, ValueError, AttributeError, ProviderError) as error:
        raise _refused(400, "not an event we can read") from error


def _read(account: Account, event_id: str, kind: str, thing: Thing) -> Notification:
    """One that is not about a payment or a refund of ours names no reference, and changes nothing; unless it is a
    refund by hand or a dispute (S10): those are found by the payment they are of.

    News of a refund is only a hint: it can be overtaken by its own failure, and events come in any order (S3).
    """
    reference = reference_of(thing)
    numbers = str(thing.get("id", "")), "", thing.get("payment_intent") or ""
    if thing["object"] == "refund":
        return Notification(event_id, kind, reference, "refund", None, *numbers)
    if thing["object"] == "dispute":
        return Notification(event_id, kind, "", "dispute", dispute_outcome(thing), *numbers)
    if thing["object"] == "charge":
        return Notification(event_id, kind, reference, "charge")
    if thing["object"] != "checkout.session" or not reference or reference != thing["client_reference_id"]:
        return Notification(event_id, kind, "", "charge")
    outcome = charge_outcome(account, thing, reference)
    if kind == "checkout.session.async_payment_failed" and outcome.state is State.PENDING:
        outcome = Outcome(State.FAILED, reference, code="async_payment_failed")
    return Notification(event_id, kind, reference, "charge", outcome)


def dispute_outcome(dispute: Thing) -> Outcome:
    """How a dispute stands; an inquiry, which moves no money yet, is one as well."""
    due = (dispute.get("evidence_details") or {}).get("due_by")
    words = f"respond by {datetime.fromtimestamp(due, UTC):%Y-%m-%d %H:%M} UTC" if due else ""
    return Outcome(
        _DISPUTES.get(dispute["status"], State.PENDING),
        "",
        provider_ref=dispute["id"],
        amount=from_units(dispute["amount"], dispute["currency"]),
        code=str(dispute.get("reason") or ""),
        message=words,
        inquiry=dispute["status"].startswith("warning_"),
    )


def _verify(account: Account, header: str, body: bytes, now: datetime) -> None:
    """The SDK checks the signature, any of several. It would take timestamps years ahead, and stumble over bytes."""
    match = _SIGNATURE.fullmatch(header)
    if not match:
        raise _refused(401, "no signature")
    try:
        stripe.WebhookSignature.verify_header(body.decode(), header, account.config.get("webhook_secret"))
    except UnicodeDecodeError as error:
        raise _refused(400, "not UTF-8") from error
    except stripe.SignatureVerificationError as error:
        raise _refused(401, "the signature does not fit") from error
    if abs(int(match[1]) - now.timestamp()) > TOLERANCE:
        raise _refused(400, "too old, or from the future")


def _refused(status: int, words: str) -> NotificationRefused:
    return NotificationRefused(words, reply=Reply(status, words.encode()))
