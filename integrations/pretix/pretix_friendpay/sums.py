"""A pretix order as friendpay reads one: lines, adjustments, and a sum that both sides agree on."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from pretix.base.models import Event, Order, OrderFee, OrderPayment

_EXPONENTS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
_DECIMALS = {currency: digits for digits, currencies in _EXPONENTS.items() for currency in currencies.split()}


class DoesNotAddUp(Exception):
    """The order's parts are another sum than what is to be paid: nothing is sent."""


def decimals(currency: str) -> int:
    """As ISO 4217 has them."""
    return _DECIMALS.get(currency, 2)


def minor(amount: Decimal, currency: str) -> int:
    """In the currency's minor unit. Raises DoesNotAddUp where it is no whole number of them."""
    exact = amount.scaleb(decimals(currency))
    if exact != exact.to_integral_value():
        raise DoesNotAddUp(f"{amount} {currency} is no whole number of its smallest unit")
    return int(exact)


def major(amount: int, currency: str) -> Decimal:
    """The other way."""
    return Decimal(amount).scaleb(-decimals(currency))


def basket(event: Event, positions: Iterable[Any]) -> list[dict[str, Any]]:
    """Lines of an order, or of a cart: equal tickets are one line, a voucher's discount is not yet taken off."""
    lines: dict[tuple[Any, ...], dict[str, Any]] = {}
    for position in positions:
        price = minor(position.price + _discount(position), event.currency)
        key = (position.item_id, position.variation_id, position.subevent_id, price)
        if key in lines:
            lines[key]["quantity"] += 1
        else:
            about = {"name": _name(position), **_category(event, position.item)}
            lines[key] = {**about, "quantity": 1, "unit_amount": price}
    return list(lines.values())


def of_payment(payment: OrderPayment) -> dict[str, Any]:
    """`lines`, `adjustments` and `amount` of what this payment is for, in the language that is active."""
    order, currency = payment.order, payment.order.event.currency
    positions = list(order.positions.select_related("item__category", "variation", "subevent", "voucher", "tax_rule"))
    fees = list(order.fees.select_related("tax_rule"))
    lines = basket(order.event, positions)
    adjustments = [*_vouchers(positions, currency), *_fees(fees, currency), *_paid_otherwise(order, payment, currency)]
    amount = minor(payment.amount, currency)
    added = sum(it["quantity"] * it["unit_amount"] for it in lines) + sum(it["amount"] for it in adjustments)
    if added != amount:
        raise DoesNotAddUp(f"{payment.global_id}: the parts are {added} {currency}, and {amount} is to be paid")
    return {"lines": lines, "adjustments": [*adjustments, *_taxes([*positions, *fees], currency)], "amount": amount}


def _discount(position: Any) -> Decimal:
    """What a voucher took off, where this is known: pretix keeps it for orders."""
    return max(getattr(position, "voucher_budget_use", None) or Decimal(0), Decimal(0))


def _name(position: Any) -> str:
    parts = [position.item.name, position.variation and position.variation.value]
    name = " – ".join(str(part) for part in parts if part)
    return f"{name} ({position.subevent.name})" if position.subevent else name


def _category(event: Event, item: Any) -> dict[str, str]:
    """In the event's own language, whatever the buyer's is: rules go by it."""
    return {"category": item.category.name.localize(event.settings.locale)} if item.category else {}


def _vouchers(positions: list[Any], currency: str) -> list[dict[str, Any]]:
    saved: dict[str, Decimal] = {}
    for position in positions:
        if position.voucher and _discount(position):
            saved[position.voucher.code] = saved.get(position.voucher.code, Decimal(0)) + _discount(position)
    return [
        {"kind": "discount", "name": _("Voucher {code}").format(code=code), "amount": -minor(amount, currency)}
        for code, amount in saved.items()
    ]


def _fees(fees: list[OrderFee], currency: str) -> list[dict[str, Any]]:
    told = []
    for fee in fees:
        kind = "shipping" if fee.fee_type == OrderFee.FEE_TYPE_SHIPPING else "fee"
        if fee.value < 0:
            kind = "credit" if fee.fee_type == OrderFee.FEE_TYPE_GIFTCARD else "discount"
        name = fee.description or fee.get_fee_type_display()
        told.append({"kind": kind, "name": str(name), "amount": minor(fee.value, currency)})
    return told


def _paid_otherwise(order: Order, payment: OrderPayment, currency: str) -> list[dict[str, Any]]:
    """Gift cards, mostly: this payment is for the rest."""
    rest = order.total - payment.amount
    by_card = order.payments.filter(provider="giftcard").exists()
    name = _("Gift card") if by_card else _("Already paid")
    return [{"kind": "credit", "name": name, "amount": -minor(rest, currency)}] if rest else []


def _taxes(parts: list[Any], currency: str) -> list[dict[str, Any]]:
    """pretix's prices have their tax in them."""
    rates: dict[tuple[str, Decimal], Decimal] = {}
    for part in parts:
        if part.tax_value:
            key = (str(part.tax_rule.name) if part.tax_rule else _("Tax"), part.tax_rate)
            rates[key] = rates.get(key, Decimal(0)) + part.tax_value
    return [
        {"kind": "tax", "name": f"{name} {rate.normalize():f}%", "amount": minor(value, currency), "included": True}
        for (name, rate), value in rates.items()
    ]
