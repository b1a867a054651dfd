"""The sandbox wallet as a provider like any other: it pays with play money, and only for test accounts."""

import hmac
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from friendpay.kit.money import EXPONENT, Money
from payments.wallets.about import App, Credential, gettext_noop
from payments.wallets.base import (
    BEIJING,
    Account,
    BillLine,
    Method,
    NextStep,
    Notification,
    NotificationRefused,
    Outcome,
    ProviderError,
    Rail,
    RefundOrder,
    Reply,
    Start,
    State,
)
from payments.wallets.sandbox.credentials import FIELDS
from sandbox import bank
from sandbox.signing import sign

_TOLERANCE = 300  # seconds, either way
_LARGEST = 64 * 1024
_SECONDS = re.compile(r"[0-9]{1,11}", re.ASCII)
_TOKEN = re.compile(r"[!-~]{1,64}", re.ASCII)  # printable, without spaces: nothing a log or a table would stumble over

_STATES = {
    bank.Status.OPEN: State.PENDING,
    bank.Status.PAID: State.SUCCEEDED,
    bank.Status.REFUSED: State.FAILED,
    bank.Status.CLOSED: State.FAILED,
}
_DISPUTES = {"open": State.PENDING, "won": State.SUCCEEDED, "lost": State.FAILED}
_OF = {"charge": "charge", "charge_ref": "charge_transaction"}
"""What a refund or dispute is of: our name of it, and the wallet's."""

_WORDS = {
    bank.Status.REFUSED: "The payer refused in the sandbox wallet.",
    bank.Status.CLOSED: "The sandbox wallet takes this payment no more.",
}


class SandboxProvider:
    name = "sandbox"
    label = gettext_noop("Sandbox wallet")
    app: App | None = None
    methods = (Method(name, label),)
    rails = (Rail.REDIRECT, Rail.NATIVE)
    grants: Mapping[str, str] = {}
    max_hold = 2 * 60 * 60
    min_hold = 1
    hold = 5 * 60
    yields_after = 1 * 60
    zone: tzinfo = BEIJING  # as the wallets it stands in for: no zone of ours may slip in unnoticed
    fields: Mapping[str, Credential] = FIELDS
    pages: tuple[str, ...] = ()
    run_by_shop = False
    identity: tuple[str, ...] = ()  # it is here, and knows an account by our own name of it
    identity_key = ""
    knows_from_start = True
    refund_gap = 0
    steps: Mapping[str, int] = {}

    def lacks(self, account: Account, rail: Rail) -> str:
        return ""

    def ends_at(self, account: Account) -> datetime | None:
        return None

    def start(self, account: Account, start: Start) -> NextStep:
        secret = _secret(account)
        if start.rail not in self.rails:
            raise ProviderError(f"The sandbox wallet has no {start.rail} rail.", permanent=True, code="no_such_rail")
        new_charge = bank.NewCharge(
            account=account.id,
            secret=secret,
            reference=start.reference,
            amount=start.amount.minor,
            currency=start.amount.currency,
            exponent=EXPONENT[start.amount.currency],
            subject=start.subject,
            deadline=start.deadline,
            notify_url=start.notify_url,
            return_url=start.return_url,
        )
        try:
            charge = bank.open_charge(new_charge)
        except bank.Rejected as refused:
            raise _error(refused) from None
        page = f"{account.base_url.rstrip('/')}/sandbox/{charge.ref}/"
        return NextStep(start.rail, code=page) if start.rail == Rail.NATIVE else NextStep(start.rail, url=page)

    def fetch(self, account: Account, reference: str, session: str = "") -> Outcome:
        _secret(account)
        return _charge(reference, bank.find(account.id, reference))

    def close(self, account: Account, reference: str, session: str = "") -> Outcome:
        _secret(account)
        return _charge(reference, bank.close(account.id, reference))

    def refund(self, account: Account, refund: RefundOrder) -> Outcome:
        _secret(account)
        try:
            made = bank.refund(
                account.id,
                reference=refund.reference,
                charge=refund.charge,
                transaction_id=refund.charge_ref,
                charged=refund.charged.minor,
                amount=refund.amount.minor,
                currency=refund.amount.currency,
            )
        except bank.Rejected as refused:
            raise _error(refused) from None
        return _refund(refund.reference, made)

    def fetch_refund(self, account: Account, *, reference: str, charge: str, charge_ref: str = "") -> Outcome:
        _secret(account)
        return _refund(reference, bank.find_refund(account.id, reference))

    def fetch_dispute(self, account: Account, number: str) -> Outcome:
        _secret(account)
        found = bank.find_dispute(account.id, number)
        if found is None:
            return Outcome(State.UNKNOWN, "", number)
        return _dispute(found.status, number, Money(found.amount, found.currency))

    def read_notification(
        self, account: Account, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Notification:
        if len(body) > _LARGEST:
            raise _refusal(413, "too large")
        _verify(account, headers, body, now)
        try:
            said = json.loads(body.decode())
            if said["account"] != account.id:
                raise _refusal(401, "for another account")
            return _read(said)
        except (ValueError, LookupError, TypeError, RecursionError):
            raise _refusal(400, "malformed") from None

    def acknowledge(self) -> Reply:
        return Reply(204)

    def bill(self, account: Account, day: date) -> Iterator[BillLine]:
        _secret(account)
        start = datetime.combine(day, time.min, self.zone)
        for line in bank.bill(account.id, start, start + timedelta(days=1)):
            money = Money(line.amount, line.currency)
            charge = line.charge, line.charge_transaction
            yield BillLine(line.about, line.reference, line.transaction, money, State.SUCCEEDED, *charge)

    def check(self, account: Account) -> str:
        _secret(account)
        bank.find(account.id, "check")
        return "The sandbox wallet answers. It moves no real money."


def _secret(account: Account) -> str:
    """What every call needs first: a test account that can be served."""
    if account.live:
        raise ProviderError(
            "The sandbox wallet serves test accounts only.", permanent=True, code="live_account", for_shop=True
        )
    if not account.base_url:
        raise ProviderError(
            "The account's gateway must be this server's address.", permanent=True, code="no_gateway", for_shop=True
        )
    secret = account.config.get("secret", "")
    if not secret:
        raise ProviderError("The account has no secret.", permanent=True, code="no_secret", for_shop=True)
    return secret


def _error(refused: bank.Rejected) -> ProviderError:
    return ProviderError(refused.message, permanent=True, code=refused.code)


def _charge(reference: str, charge: bank.ChargeDetails | None) -> Outcome:
    if charge is None:
        return Outcome(State.UNKNOWN, reference)
    return _standing(reference, charge.status, charge.transaction, Money(charge.amount, charge.currency))


def _standing(reference: str, status: bank.Status, transaction: str, amount: Money) -> Outcome:
    state = _STATES[status]
    if state == State.SUCCEEDED:
        return Outcome(state, reference, provider_ref=transaction, amount=amount)
    return Outcome(state, reference, code=str(status), message=_WORDS.get(status, ""))


def _refund(reference: str, made: bank.RefundDetails | None) -> Outcome:
    if made is None:
        return Outcome(State.UNKNOWN, reference)
    amount, state = Money(made.amount, made.currency), State.PENDING if made.pending else State.SUCCEEDED
    return Outcome(state, reference, provider_ref=made.transaction, amount=amount)


def _dispute(status: str, number: str, amount: Money) -> Outcome:
    return Outcome(_DISPUTES[status], "", provider_ref=number, amount=amount, code="simulated")


def _verify(account: Account, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    timestamp, nonce = headers.get("sandbox-timestamp", ""), headers.get("sandbox-nonce", "")
    secret = account.config.get("secret", "")
    if account.live or not secret or not _SECONDS.fullmatch(timestamp) or not _TOKEN.fullmatch(nonce):
        raise _refusal(401, "not signed")
    if abs(now.timestamp() - int(timestamp)) >= _TOLERANCE:
        raise _refusal(401, "too old, or from the future")
    signature = headers.get("sandbox-signature", "")
    if not hmac.compare_digest(sign(secret, timestamp, nonce, body).encode(), signature.encode("utf-8", "replace")):
        raise _refusal(401, "signature does not fit")


def _read(said: dict[str, Any]) -> Notification:
    """What a genuine notification says. ValueError, LookupError or TypeError on what the wallet never writes."""
    kind, event_id = _token(said["kind"]), _token(said["id"])
    about = kind.partition(".")[0] if kind.startswith(("refund.", "dispute.")) else "charge"
    thing = said[about]
    amount = Money(thing["amount"], thing["currency"])
    if amount.minor <= 0:
        raise ValueError("not an amount")
    of = {} if about == "charge" else {name: _token(thing[of]) for name, of in _OF.items()}
    if about == "dispute":
        number = _token(thing["number"])
        return Notification(event_id, kind, "", about, _dispute(thing["status"], number, amount), number, **of)
    reference = _token(thing["reference"])
    status = bank.Status(thing["status"]) if about == "charge" else bank.Status.PAID
    transaction = _token(thing["transaction"]) if status == bank.Status.PAID else ""
    return Notification(event_id, kind, reference, about, _standing(reference, status, transaction, amount), **of)


def _token(value: object) -> str:
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise ValueError("not a token")
    return value


def _refusal(status: int, why: str) -> NotificationRefused:
    return NotificationRefused(why, reply=Reply(status, why.encode()))
