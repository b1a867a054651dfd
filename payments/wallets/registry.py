"""The wallets we know. Adding one is one module and one line here."""

from functools import cache
from importlib import import_module

from payments.wallets.base import Provider

_MODULES = {
    "wechatpay": "payments.wallets.wechatpay.provider.WeChatPay",
    "alipay": "payments.wallets.alipay.provider.Alipay",
    "stripe": "payments.wallets.stripe.provider.Stripe",
    "sandbox": "payments.wallets.sandbox.provider.SandboxProvider",
}
"""In the order of the page."""

NAMES = tuple(_MODULES)


@cache
def get(name: str) -> Provider:
    """The provider of that name; KeyError when there is none."""
    module, _, kind = _MODULES[name].rpartition(".")
    provider: Provider = getattr(import_module(module), kind)()
    return provider


def labels() -> dict[str, str]:
    """Every method there is and what people call it, in the order of the page."""
    return {method.name: method.label for name in NAMES for method in get(name).methods}


def step(name: str, currency: str) -> int:
    """What amounts of a currency are multiples of at a provider, in minor units: one, nearly always."""
    return get(name).steps.get(currency, 1)
