"""What the web server runs: pages on the bridge, sockets on Channels, probes beside both."""

import logging
import os
from functools import partial
from http import HTTPStatus

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "friendpay.settings")

import django

django.setup(set_prefix=False)  # which what follows needs

from channels.routing import URLRouter
from channels.security.websocket import OriginValidator, WebsocketDenier
from django.conf import settings
from django.core.cache import close_caches
from django.core.handlers.base import reset_urlconf
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries
from django.urls import re_path

from friendpay import lanes
from friendpay.api import middleware, problems
from friendpay.bridge import Bridge, Receive, Scope, Send, sentence
from friendpay.handler import Handler
from friendpay.health import PROBES
from friendpay.kit import limits
from friendpay.proxies import Forwarded
from payments.live.routing import websocket_urlpatterns
from payments.pages import ahead, framed

logger = logging.getLogger(__name__)


def words(path: str, status: HTTPStatus) -> tuple[str, bytes]:
    """What is said without Django: in the API a problem, elsewhere a sentence."""
    if not middleware.holds(path):
        return sentence(path, status)
    said = problems.problem(status)
    return said["Content-Type"], said.content


# Django listens before and after each request, to look at its connections, and to put away what no request here has: a
# log of statements, caches on other servers, addresses of its own. Looking once is enough, before.
request_started.disconnect(reset_queries)
for listener in (close_old_connections, close_caches, reset_urlconf):
    request_finished.disconnect(listener)

lane = partial(Bridge, Handler(), max_body=settings.DATA_UPLOAD_MAX_MEMORY_SIZE, words=words)
pages = lane(threads=settings.WEB_THREADS, ahead=framed.answer)
payers = lane(threads=settings.PAYER_THREADS, lane=lanes.lane)  # who waits for a wallet's server
# Posters: drawn elsewhere, one after another, and no page waits for them.
drawers = lane(threads=1, waiting=limits.POSTERS_WAITING)
# The books: what a year of them takes is minutes. One after another, and no page waits for them.
books = lane(threads=1, waiting=limits.BOOKS_WAITING, patience=limits.BOOKS_PATIENCE_SECONDS)
BOOKS = "/admin/payments/movement/"
sockets = OriginValidator(
    URLRouter([*websocket_urlpatterns, re_path("", WebsocketDenier.as_asgi())]), [settings.PUBLIC_URL]
)


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Whatever the web server hands us."""
    if scope["type"] == "http":
        bridge = payers if lanes.waits(scope) else pages
        if scope["path"].endswith("/poster.png"):
            bridge = drawers
        elif scope["path"].startswith(BOOKS):
            bridge = books
        await PROBES.get(scope["path"], bridge)(scope, receive, send)
    elif scope["type"] == "websocket":
        await sockets(scope, receive, send)
    else:
        await _lifespan(receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    if "FRIENDPAY_SERVED" not in os.environ:
        logger.warning(
            "This web server was not started with `manage.py serve`: nothing limits headers, connections and frames, "
            "and X-Forwarded-For may be believed from whoever sends it."
        )
    logger.info("Pages are served by %s threads", settings.WEB_THREADS)
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await ahead.readers.close()
    pages.close()
    payers.close()
    drawers.close()
    books.close()
    await send({"type": "lifespan.shutdown.complete"})


application = Forwarded(serve, settings.TRUSTED_PROXIES)
