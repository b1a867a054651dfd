"""What an amount is roughly worth, so that limits hold across currencies. For limits and hints alone: no price and no
refund is ever worked out by it.
"""

from fractions import Fraction

from friendpay.kit.money import EXPONENT

_UNITS = """
    USD 1 EUR 0.9 GBP 0.8 CHF 0.9 CAD 1.4 AUD 1.5 NZD 1.6 SGD 1.3 BND 1.3 CNY 7 HKD 8 MOP 8 TWD 32 JPY 150 KRW 1400
    THB 34 VND 25000 IDR 16000 MYR 4.3 PHP 57 INR 85 PKR 280 BDT 120 LKR 300 NPR 135 BTN 85 MVR 15 MMK 2100 KHR 4000
    LAK 21000 MNT 3400 KZT 500 UZS 12500 KGS 87 TJS 10 TMT 3.5 AFN 70 IRR 42000 IQD 1300 SYP 12000 LBP 89000 JOD 0.7
    KWD 0.3 BHD 0.4 OMR 0.4 QAR 3.6 AED 3.7 SAR 3.75 YER 250 ILS 3.6 EGP 50 LYD 5 TND 3 DZD 135 MAD 10 MRU 40 XOF 600
    XAF 600 NGN 1500 GHS 13 GMD 70 GNF 8600 SLE 23 LRD 190 CVE 100 STN 22 CDF 2800 AOA 900 ZMW 26 MZN 64 MWK 1700
    TZS 2600 KES 130 UGX 3700 RWF 1400 BIF 2900 ETB 130 ERN 15 DJF 178 SOS 570 SSP 3000 SDG 600 ZAR 18 NAD 18 LSL 18
    SZL 18 BWP 14 ZWG 27 MGA 4600 MUR 46 SCR 14 KMF 450 TRY 40 RUB 85 UAH 41 BYN 3.2 MDL 17 GEL 2.7 AMD 390 AZN 1.7
    PLN 3.8 CZK 22 HUF 350 RON 4.5 RSD 105 MKD 55 ALL 88 BAM 1.7 ISK 130 NOK 10 SEK 10 DKK 6.7 MXN 18 BRL 5.5
    ARS 1000 CLP 950 COP 4100 PEN 3.7 UYU 40 PYG 7500 BOB 6.9 VES 100 GYD 209 SRD 36 TTD 6.8 JMD 158 BBD 2 BSD 1 BZD 2
    XCD 2.7 XCG 1.8 KYD 0.8 BMD 1 AWG 1.8 HTG 131 DOP 60 CUP 24 GTQ 7.7 HNL 25 NIO 37 CRC 510 PAB 1 UYI 6 SVC 8.7
    FJD 2.2 PGK 4 SBD 8.4 VUV 119 WST 2.7 TOP 2.4 XPF 108 SHP 0.8 FKP 0.8 GIP 0.8 KPW 900
"""
_words = iter(_UNITS.split())
UNITS = {code: Fraction(next(_words)) for code in _words}
"""How many units of a currency made a dollar when this was written. Limits need no better."""


_CENT: dict[str, Fraction] = {code: units * 10 ** EXPONENT[code] / 100 for code, units in UNITS.items()}
_PARTS: dict[str, tuple[int, int]] = {
    code: (cent.numerator, cent.denominator) for code, cent in _CENT.items()
}  # fractions are slow
"""Minor units to a US cent."""


def cents(minor: int, currency: str) -> int:
    """An amount in rough US cents; one at least, unless it is nothing."""
    over, under = _PARTS[currency]
    return max(1, minor * under // over) if minor else 0


def minor(cents: int, currency: str) -> int:
    """So many US cents in minor units of a currency, as roughly."""
    over, under = _PARTS[currency]
    return cents * over // under
