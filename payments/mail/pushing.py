"""Web Push (RFC 8030, 8291, 8292): the same messages as mail, told by a browser while the page is closed.

Whoever subscribes names the address of her browser's push service, which may be anybody's, so it is called as a shop's
webhook is: only public addresses, no redirects, little time. The service carries what only that browser can read.
"""

import json
import time
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from friendpay.kit import limits
from orders.webhooks import transport
from payments.mail import messages
from payments.models import Mail


class Gone(Exception):
    """The browser has ended its subscription: it is told nothing more."""


class NotTaken(Exception):
    """Says of what kind the push service's error was, and not whom it was for."""


def offered() -> bool:
    """Whether a page may offer it: only where we have a key to sign with."""
    return bool(settings.VAPID_PRIVATE_KEY)


@cache
def public_key() -> str:
    """What a browser has to know to let us, and nobody else, tell it something."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from py_vapid.utils import b64urlencode

    point = _signer().public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return str(b64urlencode(point))


@cache
def _signer() -> Any:
    from py_vapid import Vapid02

    return Vapid02.from_string(settings.VAPID_PRIVATE_KEY)


def send(mail: Mail) -> None:
    """Hand the message to the push service, once. Raises Gone, or NotTaken where it is to be tried again."""
    from pywebpush import WebPusher  # with all that it brings, where something is sent

    subscription = mail.to.subscription or {}
    message = messages.write(mail)
    told = {"title": message.subject, "body": message.sentences[0], "url": message.url, "tag": mail.public_id}
    sealed = WebPusher(subscription).encode(json.dumps(told).encode(), "aes128gcm")["body"]
    endpoint = subscription["endpoint"]
    answer = transport.send(endpoint, sealed, _headers(endpoint))
    if answer.status in limits.PUSH_GONE:
        raise Gone
    if not answer.accepted:
        raise NotTaken(answer.error or f"status {answer.status}")


def _headers(endpoint: str) -> dict[str, str]:
    parts = urlsplit(endpoint)
    claims = {
        "sub": _contact(),
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(time.time()) + limits.PUSH_TOKEN_SECONDS,
    }
    return {
        **_signer().sign(claims),
        "content-type": "application/octet-stream",
        "content-encoding": "aes128gcm",
        "ttl": str(limits.PUSH_TTL_SECONDS),
        "urgency": "normal",
    }


def _contact() -> str:
    """Whom a push service writes to about us."""
    url = str(settings.PUBLIC_URL)
    return url if url.startswith("https:") else f"mailto:{settings.DEFAULT_FROM_EMAIL}"
