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


def take_back(order: Order, returns: Sequence[LineReturn]) -> int:
    """Count these as returned, and say what was paid for them. The caller holds the order's lock and sends the money.

    A line that goes back in pieces brings, with the last of them, exactly what was paid for it. Refused
    ("line_returned") beyond what is left of a line.
    """
    lines = list(order.lines.order_by("id"))
    paid = worth(order, lines)
    amount = 0
    for place, it in enumerate(returns):
        field = f"lines.{place}.line"
        if not 0 < it.line <= len(lines):
            raise Refused("unknown_line", _("The order has no such line."), field=field, status=422)
        line, of_line = lines[it.line - 1], paid[it.line - 1]
        before = line.quantity_returned
        after = line.quantity if it.quantity is None else before + it.quantity
        if not before < after <= line.quantity:
            left = {"left": quantities.number(line.quantity - before)}
            words = _("Only %(left)s of this line can still be refunded.") % left
            raise Refused("line_returned", words, field=field, status=422)
        amount += int(of_line * after // line.quantity) - int(of_line * before // line.quantity)
        line.quantity_returned = after
    OrderLine.objects.bulk_update(lines, ["quantity_returned"])
    if not amount:
        raise Refused("nothing_paid", _("Nothing was paid for these lines."), field="lines", status=422)
    return amount
