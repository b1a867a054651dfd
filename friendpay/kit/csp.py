"""Content-Security-Policy and Cache-Control of every answer."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

_SOCKET = settings.PUBLIC_URL.replace("http", "ws", 1)  # older Safari does not count it as 'self'

_NOWHERE = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; img-src 'self' data:; font-src 'self'; "
PAGES = (
    f"{_NOWHERE}script-src 'self'; style-src 'self'; manifest-src 'self'; connect-src 'self' {_SOCKET}; "
    "form-action 'self'"  # last, for pages that name the hosts of wallets (payments.pages.form_action)
)


def framed_by(origin: str) -> str:
    """The policy of a page that this origin may show in a frame; without one nobody may."""
    return PAGES.replace("frame-ancestors 'none'", f"frame-ancestors {origin}") if origin else PAGES


ADMIN = (  # Unfold's pages run Alpine, which compiles the expressions in them
    f"{_NOWHERE}script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "form-action 'self'"
)


class GuardMiddleware:
    """Says what a page may load, and that nobody keeps a copy of it. A view that says so itself is left alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policy = ADMIN if request.path_info.startswith("/admin/") else PAGES
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("Cache-Control", "no-store")
        return response
