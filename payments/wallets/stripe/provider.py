"""Cards, and what else a shop has chosen (`stripe_methods`), on the page that Stripe hosts (Checkout).

An attempt is a Checkout Session that carries our reference twice: as `client_reference_id`, and in the metadata that
Stripe copies on to the payment. A refund carries its own in its metadata.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

import stripe
from stripe.checkout import Session
from stripe.params.checkout import SessionCreateParams

from friendpay.kit.money import Money
from payments.wallets.about import App, Credential
from payments.wallets.base import (
    Account,
    BillLine,
    Method,
    NextStep,
    Notification,
    Outcome,
    ProviderError,
    Rail,
    RefundOrder,
    Reply,
    Start,
    State,
)
from payments.wallets.stripe import gateway as gateway
from payments.wallets.stripe.amounts import STEPS, from_units, to_units
from payments.wallets.stripe.credentials import FIELDS
from payments.wallets.stripe.methods import METHODS, TYPES
from payments.wallets.stripe.reading import (
    Thing,
    charge_outcome,
    check_ours,
    dispute_outcome,
    read_event,
    refund_outcome,
    refund_state,
)

_LOCALES = {"en-gb": "en-GB", "zh-hans": "zh", "zh-hant": "zh-TW", "pt-br": "pt-BR", "hi": "hi-IN"}
_LOCALES |= {same: same for same in ("en", "es", "fr", "ru", "ja", "ko", "id", "de", "it", "tr", "vi", "th")}
_CHARGES = {"charge", "payment"}  # kinds of a balance transaction
_REFUNDS = {"refund", "payment_refund", "refund_failure"}


class Stripe:
    """One method a session, by Stripe Checkout."""

    name = "stripe"
    label = "Stripe"
    app: App | None = None
    methods: tuple[Method, ...] = METHODS
    rails = (Rail.REDIRECT,)
    grants: Mapping[str, str] = {method.name: method.label for method in METHODS}
    max_hold = 23 * 3600  # Stripe takes 24 hours, by its own clock
    min_hold = 31 * 60  # Stripe asks for 30 minutes, counted from when the request arrives
    hold = 15 * 60  # cards ask their banks (3-D Secure)
    yields_after = 3 * 60
    zone: tzinfo = UTC
    fields: Mapping[str, Credential] = FIELDS
    pages: tuple[str, ...] = ("https://checkout.stripe.com",)
    run_by_shop = False
    identity: tuple[str, ...] = ("base_url",)
    identity_key = "secret_key"
    knows_from_start = True
    refund_gap = 0
    steps = STEPS

    def lacks(self, account: Account, rail: Rail) -> str:
        return ""

    def ends_at(self, account: Account) -> datetime | None:
        return None

    def start(self, account: Account, start: Start) -> NextStep:
        """Open a session. Repeating finds the first one: by its key, or by our reference once Stripe forgot the key.

        A second can never be opened, because the deadline stays the same: a day later Stripe refuses it as too near.
        """
        api = gateway.client(account)
        with gateway.calling():
            try:
                session = api.v1.checkout.sessions.create(_order(start), {"idempotency_key": start.reference})
            except stripe.StripeError as error:
                found = gateway.find_session(api, start.reference) if gateway.about_an_earlier_call(error) else None
                if not found:
                    raise
                session = found
        check_ours(account, session.to_dict(), start.reference)
        # A session that is over has no page any more; ours says what became of it.
        return NextStep(Rail.REDIRECT, url=session.url or start.return_url, session=session.id)

    def fetch(self, account: Account, reference: str, session: str = "") -> Outcome:
        api = gateway.client(account)
        with gateway.calling():
            known = gateway.retrieve(api, session) if session else gateway.find_session(api, reference)
        return _outcome(account, known, reference)

    def close(self, account: Account, reference: str, session: str = "") -> Outcome:
        api = gateway.client(account)
        with gateway.calling():
            if not session and (known := gateway.find_session(api, reference)):
                session = known.id
            known = gateway.expire(api, session) if session else None
        return _outcome(account, known, reference)

    def refund(self, account: Account, refund: RefundOrder) -> Outcome:
        """Looks before it sends: what carries our reference is never sent again, however long ago it was (S6).

        Unless it failed: that is final at Stripe, so support's second try is a refund of its own, with its own key.
        """
        api, reference = gateway.client(account), refund.reference
        with gateway.calling():
            found = gateway.find_refunds(api, refund.charge_ref, reference)
            tries = [refund_outcome(it.to_dict(), reference) for it in found]
            if tries and tries[0].state is not State.FAILED:
                return tries[0]
            made = api.v1.refunds.create(
                {
                    "payment_intent": refund.charge_ref,
                    "amount": _units(refund.amount),
                    "metadata": {gateway.METADATA: reference, "charge": refund.charge, "reason": refund.reason},
                },
                {"idempotency_key": f"{reference}-{len(tries)}" if tries else reference},
            )
        return refund_outcome(made.to_dict(), reference)

    def fetch_refund(self, account: Account, *, reference: str, charge: str, charge_ref: str = "") -> Outcome:
        api = gateway.client(account)
        with gateway.calling():
            charge_ref = charge_ref or gateway.find_payment(api, charge)
            tries = gateway.find_refunds(api, charge_ref, reference) if charge_ref else []
        return refund_outcome(tries[0].to_dict(), reference) if tries else Outcome(State.UNKNOWN, reference)

    def fetch_dispute(self, account: Account, number: str) -> Outcome:
        api = gateway.client(account)
        with gateway.calling():
            known = gateway.find_dispute(api, number)
        if known is None:
            return Outcome(State.UNKNOWN, "", number)
        if known.livemode is not account.live:
            raise gateway.wrong_mode()
        thing = known.to_dict()
        return replace(dispute_outcome(thing), reference=gateway.reference_of(thing["payment_intent"] or {}))

    def read_notification(
        self, account: Account, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Notification:
        return read_event(account, headers, body, now)

    def acknowledge(self) -> Reply:
        return Reply(200)

    def bill(self, account: Account, day: date) -> Iterator[BillLine]:
        """What Stripe booked for us on that day in UTC. What other systems do with the same account is left out.

        A refund made by hand of a charge of ours is in it, without a reference; and every dispute that took money or
        gave it back that day, of whose payment ever, for whose it is stands on the payment.
        """
        begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
        ends = begins + timedelta(days=1)
        api = gateway.client(account)
        with gateway.calling():
            booked = api.v1.balance_transactions.list(
                {
                    "created": {"gte": int(begins.timestamp()), "lt": int(ends.timestamp())},
                    "limit": 100,
                    "expand": ["data.source"],
                }
            )
            for line in booked.auto_paging_iter():
                source = line.to_dict()["source"]
                if line.type in _CHARGES | _REFUNDS and gateway.is_ours(api, source):
                    fee = from_units(line.fee, line.currency)
                    yield _bill_line(source, fee, charge=line.type in _CHARGES)
                elif isinstance(source, dict) and source["object"] == "dispute" and source["payment_intent"]:
                    yield _dispute_line(source, from_units(line.fee, line.currency))

    def check(self, account: Account) -> str:
        if not account.config.get("webhook_secret", "").startswith("whsec_"):
            raise ProviderError("webhook_secret must begin with whsec_", permanent=True, code="configuration")
        with gateway.calling():
            balance = gateway.client(account).v1.balance.retrieve()
        if balance.livemode is not account.live:
            raise gateway.wrong_mode()
        currencies = ", ".join(sorted({fund.currency.upper() for fund in balance.available}))
        return f"Stripe knows this key ({'live' if balance.livemode else 'test'} mode, balance in {currencies})."


def _order(start: Start) -> SessionCreateParams:
    """The same for the same `start`, to the byte: Stripe refuses a key that comes with other parameters."""
    return {
        "mode": "payment",
        "client_reference_id": start.reference,
        "metadata": {gateway.METADATA: start.reference},
        "payment_intent_data": {"metadata": {gateway.METADATA: start.reference}},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": start.amount.currency.lower(),
                    "unit_amount": _units(start.amount),
                    "product_data": {"name": start.subject},
                },
            }
        ],
        "allowed_payment_method_types": [_type(start.method)],  # this one alone, whatever else is switched on
        "payment_method_options": _options(start.method),
        "adaptive_pricing": {"enabled": False},  # the payer is charged what was asked for, in its currency
        "expires_at": int(start.deadline.timestamp()),
        "success_url": start.return_url,
        "cancel_url": start.cancel_url,
        "locale": _LOCALES.get(start.locale.lower(), "auto"),
    }


def _type(method: str) -> Any:
    """What Stripe calls a method of ours."""
    if kind := TYPES.get(method):
        return kind
    raise ProviderError(f"Stripe has no method {method!r}", permanent=True, code="method")


def _options(method: str) -> Any:
    """What Stripe asks for with a method: WeChat Pay is told that a web page shows its code."""
    return {"wechat_pay": {"client": "web"}} if method == "wechatpay" else {}


def _units(amount: Money) -> int:
    try:
        return to_units(amount)
    except ValueError as error:
        raise ProviderError(str(error), permanent=True, code="amount") from error


def _outcome(account: Account, session: Session | None, reference: str) -> Outcome:
    return charge_outcome(account, session.to_dict(), reference) if session else Outcome(State.UNKNOWN, reference)


def _bill_line(source: Thing, fee: Money, *, charge: bool) -> BillLine:
    """The amount is that of the charge or refund itself; Stripe books it in the currency the shop is paid out in."""
    return BillLine(
        about="charge" if charge else "refund",
        reference=gateway.reference_of(source),
        provider_ref=source["payment_intent"] if charge else source["id"],
        amount=from_units(source["amount"], source["currency"]),
        state=State.SUCCEEDED if charge else refund_state(source),
        charge_ref="" if charge else source["payment_intent"] or "",
        fee=fee,
    )


def _dispute_line(dispute: Thing, fee: Money) -> BillLine:
    told = dispute_outcome(dispute)
    assert told.amount
    of = dispute["payment_intent"]
    return BillLine("dispute", "", told.provider_ref, told.amount, told.state, charge_ref=of, fee=fee, code=told.code)
