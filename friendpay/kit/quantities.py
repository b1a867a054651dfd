"""Quantities of goods: whole numbers, or decimals that are never floats."""

from decimal import Decimal

from babel import Locale
from babel.numbers import get_decimal_symbol
from django.utils.translation import to_locale


def number(quantity: Decimal) -> int | str:
    """As the API says it: `3`, or `"0.5"`, with no more decimals than it has."""
    whole = int(quantity)
    return whole if whole == quantity else f"{quantity.normalize():f}"


def text(quantity: Decimal, unit: str, locale: str) -> str:
    """As people of a Django language code read it beside a name: "" for one of it, "× 3", "0,5 kg"."""
    if quantity == 1 and not unit:
        return ""
    figures = str(number(quantity)).replace(".", get_decimal_symbol(to_locale(locale)))
    if not unit:
        return f"× {figures}"
    is_rtl = Locale.parse(to_locale(locale)).text_direction == "rtl"
    return f"\u2068{figures} {unit}\u2069" if is_rtl else f"{figures} {unit}"  # else it falls apart: "kg 0,5"
