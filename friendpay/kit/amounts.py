"""Amounts as people type or paste them, parsed without guessing: ten thousand is never taken for ten.

Whatever our own pages print is read back on a page of the same language.
"""

import re
import unicodedata
from functools import cache

from babel.numbers import get_currency_symbol, get_decimal_symbol
from django.conf import settings
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

from friendpay.kit.money import EXPONENT, Money

_WORDS = {
    "CNY": ("元", "块钱", "块", "RMB", "yuan"),
    "JPY": ("円", "元"),
    "KRW": ("원",),
    "RUB": ("руб.", "руб"),
    "INR": ("Rs.", "Rs"),
}
"""What people write beside figures, besides the symbols of our own pages."""

_MEANT = str.maketrans({"،": ",", "、": ",", "。": ".", "’": "'", "٬": "'"})
_GROUPED = r"[1-9]\d{0,2}(?P<by>[.,' ])\d{3}(?:(?P=by)\d{3})*|[1-9]\d?(?P<by2>[.,' ])(?:\d{2}(?P=by2))+\d{3}"
_WHOLE = re.compile(rf"\d{{1,15}}|{_GROUPED}")
_ONE_SEPARATOR = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_WITH_DECIMALS = re.compile(r"(?P<whole>.*)(?P<separator>[.,٫])(?P<decimals>\d+)")


def text(amount: Money) -> str:
    """The amount in the language of whoever reads this."""
    return amount.text(get_language() or settings.LANGUAGE_CODE)


class Unreadable(ValueError):
    """No amount of this currency, or one that could be another. Says to whoever typed it what to write instead."""


def read(text: str, currency: str, language: str) -> Money:
    """The amount that somebody wrote on a page in `language`. Raises Unreadable.

    Decimals are those that the currency has, never more. Three figures after a single separator are thousands; only in
    a currency of three decimals are they decimals, if that page writes them so, and else nobody can tell.
    """
    figures, places = _figures(text, currency), EXPONENT[currency]
    decimal = _WITH_DECIMALS.fullmatch(figures)
    if places == 3 and decimal and _ONE_SEPARATOR.fullmatch(figures):
        if decimal["separator"] != get_decimal_symbol(to_locale(language)):
            raise _either(figures, currency, language)
    elif _WHOLE.fullmatch(figures):
        return Money(_number(figures) * 10**places, currency)
    if not decimal or decimal["separator"] in decimal["whole"] or not _WHOLE.fullmatch(decimal["whole"] or "0"):
        raise Unreadable(_("Enter an amount in figures, like %(example)s.") % {"example": _example(currency, language)})
    if len(decimal["decimals"]) > places:
        raise Unreadable(
            _("That has more decimals than %(currency)s has. Enter it like %(example)s.")
            % {"currency": currency, "example": _example(currency, language)}
        )
    return Money(_number(decimal["whole"] or "0") * 10**places + int(decimal["decimals"].ljust(places, "0")), currency)


def _either(figures: str, currency: str, language: str) -> Unreadable:
    """Two sums it may mean, for the one who typed it to choose from."""
    readings = {"small": Money(_number(figures), currency), "large": Money(_number(figures) * 1000, currency)}
    written = {which: money.text(language) for which, money in readings.items()}
    return Unreadable(_("Do you mean %(small)s or %(large)s? Enter it like one of these.") % written)


def _example(currency: str, language: str) -> str:
    return Money(30 * 10 ** EXPONENT[currency], currency).figures(language)


def _number(figures: str) -> int:
    return int(re.sub(r"\D", "", figures))


def _figures(text: str, currency: str) -> str:
    """ASCII digits and separators, whatever script they are in; without what stands beside them."""
    plain = _plain(text)
    for symbol in _symbols(currency):  # the longest first
        if plain.startswith(symbol):
            plain = plain[len(symbol) :].strip()
            break
    for symbol in _symbols(currency):
        if plain.endswith(symbol):
            plain = plain[: -len(symbol)].strip()
            break
    return plain


def _plain(text: str) -> str:
    """The same letters and figures in one form: characters that cannot be seen left out, blanks of all widths one."""
    shown = (char if unicodedata.category(char) == "No" else unicodedata.normalize("NFKC", char) for char in text)
    seen = (char for char in "".join(shown) if unicodedata.category(char) != "Cf")
    same = (str(unicodedata.decimal(char, char)) for char in seen)  # not of "30⁰⁰", which is no 3,000
    return " ".join("".join(same).translate(_MEANT).casefold().split())


@cache
def _symbols(currency: str) -> tuple[str, ...]:
    """How this currency is named beside a figure, in any of our languages; its bare sign as well ("¥" of "CN¥")."""
    names = {get_currency_symbol(currency, to_locale(code)) for code, _name in settings.LANGUAGES}
    names |= {name[-1] for name in names if unicodedata.category(name[-1]) == "Sc"}
    found = {_plain(name) for name in (*names, currency, *_WORDS.get(currency, ()))}
    return tuple(sorted(found, key=len, reverse=True))
