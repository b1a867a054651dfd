"""Create, change, mark as paid, cancel and expire orders. Called within a transaction that holds the order's lock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, limits, text_filter
from friendpay.kit.errors import Refused
from friendpay.kit.keys import among
from friendpay.kit.money import EXPONENT
from friendpay.kit.writes import Writes
from orders import events, lifetimes, pictures
from orders.event_data import OrderData, OrderRefundData
from orders.models import Adjustment, Event, Merchant, Order, OrderLine


@dataclass(frozen=True)
class LineDraft:
    """One kind of goods as the shop sends it. In minor units it has either a `unit_amount`, for a whole `quantity`, or
    an `amount` for all of it.
    """

    name: str
    quantity: int | Decimal
    unit_amount: int | None
    category: str = ""
    image_url: str = ""
    unit: str = ""
    amount: int = 0

    @property
    def total(self) -> int:
        return self.amount if self.unit_amount is None else int(self.quantity) * self.unit_amount


Also = Callable[[Order, list[OrderLine], datetime, Writes], None]


def place_order(  # noqa: PLR0913  # an order as the shop tells it, each thing by its name
    merchant: Merchant,
    *,
    reference: str,
    currency: str,
    lines: list[LineDraft],
    adjustments: Sequence[Adjustment] = (),
    amount: int | None = None,
    buyer_name: str,
    buyer_id: str = "",
    return_url: str = "",
    locale: str = "",
    live: bool = False,
    expires_in: timedelta | None = None,
    now: datetime | None = None,
    metadata: dict[str, str] | None = None,
    also: Also | None = None,
) -> Order:
    """A new order awaiting payment; its amount is the sum of its lines and adjustments. Refused while another order has
    the reference that is not over unpaid, and when the shop says another `amount`.

    With `expires_in` it ends unpaid after that time; without, it can be asked for until it is paid or cancelled. All of
    it is one statement, with what `also` adds to it; who knows what time it is says so with `now`.
    """
    if expires_in is not None:
        lifetimes.check(expires_in)
    check_currency(currency)
    now = now or clock.now()
    order = Order(
        merchant=merchant,
        live=live,
        reference=reference,
        currency=currency,
        amount=total(lines, adjustments, amount),
        adjustments=_adjustments(adjustments),
        buyer_id=buyer_id,
        buyer_name=text_filter.name(buyer_name) or str(_("A friend")),
        metadata=metadata or {},
        return_url=return_url,
        locale=locale,
        created_at=now,
        expires_at=now + expires_in if expires_in is not None else None,
    )
    writes = Writes()
    writes.insert(order, *(rows := _lines(order, lines)))
    _note(order, "order.created", "merchant", writes)
    if also:
        also(order, rows, now, writes)
    if not writes.run_unless("order_reference_once"):
        raise Refused("reference_used", _("There is an order with this reference already."), field="reference")
    order.keep_lines(rows)
    return order


def check_currency(currency: str) -> None:
    """Refused unless we know it."""
    if currency not in EXPONENT:
        raise Refused("unknown_currency", _("This is not a currency we know."), field="currency", status=422)


def total(lines: list[LineDraft], adjustments: Sequence[Adjustment] = (), said: int | None = None) -> int:
    """What they come to. Refused where the shop said something else."""
    amount = sum(line.total for line in lines) + sum(adjustment.adds for adjustment in adjustments)
    if not 0 < amount <= limits.MAX_MINOR:
        raise Refused(
            "amount_out_of_range",
            _("The sum of the lines and adjustments must be above zero and not beyond reason."),
            field="lines",
            status=422,
        )
    if said not in (None, amount):
        words = _("The lines and adjustments add up to %(sum)s, but the amount says %(said)s.")
        raise Refused("amount_mismatch", words % {"sum": amount, "said": said}, field="amount", status=422)
    return amount


def _adjustments(adjustments: Sequence[Adjustment]) -> list[dict[str, Any]]:
    return [replace(it, name=text_filter.line(it.name) or "-").stored() for it in adjustments]


def _lines(order: Order, lines: list[LineDraft]) -> list[OrderLine]:
    rows = [
        OrderLine(
            order=order,
            name=text_filter.line(line.name) or "-",
            quantity=Decimal(line.quantity),
            unit=text_filter.line(line.unit),
            unit_amount=line.unit_amount,
            amount=line.total,
            category=line.category,
            image_url=line.image_url,
        )
        for line in lines
    ]
    known = pictures.of(order.merchant, (row.image_url for row in rows))
    for row in rows:
        if row.image_url in known:
            row.picture = known[row.image_url]
    return rows


def change_lines(
    order: Order, lines: list[LineDraft], adjustments: Sequence[Adjustment] = (), amount: int | None = None
) -> None:
    """Other goods or another price, as long as nothing of it is paid. The caller sees to the open request."""
    if order.status != Order.Status.AWAITING_PAYMENT:
        raise Refused("order_not_awaiting_payment", _("This order is already paid or cancelled."))
    order.amount = total(lines, adjustments, amount)
    order.adjustments = _adjustments(adjustments)
    order.lines.all().delete()
    writes = Writes()
    writes.update(order, "amount", "adjustments")
    writes.insert(*(rows := _lines(order, lines)))
    _note(order, "order.changed", "merchant", writes)
    writes.run()
    order.keep_lines(rows)


def add_paid(order: Order, amount: int, now: datetime, writes: Writes) -> None:
    """Money was applied to the order; with the last of it the order is paid. Written with `writes`."""
    order.amount_paid += amount
    if order.amount_paid == order.amount:
        order.status = Order.Status.PAID
        order.paid_at = now
    writes.update(order, "amount_paid", "status", "paid_at")
    if order.status == Order.Status.PAID:
        _note(order, "order.paid", "system", writes)


def take_back_paid(order: Order, amount: int, writes: Writes) -> None:
    """Parts that no longer count, because the rest never came: they go back to the friends who gave them."""
    order.amount_paid -= amount
    writes.update(order, "amount_paid")


def change_refunded(order: Order, amount: int, refund: str, writes: Writes) -> None:
    """A provider confirmed a refund by the merchant (or, with a negative amount, took the confirmation back). `refund`
    is its id. Written with `writes`.
    """
    order.amount_refunded += amount
    writes.update(order, "amount_refunded")
    data = OrderRefundData.of(order, refund=refund, refund_amount=abs(amount))
    _note(order, "order.refunded" if amount > 0 else "order.refund_reopened", "provider", writes, data)


def mark_paid_elsewhere(order: Order, now: datetime, note: str = "") -> Event | None:
    """The shop was paid by other means, with a note of its own; the event that tells so. Repeating it changes nothing;
    an order that was paid here has its money.
    """
    if order.status == Order.Status.PAID and order.paid_elsewhere:
        return None
    if order.status == Order.Status.PAID:
        raise Refused(
            "order_paid", _("This order is paid here already. Were you paid elsewhere too, refund one of the two.")
        )
    if order.status == Order.Status.CANCELLED:
        raise Refused("order_cancelled", _("This order was cancelled; it cannot be paid any more."))
    if order.status == Order.Status.EXPIRED:
        raise lifetimes.order_expired()
    order.status = Order.Status.PAID
    order.paid_at = now
    order.paid_elsewhere, order.paid_elsewhere_note = True, text_filter.line(note)
    return _end(order, "order.paid", "merchant", "paid_at", "paid_elsewhere", "paid_elsewhere_note")


def undo_paid_elsewhere(order: Order) -> None:
    """It was not paid elsewhere after all, and may be asked for again. Repeating it changes nothing; an order that was
    paid here stays paid.
    """
    if order.status == Order.Status.AWAITING_PAYMENT:
        return
    if not order.paid_elsewhere:
        raise Refused("not_paid_elsewhere", _("This order is not marked as paid elsewhere."))
    order.status, order.paid_at = Order.Status.AWAITING_PAYMENT, None
    order.paid_elsewhere, order.paid_elsewhere_note = False, ""
    _end(order, "order.reopened", "merchant", "paid_at", "paid_elsewhere", "paid_elsewhere_note")


def cancel_order(order: Order, now: datetime) -> Event | None:
    """The shop will not deliver; the event that tells so. Repeating it changes nothing, nor does it to an order that is
    over unpaid already; a paid order is refunded instead.
    """
    if order.status in (Order.Status.CANCELLED, Order.Status.EXPIRED):
        return None
    if order.status == Order.Status.PAID and order.paid_elsewhere:
        words = _("This order is marked as paid elsewhere. Take that back first, then cancel it.")
        raise Refused("order_paid", words)
    if order.status == Order.Status.PAID:
        raise Refused("order_paid", _("This order is paid. Refund its payments instead of cancelling it."))
    order.status = Order.Status.CANCELLED
    order.cancelled_at = now
    return _end(order, "order.cancelled", "merchant", "cancelled_at")


def expire_order(order: Order, now: datetime) -> Event:
    """Its time is over and it is not paid. The caller has ended its request, so that nothing of it is paid."""
    order.status = Order.Status.EXPIRED
    order.expired_at = now
    return _end(order, "order.expired", "system", "expired_at")


_EXPIRED = f"""
    SELECT merchant_id, live, id, '', NULL::bigint, public_id, {OrderData.sql("orders_order")}
    FROM orders_order WHERE id = ANY(%s) ORDER BY id
"""


def expire_orders(order_ids: list[int], now: datetime) -> int:
    """The same for many, whose locks the caller holds, in two statements; says how many."""
    ended = Order.objects.filter(pk__in=among(order_ids)).update(status=Order.Status.EXPIRED, expired_at=now)
    if ended:
        events.record_all("order.expired", "system", _EXPIRED, order_ids)
    return ended


def _end(order: Order, type: str, actor: str, *fields: str) -> Event:
    writes = Writes()
    writes.update(order, "status", *fields)
    event = _note(order, type, actor, writes)
    writes.run()
    return event


def _note(order: Order, type: str, actor: str, writes: Writes, data: OrderData | None = None) -> Event:
    data = data or OrderData.of(order)
    return events.record(type, order=order, object_id=order.public_id, actor=actor, data=data.stored(), writes=writes)
