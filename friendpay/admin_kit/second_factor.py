"""The second factor: a code from an app on the phone (TOTP). Whoever has none yet sets it up on the first visit."""

from base64 import b32encode
from typing import Any, Protocol

import django_otp
import qrcode
from django import forms
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_protect
from django_otp.plugins.otp_totp.models import TOTPDevice
from qrcode.image.svg import SvgPathImage
from unfold.widgets import UnfoldAdminTextInputWidget

from friendpay.admin_kit import audit_log

_ENROLLING = "enrolling"  # in the session: the phone whose key it was shown


class Site(Protocol):
    """What of the desk's site is needed here."""

    def knows(self, request: HttpRequest) -> bool: ...

    def has_permission(self, request: HttpRequest) -> bool: ...

    def each_context(self, request: HttpRequest) -> dict[str, Any]: ...


class CodeForm(forms.Form):
    code = forms.RegexField(
        r"^[0-9]{3} ?[0-9]{3}$",
        label=_("Code"),
        error_messages={"invalid": _("The code has six digits.")},
        widget=UnfoldAdminTextInputWidget(
            {"inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True, "maxlength": 7}
        ),
    )

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        return code.replace(" ", "")


@csrf_protect
def second_factor(request: HttpRequest, site: Site) -> HttpResponse:
    """Ask for the code; let in whoever has it. A code opens once; wrong ones make the next try wait longer and longer.

    A new phone is only set up where there is none: a stolen password does not replace it. Its key is made for this
    visit, shown once, and dead as soon as another visit begins: one that was seen earlier is worth nothing.
    """
    following = _following(request)
    if not site.knows(request):
        return HttpResponseRedirect(reverse("admin:login"))
    if site.has_permission(request):
        return HttpResponseRedirect(following)
    if "logout" in request.POST:  # the admin's own logout wants the second factor
        logout(request)
        return HttpResponseRedirect(reverse("admin:login"))
    device, is_new = _device(request)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and not is_new:
        if django_otp.verify_token(request.user, device.persistent_id, form.cleaned_data["code"]):
            if not device.confirmed:
                TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
                audit_log.write(request, audit_log.ENROLLED)
            request.session.cycle_key()
            django_otp.login(request, device)
            audit_log.write(request, audit_log.CAME_IN)
            return HttpResponseRedirect(following)
        audit_log.write(request, audit_log.WRONG_CODE)
        form.add_error("code", _("This code is not right, or was used already. Wait for the next one."))
    context = {
        **site.each_context(request),
        "title": _("Second factor"),
        "form": form,
        "picture": _picture(device.config_url) if is_new else "",
        "key": b32encode(device.bin_key).decode() if is_new else "",
        "enrolling": not device.confirmed,
    }
    return TemplateResponse(request, "admin/second_factor.html", context)


def _following(request: HttpRequest) -> str:
    """Where to go afterwards, never to another site."""
    address = request.GET.get(REDIRECT_FIELD_NAME, "")
    if url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        return address
    return reverse("admin:index")


def _device(request: HttpRequest) -> tuple[TOTPDevice, bool]:
    """The user's phone, or one to be set up; and whether its key was made just now.

    Only the session that was shown the key can confirm it, and only until any other is shown one.
    """
    phones = TOTPDevice.objects.filter(user=request.user)
    if phone := phones.filter(confirmed=True).first():
        return phone, False
    begun = phones.filter(confirmed=False, pk=request.session.get(_ENROLLING)).first()
    if begun and request.method == "POST":
        return begun, False
    phones.filter(confirmed=False).delete()
    phone = phones.create(user=request.user, confirmed=False, name="phone")
    request.session[_ENROLLING] = phone.pk
    return phone, True


def _picture(text: str) -> SafeString:
    """What the app scans: dark on white in any colour scheme."""
    image = qrcode.make(text, image_factory=SvgPathImage, box_size=12)
    return mark_safe(image.to_string(encoding="unicode"))
