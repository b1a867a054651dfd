"""What a buyer or a friend sees right now, to be looked at: nothing is written, no cookie set, no form sent."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from friendpay.kit import rendering
from friendpay.kit.rendering import Page
from orders.models import Order
from payments.models import PaymentRequest
from payments.offers.habits import Habits
from payments.offers.surfaces import PHONE, Surface
from payments.pages import buyer_page, buyer_reading, friend_page, friend_reading
from payments.pages.buyer_page import BuyerPage
from payments.pages.refusals import NOTHING

POLICY = (
    "sandbox allow-same-origin; default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'; "
    "img-src 'self' data:; font-src 'self'; style-src 'self'"
)
"""No script runs, so nothing tells that somebody looked; no form is sent, and no link opens another page."""


def as_friend(payment_request: PaymentRequest) -> HttpResponse:
    """The page of a friend who has just got the link, on a phone."""
    reading = friend_reading.read(payment_request.token, "")
    url = reverse("friend", args=[payment_request.token])
    return _shown(friend_page.built(reading, Surface.at(PHONE), Habits(), url=url))


def as_buyer(order: Order) -> HttpResponse:
    """The buyer's page, on a phone."""
    reading = buyer_reading.read(order.token, "")
    url = reverse("buyer", args=[order.token])
    page = buyer_page.build(BuyerPage, reading, Surface.at(PHONE), NOTHING, url=url, said="")
    return _shown(page, without=order.token)  # whoever has it may act as the buyer


def _shown(page: Page, without: str = "") -> HttpResponse:
    nobody = HttpRequest()  # whose cookies nobody sends
    source = rendering.filled(nobody, rendering.pieces(page), page.now)
    source = source.replace("<head>", '<head>\n<base target="_blank">', 1)
    source = source.replace(without, "-") if without else source
    return HttpResponse(source, headers={"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"})
