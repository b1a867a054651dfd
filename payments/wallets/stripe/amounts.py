"""Money as Stripe counts it: mostly ISO 4217's minor units, and the few currencies where it is not (rule S8)."""

from friendpay.kit.money import EXPONENT, Money

_CURRENCIES = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CLP CNY COP "
    "CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR ISK JMD "
    "JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN "
    "NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD "
    "SZL THB TJS TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VND VUV WST XAF XCD XOF XPF YER ZAR ZMW"
)
CURRENCIES = frozenset(_CURRENCIES.split())
"""What Stripe can charge a card in. Which of them an account may use depends on its country; Stripe says when asked."""

_EXPONENT = {
    "ISK": 2,  # has no decimals any more, but is still written with two, always 00
    "UGX": 2,  # the same, although Stripe's list of currencies without decimals names it
    "MGA": 0,  # has decimals in ISO 4217 (a fifth), none at Stripe
}
"""Where Stripe differs. HUF and TWD do not: they lose their decimals in payouts only, charges keep both."""


STEPS = {**{code: 10 for code in CURRENCIES if EXPONENT[code] == 3}, "MGA": 100}
"""Minor units of ours that Stripe takes multiples of: no last decimal of three, and whole ariary."""


def to_units(money: Money) -> int:
    """The number to send. ValueError when Stripe has no such amount in this currency."""
    units = _shift(money.minor, _exponent(money.currency) - EXPONENT[money.currency])
    if units is None:
        raise ValueError(f"Stripe takes whole {money.currency} only")
    if _exponent(money.currency) == 3 and units % 10:
        raise ValueError(f"Stripe takes {money.currency} in steps of 0.010 only")
    return units


def from_units(units: int, currency: str) -> Money:
    """The amount Stripe speaks of. ValueError when the currency is none of ours, or has no such small coin."""
    code = currency.upper()
    minor = _shift(units, EXPONENT[code] - _exponent(code)) if code in EXPONENT else None
    if minor is None:
        raise ValueError(f"{units} {code} is not an amount we know")
    return Money(minor, code)


def _exponent(code: str) -> int:
    return _EXPONENT.get(code, EXPONENT[code])


def _shift(number: int, digits: int) -> int | None:
    """`number` with `digits` more decimals; None when taking decimals away would lose something."""
    factor: int = 10 ** abs(digits)
    if digits >= 0:
        return number * factor
    whole, rest = divmod(number, factor)
    return None if rest else whole
