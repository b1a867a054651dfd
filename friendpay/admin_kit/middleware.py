"""Sessions, login, second factor and messages (middleware): of the desk alone. No page of a buyer or friend has one."""

from collections.abc import Callable
from functools import cache
from typing import cast
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django_otp.middleware import OTPMiddleware

_Answer = Callable[[HttpRequest], HttpResponse]

DESK = "/admin/"
ZONE = "zone"
"""The cookie in which `static/desk.js` tells the browser's time zone."""


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(name: str) -> ZoneInfo | None:
    """Of that name; None, which means UTC, where there is none."""
    return ZoneInfo(name) if name in _known() else None


def middleware(get_response: _Answer) -> _Answer:
    """Elsewhere than under `/admin/` a request passes by: it has no `user`, no `session` and no messages, and its times
    are UTC.
    """
    inner = SessionMiddleware(AuthenticationMiddleware(OTPMiddleware(MessageMiddleware(get_response))))

    def desk(request: HttpRequest) -> HttpResponse:
        with timezone.override(_zone(request.COOKIES.get(ZONE, ""))):
            return cast(HttpResponse, inner(request))

    def answer(request: HttpRequest) -> HttpResponse:
        return desk(request) if request.path_info.startswith(DESK) else get_response(request)

    return answer
