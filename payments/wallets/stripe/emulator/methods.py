"""Which currencies each kind of payment method takes at Stripe. Written from its own pages, not from friendpay."""

ANY: frozenset[str] = frozenset()


def _in(codes: str) -> frozenset[str]:
    return frozenset(codes.split())


CURRENCIES = {
    "card": ANY,
    "link": ANY,
    "sepa_debit": ANY,  # takes days: here to see what friendpay makes of it
    "alipay": _in("aud cad cny eur gbp hkd jpy myr nzd sgd usd"),
    "wechat_pay": _in("aud cad cny eur gbp hkd jpy sgd usd dkk nok sek chf"),
    "ideal": _in("eur"),
    "pix": _in("brl"),
    "upi": _in("inr"),
    "blik": _in("pln"),
    "paypay": _in("jpy"),
    "kakao_pay": _in("krw"),
    "paypal": _in("eur gbp usd chf czk dkk nok pln sek aud cad hkd nzd sgd"),
    "klarna": _in("aud cad chf czk dkk eur gbp nok nzd pln ron sek usd"),
}


def fitting(allowed: list[str], currency: str, activated: set[str]) -> list[str]:
    """Of what a session allows, what can be paid with: switched on in the Dashboard, and taking this currency."""
    kinds = allowed or ["card", "sepa_debit"]
    return [kind for kind in kinds if kind in activated and (not CURRENCIES[kind] or currency in CURRENCIES[kind])]
