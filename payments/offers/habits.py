"""Which of the wallets on a page comes first, by what is known of whoever opens it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from friendpay.kit import limits
from payments.wallets import registry

COOKIE = "wallet"

_METHODS = frozenset(registry.labels())
_REGIONS = {
    "CN": ("wechatpay", "alipay"),
    "HK": ("alipay", "wechatpay"),
    "MO": ("alipay", "wechatpay"),
    "JP": ("paypay",),
    "KR": ("kakaopay",),
    "IN": ("upi",),
    "BR": ("pix",),
    "PL": ("blik",),
    "NL": ("ideal",),
    "SE": ("klarna",),
}
_LANGUAGES = {
    "zh-hans": _REGIONS["CN"],
    "ja": _REGIONS["JP"],
    "ko": _REGIONS["KR"],
    "hi": _REGIONS["IN"],
    "pt-br": _REGIONS["BR"],
}
_EVERYWHERE = ("card", "house", "link", "paypal")
_REGION = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{4})?-([A-Za-z]{2})(?![A-Za-z0-9])")


@dataclass(frozen=True)
class Habits:
    """The wallet used last in this browser, "" where none is known, and a region among those that have habits."""

    last: str = ""
    region: str = ""

    @classmethod
    def of(cls, cookies: Mapping[str, str], accept_language: str) -> Self:
        """What is no wallet of ours, and no region we know of, says nothing."""
        found = _REGION.match(accept_language[: limits.ACCEPT_LANGUAGE_CHARACTERS])
        region = found[1].upper() if found else ""
        last = cookies.get(COOKIE, "")
        return cls(last if last in _METHODS else "", region if region in _REGIONS else "")

    def order(self, methods: list[str], *, app: str, language: str) -> list[str]:
        """The same methods, the likeliest first: of the app the page is open in, the one used last, what people use in
        the region, else what those use who read the language, else everywhere; the rest stays as it is.
        """
        usual = _REGIONS.get(self.region) or _LANGUAGES.get(language, ())
        likely = dict.fromkeys((app, self.last, *usual, *_EVERYWHERE))
        first = [method for method in likely if method in methods]
        return first + [method for method in methods if method not in likely]
