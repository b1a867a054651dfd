"""Step-up authentication (sudo mode): the password again, before money, keys or logins are touched.

A session that was left open, or whose cookie was copied, is not enough for these. Whoever gave the password lately
(DESK_PASSWORD_MINUTES), to log in or here, is not asked.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django import forms
from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from friendpay.admin_kit import audit_log
from friendpay.admin_kit.password import PasswordForm

View = TypeVar("View", bound=Callable[..., HttpResponse])

GIVEN_AT = "password"  # in the session
PREFIX = "again"
SHOW = f"{PREFIX}-show"  # what is asked for is a page to read, not something to do
_OURS = ("csrfmiddlewaretoken", SHOW, f"{PREFIX}-username", f"{PREFIX}-password")


class ReauthenticationForm(PasswordForm):
    """The password of whoever is logged in. Wrong ones count with those of the login."""

    prefix = PREFIX
    error_messages = {**PasswordForm.error_messages, "invalid_login": _("This password is not right.")}

    def __init__(self, request: HttpRequest, password: str | None) -> None:
        name = request.user.get_username()
        data = {f"{PREFIX}-username": name, f"{PREFIX}-password": password}
        super().__init__(request, None if password is None else data, initial={"username": name})
        self.fields["username"].widget = forms.HiddenInput()
        self.fields["password"].widget.attrs["autofocus"] = True


def given(request: HttpRequest) -> None:
    """The right password was given just now."""
    request.session[GIVEN_AT] = time.time()


def ask(request: HttpRequest, site: AdminSite) -> HttpResponse | None:
    """The page that asks for the password in place of what was asked for; None where that may go on.

    It goes on with exactly what was sent before, which the page carries along (files it cannot). The session gets
    another key, so a copied cookie gains nothing from its owner's password.
    """
    reading = request.method != "POST" or SHOW in request.POST
    if not 0 <= time.time() - request.session.get(GIVEN_AT, 0) < settings.DESK_PASSWORD_MINUTES * 60:
        form = ReauthenticationForm(request, request.POST.get(f"{PREFIX}-password"))
        if not form.is_valid():
            return _page(request, site, form, reading)
        request.session.cycle_key()
        given(request)
        audit_log.write(request, audit_log.PASSWORD_AGAIN)
    if reading:
        return HttpResponseRedirect(request.get_full_path()) if request.method == "POST" else None
    sent = request.POST.copy()
    for name in _OURS[1:]:
        sent.pop(name, None)
    request.POST = sent  # type: ignore[assignment]
    return None


def requires_password(view: View) -> View:
    """A view of the desk that does something (POST) only after `ask`."""

    @wraps(view)
    def asking(admin: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        page = ask(request, admin.admin_site) if request.method == "POST" else None
        return page or view(admin, request, *args, **kwargs)

    return cast(View, asking)


def _page(request: HttpRequest, site: AdminSite, form: ReauthenticationForm, reading: bool) -> HttpResponse:
    kept = [(name, value) for name, values in request.POST.lists() if name not in _OURS for value in values]
    context = {
        **site.each_context(request),
        "title": gettext("Please give your password again"),
        "text": gettext("Money and keys ask for the password again. What you typed is kept."),
        "button": gettext("Go on"),
        "form": form,
        "kept": [(SHOW, "yes")] if reading else kept,
        "back": reverse("admin:index") if reading else request.get_full_path(),
    }
    response = TemplateResponse(request, "orders/admin/confirm.html", context)
    if form.seconds:
        response.status_code = 429
        response["Retry-After"] = str(form.seconds)
    return response
