"""Which amounts Stripe takes of which currency. Written from its own page on currencies, not from friendpay."""

from tests.emulators.stripe_requests import Wrong

ZERO_DECIMAL = set(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
THREE_DECIMAL = set(["BHD", "JOD", "KWD", "OMR", "TND"])
WHOLE_ONLY = {"ISK", "UGX"}  # two decimals in the API, always 00
UNKNOWN = set(["CUP", "IQD", "IRR", "KPW", "LYD", "SDG", "SSP", "SYP", "UYI", "VES", "ZWG"])
LARGEST = 999_999_999_999
SMALLEST = {
    "AED": 200, "AUD": 50, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50, "GBP": 30, "HKD": 400,
    "HUF": 17500, "INR": 50, "JPY": 50, "KRW": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50, "PLN": 200,
    "RON": 200, "SEK": 300, "SGD": 50, "THB": 1000, "USD": 50, "ZAR": 50,
}  # fmt: skip

_SHOP_CURRENCY = "usd"
_RATE = 0.5  # of every other currency, so that no test mistakes what was paid for what was booked


def check(units: int, currency: str, param: str) -> None:
    code = currency.upper()
    if code in UNKNOWN:
        raise Wrong(f"Invalid currency: {currency}.", param=param)
    if units < 1:
        raise Wrong("Invalid positive integer", code="parameter_invalid_integer", param=param)
    if units > LARGEST:
        raise Wrong("Amount must be no more than 12 digits", code="amount_too_large", param=param)
    if code in WHOLE_ONLY and units % 100:
        raise Wrong(
            f"Invalid amount. Currency {code} has become effectively zero-decimal and charged amounts must be evenly "
            "divisible by 100.",
            code="invalid_charge_amount_no_decimal_compatible",
            param=param,
        )
    if code in THREE_DECIMAL and units % 10:
        raise Wrong(f"Amounts in {code} must be evenly divisible by 10.", param=param)


def check_total(units: int, currency: str) -> None:
    if units < SMALLEST.get(currency.upper(), 1):
        raise Wrong("The Checkout Session's total amount must convert to at least 50 cents.", code="amount_too_small")


def booked(units: int, currency: str) -> tuple[int, float | None]:
    """What reaches the shop's balance, and at which rate."""
    return (units, None) if currency == _SHOP_CURRENCY else (int(units * _RATE), _RATE)


def shown(units: int, currency: str) -> str:
    code = currency.upper()
    digits = 0 if code in ZERO_DECIMAL else 3 if code in THREE_DECIMAL else 2
    whole, rest = divmod(units, 10**digits)
    return f"{whole}.{rest:0{digits}} {code}" if digits else f"{whole} {code}"
