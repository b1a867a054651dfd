"""Where somebody who was invited sets her password. The link opens once, and for PASSWORD_RESET_TIMEOUT."""

from typing import Any

from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import INPUT_CLASSES

from friendpay.admin_kit import audit_log
from friendpay.admin_kit.second_factor import Site


class FirstPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = " ".join(INPUT_CLASSES)


class Invitation(PasswordResetConfirmView):
    """The password alone opens nothing: the login that follows sets up the second factor."""

    form_class = FirstPasswordForm
    template_name = "admin/invitation.html"
    success_url = reverse_lazy("admin:login")
    title = _("Set your password")

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        audit_log.write(self.request, audit_log.PASSWORD_CHANGED, self.user)
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        site: Site = self.kwargs["site"]
        return {**site.each_context(self.request), **super().get_context_data(**kwargs)}


def invitation(request: HttpRequest, site: Site, uidb64: str, token: str) -> HttpResponseBase:
    """For whoever has the link; everybody else reads that it opens nothing."""
    return Invitation.as_view()(request, site=site, uidb64=uidb64, token=token)
