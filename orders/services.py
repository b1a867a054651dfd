"""Create, change, mark as paid, cancel and expire orders. Called within a transaction that holds the order's lock."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock
from friendpay.kit import text_filter as safety
from friendpay.kit.errors import Refused
from friendpay.kit.keys import among
from friendpay.kit.money import EXPONENT, MAX_MINOR
from orders import events, lives
from orders.event_data import OrderData, OrderRefundData
from orders.models import Event, Merchant, Order, OrderLine


@dataclass(frozen=True)
class LineDraft:
    """One kind of goods as the shop sends it; `unit_amount` in minor units."""

    name: str
    quantity: int
    unit_amount: int
    category: str = ""
    image_url: str = ""


@transaction.atomic
def place_order(  # noqa: PLR0913  # an order as the shop tells it, each thing by its name
    merchant: Merchant,
    *,
    reference: str,
    currency: str,
    lines: list[LineDraft],
    buyer_name: str,
    buyer_id: str = "",
    return_url: str = "",
    locale: str = "",
    live: bool = False,
    expires_in: timedelta | None = None,
) -> Order:
    """A new order awaiting payment; its amount is the sum of its lines. Refused when the reference was used before.

    With `expires_in` it ends unpaid after that time; without, it can be asked for until it is paid or cancelled.
    """
    if expires_in is not None:
        lives.check(expires_in)
    if currency not in EXPONENT:
        raise Refused("unknown_currency", _("This is not a currency we know."), field="currency", status=422)
    amount = _sum(lines)
    try:
        with transaction.atomic():
            order = Order.objects.create(
                merchant=merchant,
                live=live,
                reference=reference,
                currency=currency,
                amount=amount,
                buyer_id=buyer_id,
                buyer_name=safety.name(buyer_name) or str(_("A friend")),
                return_url=return_url,
                locale=locale,
                expires_at=clock.now() + expires_in if expires_in is not None else None,
            )
    except IntegrityError as error:
        if "order_reference_once" not in str(error):
            raise
        raise Refused(
            "reference_used", _("There is an order with this reference already."), field="reference"
        ) from error
    _write_lines(order, lines)
    _note(order, "order.created", "merchant")
    return order


def _sum(lines: list[LineDraft]) -> int:
    amount = sum(line.quantity * line.unit_amount for line in lines)
    if not 0 < amount <= MAX_MINOR:
        raise Refused(
            "amount_out_of_range",
            _("The sum of the lines must be above zero and not beyond reason."),
            field="lines",
            status=422,
        )
    return amount


def _write_lines(order: Order, lines: list[LineDraft]) -> None:
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            name=safety.line(line.name) or "-",
            quantity=line.quantity,
            unit_amount=line.unit_amount,
            category=line.category,
            image_url=line.image_url,
        )
        for line in lines
    )


def change_lines(order: Order, lines: list[LineDraft]) -> None:
    """Other goods or another price, as long as nothing of it is paid. The caller sees to the open request."""
    if order.status != Order.Status.AWAITING_PAYMENT:
        raise Refused("order_not_awaiting_payment", _("This order is already paid or cancelled."))
    order.amount = _sum(lines)
    order.save(update_fields=["amount"])
    order.lines.all().delete()
    _write_lines(order, lines)
    _note(order, "order.changed", "merchant")


def add_paid(order: Order, amount: int, now: datetime) -> None:
    """Money was applied to the order; with the last of it the order is paid."""
    order.amount_paid += amount
    if order.amount_paid == order.amount:
        order.status = Order.Status.PAID
        order.paid_at = now
    order.save(update_fields=["amount_paid", "status", "paid_at"])
    if order.status == Order.Status.PAID:
        _note(order, "order.paid", "system")


def take_back_paid(order: Order, amount: int) -> None:
    """Parts that no longer count, because the rest never came: they go back to the friends who gave them."""
    order.amount_paid -= amount
    order.save(update_fields=["amount_paid"])


def change_refunded(order: Order, amount: int, refund: str) -> None:
    """A provider confirmed a refund by the merchant (or, with a negative amount, took the confirmation back). `refund`
    is its id.
    """
    order.amount_refunded += amount
    order.save(update_fields=["amount_refunded"])
    data = OrderRefundData.of(order, refund=refund, refund_amount=abs(amount))
    _note(order, "order.refunded" if amount > 0 else "order.refund_reopened", "provider", data)


def mark_paid_elsewhere(order: Order, now: datetime) -> Event | None:
    """The shop was paid by other means; the event that tells so. Repeating it changes nothing; an order that was paid
    here has its money.
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
        raise lives.order_expired()
    order.status = Order.Status.PAID
    order.paid_at = now
    order.paid_elsewhere = True
    order.save(update_fields=["status", "paid_at", "paid_elsewhere"])
    return _note(order, "order.paid", "merchant")


def cancel_order(order: Order, now: datetime) -> Event | None:
    """The shop will not deliver; the event that tells so. Repeating it changes nothing, nor does it to an order that is
    over unpaid already; a paid order is refunded instead.
    """
    if order.status in (Order.Status.CANCELLED, Order.Status.EXPIRED):
        return None
    if order.status == Order.Status.PAID:
        raise Refused("order_paid", _("This order is paid. Refund its payments instead of cancelling it."))
    order.status = Order.Status.CANCELLED
    order.cancelled_at = now
    order.save(update_fields=["status", "cancelled_at"])
    return _note(order, "order.cancelled", "merchant")


def expire_order(order: Order, now: datetime) -> Event:
    """Its time is over and it is not paid. The caller has ended its request, so that nothing of it is paid."""
    order.status = Order.Status.EXPIRED
    order.expired_at = now
    order.save(update_fields=["status", "expired_at"])
    return _note(order, "order.expired", "system")


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


def _note(order: Order, type: str, actor: str, data: OrderData | None = None) -> Event:
    data = data or OrderData.of(order)
    return events.record(type, order=order, object_id=order.public_id, actor=actor, data=data.stored())
