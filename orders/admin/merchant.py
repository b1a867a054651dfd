"""The desk's page of shops."""

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldBooleanSwitchWidget

from friendpay.admin_kit import reauthentication
from friendpay.admin_kit.acts import PRIMARY, Act
from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import Panel, badge, code, mode, moment
from friendpay.admin_kit.columns import ID, Column
from friendpay.admin_kit.fields import LinesField
from friendpay.kit import limits
from orders import branding
from orders.admin import people
from orders.admin.key import KeyForm, rights, show_once, ways_to_end
from orders.admin.new_endpoint import NEW_ENDPOINT
from orders.models import ApiKey, Merchant


class OriginsField(LinesField):
    """A list of origins."""

    def validate(self, value: Any) -> None:
        for origin in value:
            if not re.fullmatch(r"https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?", origin):
                raise ValidationError(
                    _("%(origin)s is not an origin. Write scheme and host alone, like https://shop.example.")
                    % {"origin": origin}
                )


class MerchantForm(forms.ModelForm):  # type: ignore[type-arg]
    return_origins = OriginsField(
        label=_("Return origins"),
        help_text=_("Where a buyer may be sent back to, one a line, each as scheme and host: https://shop.example."),
    )
    embed_origins = OriginsField(
        label=_("Embed origins"),
        help_text=_(
            "Whose pages may show the buyer's request in place, one a line, each as scheme and host: https://shop.example."
        ),
    )

    site = forms.URLField(
        label=_("Website"), required=False, max_length=200, assume_scheme="https", help_text=_("Shown to payers.")
    )
    new_logo = forms.FileField(
        label=_("New logo"),
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text=_("A PNG, square at best. It is drawn anew, small, and shown beside the name."),
    )
    no_logo = forms.BooleanField(label=_("Without a logo"), required=False, widget=UnfoldBooleanSwitchWidget)

    class Meta:
        model = Merchant
        fields = (
            "name",
            "contact",
            "technical_email",
            "legal_name",
            "site",
            "is_verified",
            "verified_on",
            "is_frozen",
            "request_minutes",
            "accent",
            "return_origins",
            "embed_origins",
        )

    def clean_accent(self) -> str:
        accent: str = self.cleaned_data["accent"].lower()
        if accent and not re.fullmatch(r"#[0-9a-f]{6}", accent):
            raise ValidationError(_("Write a colour like #0b7a4b."))
        return accent

    def clean_new_logo(self) -> bytes | None:
        given = self.cleaned_data["new_logo"]
        try:
            return branding.redraw(given.read(limits.LOGO_BYTES + 1)) if given else None
        except ValueError:
            raise ValidationError(_("Choose a PNG of at most 150 KB and 2048 pixels.")) from None


def _state(merchant: Merchant) -> SafeString:
    if merchant.is_frozen:
        return badge(_("frozen"), "danger")
    return badge(_("verified"), "success") if merchant.is_verified else badge(_("not verified"), "warning")


@admin.register(Merchant)
class MerchantAdmin(SupportAdmin[Merchant]):
    """Shops can be added and changed, never deleted: money hangs on them."""

    of_shop = "pk"
    form = MerchantForm
    list_display = ("name", "contact", "state", "created")
    search_fields = ("name", "contact")
    search_help_text = _("Name, contact or id")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "legal_name"),
                    ("contact", "site"),
                    "technical_email",
                    ("is_verified", "verified_on"),
                    "is_frozen",
                    "request_minutes",
                )
            },
        ),
        (_("Pages"), {"fields": ("accent", ("new_logo", "no_logo"), "return_origins", "embed_origins")}),
        (_("Id"), {"fields": (("id_text", "created"),)}),
    )
    readonly_fields = ("id_text", "created")
    columns = {
        "state": Column(_("State"), _state),
        "created": Column(_("Created"), lambda merchant: moment(merchant.created_at), "created_at"),
        "id_text": ID,
    }
    acts = {
        "make_key": Act(
            label=_("Make an API key"),
            rights=("orders.add_apikey",),
            icon="key",
            colour=PRIMARY,
            again=True,
            title=_("Make an API key"),
            text=_("The key will be shown once, right after this. Whoever holds it acts for the shop."),
            button=_("Make the key"),
            danger=False,
            form=lambda data, _merchant: KeyForm(data),
            do=lambda merchant, data, _by: ApiKey.make(merchant, **data),
            done=lambda _merchant, made: gettext("The API key %(key)s was made.") % {"key": made[0]},
            after=lambda request, _merchant, made: show_once(request, made[1]),
        ),
        "make_endpoint": NEW_ENDPOINT,
        "invite": people.INVITE,
    }

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("orders.add_merchant") and self.shops(request) is None

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("orders.change_merchant")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What was checked of a shop is not changed by the shop, nor is it thawed."""
        named = () if obj is None else ("name", "legal_name", "site")
        fixed = () if request.user.has_perm("orders.verify_merchant") else (*named, "is_verified", "verified_on")
        frozen = () if request.user.has_perm("orders.freeze_merchant") else ("is_frozen",)
        return (*super().get_readonly_fields(request, obj), *fixed, *frozen)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Freezing a shop, and thawing it, waits for the password here as it does on a case."""
        if request.method == "POST" and object_id and request.user.has_perm("orders.freeze_merchant"):
            merchant = self.get_object(request, object_id)
            turns = merchant is not None and merchant.is_frozen != ("is_frozen" in request.POST)
            if turns and (page := reauthentication.ask(request, self.admin_site)):
                return page
        answer: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        return answer

    def find(self, text: str) -> Q | None:
        return Q(public_id=text)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.cleaned_data["new_logo"] or form.cleaned_data["no_logo"]:
            branding.change_logo(obj, form.cleaned_data["new_logo"])

    def panels(self, merchant: Merchant) -> list[Panel]:
        headers = (_("API key"), _("Name"), _("Mode"), _("May"), _("Made"), _("Ends"), _("Revoked"))
        rows = [
            (
                code(str(key)),
                key.name,
                mode(key.live),
                rights(key),
                moment(key.created_at),
                moment(key.expires_at),
                moment(key.revoked_at) or ways_to_end(key),
            )
            for key in merchant.api_keys.all()
        ]
        return [Panel(_("API keys"), headers, rows), people.panel(merchant)]
