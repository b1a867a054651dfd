"""Surfaces and rails: how a wallet is carried out where a page is opened, or where else it could be."""

from dataclasses import dataclass
from typing import Self

from payments.wallets import registry
from payments.wallets.base import DESKTOP as DESKTOP
from payments.wallets.base import OTHER_APP as OTHER_APP
from payments.wallets.base import PHONE as PHONE
from payments.wallets.base import Account, Method, Provider, Rail

_PHONES = ("iphone", "ipad", "android", "openharmony", "mobile")
_FENCED = (
    "wxwork",
    "miniprogram",
)  # WeCom and mini programs name WeChat or Alipay too, and open neither's sheet for us

APPS = registry.apps()
PLACES = (DESKTOP, PHONE, *APPS, OTHER_APP)


@dataclass(frozen=True)
class Surface:
    """Where a page is opened: on a phone or not, and there inside a wallet's own browser or in another one."""

    app: str = ""  # one of APPS, or ""
    phone: bool = False
    fenced: bool = False  # inside an app that shows pages and opens no wallet

    @classmethod
    def of(cls, user_agent: str) -> Self:
        """A wallet on a computer shows pages as any browser there, and its owner's phone scans from the screen."""
        agent = user_agent.lower()
        phone = any(sign in agent for sign in _PHONES)
        if any(sign in agent for sign in _FENCED):
            return cls(phone=phone, fenced=phone)
        return cls(app=next((name for name, app in APPS.items() if phone and app.sign in agent), ""), phone=phone)

    @classmethod
    def at(cls, place: str) -> Self:
        """The one that is called so, of PLACES."""
        return cls(app=place if place in APPS else "", phone=place != DESKTOP, fenced=place == OTHER_APP)

    @property
    def place(self) -> str:
        return OTHER_APP if self.fenced else self.app or (PHONE if self.phone else DESKTOP)


def ways(provider: Provider, method: Method, account: Account, place: str) -> tuple[tuple[Rail, ...], str]:
    """The rails that work there, the best first; without any, the reason why the best one does not."""
    rails = (Rail.REDIRECT,) if method.rails is None else method.rails.get(place, ())
    missing = {rail: provider.lacks(account, rail) for rail in rails}
    works = tuple(rail for rail in rails if not missing[rail])
    return works, "" if works else next(iter(missing.values()), "no_rail_here")


def elsewhere(provider: Provider, method: Method, account: Account) -> str:
    """Where a payer could go with the link when this wallet does not open here: "browser" (the phone's own), "wallet"
    (the wallet's app) or "desktop"; "" when nowhere.
    """
    places = {"browser": PHONE, "wallet": method.name, "desktop": DESKTOP}
    return next((place for place, there in places.items() if ways(provider, method, account, there)[0]), "")
