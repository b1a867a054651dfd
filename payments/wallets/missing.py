"""Stand-in (null object) for a wallet whose package is not installed: it offers nothing, and every call says so.

Its accounts, payments and refunds stay as they are and wait: a call that fails for now is made again, a notification is
not accepted, so that the wallet sends it again. Once the package is back, all of it goes on.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, tzinfo
from typing import NoReturn

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
)


class Missing:
    app: App | None = None
    methods: tuple[Method, ...] = ()
    rails: tuple[Rail, ...] = ()
    grants: Mapping[str, str] = {}
    max_hold = hold = 15 * 60
    min_hold = yields_after = 60
    fields: Mapping[str, Credential] = {}
    pages: tuple[str, ...] = ()
    run_by_shop = False
    identity: tuple[str, ...] = ()
    identity_key = ""
    knows_from_start = True  # nothing is ever given up for its silence
    zone: tzinfo = UTC
    refund_gap = 0
    steps: Mapping[str, int] = {}

    def __init__(self, name: str) -> None:
        self.name = self.label = name

    def lacks(self, account: Account, rail: Rail) -> str:
        return ""

    def ends_at(self, account: Account) -> datetime | None:
        return None

    def start(self, account: Account, start: Start) -> NextStep:
        self._fail()

    def fetch(self, account: Account, reference: str, session: str = "") -> Outcome:
        self._fail()

    def close(self, account: Account, reference: str, session: str = "") -> Outcome:
        self._fail()

    def refund(self, account: Account, refund: RefundOrder) -> Outcome:
        self._fail()

    def fetch_refund(self, account: Account, *, reference: str, charge: str, charge_ref: str = "") -> Outcome:
        self._fail()

    def fetch_dispute(self, account: Account, number: str) -> Outcome:
        self._fail()

    def read_notification(
        self, account: Account, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Notification:
        self._fail()

    def acknowledge(self) -> Reply:
        return Reply(503)

    def bill(self, account: Account, day: date) -> Iterable[BillLine]:
        self._fail()

    def check(self, account: Account) -> str:
        self._fail()

    def _fail(self) -> NoReturn:
        raise ProviderError(
            f"the package of the wallet {self.name} is not installed", permanent=False, code="not_installed"
        )
