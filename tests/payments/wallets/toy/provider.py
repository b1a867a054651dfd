"""Toy Pay keeps its books in this process: what another wallet answers over HTTP, it looks up."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo

from friendpay.kit.money import Money
from payments.wallets.about import App, Credential
from payments.wallets.base import (
    DESKTOP,
    PHONE,
    Account,
    BillLine,
    Method,
    NeverBilled,
    NextStep,
    Notification,
    NotificationRefused,
    Outcome,
    Rail,
    RefundOrder,
    Reply,
    Start,
    State,
)

_PAGE = "https://toypay.example"


@dataclass
class Charge:
    amount: Money
    state: State = State.PENDING


class ToyPay:
    name = "toypay"
    label = "Toy Pay"
    app: App | None = App("Toy App", sign="toyapp")
    methods: tuple[Method, ...] = (
        Method(
            "toypay",
            "Toy Pay",
            currencies=frozenset({"CNY", "EUR"}),
            smallest={"CNY": 100},
            rails={"toypay": (Rail.H5,), PHONE: (Rail.H5,), DESKTOP: (Rail.REDIRECT,)},
        ),
    )
    rails: tuple[Rail, ...] = (Rail.H5, Rail.REDIRECT)
    grants: Mapping[str, str] = {"page": "Toy Pages"}
    max_hold = 60 * 60
    min_hold = 1
    hold = 5 * 60
    yields_after = 60
    fields: Mapping[str, Credential] = {
        "shop_number": Credential("The number on your Toy Pay letter.", secret=False),
        "token": Credential("The token from the same letter."),
    }
    pages: tuple[str, ...] = (_PAGE,)
    run_by_shop = False
    identity: tuple[str, ...] = ("shop_number", "base_url")
    identity_key = ""
    knows_from_start = True
    zone: tzinfo = UTC
    refund_gap = 0
    steps: Mapping[str, int] = {}

    def __init__(self) -> None:
        self.book: dict[str, Charge] = {}
        self.refunds: dict[str, Outcome] = {}

    def lacks(self, account: Account, rail: Rail) -> str:
        return "" if rail is Rail.H5 or "page" in account.granted else "page_not_granted"

    def ends_at(self, account: Account) -> datetime | None:
        return None

    def start(self, account: Account, start: Start) -> NextStep:
        self.book.setdefault(start.reference, Charge(start.amount))
        return NextStep(start.rail, url=f"{_PAGE}/pay/{start.reference}")

    def fetch(self, account: Account, reference: str, session: str = "") -> Outcome:
        if not (charge := self.book.get(reference)):
            return Outcome(State.UNKNOWN, reference)
        if charge.state is State.SUCCEEDED:
            return Outcome(charge.state, reference, provider_ref=f"toy-{reference}", amount=charge.amount)
        return Outcome(charge.state, reference)

    def close(self, account: Account, reference: str, session: str = "") -> Outcome:
        if (charge := self.book.get(reference)) and charge.state is State.PENDING:
            charge.state = State.FAILED
        return self.fetch(account, reference)

    def refund(self, account: Account, refund: RefundOrder) -> Outcome:
        number = refund.reference
        done = Outcome(State.SUCCEEDED, number, provider_ref=f"toy-{number}", amount=refund.amount)
        return self.refunds.setdefault(number, done)

    def fetch_refund(self, account: Account, *, reference: str, charge: str, charge_ref: str = "") -> Outcome:
        return self.refunds.get(reference, Outcome(State.UNKNOWN, reference))

    def read_notification(
        self, account: Account, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Notification:
        if not hmac.compare_digest(headers.get("toy-signature", ""), sign(account.config["token"], body)):
            raise NotificationRefused("signature does not fit", reply=Reply(401))
        told = json.loads(body)
        return Notification(told["id"], "charge.changed", told["reference"], "charge")  # a hint: `fetch` is asked

    def acknowledge(self) -> Reply:
        return Reply(204)

    def bill(self, account: Account, day: date) -> Iterator[BillLine]:
        raise NeverBilled("Toy Pay writes no bills")

    def check(self, account: Account) -> str:
        return "Toy Pay answers."


def sign(token: str, body: bytes) -> str:
    return hmac.new(token.encode(), body, hashlib.sha256).hexdigest()
