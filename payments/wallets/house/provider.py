"""The shop's own gateway: whatever a shop takes money with already can settle a request (docs/wallets/house.md).

One address of the shop's, the account's gateway: a payer opens it with a signed link (GET), friendpay calls it signed
(POST). The shop learns of a payment by its link alone, and tells of what became of it at the notification address.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from urllib.parse import urlsplit

from payments.wallets.about import App, Credential, gettext_noop
from payments.wallets.base import (
    Account,
    BillLine,
    Method,
    NeverBilled,
    NextStep,
    NoBill,
    Notification,
    Outcome,
    ProviderError,
    Rail,
    RefundOrder,
    Reply,
    Start,
)
from payments.wallets.house import gateway as gateway
from payments.wallets.house import reading as reading
from payments.wallets.house import signing
from payments.wallets.house.credentials import FIELDS


class House:
    name = "house"
    label = gettext_noop("The shop's own gateway")
    app: App | None = None
    methods: tuple[Method, ...] = (Method(name, label),)
    rails: tuple[Rail, ...] = (Rail.REDIRECT,)
    grants: Mapping[str, str] = {"bill": gettext_noop("Daily bill")}
    max_hold = 23 * 3600
    min_hold = 60
    hold = 15 * 60  # what the shop has behind it may ask a bank, as cards do
    yields_after = 3 * 60
    fields: Mapping[str, Credential] = FIELDS
    pages: tuple[str, ...] = ()
    run_by_shop = True
    identity: tuple[str, ...] = ("base_url",)
    identity_key = "secret"
    knows_from_start = False  # the shop hears of a payment when its link is opened
    zone: tzinfo = UTC
    refund_gap = 0
    steps: Mapping[str, int] = {}

    def lacks(self, account: Account, rail: Rail) -> str:
        return ""

    def ends_at(self, account: Account) -> datetime | None:
        return None

    def start(self, account: Account, start: Start) -> NextStep:
        """A link, and no call. The same for the same payment, so that it pays once however often it is made."""
        key = signing.key_of(account)
        if urlsplit(account.base_url).scheme not in (("https",) if account.live else ("https", "http")):
            raise ProviderError("the account has no gateway address", permanent=True, code="configuration")
        says = {
            "account": account.id,
            "live": account.live,
            "reference": start.reference,
            "amount": start.amount.minor,
            "currency": start.amount.currency,
            "expires": int(start.deadline.timestamp()),
            "nonce": signing.nonce(key, start.reference),
            "description": start.subject,
            "locale": start.locale,
            "return_url": start.return_url,
            "cancel_url": start.cancel_url,
            "notify_url": start.notify_url,
        }
        joint = "&" if urlsplit(account.base_url).query else "?"
        return NextStep(Rail.REDIRECT, url=f"{account.base_url}{joint}friendpay={signing.token(key, says)}")

    def fetch(self, account: Account, reference: str, session: str = "") -> Outcome:
        return _payment(gateway.ask(account, "payment.get", reference=reference), reference)

    def close(self, account: Account, reference: str, session: str = "") -> Outcome:
        return _payment(gateway.ask(account, "payment.close", reference=reference), reference)

    def refund(self, account: Account, refund: RefundOrder) -> Outcome:
        said = gateway.ask(
            account,
            "refund.create",
            reference=refund.reference,
            capture=refund.charge_ref,
            amount=refund.amount.minor,
            currency=refund.amount.currency,
            reason=refund.reason,
        )
        return _refund(said, refund.reference)

    def fetch_refund(self, account: Account, *, reference: str, charge: str, charge_ref: str = "") -> Outcome:
        said = gateway.ask(account, "refund.get", reference=reference)
        return _refund(said, reference)

    def fetch_dispute(self, account: Account, number: str) -> Outcome:
        said = gateway.ask(account, "dispute.get", number=number)
        try:
            return reading.dispute(said.get("dispute"), number)
        except (TypeError, ValueError) as error:
            raise gateway.unreadable(str(error)) from error

    def read_notification(
        self, account: Account, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Notification:
        return reading.read_event(account, headers, body, now)

    def acknowledge(self) -> Reply:
        return Reply(204)

    def bill(self, account: Account, day: date) -> Iterator[BillLine]:
        """Page after page; NeverBilled where the shop's gateway has none, which is asked for nothing then."""
        if "bill" not in account.granted:
            raise NeverBilled("this gateway has no daily bills")
        after = ""
        while True:
            try:
                said = gateway.ask(account, "bill.get", limit=gateway.BILL_BYTES, day=day.isoformat(), after=after)
                lines = [reading.line(one) for one in said["lines"]]
            except ProviderError as error:
                if error.code == "no_bill":
                    raise NoBill(error.message, code=error.code) from error
                raise
            except (LookupError, TypeError, ValueError) as error:
                raise gateway.unreadable(f"its bill is unreadable: {error}") from error
            yield from lines
            seen, after = after, said.get("after", "")
            if not after:
                return
            if not isinstance(after, str) or after == seen or not lines:
                raise gateway.unreadable("its bill does not go on")

    def check(self, account: Account) -> str:
        gateway.ask(account, "ping")
        return f"The shop's gateway knows this account and its secret ({'live' if account.live else 'test'} mode)."


def _payment(said: dict[str, Any], reference: str) -> Outcome:
    try:
        return reading.payment(said.get("payment"), reference)
    except (TypeError, ValueError) as error:
        raise gateway.unreadable(str(error)) from error


def _refund(said: dict[str, Any], reference: str) -> Outcome:
    try:
        return reading.refund(said.get("refund"), reference)
    except (TypeError, ValueError) as error:
        raise gateway.unreadable(str(error)) from error
