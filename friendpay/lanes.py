"""Thread lanes (bulkheads): requests that wait for a wallet's server have threads of their own, so that a wallet that
hangs holds up no page, no notification, and no friend who pays with another one.
"""

import re
from functools import cache

from friendpay.bridge import Scope
from payments.wallets import registry as providers

_METHOD = re.compile(rb"(?:^|&)method=([\w-]+)|name=\"method\"\r\n\r\n([\w-]+)")


def waits(scope: Scope) -> bool:
    """Whether a wallet may be called for it: a payment that is begun, a wallet's login, an account that is tested."""
    path: str = scope["path"]
    if path == "/login/":
        return True
    if scope["method"] != "POST":
        return False
    return path.endswith("/pay/") or path.startswith(("/r/", "/admin/payments/provideraccount/"))


def lane(scope: Scope, body: bytes) -> str:
    """The method whose wallet is waited for. Only names of ours: nobody makes lanes by asking."""
    if scope["path"].startswith("/admin/"):
        return "desk"
    if scope["path"] == "/login/":
        return "login"
    match = _METHOD.search(body)
    method = (match[1] or match[2]).decode() if match else ""
    return method if method in _methods() else ""


@cache
def _methods() -> frozenset[str]:
    return frozenset(method.name for name in providers.NAMES for method in providers.get(name).methods)
