"""Our part in three of the shop's classes, whether they are Oscar's own or the shop's.

`OSCAR_DYNAMIC_CLASS_LOADER` is Oscar's own setting for this. A shop with a loader of its own calls `extended` in it.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.utils.module_loading import import_string
from oscar.core.loading import default_class_loader

PARTS = {
    ("checkout.views", "PaymentDetailsView"): "friendpay_oscar.checkout.AskAFriend",
    ("dashboard.orders.views", "OrderDetailView"): "friendpay_oscar.dashboard.RefundsOnce",
    ("order.processing", "EventHandler"): "friendpay_oscar.processing.FriendsOrders",
}


def load(module_label: str, classnames: Sequence[str], module_prefix: str) -> list[Any]:
    """As Oscar's loader, with ours added."""
    found = default_class_loader(module_label, classnames, module_prefix)
    return [extended(module_label, name, each) for name, each in zip(classnames, found, strict=True)]


def extended(module_label: str, name: str, found: Any) -> Any:
    """The shop's class with our part before it, where we have one."""
    part = PARTS.get((module_label, name))
    return _joined(found, part) if part else found


@cache
def _joined(found: type, part: str) -> type:
    return type(found.__name__, (import_string(part), found), {"__module__": found.__module__})
