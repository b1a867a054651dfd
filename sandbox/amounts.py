"""Amounts as the payer reads them."""

from decimal import Decimal

from babel import Locale
from babel.numbers import format_currency, parse_pattern
from django.utils.translation import get_language, to_locale


def text(minor: int, currency: str, exponent: int) -> str:
    """The amount in the page's language, with exactly the currency's decimals: what is read is what is paid."""
    locale = Locale.parse(to_locale(get_language() or "en"))
    pattern = parse_pattern(locale.currency_formats["standard"].pattern)
    pattern.frac_prec = (exponent, exponent)
    shown = format_currency(Decimal(minor).scaleb(-exponent), currency, pattern, locale, currency_digits=False)
    return shown if locale.text_direction == "ltr" else f"{shown}\u200e"  # keeps CN¥ together at the end
