"""Which language a page speaks: the one a person chose on it, else the order's, else the browser's.

Public pages speak all of `settings.LANGUAGES`; the desk and the API speak `settings.STAFF_LANGUAGES`.
"""

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

_STAFF = ("/admin/", "/api/")


def supported(code: str) -> str:
    """The language of ours that comes nearest to a code of anybody's, "" when there is none: zh-TW is zh-hant."""
    try:
        return translation.get_supported_language_variant(code.lower())
    except LookupError:
        return ""


def speak(request: HttpRequest, code: str) -> None:
    """Answer this request in the language of a `code` of anybody's, unless the person has chosen one."""
    if (language := supported(code)) and not supported(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")):
        translation.activate(language)


class LanguageMiddleware(LocaleMiddleware):
    """What was chosen, else what the browser asks for, as far as it is spoken there."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if request.path_info.startswith(_STAFF) and translation.get_language() not in settings.STAFF_LANGUAGES:
            translation.activate(settings.LANGUAGE_CODE)
