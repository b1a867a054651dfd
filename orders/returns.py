"""Lines that go back: what was paid for them, each with its share of discounts, taxes and the like.

Discounts are of the goods, and of shipping and fees only where they are more than the goods cost. What is left is what
taxes on top, credits (a gift card) and rounding are shared by, in proportion. So the lines, shipping and fees together
are worth the order's amount, to the minor unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from friendpay.kit import quantities
from friendpay.kit.errors import Refused
from friendpay.kit.money import in_proportion
from orders.models import AdjustmentKind, Order, OrderLine


@dataclass(frozen=True)
class LineReturn:
    """So much of a line, counted from 1; None: all of it that is left."""

    line: int
    quantity: Decimal | None = None


@dataclass(frozen=True)
class Piece:
    """So much of a line, and what was paid for it."""

    quantity: Decimal
    amount: int

    def __add__(self, other: "Piece") -> "Piece":
        return Piece(self.quantity + other.quantity, self.amount + other.amount)


NOTHING = Piece(Decimal(0), 0)
Pieces = dict[int, Piece]
"""By the number of the line."""


def total(pieces: Pieces) -> int:
    """What was paid for all of them, in minor units."""
    return sum(piece.amount for piece in pieces.values())


def worth(order: Order, lines: Sequence[OrderLine]) -> list[int]:
    """What is paid for each of the order's lines, in minor units."""
    amounts = {kind: [it.adds for it in order.adjusted if it.kind == kind] for kind in AdjustmentKind}
    goods = [line.amount for line in lines]
    services = amounts[AdjustmentKind.SHIPPING] + amounts[AdjustmentKind.FEE]
    off = -sum(amounts[AdjustmentKind.DISCOUNT])
    of_goods = min(off, sum(goods))
    of_services = min(off - of_goods, sum(services))
    less = in_proportion(of_goods, goods) + in_proportion(of_services, services)
    left = [amount - part for amount, part in zip(goods + services, less, strict=True)]
    return in_proportion(order.amount, left)[: len(lines)]


def sent_for(line: OrderLine, paid: int, counted: Piece) -> int:
    """What of the money that was `paid` for a line goes back already. `counted` is what refunds say of it, to the minor
    unit; what is returned besides was counted before refunds said so.
    """
    besides = max(Decimal(0), line.quantity_returned - counted.quantity)
    return int(paid * besides // line.quantity) + counted.amount


def weigh(order: Order, returns: Sequence[LineReturn], counted: Pieces) -> Pieces:
    """How much of each line these are, and what was paid for it. Changes nothing; the caller holds the order's lock.

    A line that goes back in pieces brings, with the last of them, exactly what was paid for it. Refused
    ("line_returned") beyond what is left of a line.
    """
    lines = list(order.lines.order_by("id"))
    paid = worth(order, lines)
    found: Pieces = {}
    for place, it in enumerate(returns):
        field = f"lines.{place}.line"
        if not 0 < it.line <= len(lines):
            raise Refused("unknown_line", _("The order has no such line."), field=field, status=422)
        line, of_line, taken = lines[it.line - 1], paid[it.line - 1], found.get(it.line, NOTHING)
        before = line.quantity_returned + taken.quantity
        after = line.quantity if it.quantity is None else before + it.quantity
        if not before < after <= line.quantity:
            left = {"left": quantities.number(line.quantity - before)}
            words = _("Only %(left)s of this line can still be refunded.") % left
            raise Refused("line_returned", words, field=field, status=422)
        sent = sent_for(line, of_line, counted.get(it.line, NOTHING)) + taken.amount
        found[it.line] = taken + Piece(after - before, max(0, int(of_line * after // line.quantity) - sent))
    if not any(piece.amount for piece in found.values()):
        raise _nothing_paid()
    return found


def _nothing_paid() -> Refused:
    return Refused("nothing_paid", _("Nothing was paid for these lines."), field="lines", status=422)


def in_steps(order: Order, pieces: Pieces, counted: Pieces, step: int, left: int) -> Pieces:
    """The same for money that goes back in steps: with it, all that is returned of the order has brought what was paid
    for it, or up to the next step; or, where no more is `left`, down to the one before. What differs is counted with
    the largest of the pieces. Refused ("nothing_paid") where earlier steps have brought it all.
    """
    lines = list(order.lines.order_by("id"))
    due = 0
    for number, (line, paid) in enumerate(zip(lines, worth(order, lines), strict=True), 1):
        after = line.quantity_returned + pieces.get(number, NOTHING).quantity
        due += int(paid * after // line.quantity) - sent_for(line, paid, counted.get(number, NOTHING))
    amount = -(-due // step) * step
    if amount > left:
        amount = due // step * step
    if amount <= 0:
        raise _nothing_paid()
    largest = max(pieces, key=lambda number: pieces[number].amount)
    return pieces | {largest: pieces[largest] + Piece(Decimal(0), amount - total(pieces))}


def recount(order: Order, before: Pieces, after: Pieces) -> None:
    """The refunds of an order say something else of its lines than `before`. The caller holds the order's lock."""
    lines = list(order.lines.order_by("id"))
    for place, line in enumerate(lines, 1):
        besides = max(Decimal(0), line.quantity_returned - before.get(place, NOTHING).quantity)
        line.quantity_returned = min(line.quantity, besides + after.get(place, NOTHING).quantity)
    OrderLine.objects.bulk_update(lines, ["quantity_returned"])
