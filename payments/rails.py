"""The ladder: how a wallet is carried out where a page is opened; and, where it cannot be, where it could."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from payments.models import ProviderAccount
from payments.providers.base import Provider, Rail

PHONE, DESKTOP, OTHER_APP = "phone", "desktop", "other_app"

_PHONES = ("iphone", "ipad", "android", "openharmony", "mobile")
_APPS = {"micromessenger": "wechatpay", "alipayclient": "alipay"}
_FENCED = (
    "wxwork",
    "miniprogram",
)  # WeCom and mini programs name WeChat or Alipay too, and open neither's sheet for us


@dataclass(frozen=True)
class Surface:
    """Where a page is opened: on a phone or not, and there inside a wallet's own browser or in another one."""

    app: str = ""  # "wechatpay", "alipay" or ""
    phone: bool = False
    fenced: bool = False  # inside an app that shows pages and opens no wallet

    @classmethod
    def of(cls, user_agent: str) -> Self:
        """A wallet on a computer shows pages as any browser there, and its owner's phone scans from the screen."""
        agent = user_agent.lower()
        phone = any(sign in agent for sign in _PHONES)
        if any(sign in agent for sign in _FENCED):
            return cls(phone=phone, fenced=phone)
        return cls(app=next((app for sign, app in _APPS.items() if phone and sign in agent), ""), phone=phone)

    @property
    def place(self) -> str:
        return OTHER_APP if self.fenced else self.app or (PHONE if self.phone else DESKTOP)


_RAILS: dict[str, dict[str, tuple[Rail, ...]]] = {
    "wechatpay": {"wechatpay": (Rail.JSAPI,), PHONE: (Rail.H5,), DESKTOP: (Rail.NATIVE,)},
    "alipay": {"alipay": (Rail.H5,), PHONE: (Rail.H5,), DESKTOP: (Rail.NATIVE, Rail.REDIRECT)},
}
"""What works where, the best first. A wallet that is no app is a web page, and works wherever there are pages."""

_NEEDS: dict[tuple[str, Rail], tuple[str, Callable[[ProviderAccount], bool]]] = {
    ("wechatpay", Rail.JSAPI): ("no_app_secret", lambda account: bool(account.config.get("app_secret"))),
    ("wechatpay", Rail.H5): ("h5_not_granted", lambda account: account.h5_granted),
    ("alipay", Rail.H5): ("h5_not_granted", lambda account: account.h5_granted),
    ("alipay", Rail.REDIRECT): ("page_not_granted", lambda account: account.page_granted),
}
"""What a rail takes besides the credentials every account has, and the reason that withholds it."""


def ways(provider: Provider, account: ProviderAccount, place: str) -> tuple[tuple[Rail, ...], str]:
    """The rails that work there, the best first; without any, the reason why the best one does not."""
    works, reasons = [], []
    for rail in _RAILS[provider.name].get(place, ()) if provider.name in _RAILS else (Rail.REDIRECT,):
        reason, fulfilled = _NEEDS.get((provider.name, rail), ("", None))
        if fulfilled is None or fulfilled(account):
            works.append(rail)
        else:
            reasons.append(reason)
    return tuple(works), "" if works else (reasons or ["no_rail_here"])[0]


def elsewhere(provider: Provider, account: ProviderAccount) -> str:
    """Where a payer could go with the link when this wallet does not open here: "browser" (the phone's own), "wallet"
    (the wallet's app) or "desktop"; "" when nowhere.
    """
    places = {"browser": PHONE, "wallet": provider.name, "desktop": DESKTOP}
    return next((place for place, there in places.items() if ways(provider, account, there)[0]), "")
