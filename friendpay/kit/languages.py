"""Which language a page speaks: the one a person chose on it, else the order's, else the browser's.

Public pages speak all of `settings.LANGUAGES`; the desk and the API speak `settings.STAFF_LANGUAGES`.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from friendpay.kit import limits

_STAFF = ("/admin/", "/api/")
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*(?![A-Za-z0-9])")


def supported(code: str) -> str:
    """The language of ours that comes nearest to a code of anybody's, "" when there is none: zh-TW is zh-hant."""
    try:
        return translation.get_supported_language_variant(code.lower())
    except LookupError:
        return ""


def tag(text: str) -> str:
    """A language as any system names it (zh-Hans, zh_CN.UTF-8, pt_BR@euro), as a tag of ten characters at most.

    "" where it names none.
    """
    found = _TAG.match(text.strip().replace("_", "-"))
    tag = found[0] if found else ""
    while len(tag) > limits.LOCALE_CHARACTERS:
        tag = tag.rpartition("-")[0]
    return tag


def speak(request: HttpRequest, code: str) -> None:
    """Answer this request in the language of a `code` of anybody's, unless the person has chosen one."""
    if (language := supported(code)) and not supported(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")):
        translation.activate(language)


def middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Speak what was chosen, else what the browser asks for (Accept-Language), as far as it is spoken there."""

    def answer(request: HttpRequest) -> HttpResponse:
        chosen = supported(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""))
        accepted = request.META.get("HTTP_ACCEPT_LANGUAGE", "")[: limits.ACCEPT_LANGUAGE_CHARACTERS]
        language = chosen or _asked_for(accepted)
        if language not in settings.STAFF_LANGUAGES and request.path_info.startswith(_STAFF):
            language = settings.LANGUAGE_CODE
        translation.activate(language)
        response = get_response(request)
        patch_vary_headers(response, ("Accept-Language",))
        response.headers.setdefault("Content-Language", translation.get_language())
        return response

    return answer


@lru_cache(maxsize=1000)
def _asked_for(accepted: str) -> str:
    """The language of ours that comes first in an Accept-Language. Browsers send few that differ."""
    asking = HttpRequest()
    asking.META["HTTP_ACCEPT_LANGUAGE"] = accepted
    return translation.get_language_from_request(asking)
