"""Money: a whole number of minor units and its ISO 4217 currency. No floats, no number without a currency."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from babel import Locale
from babel.numbers import NumberPattern, format_currency, get_currency_symbol, parse_pattern
from django.utils.translation import to_locale

_EXPONENTS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC "
    "CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD "
    "KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO "
    "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL "
    "THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
EXPONENT: dict[str, int] = {code: digits for digits, codes in _EXPONENTS.items() for code in codes.split()}
"""How many decimals each active ISO 4217 currency has. What is not here is not a currency we take."""

MAX_MINOR = 10**12
"""No single amount is larger: it keeps sums far inside a 64-bit column and a typing error out of a wallet."""


@cache
def _pattern(locale: str, decimals: int) -> NumberPattern:
    pattern = parse_pattern(Locale.parse(to_locale(locale)).currency_formats["standard"].pattern)
    pattern.frac_prec = (decimals, decimals)
    return pattern


@dataclass(frozen=True, slots=True)
class Money:
    """An amount that knows its currency; adding two currencies is an error, never a number."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if self.currency not in EXPONENT:
            raise ValueError(f"{self.currency!r} is not a currency we know")
        if type(self.minor) is not int:
            raise TypeError("money is counted in whole minor units")

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return other.minor

    @property
    def decimal(self) -> Decimal:
        """The amount in major units: Money(9000, "CNY") is Decimal("90.00")."""
        return Decimal(self.minor).scaleb(-EXPONENT[self.currency])

    @classmethod
    def from_decimal(cls, amount: Decimal, currency: str) -> "Money":
        """From major units; ValueError when the currency has no such small coin."""
        if currency not in EXPONENT:
            raise ValueError(f"{currency!r} is not a currency we know")
        minor = amount.scaleb(EXPONENT[currency])
        if minor != minor.to_integral_value():
            raise ValueError(f"{currency} has {EXPONENT[currency]} decimals")
        return cls(int(minor), currency)

    def text(self, locale: str) -> str:
        """As people of a Django language code read it: "¥90.00", "90,00 €", "￥90.00".

        With exactly the currency's decimals: where CLDR would round (ALL, IQD), what is read would not be what is paid.
        """
        text = format_currency(
            self.decimal,
            self.currency,
            _pattern(locale, EXPONENT[self.currency]),
            to_locale(locale),
            currency_digits=False,
        )
        if Locale.parse(to_locale(locale)).text_direction == "ltr":
            return text
        symbol = get_currency_symbol(self.currency, to_locale(locale))
        return text.replace(symbol, f"{symbol}\u200e")  # else CN¥ falls apart where letters run the other way

    def __str__(self) -> str:
        return f"{self.decimal} {self.currency}"


def share_out(total: int, weights: list[int]) -> list[int]:
    """Split `total` minor units in proportion to `weights`, exactly: largest remainder first, ties to the earlier one.

    The parts add up to `total`. With `total` at most the sum of the weights, no part exceeds its weight.
    """
    whole = sum(weights)
    if total < 0 or whole <= 0 or min(weights) < 0:
        raise ValueError("nothing to share, or nobody to share among")
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts
