"""The visitor cookie: random, from the first attempt to pay on, kept by us as a hash. It is all we know of who is
looking.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from friendpay.kit import limits
from friendpay.kit.digests import digest
from payments.offers import habits
from payments.offers.habits import Habits
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


def remember(request: HttpRequest, response: HttpResponse, *, wallet: str = "") -> HttpResponse:
    """Send the visitor's cookie, and that of the wallet she has chosen, if she has: it comes first next time."""
    kept = {COOKIE: request.COOKIES[COOKIE]} | ({habits.COOKIE: wallet} if wallet else {})
    for name, value in kept.items():
        response.set_cookie(
            name,
            value,
            max_age=limits.VISITOR_COOKIE_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure(),
        )
    return response


def habits_of(request: HttpRequest) -> Habits:
    """Which wallet this browser paid with last, and where it seems to be."""
    return habits_among(request.COOKIES, request.META)


def habits_among(cookies: Mapping[str, str], environ: Mapping[str, Any]) -> Habits:
    """The same of all the cookies and headers that came."""
    return Habits.of(cookies, environ.get("HTTP_ACCEPT_LANGUAGE", ""))


def surface_of(request: HttpRequest) -> Surface:
    return Surface.of(request.META.get("HTTP_USER_AGENT", ""))
