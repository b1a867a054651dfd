"""Which ways to pay this order gets, where it is opened, and why not the others. Page, API and payment ask the same
function.
"""

from dataclasses import dataclass
from typing import Self

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.models import Order
from payments import providers
from payments.models import ProviderAccount
from payments.providers.base import Provider, Rail

LABELS: dict[str, "str | Promise"] = {
    "wechatpay": _("WeChat Pay"),
    "alipay": _("Alipay"),
    "card": _("Card"),
    "sandbox": _("Sandbox wallet"),
}
"""The order of this table is the order on the page."""


@dataclass(frozen=True)
class Surface:
    """Where a page is opened: inside a wallet's own browser, or in another one, on a phone or not."""

    app: str = ""  # "wechatpay", "alipay" or ""
    phone: bool = False

    @classmethod
    def of(cls, user_agent: str) -> Self:
        agent = user_agent.lower()
        app = "wechatpay" if "micromessenger" in agent else "alipay" if "alipayclient" in agent else ""
        return cls(app=app, phone=bool(app) or any(word in agent for word in ("iphone", "android", "mobile", "ipad")))


@dataclass(frozen=True)
class Offer:
    """A method and how it would be carried out here; or, with a `reason`, why it is not offered (never shown to the
    public).
    """

    method: str
    rail: Rail | None
    account: ProviderAccount
    reason: str = ""

    @property
    def label(self) -> "str | Promise":
        return LABELS[self.method]

    @property
    def provider(self) -> str:
        return self.account.provider


def consider(order: Order, surface: Surface) -> list[Offer]:
    """Every method of every account of the order's merchant, each with its rail or the reason that withholds it."""
    accounts = ProviderAccount.objects.filter(merchant_id=order.merchant_id).order_by("id")
    offers = [
        _consider(order, surface, account, provider, method)
        for account in accounts
        for provider in (providers.get(account.provider),)
        for method in provider.methods
    ]
    place = list(LABELS)
    return sorted(offers, key=lambda offer: (place.index(offer.method), offer.account.pk))


def for_page(order: Order, surface: Surface) -> list[Offer]:
    """What the payment page shows: one offer a method, none that cannot finish here. What it shows is what works."""
    shown: dict[str, Offer] = {}
    for offer in consider(order, surface):
        if not offer.reason:
            shown.setdefault(offer.method, offer)
    return list(shown.values())


def _consider(order: Order, surface: Surface, account: ProviderAccount, provider: Provider, method: str) -> Offer:
    rail = _rail(provider, surface)
    reason = ""
    if not account.enabled:
        reason = "account_disabled"
    elif account.live != order.live:
        reason = "account_is_for_live_orders" if account.live else "account_is_for_test_orders"
    elif provider.currencies is not None and order.currency not in provider.currencies:
        reason = "currency_not_taken"
    elif rail is None:
        reason = "no_rail_here"
    return Offer(method=method, rail=rail, account=account, reason=reason)


def _rail(provider: Provider, surface: Surface) -> Rail | None:
    """The best rail that works on this surface, in the provider's own order of preference."""
    if surface.app == provider.name:
        works = {Rail.JSAPI, Rail.H5, Rail.REDIRECT} if provider.name == "alipay" else {Rail.JSAPI}
    elif surface.app:
        works = {Rail.REDIRECT}
    elif surface.phone:
        works = {Rail.H5, Rail.REDIRECT}
    else:
        works = {Rail.NATIVE, Rail.REDIRECT}
    return next((rail for rail in provider.rails if rail in works), None)
