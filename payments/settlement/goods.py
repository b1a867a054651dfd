"""Lines that go back with refunds: each is returned as long as money for it is with its payer or on its way there.

A call that refunds lines may make several refunds, to several payers or in several parts. They are of the same pieces:
these are returned until the last of them has failed or was withdrawn, and again once one goes after all.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from friendpay.kit import ids
from orders import returns
from orders.models import Order
from orders.returns import NOTHING, Piece, Pieces
from payments.models import Refund

_NOT_BACK = (Refund.Status.FAILED, Refund.Status.WITHDRAWN)


def returned(order: Order) -> Pieces:
    """What the order's refunds say is returned of each line."""
    going = _of_lines(order).exclude(status__in=_NOT_BACK).values_list("goods", flat=True)
    return _together({goods["call"]: goods for goods in going}.values())


@contextmanager
def counting(order: Order) -> Iterator[None]:
    """Whatever is done here to refunds of lines, the lines of the order say afterwards. The caller holds its lock."""
    before = returned(order)
    yield
    if (after := returned(order)) != before:
        returns.recount(order, before, after)


def mark(refunds: Iterable[Refund], pieces: Pieces) -> None:
    """These refunds, made by one call, are of these pieces."""
    lines = [[number, str(piece.quantity), piece.amount] for number, piece in pieces.items()]
    _write(refunds, {"call": ids.token(), "lines": lines})


def pass_on(refund: Refund, parts: Iterable[Refund]) -> None:
    """What a refund was of, refunds in its place are of."""
    if refund.goods:
        _write(parts, refund.goods)


def without_room(order: Order) -> list[Refund]:
    """Refunds of lines that failed, and whose pieces have gone back otherwise since: the oldest of those that do not
    fit together into what is left. Such a one must not be sent again.
    """
    lines = enumerate(order.lines.order_by("id"), 1)
    left = {number: line.quantity - line.quantity_returned for number, line in lines}
    going = {goods["call"] for goods in _of_lines(order).exclude(status__in=_NOT_BACK).values_list("goods", flat=True)}
    failed: dict[str, list[Refund]] = {}
    claims: dict[str, dict[str, Any]] = {}
    for refund in _of_lines(order).filter(status=Refund.Status.FAILED):
        if refund.goods["call"] not in going:
            failed.setdefault(refund.goods["call"], []).append(refund)
            claims[refund.goods["call"]] = refund.goods
    gone: list[Refund] = []
    for call in failed:
        wanted = _together(claims.values())
        short = {number for number, piece in wanted.items() if piece.quantity > left[number]}
        if short & _together([claims[call]]).keys():
            gone += failed[call]
            del claims[call]
    return gone


def _of_lines(order: Order) -> Any:
    return Refund.objects.filter(payment__request__order=order, goods__isnull=False).order_by("id")


def _together(of_calls: Iterable[dict[str, Any]]) -> Pieces:
    found: Pieces = {}
    for goods in of_calls:
        for number, quantity, amount in goods["lines"]:
            found[number] = found.get(number, NOTHING) + Piece(Decimal(quantity), amount)
    return found


def _write(refunds: Iterable[Refund], goods: dict[str, Any]) -> None:
    for refund in refunds:
        refund.goods = goods
        refund.save(update_fields=["goods"])
