"""What friendpay is told of an order: goods, coupon, shipping, tax. It adds up to the cent, or nothing is sent."""

import logging
from decimal import Decimal
from typing import Any

from friendpay_client import money

logger = logging.getLogger("friendpay.oscar")


class SumsDiffer(ValueError):
    """The parts do not add up to the order's total: somebody would pay another sum than the shop asks."""


def told(basket: Any, shipping_method: Any, shipping_charge: Any, total: Any, surcharges: Any = None) -> dict[str, Any]:
    """Lines, adjustments and amount of a basket that is about to become an order. Prices include the tax, as Oscar
    charges them; the tax is stated. Shops may keep four decimals of a price: what rounding leaves is told as such, and
    is less than a cent for each part. Raises SumsDiffer.
    """
    currency = total.currency

    def cents(amount: Decimal) -> int:
        return money.minor(round(amount, money.decimals(currency)), currency)

    lines = [
        {
            "name": line.product.get_title(),
            "quantity": line.quantity,
            "amount": cents(line.line_price_incl_tax),
            **({"category": str(category)} if (category := line.product.categories.first()) else {}),
        }
        for line in basket.all_lines()
    ]
    adjustments = [
        *_discounts(basket, cents),
        {"kind": "shipping", "name": str(shipping_method.name), "amount": cents(shipping_charge.incl_tax)},
        *(
            {"kind": "fee", "name": str(charge.surcharge.name), "amount": cents(charge.price.incl_tax)}
            for charge in surcharges or ()
        ),
    ]
    amount = cents(total.incl_tax)
    parts = [part["amount"] for part in (*lines, *adjustments)]
    if left := amount - sum(parts):
        if 2 * abs(left) > len(parts) + 1:
            logger.error("basket %s: parts %s do not add up to %s %s", basket.pk, parts, amount, currency)
            raise SumsDiffer(f"{sum(parts)} and {amount} {currency}")
        adjustments.append({"kind": "rounding", "name": "Rounding", "amount": left})
    if total.tax:
        adjustments.append({"kind": "tax", "name": "Tax", "amount": cents(total.tax), "included": True})
    return {"lines": lines, "adjustments": adjustments, "amount": amount, "currency": currency}


def _discounts(basket: Any, cents: Any) -> list[dict[str, Any]]:
    """What the goods cost less: each coupon and offer by its name, or one sum where theirs say something else."""
    less = basket.total_incl_tax_excl_discounts - basket.total_incl_tax
    if not less:
        return []
    named = [
        {"kind": "discount", "name": _name(each), "amount": -cents(each["discount"])}
        for each in (*basket.voucher_discounts, *basket.offer_discounts)
    ]
    if sum(each["amount"] for each in named) == -cents(less):
        return named
    together = ", ".join(each["name"] for each in named) or "Discount"
    return [{"kind": "discount", "name": together, "amount": -cents(less)}]


def _name(applied: dict[str, Any]) -> str:
    return str(applied["voucher"].code if applied["voucher"] else applied["name"])
