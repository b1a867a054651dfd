"""Amounts as shops keep them (12.50) and as the API counts them (1250, in the currency's minor unit)."""

from decimal import Decimal

_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_DECIMALS = dict.fromkeys(_NO_DECIMALS.split(), 0) | dict.fromkeys(_THREE_DECIMALS.split(), 3)


def decimals(currency: str) -> int:
    """How many decimals the currency has (ISO 4217); two, for one that is not known."""
    return _DECIMALS.get(currency, 2)


def minor(amount: Decimal | int, currency: str) -> int:
    """12.50 EUR is 1250. ValueError where the amount is finer than the currency: round it as your receipt does."""
    scaled = Decimal(amount).scaleb(decimals(currency))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} is not an amount of {currency}, which has {decimals(currency)} decimals")
    return int(scaled)


def major(amount: int, currency: str) -> Decimal:
    """1250 of EUR is 12.50."""
    return Decimal(amount).scaleb(-decimals(currency))
