"""Which amounts Stripe takes of which currency. Written from its own page on currencies, not from friendpay."""

import re

from payments.wallets.stripe.emulator.requests import Wrong

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

_A_DOLLAR = (
    "AFN 66 ALL 83 AMD 383 AOA 915 ARS 1450 AWG 1.8 AZN 1.7 BAM 1.68 BBD 2 BDT 122 BHD 0.376 BIF 2950 BMD 1 BND "
    "1.3 BOB 6.9 BSD 1 BWP 13.5 BYN 3.3 BZD 2 CDF 2200 CLP 940 CNY 7.1 COP 3800 CRC 500 CVE 95 DJF 178 DOP 63 DZD "
    "130 EGP 47.5 ETB 153 FJD 2.3 FKP 0.75 GEL 2.7 GIP 0.75 GMD 73 GNF 8680 GTQ 7.66 GYD 209 HNL 26.3 HTG 131 IDR "
    "16650 ILS 3.3 ISK 127 JMD 160 JOD 0.709 KES 129 KGS 87.4 KHR 4010 KMF 424 KWD 0.307 KYD 0.83 KZT 520 LAK "
    "21700 LBP 89500 LKR 308 LRD 180 LSL 17.2 MAD 9.3 MDL 17 MGA 4480 MKD 53 MMK 2100 MNT 3560 MOP 8 MUR 46 MVR "
    "15.4 MWK 1734 MZN 63.9 NAD 17.2 NGN 1450 NIO 36.8 NPR 143 OMR 0.385 PAB 1 PEN 3.4 PGK 4.25 PHP 59 PKR 281 "
    "PYG 7000 QAR 3.64 RSD 101 RUB 80 RWF 1453 SAR 3.75 SBD 8.2 SCR 14.5 SHP 0.75 SLE 23.5 SOS 571 SRD 38.5 SZL "
    "17.2 TJS 9.3 TND 2.95 TOP 2.4 TRY 42.4 TTD 6.8 TWD 31.4 TZS 2470 UAH 42.3 UGX 3620 UYU 39.7 UZS 11950 VND "
    "26350 VUV 122 WST 2.8 XAF 566 XCD 2.7 XOF 566 XPF 103 YER 239 ZMW 22.8"
)
A_DOLLAR = {code: float(rate) for code, rate in re.findall(r"([A-Z]{3}) ([\d.]+)", _A_DOLLAR)}
"""What a dollar was worth at the end of November, where Stripe names no smallest amount."""

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
    code = currency.upper()
    dollars = units / 10 ** digits(code) / A_DOLLAR[code] if code in A_DOLLAR else 1
    if units < SMALLEST.get(code, 1) or dollars < 0.5:
        raise Wrong("The Checkout Session's total amount must convert to at least 50 cents.", code="amount_too_small")


def booked(units: int, currency: str) -> tuple[int, float | None]:
    """What reaches the shop's balance, and at which rate."""
    return (units, None) if currency == _SHOP_CURRENCY else (int(units * _RATE), _RATE)


def digits(code: str) -> int:
    """How many decimals an amount has in the API."""
    return 0 if code in ZERO_DECIMAL else 3 if code in THREE_DECIMAL else 2


def shown(units: int, currency: str) -> str:
    code = currency.upper()
    decimals = digits(code)
    whole, rest = divmod(units, 10**decimals)
    return f"{whole}.{rest:0{decimals}} {code}" if decimals else f"{whole} {code}"
