"""How every story had to end, worked out from the money its wallet took; and whether it did.

The wallet's own reference joins everything: a charge names our attempt, that its request and its order; the receipt a
friend was sent to names the page she paid on.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from bench.wallets import Books, Charge

Rows = Callable[[str], list[tuple[Any, ...]]]
Told = dict[str, Any]


class End(StrEnum):
    """What must come of a story. Money that came is kept once, or goes back whole; never anything between."""

    ALONE = "who pays has paid: by that receipt"
    ONE = "the first of several has paid, the others have their money back"
    PARTS = "paid when the parts add up; otherwise all have their money back"
    ENDED = "ended under the hands of who pays: paid before, or all goes back"
    BY_HAND = "paid, and what the shop refunded at the wallet itself stands in our books"
    DISPUTED = "paid, and what the payer's bank holds or took stands in our books"


@dataclass
class Affair:
    """An order: what was expected of it, what the shop and its friends were told, what the wallet took and returned."""

    order: str
    token: str
    status: str
    amount: int
    currency: str
    elsewhere: bool
    listening: bool = False  # the shop's server was told of orders
    end: End | None = None
    taken: list[Charge] = field(default_factory=list)
    parts: int = 0  # what was taken exactly as it was asked for
    returned: int = 0
    approved: set[str] = field(default_factory=set)  # receipts friends were sent to
    applied: dict[str, int] = field(default_factory=dict)  # by receipt
    captured: dict[str, int] = field(default_factory=dict)
    refunded: int = 0  # what the shop sent back, and was told so
    unsure: int = 0  # what it asked for, and never heard whether it was done
    by_hand: int = 0  # what it sent back at the wallet itself
    external: int = 0  # what of that our books know
    contested: int = 0  # what the bank has, as the wallet says
    disputed: int = 0  # and as our books say
    ended: bool = False  # the shop was told that it is cancelled, or paid by other means
    paid_told: set[str] = field(default_factory=set)  # the order.paid messages the shop heard

    @property
    def whole(self) -> list[Charge]:
        return [c for c in self.taken if (c.amount, c.currency) == (self.amount, self.currency)]

    def keeps(self) -> int:
        """What the shop must keep of it before it sends anything back."""
        match self.end:
            case End.PARTS:
                enough = self.parts >= self.amount
            case End.ENDED:
                enough = bool(self.whole) and (self.status == "paid" and not self.elsewhere)
            case _:
                enough = bool(self.whole)
        return self.amount if enough and not (self.ended and self.end == End.ENDED) else 0

    def wrongs(self) -> Iterator[str]:
        if self.end is None:
            if self.taken:
                yield f"order {self.order}: money came and nobody expected any"
            return
        keeps, has = self.keeps(), sum(charge.amount for charge in self.taken) - self.returned
        told = f"order {self.order} ({self.end})"
        sent = self.refunded + self.by_hand
        if has not in (keeps - sent, keeps - sent - self.unsure):
            yield f"{told}: the shop has {has} at the wallet instead of {keeps - sent}"
        if self.external != self.by_hand:
            yield f"{told}: {self.by_hand} was refunded at the wallet, and our books say {self.external}"
        if self.disputed != self.contested:
            yield f"{told}: the bank has {self.contested}, and our books say {self.disputed}"
        if (self.status == "paid" and not self.elsewhere) != bool(keeps):
            yield f"{told}: it is {self.status}"
        if sum(self.applied.values()) != keeps:
            yield f"{told}: {sum(self.applied.values())} of it is applied instead of {keeps}"
        if self.end == End.ALONE:
            for receipt in self.approved:
                if self.captured.get(receipt) == self.amount and not self.applied.get(receipt):
                    yield f"{told}: receipt {receipt} has not paid it"
        if self.listening and len(self.paid_told) != (self.status == "paid"):
            yield f"{told}: it is {self.status}, and order.paid came {len(self.paid_told)} times"


def affairs(told: list[Told], rows: Rows, books: Books) -> list[Affair]:
    """Every order there is."""
    found = {
        row[0]: Affair(*row)
        for row in rows("SELECT public_id, token, status, amount, currency::text, paid_elsewhere FROM orders_order")
    }
    by_token = {affair.token: affair for affair in found.values()}
    by_reference: dict[str, tuple[Affair, int]] = {}
    by_receipt: dict[str, Affair] = {}
    for order, receipt, reference, asked, captured, applied, disputed, external in rows(
        "SELECT o.public_id, p.token, p.reference, p.amount, p.amount_captured, p.amount_applied, p.amount_disputed, "
        "(SELECT coalesce(sum(amount), 0) FROM payments_refund "
        "WHERE payment_id = p.id AND external AND status = 'succeeded') FROM payments_payment p "
        "JOIN payments_paymentrequest q ON q.id = p.request_id JOIN orders_order o ON o.id = q.order_id"
    ):
        affair = by_receipt[receipt] = found[order]
        by_reference[reference] = affair, asked
        affair.captured[receipt], affair.applied[receipt] = captured, applied
        affair.external, affair.disputed = affair.external + external, affair.disputed + disputed
    listening = any("listens" in fact for fact in told)
    for affair in found.values():
        affair.listening = listening
    charges, returns, contested = books
    for charge in charges:
        if charge.reference in by_reference:
            affair, asked = by_reference[charge.reference]
            affair.taken.append(charge)
            affair.parts += charge.amount if charge.amount == asked else 0
    for back in returns:
        if back.charge in by_reference:
            by_reference[back.charge][0].returned += back.amount
    for dispute in contested:
        by_reference[dispute.charge][0].contested += dispute.amount
    for fact in told:
        about = found.get(fact.get("for_order", "")) or by_token.get(fact.get("for_order", ""))
        if about and "expects" in fact:
            about.end = End(fact["expects"])
        if about and "refunds" in fact:
            about.refunded += fact["amount"]
        if about:
            about.unsure += fact.get("unsure", 0)
            about.by_hand += fact.get("by_hand", 0)
        if about and "over" in fact:
            about.ended = True
        if fact.get("approved"):
            receipt = receipt_token(fact["approved"])
            if receipt in by_receipt:
                by_receipt[receipt].approved.add(receipt)
        if "webhook" in fact and fact["said"]["type"] == "order.paid" and fact["said"]["order"] in found:
            found[fact["said"]["order"]].paid_told.add(fact["webhook"])
    return list(found.values())


def settled(everything: list[Affair]) -> int:
    """Orders to which money came, and which ended as their story expects."""
    return sum(1 for affair in everything if affair.taken and not list(affair.wrongs()))


def crossed(told: list[Told], rows: Rows, books: Books) -> Iterator[str]:
    """Money booked for another request than the one its payer was asked for."""
    named: dict[str, tuple[str, str]] = {}
    booked: dict[tuple[str, str], tuple[str, str]] = {}
    pages: dict[str, set[str]] = defaultdict(set)
    for account, reference, transaction, receipt, request, order in rows(
        "SELECT a.public_id, p.reference, p.provider_ref, p.token, q.token, o.token FROM payments_payment p "
        "JOIN payments_provideraccount a ON a.id = p.account_id "
        "JOIN payments_paymentrequest q ON q.id = p.request_id JOIN orders_order o ON o.id = q.order_id"
    ):
        named[reference] = (transaction, request)
        booked[account, transaction] = (reference, request)
        pages[receipt] = {request, order}
    for charge in books[0]:
        reference, request = booked.get((charge.account, charge.transaction), ("", ""))
        asked = named.get(charge.reference)
        if request and (
            asked is None or asked[1] != request or (asked[0] == charge.transaction) != (reference == charge.reference)
        ):
            yield f"charge {charge.transaction} of {charge.reference} is booked for {reference} of {request}"
    for fact in told:
        if fact.get("approved") and fact.get("page"):
            token = receipt_token(fact["approved"])
            if token in pages and fact["page"] not in pages[token]:
                yield f"{fact['who']} paid on {fact['page']}, and receipt {token} is another's"


def receipt_token(address: str) -> str:
    return urlsplit(address).path.strip("/").split("/")[-1]
