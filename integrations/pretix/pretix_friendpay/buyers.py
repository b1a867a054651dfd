"""What friendpay is told of who buys: an id that is no address, a language, a screen, and a name."""

import hashlib
from typing import Any

from django.http import HttpRequest
from pretix.base.models import InvoiceAddress
from pretix.presale.views import get_cart
from pretix.presale.views.cart import cart_session


def id_of(whoever: str) -> str:
    """The same for the same buyer, at the cart and in the order."""
    return hashlib.sha256(whoever.strip().lower().encode()).hexdigest()[:32]


def locale(code: str | None) -> str:
    """pretix's informal German is German."""
    return (code or "en").removesuffix("-informal")


def screen(request: HttpRequest) -> Any:
    """One of the API's screens."""
    agent = request.headers.get("user-agent", "")
    if "MicroMessenger" in agent:
        return "wechatpay"
    if "AlipayClient" in agent:
        return "alipay"
    return "phone" if "Mobi" in agent else "desktop"


def name(request: HttpRequest) -> str:
    """As the buyer gave it for the invoice or a ticket; empty where she did not."""
    address = InvoiceAddress.objects.filter(pk=cart_session(request).get("invoice_address") or 0).first()
    names = [address.name if address else "", *(position.attendee_name or "" for position in get_cart(request))]
    return next((it for it in names if it), "")[:60]
