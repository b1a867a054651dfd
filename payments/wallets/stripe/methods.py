"""The ways to pay that a shop can choose at Stripe: those alone that are decided at once.

Debits, vouchers and transfers that take days would outlive every hold, so none is here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from friendpay.kit.money import Money
from payments.wallets.about import gettext_noop
from payments.wallets.base import DESKTOP, PHONE, Method, Rail
from payments.wallets.stripe.amounts import CURRENCIES


@dataclass(frozen=True)
class StripeMethod(Method):
    """`type`: what Stripe calls it."""

    type: str = ""


def _amounts(text: str) -> dict[str, int]:
    words = text.split()
    return {
        code: Money.from_decimal(Decimal(least), code).minor
        for code, least in zip(words[::2], words[1::2], strict=True)
    }


SMALLEST = _amounts(
    "AED 2 AUD 0.50 BRL 0.50 CAD 0.50 CHF 0.50 CZK 15 DKK 2.50 EUR 0.50 GBP 0.30 HKD 4 HUF 175 INR 0.50 JPY 50 KRW 50 "
    "MXN 10 MYR 2 NOK 3 NZD 0.50 PLN 2 RON 2 SEK 3 SGD 0.50 THB 10 USD 0.50 ZAR 0.50 "
) | _amounts(
    "AFN 40 ALL 55 AMD 230 AOA 550 ARS 900 AWG 1.10 AZN 1.10 BAM 1.10 BBD 1.20 BDT 75 BHD 0.230 BIF 1800 BMD 0.60 "
    "BND 0.80 BOB 4.20 BSD 0.60 BWP 8.50 BYN 2 BZD 1.20 CDF 1700 CLP 600 CNY 4.20 COP 2600 CRC 320 CVE 62 DJF 110 "
    "DOP 40 DZD 82 EGP 32 ETB 95 FJD 1.50 FKP 0.50 GEL 1.80 GIP 0.50 GMD 45 GNF 5500 GTQ 5 GYD 130 HNL 16.50 HTG 82 "
    "IDR 10500 ILS 2.30 ISK 80 JMD 100 JOD 0.430 KES 82 KGS 55 KHR 2600 KMF 300 KWD 0.190 KYD 0.55 KZT 340 LAK 14000 "
    "LBP 58000 LKR 195 LRD 125 LSL 11.50 MAD 6.50 MDL 11.50 MGA 2900 MKD 36 MMK 1350 MNT 2300 MOP 5.20 MUR 30 MVR 10 "
    "MWK 1150 MZN 41 NAD 11.50 NGN 1000 NIO 23.50 NPR 90 OMR 0.250 PAB 0.60 PEN 2.40 PGK 2.70 PHP 37 PKR 180 PYG 5000 "
    "QAR 2.30 RSD 66 RUB 60 RWF 930 SAR 2.40 SBD 5.40 SCR 9.50 SHP 0.50 SLE 15.50 SOS 370 SRD 25 SZL 11.50 TJS 7 "
    "TND 2 TOP 1.60 TRY 28 TTD 4.40 TWD 20.50 TZS 1700 UAH 27 UGX 2400 UYU 27 UZS 8000 VND 16500 VUV 76 WST 1.80 "
    "XAF 390 XCD 1.80 XOF 390 XPF 70 YER 330 ZMW 18"
)
"""The smallest amounts Stripe names; of the other currencies half a dollar, which is what Stripe asks of them by the
day's rate, rounded up.
"""


def _in(codes: str) -> frozenset[str]:
    return frozenset(codes.split())


def _least(currencies: Iterable[str], more: Mapping[str, int] | None = None) -> dict[str, int]:
    return {code: max(SMALLEST[code], (more or {}).get(code, 0)) for code in currencies}


_ALIPAY = _in("AUD CAD CNY EUR GBP HKD JPY MYR NZD SGD USD")
_WECHAT = _in("AUD CAD CHF CNY DKK EUR GBP HKD JPY NOK SEK SGD USD")
_PAYPAL = _in("AUD CAD CHF CZK DKK EUR GBP HKD NOK NZD PLN SEK SGD USD")
_EURO_OF_KLARNA = _amounts("AUD 2 CAD 2 CHF 1 CZK 30 DKK 10 EUR 1 GBP 1 NOK 15 NZD 2.50 PLN 5 RON 6 SEK 15 USD 1.50")
_OUTSIDE_WECHAT = {place: (Rail.REDIRECT,) for place in (DESKTOP, PHONE, "alipay")}

METHODS = (
    StripeMethod("card", gettext_noop("Card"), CURRENCIES, SMALLEST, by_choice=True, type="card"),
    StripeMethod("link", "Link", CURRENCIES, SMALLEST, by_choice=True, type="link"),
    # Stripe shows WeChat Pay as a code, which a phone cannot scan from its own screen.
    StripeMethod(
        "wechatpay",
        gettext_noop("WeChat Pay"),
        _WECHAT,
        _least(_WECHAT),
        rails={DESKTOP: (Rail.REDIRECT,)},
        by_choice=True,
        type="wechat_pay",
    ),
    StripeMethod(
        "alipay",
        gettext_noop("Alipay"),
        _ALIPAY,
        _least(_ALIPAY),
        rails=_OUTSIDE_WECHAT,
        by_choice=True,
        type="alipay",
    ),
    StripeMethod("paypal", "PayPal", _PAYPAL, _least(_PAYPAL), by_choice=True, type="paypal"),
    StripeMethod(
        "klarna",
        "Klarna",
        frozenset(_EURO_OF_KLARNA),
        _least(_EURO_OF_KLARNA, _EURO_OF_KLARNA),
        by_choice=True,
        type="klarna",
    ),
    StripeMethod("ideal", "iDEAL", _in("EUR"), _least(["EUR"]), by_choice=True, type="ideal"),
    StripeMethod("pix", "Pix", _in("BRL"), _least(["BRL"]), by_choice=True, type="pix"),
    StripeMethod("upi", "UPI", _in("INR"), _least(["INR"], {"INR": 100}), by_choice=True, type="upi"),
    StripeMethod("blik", "BLIK", _in("PLN"), _least(["PLN"]), by_choice=True, type="blik"),
    StripeMethod("paypay", "PayPay", _in("JPY"), _least(["JPY"]), by_choice=True, type="paypay"),
    StripeMethod("kakaopay", "Kakao Pay", _in("KRW"), _least(["KRW"], {"KRW": 100}), by_choice=True, type="kakao_pay"),
)
TYPES = {method.name: method.type for method in METHODS}
