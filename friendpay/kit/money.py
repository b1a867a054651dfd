"""Money: integer minor units and an ISO 4217 currency. No floats, no number without a currency."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from itertools import accumulate, pairwise

from babel import Locale
from babel.numbers import (
    NumberPattern,
    format_currency,
    get_currency_symbol,
    get_decimal_symbol,
    get_minus_sign_symbol,
    parse_pattern,
)
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


@cache
def _pattern(locale: str, decimals: int) -> NumberPattern:
    """With the language's own minus sign, which Babel leaves out. In Arabic that makes the figures run from left to
    right, so what follows them is told to run the other way still, as CLDR has it in Hebrew.
    """
    spoken = Locale.parse(to_locale(locale))
    pattern = parse_pattern(spoken.currency_formats["standard"].pattern)
    pattern.frac_prec = (decimals, decimals)
    (before, before_less), (after, after_less) = pattern.prefix, pattern.suffix
    pattern.prefix = (before, before_less.replace("-", get_minus_sign_symbol(spoken)))
    pattern.suffix = (after, f"\u200f{after_less}" if after and spoken.text_direction == "rtl" else after_less)
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

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

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

    @lru_cache(maxsize=2000)  # noqa: B019  # of equal amounts, which are many and small: formatting takes 50 us
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

    def figures(self, locale: str) -> str:
        """The figures alone, as somebody would type them in that language: "1234.50", "1234,50"."""
        return str(self.decimal).replace(".", get_decimal_symbol(to_locale(locale)))

    def __str__(self) -> str:
        return f"{self.decimal} {self.currency}"


def in_proportion(total: int, weights: list[int]) -> list[int]:
    """Split `total` minor units in proportion to `weights`, exactly, whatever its sign and however large. Nobody gets
    anything where all weigh nothing.
    """
    whole, sums = sum(weights), accumulate(weights, initial=0)
    if not whole:
        return [0] * len(weights)
    return [total * after // whole - total * before // whole for before, after in pairwise(sums)]


def share_out(total: int, weights: list[int], steps: list[int] | None = None) -> list[int]:
    """Split `total` minor units in proportion to `weights`, exactly: largest remainder first, ties to the earlier one.

    The parts add up to `total`, and none exceeds its weight. Each is a multiple of its step, one unit unless `steps`
    says otherwise; of two different steps one is a multiple of the other. ValueError where there are no such parts.
    """
    whole = sum(weights)
    steps = steps or [1] * len(weights)
    if not 0 <= total <= whole or whole == 0 or min(weights) < 0:
        raise ValueError("nothing to share, or nobody to share among")
    parts = [total * weight // whole // step * step for weight, step in zip(weights, steps, strict=True)]
    by_remainder = sorted(range(len(weights)), key=lambda i: (parts[i] * whole - total * weights[i], i))
    rest = total - sum(parts)
    coarse_first = sorted(by_remainder, key=lambda i: -steps[i])
    for i, most in [(i, steps[i]) for i in by_remainder] + [(i, whole) for i in coarse_first]:
        more = min(most, rest, weights[i] - parts[i]) // steps[i] * steps[i]
        parts[i], rest = parts[i] + more, rest - more
    for i in by_remainder if rest else []:  # one more coarse step, to which those who count finer lend a little
        short, lenders = steps[i] - rest, [j for j in by_remainder if steps[j] < steps[i]]
        if parts[i] + steps[i] <= weights[i] and short <= sum(parts[j] for j in lenders):
            parts[i] += steps[i]
            for j in lenders:
                lent = min(short, parts[j]) // steps[j] * steps[j]
                parts[j], short = parts[j] - lent, short - lent
            rest = short
            break
    if rest:
        raise ValueError("the total does not go into these steps")
    return parts
