"""The visitor cookie: random, from the first attempt to pay on, kept by us as a hash. It is all we know of who is
looking.
"""

import secrets
from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from friendpay.kit import limits
from friendpay.kit.digests import digest
from payments.offers.weighing import Surface

COOKIE = "visitor"


def visitor_of(request: HttpRequest) -> str:
    """The hash of the visitor's cookie, "" for one who has none."""
    return visitor_among(request.COOKIES)


def visitor_among(cookies: Mapping[str, str]) -> str:
    """The same of all the cookies that came."""
    cookie = cookies.get(COOKIE, "")
    return digest("payments.visitor", cookie) if cookie else ""


def keep_visitor(request: HttpRequest) -> str:
    """The same for somebody who begins to pay, who gets a cookie now; `remember` sends it.

    It is made of the browser's CSRF cookie: two taps of a first visit come before either is answered, and are one
    visitor's all the same.
    """
    if COOKIE not in request.COOKIES:
        secret = request.COOKIES.get(settings.CSRF_COOKIE_NAME) or secrets.token_urlsafe(18)
        request.COOKIES[COOKIE] = digest("payments.visitor.cookie", secret)[:32]
    return visitor_of(request)


def remember(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    value = request.COOKIES[COOKIE]
    response.set_cookie(
        COOKIE, value, max_age=limits.VISITOR_COOKIE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure()
    )
    return response


def surface_of(request: HttpRequest) -> Surface:
    return Surface.of(request.headers.get("User-Agent", ""))
