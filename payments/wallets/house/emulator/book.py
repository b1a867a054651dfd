"""A shop's own books: the payments it was led payers for, what it captured of them, and what it sent back."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from friendpay.demo.emulation.moved import Charge, Moved, Return
from friendpay.demo.emulation.notifier import Clock
from payments.wallets.house.emulator.signing import Wrong

BILL_PAGE = 100

Thing = dict[str, Any]
Tell = Callable[[str, Thing, Thing], None]


@dataclass
class Refund:
    """`number` is the shop's own; by hand it is the reference too."""

    reference: str
    number: str
    amount: int
    at: datetime
    status: str = "succeeded"
    code: str = ""


@dataclass
class Dispute:
    number: str
    amount: int
    status: str
    at: datetime  # when it last changed

    @property
    def holds(self) -> int:
        """What the payer's bank has of the money."""
        return self.amount if self.status in ("open", "lost") else 0


@dataclass
class Capture:
    number: str
    amount: int
    at: datetime
    refunds: list[Refund] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)

    @property
    def back(self) -> int:
        return sum(refund.amount for refund in self.refunds if refund.status != "failed")


@dataclass
class Order:
    """A payment that a link was opened for; or, with an empty `link`, one that was closed before anybody came."""

    reference: str
    account: str
    link: Thing
    status: str = "pending"
    code: str = ""
    captures: list[Capture] = field(default_factory=list)

    def shown(self) -> Thing:
        """As it is answered, and told of."""
        return self.capture_shown(self.captures[0]) if self.captures else self._told(status=self.status)

    def capture_shown(self, capture: Capture) -> Thing:
        status = "returned" if capture.back == capture.amount else "captured"
        return self._told(status=status, capture=capture.number, amount=capture.amount, currency=self.link["currency"])

    def refund_shown(self, capture: Capture, refund: Refund) -> Thing:
        return {
            "reference": refund.reference,
            "payment": self.reference,
            "capture": capture.number,
            "status": refund.status,
            "number": refund.number,
            "amount": refund.amount,
            "currency": self.link["currency"],
            **({"code": refund.code} if refund.code else {}),
        }

    def dispute_shown(self, capture: Capture, dispute: Dispute) -> Thing:
        return {
            "number": dispute.number,
            "payment": self.reference,
            "capture": capture.number,
            "status": dispute.status,
            "amount": dispute.amount,
            "currency": self.link["currency"],
            "code": "fraudulent",
        }

    def _told(self, **says: object) -> Thing:
        return {"reference": self.reference, **says, **({"code": self.code} if self.code else {})}


class Book:
    """Whatever changes is told (`tell`): the type of the event, the payment's link, and the thing."""

    def __init__(self, clock: Clock, tell: Tell) -> None:
        self.clock = clock
        self.tell = tell
        self.orders: dict[str, Order] = {}
        self.balance_is_short = False  # True: a refund waits until `top_up`

    # Payments

    def open(self, link: Thing) -> Order:
        """The payment of a genuine link. What is over, or was opened by another link, is refused."""
        order = self.orders.get(link["reference"])
        if link["expires"] <= self.clock.now().timestamp():
            raise Wrong(410, "expired", "The time of this link is over.")
        if order is None:
            order = self.orders[link["reference"]] = Order(link["reference"], link["account"], link)
        if order.link != link:
            raise Wrong(409, "other_link", "This payment was opened by another link, or was closed.")
        if order.status != "pending" or order.captures:
            raise Wrong(410, "used", "This link was used.")
        return order

    def find(self, account: str, reference: str) -> Order | None:
        order = self.orders.get(reference)
        if order is None or order.account != account:
            return None
        if order.status == "pending" and not order.captures and order.link["expires"] <= self.clock.now().timestamp():
            order.status = "closed"
        return order

    def close(self, account: str, reference: str) -> Order:
        """From now on nobody pays it; one that nobody has opened is remembered, so that its link is worth nothing."""
        order = self.find(account, reference)
        if order is None:
            order = self.orders[reference] = Order(reference, account, {})
        if order.status == "pending" and not order.captures:
            order.status = "closed"
        return order

    def capture(self, reference: str, *, short: int = 0) -> Capture:
        """The money is there, `short` units less. Not asked whether it still may be: a bank that was late comes here,
        too, and so does a second capture of one payment.
        """
        order = self.orders[reference]
        capture = Capture(f"cap_{secrets.token_hex(8)}", order.link["amount"] - short, self.clock.now())
        order.captures.append(capture)
        self.tell("payment.updated", order.link, {"payment": order.capture_shown(capture)})
        return capture

    def charge_again(self, reference: str) -> str:
        """The payer is charged a second time for one payment, which no gateway should do; the capture."""
        return self.capture(reference).number

    def fail(self, order: Order, code: str) -> None:
        order.status, order.code = "failed", code
        self.tell("payment.updated", order.link, {"payment": order.shown()})

    # Refunds

    def refund(self, call: Thing) -> Thing:
        """As friendpay asks for it: once for each reference, and never more than there is."""
        order, capture = self._captured(call)
        for known in capture.refunds:
            if known.reference == call["reference"]:
                if (known.amount, order.link["currency"]) != (call["amount"], call["currency"]):
                    raise Wrong(422, "reference_used", "Another refund bears this reference.")
                return order.refund_shown(capture, known)
        if call["currency"] != order.link["currency"]:
            raise Wrong(422, "currency", "The payment was in another currency.")
        if any(dispute.holds for dispute in capture.disputes):
            raise Wrong(422, "disputed", "The payer's bank has the money of this capture.")
        if not 0 < call["amount"] <= capture.amount - capture.back:
            raise Wrong(422, "amount", "There is not that much left of this capture.")
        return order.refund_shown(capture, self._add(order, capture, call["reference"], call["amount"]))

    def by_hand(self, reference: str, amount: int, capture: str = "") -> Refund:
        """Somebody of the shop sends money back, of the first capture unless another one is named."""
        order = self.orders[reference]
        found = next(it for it in order.captures if it.number == (capture or it.number))
        return self._add(order, found, "", amount)

    def _add(self, order: Order, capture: Capture, reference: str, amount: int) -> Refund:
        number = f"ref_{secrets.token_hex(8)}"
        refund = Refund(reference or number, number, amount, self.clock.now())
        if self.balance_is_short:
            refund.status, refund.code = "pending", "balance"
        capture.refunds.append(refund)
        self._tell_refund(order, capture, refund)
        return refund

    def move_refund(self, reference: str, status: str) -> None:
        """Later news of a refund: it succeeded, or failed after all."""
        order, capture, refund = next(it for it in self._refunds() if it[2].reference == reference)
        refund.status, refund.code = status, ""
        self._tell_refund(order, capture, refund)

    def top_up(self) -> None:
        """The shop fills its balance: what waited for it goes."""
        self.balance_is_short = False
        for _order, _capture, refund in [*self._refunds()]:
            if refund.status == "pending":
                self.move_refund(refund.reference, "succeeded")

    def find_refund(self, call: Thing) -> Thing:
        for order, capture, refund in self._refunds():
            if refund.reference == call["reference"] and order.account == call["account"]:
                return order.refund_shown(capture, refund)
        return {"reference": call["reference"], "status": "unknown"}

    def _captured(self, call: Thing) -> tuple[Order, Capture]:
        for order in self.orders.values():
            for capture in order.captures:
                if (order.account, capture.number) == (call["account"], call["capture"]):
                    return order, capture
        raise Wrong(422, "unknown_capture", "There is no such capture.")

    def _refunds(self) -> Iterator[tuple[Order, Capture, Refund]]:
        for order in self.orders.values():
            for capture in order.captures:
                for refund in capture.refunds:
                    yield order, capture, refund

    def _tell_refund(self, order: Order, capture: Capture, refund: Refund) -> None:
        self.tell("refund.updated", order.link, {"refund": order.refund_shown(capture, refund)})

    # Disputes

    def open_dispute(self, reference: str, *, inquiry: bool = False) -> Dispute:
        """The payer's bank takes back what is left of the first capture; an inquiry only asks."""
        order = self.orders[reference]
        capture = order.captures[0]
        number = f"dsp_{secrets.token_hex(8)}"
        dispute = Dispute(number, capture.amount - capture.back, "inquiry" if inquiry else "open", self.clock.now())
        capture.disputes.append(dispute)
        self.tell("dispute.updated", order.link, {"dispute": order.dispute_shown(capture, dispute)})
        return dispute

    def move_dispute(self, number: str, status: str) -> None:
        """An inquiry becomes a dispute (`open`), or the bank decides (`won`, `lost`)."""
        order, capture, dispute = next(it for it in self.disputes() if it[2].number == number)
        dispute.status, dispute.at = status, self.clock.now()
        self.tell("dispute.updated", order.link, {"dispute": order.dispute_shown(capture, dispute)})

    def find_dispute(self, account: str, number: str) -> Thing:
        for order, capture, dispute in self.disputes():
            if (order.account, dispute.number) == (account, number):
                return order.dispute_shown(capture, dispute)
        return {"number": number, "status": "unknown"}

    def disputes(self) -> Iterator[tuple[Order, Capture, Dispute]]:
        for order in self.orders.values():
            for capture in order.captures:
                for dispute in capture.disputes:
                    yield order, capture, dispute

    # What moved

    def moved(self) -> Moved:
        captures = [(order, capture) for order in self.orders.values() for capture in order.captures]
        return (
            [Charge(order.reference, it.number, it.amount, order.link["currency"]) for order, it in captures],
            [
                Return(refund.reference, order.reference, refund.amount)
                for order, _capture, refund in self._refunds()
                if refund.status != "failed"
            ],
        )

    def bill(self, account: str, day: str, after: str) -> Thing:
        """One page of a day in UTC: what was captured, what was sent back, and disputes that took or gave money."""
        if day >= f"{self.clock.now().astimezone(UTC):%Y-%m-%d}":
            raise Wrong(422, "no_bill", "This day is not over.")
        mine = [order for order in self.orders.values() if order.account == account]
        lines: list[Thing] = []
        for order in mine:
            for capture in order.captures:
                if self._on(day, capture.at):
                    lines.append({"payment": order.capture_shown(capture) | {"status": "captured"}})
                lines += [
                    {"refund": order.refund_shown(capture, refund)}
                    for refund in capture.refunds
                    if self._on(day, refund.at)
                ]
                lines += [
                    {"dispute": order.dispute_shown(capture, dispute)}
                    for dispute in capture.disputes
                    if self._on(day, dispute.at) and dispute.status != "inquiry"
                ]
        start = int(after or 0)
        more = start + BILL_PAGE < len(lines)
        return {"lines": lines[start : start + BILL_PAGE], "after": str(start + BILL_PAGE) if more else ""}

    @staticmethod
    def _on(day: str, moment: datetime) -> bool:
        return f"{moment.astimezone(UTC):%Y-%m-%d}" == day
