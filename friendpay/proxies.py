"""The client's address behind a reverse proxy: X-Forwarded-For and -Proto are believed only from TRUSTED_PROXIES."""

import logging
from typing import Any, cast

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from friendpay.bridge import App, Receive, Scope, Send
from friendpay.kit.networks import read

logger = logging.getLogger(__name__)


class Forwarded:
    """An ASGI application around `app` that knows the client behind a trusted proxy.

    A proxy that is not trusted makes all its clients one: they would share the limits of one person. That is said in
    the log, once for each kind of address, since anybody can send such a header from outside.
    """

    def __init__(self, app: App, trusted: list[str]) -> None:
        self._app = cast(App, ProxyHeadersMiddleware(cast(Any, app), trusted_hosts=trusted))
        self.trusted = cast(Any, self._app).trusted_hosts
        self._told: set[bool] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and (client := scope.get("client")):
            peer = read(client[0])
            if peer:
                scope["client"] = (str(peer), client[1])  # a server on all addresses tells IPv4 as IPv6
            scope["friendpay.peer"] = scope["client"][0]
            if any(name == b"x-forwarded-for" for name, _value in scope["headers"]):
                self._check(str(peer or client[0]), outside=bool(peer and peer.is_global))
        await self._app(scope, receive, send)

    def _check(self, peer: str, *, outside: bool) -> None:
        if peer in self.trusted or outside in self._told:
            return
        self._told.add(outside)
        logger.log(
            logging.WARNING if outside else logging.ERROR,
            "X-Forwarded-For came from %s, which TRUSTED_PROXIES does not name, so it was not believed. If that is "
            "your proxy, everybody behind it counts as ONE person for every limit: set TRUSTED_PROXIES=%s.",
            peer,
            peer,
        )
