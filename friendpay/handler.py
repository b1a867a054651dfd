"""Django's handler. For machines it leaves out of the middleware what only pages have a use for."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.utils import translation
from django.utils.module_loading import import_string

Chain = Callable[[HttpRequest], Any]

POSTED_BY_MACHINES = "/notify/"
"""Where addresses of wallets' notifications begin: who posts them has no language, no cookie and no form."""

OF_PAGES = {
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "friendpay.api.middleware.middleware",
    "friendpay.kit.languages.middleware",
    "payments.share.crawlers.middleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "friendpay.admin_kit.middleware.middleware",
}
"""Names in `settings.MIDDLEWARE`."""


class Handler(WSGIHandler):
    """Machines pass `settings.MIDDLEWARE` without what is `OF_PAGES`; all others pass all of it.

    Nothing is open there: Django asks for a form's CSRF token right before its view, whichever way that was reached.
    """

    _get_response: Chain  # what a chain ends in; Django's types know of neither
    _middleware_chain: Chain

    def load_middleware(self, is_async: bool = False) -> None:
        """What others put into `MIDDLEWARE`, as OpenTelemetry does, machines pass too."""
        super().load_middleware(is_async)
        of_pages = self._middleware_chain
        of_machines: Chain = convert_exception_to_response(self._get_response)
        for name in reversed(settings.MIDDLEWARE):
            if name not in OF_PAGES:
                of_machines = convert_exception_to_response(import_string(name)(of_machines))

        def answer(request: HttpRequest) -> Any:
            if request.method != "POST" or not request.path_info.startswith(POSTED_BY_MACHINES):
                return of_pages(request)
            translation.activate(settings.LANGUAGE_CODE)  # the thread speaks its last page's still
            return of_machines(request)

        self._middleware_chain = answer
