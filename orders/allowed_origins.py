"""Allowed origins: where a buyer may be sent back to (open redirects), and who may frame the buyer's sheet. Those that
the merchant registered, and nothing that merely looks like one.
"""

import re

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from friendpay.kit import ssrf
from friendpay.kit.errors import Refused
from orders.models import Merchant

_PARTS = re.compile(r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(:(?P<port>\d{1,5}))?(?=[/?#]|$)", re.I)
_USUAL_PORT = {"http": "80", "https": "443"}


def check_return_url(merchant: Merchant, url: str) -> None:
    """Refused unless scheme, host and port are those of one of the merchant's return origins. In the demo a shop on
    this machine needs no registration: who tries an adapter has the demo's key and nothing else.
    """
    if not registered(url, merchant.return_origins) and not (settings.WEBHOOK_ALLOW_LOOPBACK and _is_here(url)):
        raise Refused(
            "return_url_not_registered",
            _("The origin of this address is not registered for this shop."),
            field="return_url",
            status=422,
        )


def registered(url: str, origins: list[str]) -> str:
    """That of the registered origins which this address is of; "" when there is none."""
    wanted = _origin(url)
    return next((known for known in origins if wanted and _origin(known) == wanted), "")


def _is_here(url: str) -> bool:
    """Whether it is of this machine's own loopback address."""
    _scheme, host, _port = _origin(url) or ("", "", "")
    address = ssrf.literal(host.strip("[]"))
    return host == "localhost" or (address is not None and ssrf.is_loopback(address))


def _origin(url: str) -> tuple[str, str, str] | None:
    """None for what is no plain web address: readers disagree about a backslash, a user name or a blank in it."""
    parts = _PARTS.match(url)
    if parts is None or re.search(r"[^!-\[\]-~]", url):
        return None
    scheme = parts["scheme"].lower()
    return scheme, parts["host"].lower(), parts["port"] or _USUAL_PORT[scheme]
