"""The wallets we know. Adding one is one module and one line here."""

from functools import cache
from importlib import import_module

from payments.providers.base import Provider

_MODULES = {
    "alipay": "payments.providers.alipay.Alipay",
    "sandbox": "payments.providers.sandbox.SandboxProvider",
    "stripe": "payments.providers.stripe.Stripe",
    "wechatpay": "payments.providers.wechatpay.WeChatPay",
}
NAMES = tuple(_MODULES)


@cache
def get(name: str) -> Provider:
    """The provider of that name; KeyError when there is none."""
    module, _, kind = _MODULES[name].rpartition(".")
    provider: Provider = getattr(import_module(module), kind)()
    return provider


def step(name: str, currency: str) -> int:
    """What amounts of a currency are multiples of at a provider, in minor units: one, nearly always."""
    return get(name).steps.get(currency, 1)
