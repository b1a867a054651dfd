"""Plays friendpay against a shop's own gateway, and says what it does right and what must be mended.

For the shop's developers (`manage.py check_house`): with a test account, no row of the database is touched. Whoever
takes the events is a small server here, whose address stands in the links.
"""

import json
import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from friendpay.kit.money import Money
from payments.wallets.base import Notification, ProviderError, State
from payments.wallets.house import signing
from payments.wallets.house.conformance.asking import Mend, Trial

_SETTLES = 20.0  # seconds for a refund or an event that is on its way


class Play(Trial):
    """Everything that is tried."""

    def run(self) -> int:
        """Everything in turn; says how many things must be mended. Nothing else is tried where no call gets through."""
        if not self.tries("It answers a call that is signed (ping)", self._ping):
            return self.faults
        self.tries("It refuses calls that are not signed by us, or not now", self._forged)
        self.tries("A payment it never heard of is “unknown”", self._unknown)
        self.tries("A link opens its pay page, and opens it again when the page is loaded anew", self._opens)
        self.tries("Links that were tampered with, are over, or are of the other mode are refused", self._tampered)
        self.tries("A second link of one payment is refused", self._second_link)
        self.tries("What is closed stays closed, and its link opens nothing", self._closes)
        self.tries("What nobody has opened can be closed, too", self._closes_unseen)
        reference, url = self.new()
        if self.tries("A payment is captured, once, for what was asked", lambda: self._captures(reference, url)):
            self.tries(
                "The capture is told of, signed, and told again until it is heard", lambda: self._tells(reference)
            )
            self.tries(
                "A link that has paid pays no more, and closing undoes nothing", lambda: self._over(reference, url)
            )
            self.tries("Refunds go once under their reference, and never beyond", lambda: self._refunds(reference))
            disputed, number = self._disputed()
            if number:
                self.tries(
                    "A dispute is told of, and what the bank has is not refunded as well",
                    lambda: self._disputes(disputed, number),
                )
        if "bill" in self.account.granted:
            self.tries("The bill of a day is readable", self._bill)
        return self.faults

    # What is tried

    def _ping(self) -> None:
        self.ask("ping")

    def _forged(self) -> None:
        body = json.dumps({"type": "ping", "account": self.account.id, "live": self.account.live}).encode()
        now, call = int(time.time()), f"call_{secrets.token_hex(8)}"
        good = signing.headers(self.key, call, now, body)
        stranger = secrets.token_bytes(32)
        for what, sent, headers in (
            ("A call without a signature", body, {}),
            ("A call signed with another secret", body, signing.headers(stranger, call, now, body)),
            ("A call whose body was changed", body + b" ", good),
            ("A call whose id was changed", body, {**good, "webhook-id": f"{call}x"}),
            ("A call whose timestamp was changed", body, {**good, "webhook-timestamp": str(now - 1)}),
            ("A call of ten minutes ago", body, signing.headers(self.key, call, now - 600, body)),
            ("A call of ten minutes ahead", body, signing.headers(self.key, call, now + 600, body)),
        ):
            status = self.post(sent, headers).status
            if status not in (401, 403):
                raise Mend(f"{what} was answered with {status}; refuse it with 401, before anything is read of it.")

    def _unknown(self) -> None:
        told = self.payment("get", f"check{secrets.token_hex(10)}")
        if told.state is not State.UNKNOWN:
            raise Mend(f"It said {told.state}; answer 200 with status “unknown”.")

    def _opens(self) -> None:
        reference, url = self.new()
        self.must_open(url)
        self.must_open(url)
        if (told := self.payment("get", reference)).state is not State.PENDING:
            raise Mend(f"Once its link is opened a payment is “pending”; it is {told.code or told.state}.")

    def _tampered(self) -> None:
        reference, url = self.new()
        dear = self.link(reference, amount=self.money.minor * 10)
        self.must_refuse(dear.rpartition(".")[0] + "." + url.rpartition(".")[2], "A link with another amount")
        self.must_refuse(url[:-1] + ("0" if url[-1] != "0" else "1"), "A link with a wrong signature")
        self.must_refuse(url.rpartition(".")[0], "A link without its signature")
        self.must_refuse(self.link(reference, expires=int(time.time()) - 1), "A link that is over")
        self.must_refuse(self.link(reference, live=not self.account.live), "A link of the other mode")
        if self.payment("get", reference).state is not State.UNKNOWN:
            raise Mend("A link that was refused has made a payment; look at it only once it is proved.")

    def _second_link(self) -> None:
        reference, url = self.new()
        self.must_open(url)
        self.must_refuse(self.link(reference, nonce=secrets.token_hex(16)), "A link with another nonce")
        self.must_refuse(self.link(reference, amount=self.money.minor + 1), "A link of it with another amount")

    def _closes(self) -> None:
        reference, url = self.new()
        self.must_open(url)
        for kind in ("close", "close", "get"):
            if (told := self.payment(kind, reference)).state is not State.FAILED:
                raise Mend(f"After payment.close it is {told.code or told.state}; it must be “closed”, every time.")
        self.must_refuse(url, "The link of a payment that was closed")

    def _closes_unseen(self) -> None:
        reference, url = self.new()
        if (told := self.payment("close", reference)).state is not State.FAILED:
            raise Mend(f"It said {told.code or told.state}; remember the reference, and answer “closed”.")
        self.must_refuse(url, "The link of a payment that was closed before it was opened")

    def _captures(self, reference: str, url: str) -> None:
        self.must_open(url)
        try:
            self.ask("test.capture", reference=reference)
        except ProviderError as error:
            if not error.permanent:
                raise
            self.say(None, f"It has no test.capture. Open this link and pay by hand, within {self.patience:.0f} s", url)
        ends = time.monotonic() + self.patience
        while (told := self.payment("get", reference)).state is State.PENDING and time.monotonic() < ends:
            time.sleep(1)
        if told.state is not State.SUCCEEDED:
            raise Mend(f"The payment is {told.code or told.state}, and not “captured”.")
        if told.amount != self.money:
            raise Mend(f"It captured {told.amount}, and was asked for {self.money}.")
        if self.payment("get", reference) != told:
            raise Mend("Asked twice, it gives two answers; a capture keeps its number.")

    def _tells(self, reference: str) -> None:
        heard = self.hearing
        if not heard.until(lambda: heard.deliveries, _SETTLES):
            raise Mend(f"No event came to notify_url ({heard.url}) within {_SETTLES:.0f} s.")
        first = heard.deliveries[0]
        told = self.event(first)
        if (told.kind, told.reference) != ("payment.captured", reference):
            raise Mend(f"The event is {told.kind} of {told.reference}, and not the capture.")
        if told.outcome != self.payment("get", reference):
            raise Mend("The event and payment.get do not say the same; both tell of one capture.")
        if not heard.until(lambda: len(heard.deliveries) > 1, self.patience):
            raise Mend(f"Answered with 503, it did not come again within {self.patience:.0f} s; send until a 2xx.")
        again = heard.deliveries[1]
        if again.headers.get("webhook-id") != first.headers.get("webhook-id"):
            raise Mend("It came again under another webhook-id; one event keeps its id.")
        if again.body != first.body:
            raise Mend("It came again with another body; one event keeps its bytes.")
        self.event(again)

    def _over(self, reference: str, url: str) -> None:
        self.must_refuse(url, "The link of a payment that is paid")
        if (told := self.payment("close", reference)).state is not State.SUCCEEDED:
            raise Mend(f"Closed after it was captured, it says {told.code or told.state}; it stays “captured”.")

    def _refunds(self, reference: str) -> None:
        capture = self.payment("get", reference).provider_ref
        part, rest = Money(self.money.minor // 3, self.money.currency), self.money.minor - self.money.minor // 3
        ours = [f"check{secrets.token_hex(10)}" for _number in range(3)]
        unknown = self.refund("refund.get", reference=ours[0])
        if unknown.state is not State.UNKNOWN:
            raise Mend(f"A refund it never heard of is {unknown.state}; answer 200 with status “unknown”.")
        asked = self.order(ours[0], capture, part)
        first, again, told = (
            self.refund("refund.create", **asked),
            self.refund("refund.create", **asked),
            self.refund("refund.get", reference=ours[0]),
        )
        if State.FAILED in (first.state, again.state, told.state):
            raise Mend(f"A refund of a part failed: {first.code or first.message or again.code}.")
        if not first.provider_ref == again.provider_ref == told.provider_ref or first.amount != part:
            raise Mend("Asked for twice under one reference, it is two refunds or another amount; it must be one.")
        for what, order in (
            ("More than is left", self.order(ours[1], capture, self.money)),
            ("Another amount under the same reference", self.order(ours[0], capture, Money(1, part.currency))),
            ("Another currency", self.order(ours[1], capture, replace(part, currency=_other(part.currency)))),
            ("Of a capture there is not", self.order(ours[1], f"{capture}x", part)),
        ):
            self._must_fail(what, order)
        whole = self.refund("refund.create", **self.order(ours[2], capture, Money(rest, part.currency)))
        if whole.state is State.FAILED:
            raise Mend(f"The rest of a capture was not refunded: {whole.code or whole.message}.")
        self._must_fail("One unit more than was captured", self.order(f"{ours[1]}b", capture, Money(1, part.currency)))
        self._settles([ours[0], ours[2]], reference)

    def _settles(self, references: list[str], payment: str) -> None:
        ends = time.monotonic() + _SETTLES
        while time.monotonic() < ends:
            states = {self.refund("refund.get", reference=one).state for one in references}
            if states == {State.SUCCEEDED}:
                if self.payment("get", payment).state is not State.RETURNED:
                    raise Mend("All of it was refunded, and the payment is not “returned”.")
                return
            time.sleep(1)
        self.say(None, "Refunds are still “pending”", "They must be told of as refund.updated once they are decided.")

    def _disputed(self) -> tuple[str, str]:
        """A payment that was captured and disputed, and the dispute's number; "" where a test cannot have one."""
        reference, url = self.new()
        self.open(url)
        try:
            self.ask("test.capture", reference=reference)
            said = self.ask("test.dispute", reference=reference)
        except ProviderError:
            said = {}
        dispute = said.get("dispute")
        if not isinstance(dispute, dict):
            self.say(None, "It has no test.dispute", "Tell of disputes as dispute.updated; here that is not tried.")
            return reference, ""
        return reference, str(dispute.get("number"))

    def _disputes(self, reference: str, number: str) -> None:
        if not self.hearing.until(lambda: self._told_of(number), self.patience):
            raise Mend(f"No dispute.updated of {number} came within {self.patience:.0f} s.")
        told = self._told_of(number)[0]
        capture = self.payment("get", reference).provider_ref
        if (told.charge, told.charge_ref) != (reference, capture):
            raise Mend(f"The dispute is of {told.charge} and {told.charge_ref}, and not of {reference} and {capture}.")
        self._asks_about(number)
        self._must_fail("What the bank has", self.order(f"check{secrets.token_hex(10)}", capture, self.money))

    def _asks_about(self, number: str) -> None:
        """What it told of it may be asked for, where it has the call."""
        try:
            with self.calling():
                asked = self.house.fetch_dispute(self.account, number)
        except ProviderError as error:
            if not error.permanent:
                raise
            self.say(
                None, "It has no dispute.get", "Answer it: the end of a dispute that does not arrive is asked for."
            )
            return
        if asked.state is State.UNKNOWN:
            raise Mend(f"dispute.get says that {number} is unknown, and it told of it.")

    def _told_of(self, number: str) -> list[Notification]:
        events = map(self.event, self.hearing.deliveries)
        return [event for event in events if event.about == "dispute" and event.number == number]

    def _must_fail(self, what: str, order: dict[str, Any]) -> None:
        try:
            told = self.refund("refund.create", **order)
        except ProviderError as error:
            if error.permanent and not error.for_shop:
                return
            raise Mend(f"{what} was refused with {error.code}; refuse it with 422.") from None
        if told.state is not State.FAILED:
            raise Mend(f"{what} was refunded; refuse it with 422.")

    def _bill(self) -> None:
        day = datetime.fromtimestamp(time.time() - 86_400, UTC).date()
        with self.calling():
            list(self.house.bill(self.account, day))


def _other(currency: str) -> str:
    return "USD" if currency != "USD" else "EUR"
