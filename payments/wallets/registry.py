"""The wallets we know: a folder each (docs/recipes/add-a-wallet.md). Whatever depends on a wallet is asked for here.

An installed package brings one of its own by an entry point of the group `friendpay.wallets`, called as the wallet is,
which names its provider: `toypay = "toypay.provider:ToyPay"`. It cannot take the place of one of ours.
"""

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any

from payments.wallets.about import App
from payments.wallets.base import Provider
from payments.wallets.missing import Missing

_OURS = {
    "wechatpay": "payments.wallets.wechatpay.provider:WeChatPay",
    "alipay": "payments.wallets.alipay.provider:Alipay",
    "stripe": "payments.wallets.stripe.provider:Stripe",
    "house": "payments.wallets.house.provider:House",
    "sandbox": "payments.wallets.sandbox.provider:SandboxProvider",
}
"""In the order of the page."""

_CLASSES = _OURS | {
    entry.name: entry.value for entry in entry_points(group="friendpay.wallets") if entry.name not in _OURS
}

NAMES = tuple(_CLASSES)


@cache
def get(name: str) -> Provider:
    """The provider of that name; a stand-in that says so when its package is not installed."""
    if name not in _CLASSES:
        return Missing(name)
    module, _, kind = _CLASSES[name].partition(":")
    provider: Provider = getattr(import_module(module), kind)()
    return provider


def labels() -> dict[str, str]:
    """Every method there is and what people call it, in the order of the page."""
    return {method.name: method.label for name in NAMES for method in get(name).methods}


def apps() -> dict[str, App]:
    """The apps with a browser of their own, by the name of their wallet."""
    return {name: app for name in NAMES if (app := get(name).app)}


def step(name: str, currency: str) -> int:
    """What amounts of a currency are multiples of at a provider, in minor units: one, nearly always."""
    return get(name).steps.get(currency, 1)


def simulated() -> list[str]:
    """The wallets whose folder holds an emulator. Loads none of them, so that it can be asked before Django is up."""
    return [name for name in NAMES if (folder := _folder(name)) and find_spec(f"{folder}.emulator")]


def emulator(name: str) -> Any:
    """The class of a wallet's emulator: in `emulator/server.py` of its folder, and called as its provider's is."""
    return getattr(import_module(f"{_folder(name)}.emulator.server"), _CLASSES[name].partition(":")[2])


def _folder(name: str) -> str:
    return _CLASSES[name].partition(":")[0].rpartition(".")[0]
