"""Amounts as people of each language read them."""

import re

import pytest
from django.conf import settings

from friendpay.kit.money import Money

LANGUAGES = [code for code, _name in settings.LANGUAGES]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_amount_has_all_its_figures_in_digits_that_everybody_reads(language: str) -> None:
    assert re.sub(r"\D", "", Money(123456, "CNY").text(language)) == "123456"
    assert re.sub(r"\D", "", Money(123456, "JPY").text(language)) == "123456"
    assert re.sub(r"\D", "", Money(123456, "KWD").text(language)) == "123456"


def test_each_language_writes_money_its_own_way() -> None:
    assert Money(123456, "EUR").text("en") == "€1,234.56"
    assert Money(123456, "EUR").text("fr") == "1\u202f234,56\xa0€"
    assert Money(123456, "EUR").text("pt-br") == "€\xa01.234,56"
    assert Money(123456, "CNY").text("zh-hans") == "¥1,234.56"
    assert Money(123456, "CNY").text("ru") == "1\xa0234,56\xa0CN¥"


def test_a_currency_keeps_together_where_letters_run_the_other_way() -> None:
    assert Money(9000, "CNY").text("ar") == "\u200f90.00\xa0CN¥\u200e"


@pytest.mark.parametrize(
    ("currency", "language", "written"),
    [
        ("EUR", "ar", "\u200f\u200e-2.50\u200f\xa0€\u200e"),  # CLDR's, but for the marks about the sign of the currency
        ("CNY", "ar", "\u200f\u200e-2.50\u200f\xa0CN¥\u200e"),
        ("EUR", "en", "-€2.50"),
        ("EUR", "de", "-2,50\xa0€"),
        ("EUR", "hi", "-€2.50"),
        ("EUR", "zh-hans", "-€2.50"),
    ],
)
def test_a_sum_below_nothing_has_its_sign_on_the_side_where_its_language_has_it(
    currency: str, language: str, written: str
) -> None:
    assert Money(-250, currency).text(language) == written
