"""Whose page the buyer's is. Its address is all the proof there is, and browsers offer to share the address of whatever
they show: a friend who was sent it by mistake is led to the page that was meant.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from friendpay.kit import limits
from friendpay.kit.rendering import Page
from payments.pages.buyer_reading import Reading
from payments.pages.frame import Shop
from payments.share import text

COOKIE = "buyer"


@dataclass(frozen=True, kw_only=True)
class GatePage(Page):
    """Asks whether the order is the visitor's. It tells nothing of how far the request is. `link` is the friend's."""

    template: ClassVar[str] = "buyer/gate.html"

    shop: Shop
    order: str
    link: str

    @classmethod
    def of(cls, reading: Reading) -> Self:
        assert reading.request
        order = reading.order
        return cls(
            url=reverse("buyer", args=[order.token]),
            accent=order.merchant.accent,
            shop=Shop.of(order.merchant),
            order=order.token,
            link=text.link(reading.request),
        )


def is_needed(request: HttpRequest, reading: Reading) -> bool:
    """Where a browser asked a friend on the page itself, whether this is another one that comes from elsewhere."""
    from_here = request.headers.get("Sec-Fetch-Site") == "same-origin"
    return reading.asked_here and not from_here and COOKIE not in request.COOKIES


def mark(request: HttpRequest, response: HttpResponse, token: str) -> HttpResponse:
    """Know this browser again as the buyer's, on the pages of this order alone."""
    response.set_cookie(
        COOKIE,
        "1",
        max_age=limits.BUYER_COOKIE_SECONDS,
        path=reverse("buyer", args=[token]),
        httponly=True,
        samesite="Lax",
        secure=request.is_secure(),
    )
    return response
