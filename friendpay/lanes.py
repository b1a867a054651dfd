"""Thread lanes (bulkheads): requests that wait for a wallet's server have threads of their own, so that a wallet that
hangs holds up no page, no notification, and no friend who pays with another one. Which they are the views say
themselves (`friendpay.kit.waiting`).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from friendpay.bridge import Scope
from friendpay.kit.waiting import Waiting, waiting
from payments.wallets import registry

_METHOD = re.compile(rb"(?:^|&)method=([\w-]+)|name=\"method\"\r\n\r\n([\w-]+)")


def waits(scope: Scope) -> Waiting | None:
    """What the view that it is for says, if a wallet may be called for it."""
    path = scope["path"][1:]
    for route, said in _waiting().get((scope["method"], path.partition("/")[0]), ()):
        if route.match(path):
            return said
    return None


def lane(scope: Scope, body: bytes) -> str:
    """The lane a view names, else the method whose wallet is waited for. Only names of ours: nobody makes lanes by
    asking.
    """
    said = waits(scope)
    if said is None or said.lane:
        return said.lane if said else ""
    match = _METHOD.search(body)
    method = (match[1] or match[2]).decode() if match else ""
    return method if method in _methods() else ""


Table = Sequence[URLPattern | URLResolver]


def routes(table: Table, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address there is, and its view."""
    for entry in table:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, route)
        else:
            yield route, entry


@cache
def _waiting() -> dict[tuple[str, str], list[tuple[RoutePattern, Waiting]]]:
    """By method and the path's first part, which tells nearly all requests that they wait for nobody."""
    found = defaultdict[tuple[str, str], list[tuple[RoutePattern, Waiting]]](list)
    for route, entry in routes(get_resolver().url_patterns):
        if said := waiting(entry.callback):
            first = route.partition("/")[0]
            if "<" in first:
                raise ValueError(f"{route} begins with a part that is not written out")
            for method in said.methods:
                found[method, first].append((RoutePattern(route, is_endpoint=True), said))
    return dict(found)


@cache
def _methods() -> frozenset[str]:
    return frozenset(method.name for name in registry.NAMES for method in registry.get(name).methods)
