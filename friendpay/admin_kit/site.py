"""Who gets in: staff with a password and a code from their phone. A demo asks for the password alone."""

import time
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import BadRequest
from django.core.paginator import InvalidPage
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite

from friendpay.admin_kit import audit_log, reauthentication
from friendpay.admin_kit.invitation import invitation
from friendpay.admin_kit.password import OwnPasswordForm, PasswordForm, remember
from friendpay.admin_kit.scope import Shops
from friendpay.admin_kit.second_factor import second_factor
from friendpay.kit import desk_limits

_SEEN = "seen"


class Desk(UnfoldAdminSite):
    """The admin site. Nobody sees any of it before the second factor."""

    index_title = _("What needs work")
    login_form = PasswordForm

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shops_of: Callable[[Any], Shops] = lambda _user: frozenset()
        """Which shops a person works for: known by the room that has shops, which says so here. Until then, none."""

    def has_permission(self, request: HttpRequest) -> bool:
        allowed = self.knows(request) and (settings.DEMO or request.user.is_verified())  # type: ignore[union-attr]
        if allowed and time.time() - request.session.get(_SEEN, 0) > desk_limits.SEEN_EVERY_SECONDS:
            request.session[_SEEN] = time.time()  # saving the session gives it another SESSION_COOKIE_AGE
        return allowed

    def knows(self, request: HttpRequest) -> bool:
        """Whether the password was right, and is one of staff."""
        return bool(super().has_permission(request))

    def admin_view(self, view: Callable[..., HttpResponse], cacheable: bool = False) -> Callable[..., HttpResponse]:
        """A view of the desk for signed-in staff. What no column can hold (NUL) is refused before any query."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
                raise BadRequest(gettext("This filter cannot be read."))
            return inner(request, *args, **kwargs)

        return guarded

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """What of the menu fits some letters, by pages."""
        try:
            return super().search(request, extra_context)
        except (ValueError, InvalidPage) as error:
            raise BadRequest(gettext("This filter cannot be read.")) from error

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The password; who has given it is led on to the second factor."""
        if self.knows(request) and not self.has_permission(request):
            following = request.GET.get(REDIRECT_FIELD_NAME, "")
            query = f"?{urlencode({REDIRECT_FIELD_NAME: following})}" if following else ""
            return HttpResponseRedirect(reverse("admin:second_factor") + query)
        response: HttpResponse = super().login(request, extra_context)
        if request.method == "POST" and isinstance(response, HttpResponseRedirect) and self.knows(request):
            reauthentication.given(request)
            remember(request, response)
            audit_log.write(request, audit_log.PASSWORD_RIGHT)
        elif isinstance(response, TemplateResponse) and (seconds := response.context_data["form"].seconds):  # type: ignore[index]
            response.status_code = 429
            response["Retry-After"] = seconds
        return response

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Another password for whoever is in."""
        view = PasswordChangeView.as_view(
            form_class=partial(OwnPasswordForm, request),
            success_url=reverse("admin:password_change_done"),
            template_name="registration/password_change_form.html",
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return cast(HttpResponse, view(request))

    def extra_urls(self) -> list[URLPattern]:
        known = {"site": self}
        return [
            path("second-factor/", never_cache(second_factor), known, name="second_factor"),
            path("invitation/<uidb64>/<token>/", never_cache(invitation), known, name="invitation"),
        ]
