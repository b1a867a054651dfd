"""How a gateway is asked while it is tried: calls, links and refunds as friendpay makes them, or as nobody should."""

import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from friendpay.kit.money import Money
from payments.wallets import transport
from payments.wallets.base import Account, Notification, NotificationRefused, Outcome, ProviderError
from payments.wallets.house import gateway, reading, signing
from payments.wallets.house.conformance.hearing import Delivery, Hearing
from payments.wallets.house.provider import House
from payments.wallets.transport import Answer

Say = Callable[[bool | None, str, str], None]
Calling = Callable[[], AbstractContextManager[Any]]


class Mend(Exception):
    """What must be mended."""


@dataclass
class Trial:
    """One trial of a test account. `say` hears of each thing: passed (None: cannot be told), what, and what to do."""

    account: Account
    money: Money
    calling: Calling
    hearing: Hearing
    say: Say
    patience: float = 120.0  # seconds: for a person who pays by hand, and for an event that comes again
    faults: int = 0

    def __post_init__(self) -> None:
        self.house = House()
        self.key = signing.key_of(self.account)

    def tries(self, what: str, play: Callable[[], None]) -> bool:
        try:
            play()
        except Mend as mend:
            self.say(False, what, str(mend))
        except ProviderError as error:
            self.say(False, what, f"A call failed: {error.message} ({error.code or 'no code'}).")
        else:
            self.say(True, what, "")
            return True
        self.faults += 1
        return False

    # Calls and links

    def ask(self, kind: str, **says: Any) -> dict[str, Any]:
        with self.calling():
            return gateway.ask(self.account, kind, **says)

    def payment(self, kind: str, reference: str) -> Outcome:
        with self.calling():
            asked = self.house.fetch if kind == "get" else self.house.close
            return asked(self.account, reference)

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        with self.calling():
            sent = {"Content-Type": "application/json", **headers}
            return transport.call("POST", self.account.base_url, content=body, headers=sent)

    def open(self, url: str) -> int:
        """The status of the pay page. A browser that came from a form follows no redirect to another host."""
        with self.calling():
            answer = transport.call("GET", url)
        if 300 <= answer.status < 400:
            to = urlsplit(answer.headers.get("location", ""))
            if to.netloc and to.netloc != urlsplit(self.account.base_url).netloc:
                raise Mend(
                    "The pay page redirects to another host, which browsers refuse after a form. Answer with a page "
                    "that leads on (a button, or <meta http-equiv=refresh>)."
                )
            return 200
        return answer.status

    def link(self, reference: str, account: Account | None = None, **changed: Any) -> str:
        """A genuine link, signed for what it says."""
        says = {
            "account": self.account.id,
            "live": self.account.live,
            "reference": reference,
            "amount": self.money.minor,
            "currency": self.money.currency,
            "expires": int(time.time()) + 900,
            "nonce": signing.nonce(self.key, reference),
            "description": "Conformance test",
            "locale": "en",
            "return_url": f"{self.hearing.url}paid",
            "cancel_url": f"{self.hearing.url}back",
            "notify_url": self.hearing.url,
            **changed,
        }
        return self.address(signing.token(self.key, says))

    def address(self, token: str) -> str:
        joint = "&" if urlsplit(self.account.base_url).query else "?"
        return f"{self.account.base_url}{joint}friendpay={token}"

    def new(self) -> tuple[str, str]:
        reference = f"check{secrets.token_hex(10)}"
        return reference, self.link(reference)

    def must_open(self, url: str) -> None:
        if (status := self.open(url)) != 200:
            raise Mend(f"A genuine link was answered with {status}; show the pay page (200).")

    def must_refuse(self, url: str, what: str) -> None:
        if (status := self.open(url)) < 400 or status >= 500:
            raise Mend(f"{what} was answered with {status}; refuse it with 403, 409 or 410.")

    def order(self, reference: str, capture: str, money: Money) -> dict[str, Any]:
        sums = {"amount": money.minor, "currency": money.currency}
        return {"reference": reference, "capture": capture, **sums, "reason": "Conformance test"}

    def refund(self, kind: str, **says: Any) -> Outcome:
        said = self.ask(kind, **says)
        try:
            return reading.refund(said.get("refund"), says["reference"])
        except (TypeError, ValueError) as error:
            raise gateway.unreadable(str(error)) from error

    def event(self, delivery: Delivery) -> Notification:
        try:
            return reading.read_event(self.account, delivery.headers, delivery.body, datetime.now(UTC))
        except NotificationRefused as refused:
            raise Mend(f"An event was refused: {refused}.") from None
