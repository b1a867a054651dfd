"""Stripe's objects as they are when new, without id and time; a contract test holds them against Stripe's own."""

from copy import deepcopy
from typing import Any

from payments.wallets.stripe.emulator import amounts as amounts
from payments.wallets.stripe.emulator.requests import Params

Thing = dict[str, Any]

_EVIDENCE = (
    *("access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure"),
    *("cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name"),
    *("customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation"),
    *("duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure"),
    *("refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier"),
    *(
        "shipping_date",
        "shipping_documentation",
        "shipping_tracking_number",
        "uncategorized_file",
        "uncategorized_text",
    ),
)

_DISPUTE_FEE = 1500  # cents


def session(params: Params, currency: str, total: int, expires_at: int, kinds: list[str]) -> Thing:
    allowed = [*params.get("allowed_payment_method_types", {}).values()]
    return {
        "adaptive_pricing": {"enabled": params.get("adaptive_pricing", {}).get("enabled") != "false"},
        "allowed_payment_method_types": allowed or None,
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "currency": currency,
        "custom_fields": [],
        "custom_text": dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")),
        "customer": None,
        "customer_creation": "if_required",
        "customer_details": None,
        "customer_email": None,
        "excluded_payment_method_types": [],
        "expires_at": expires_at,
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": params.get("metadata", {}),
        "mode": "payment",
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_types": kinds,
        "payment_status": "unpaid",
        "shipping_options": [],
        "status": "open",
        "submit_type": None,
        "success_url": params["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": None,
    }


def intent(session: Thing, planned: Params) -> Thing:
    """The payment a session leads to; it exists from when the payer first confirms."""
    return {
        "amount": session["amount_total"],
        "amount_capturable": 0,
        "amount_received": 0,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": None,
        "confirmation_method": "automatic",
        "currency": session["currency"],
        "customer": None,
        "description": planned.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": planned.get("metadata", {}),
        "next_action": None,
        "payment_method": None,
        "payment_method_types": session["payment_method_types"],
        "processing": None,
        "status": "requires_payment_method",
    }


def charge(intent: Thing) -> Thing:
    """Its metadata is copied once, when the charge is made."""
    return {
        "amount": intent["amount"],
        "amount_captured": intent["amount"],
        "amount_refunded": 0,
        "balance_transaction": None,
        "billing_details": dict.fromkeys(("address", "email", "name", "phone", "tax_id")),
        "captured": True,
        "currency": intent["currency"],
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": deepcopy(intent["metadata"]),
        "paid": True,
        "payment_intent": intent["id"],
        "refunded": False,
        "status": "succeeded",
    }


def refund(charge: Thing, amount: int, params: Params) -> Thing:
    return {
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "currency": charge["currency"],
        "metadata": params.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "transfer_reversal": None,
    }


def dispute(charge: Thing, amount: int, reason: str, due_by: int) -> Thing:
    """A payer's bank takes the money back while the shop may answer. Our reference is on the payment, not here."""
    return {
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(_EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": due_by,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "needs_response",
    }


def booking(kind: str, source: Thing, units: int, now: int) -> Thing:
    """A balance transaction: in the shop's own currency, whatever the payer paid in. A dispute that takes money costs a
    fee, which is kept whoever wins.
    """
    amount, rate = amounts.booked(units, source["currency"])
    fee = abs(amount) * 29 // 1000 + 30 if kind in ("charge", "payment") else 0
    fee = _DISPUTE_FEE if kind == "adjustment" and units < 0 else fee
    details = {"amount": fee, "application": None, "currency": "usd", "description": "fees", "type": "stripe_fee"}
    return {
        "amount": amount,
        "available_on": now,
        "balance_type": "payments",
        "currency": "usd",
        "description": None,
        "exchange_rate": rate,
        "fee": fee,
        "fee_details": [details] if fee else [],
        "net": amount - fee,
        "reporting_category": kind,
        "source": source["id"],
        "status": "available",
        "type": kind,
    }
