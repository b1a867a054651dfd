"""Sessions, login, second factor and messages (middleware): of the desk alone. No page of a buyer or friend has one."""

from collections.abc import Callable
from typing import cast

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django_otp.middleware import OTPMiddleware

_Answer = Callable[[HttpRequest], HttpResponse]

DESK = "/admin/"


def middleware(get_response: _Answer) -> _Answer:
    """Elsewhere than under `/admin/` a request passes by: it has no `user`, no `session` and no messages."""
    desk = SessionMiddleware(AuthenticationMiddleware(OTPMiddleware(MessageMiddleware(get_response))))

    def answer(request: HttpRequest) -> HttpResponse:
        return cast(HttpResponse, desk(request)) if request.path_info.startswith(DESK) else get_response(request)

    return answer
