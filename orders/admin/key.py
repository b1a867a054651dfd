"""The desk's pages of API keys: made at a shop's page, rolled and revoked at their own."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from friendpay.admin_kit.acts import DANGER, PRIMARY, Act, Data
from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import mode, moment
from friendpay.admin_kit.columns import Column
from friendpay.kit import clock
from friendpay.kit.errors import Refused
from orders.models import ApiKey


class KeyForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Where it will be used, so that it can be told from others."),
    )
    live = forms.BooleanField(label=_("Live: real money"), required=False, widget=UnfoldBooleanSwitchWidget)
    can_read = forms.BooleanField(label=_("May read"), required=False, initial=True, widget=UnfoldBooleanSwitchWidget)
    can_write = forms.BooleanField(
        label=_("May place orders and ask for payments"), required=False, initial=True, widget=UnfoldBooleanSwitchWidget
    )
    can_refund = forms.BooleanField(label=_("May refund"), required=False, widget=UnfoldBooleanSwitchWidget)


class RollForm(forms.Form):
    overlap = forms.TypedChoiceField(
        label=_("The old key works on for"),
        coerce=int,
        initial=24,
        choices=[(0, _("not at all")), (1, _("an hour")), (24, _("a day")), (168, _("a week"))],
        widget=UnfoldAdminSelectWidget,
    )


def rights(key: ApiKey) -> str:
    """What the key may do, in words."""
    names = {_("read"): key.can_read, _("write"): key.can_write, _("refund"): key.can_refund}
    return ", ".join(str(name) for name, allowed in names.items() if allowed)


def show_once(request: HttpRequest, secret: str) -> None:
    """A key that was just made, on the next page and never again."""
    text = gettext("Copy it now, it cannot be shown again:")
    messages.warning(request, format_html('{} <code class="desk-code desk-copy">{}</code>', text, secret))


def ways_to_end(key: ApiKey) -> SafeString:
    """To the pages that roll and revoke it."""
    ways = [(reverse(f"admin:orders_apikey_{way}", args=[key.pk]), kind, name) for way, kind, name in _WAYS]
    return format_html_join(" · ", '<a class="{1}" href="{0}">{2}</a>', ways)


_WAYS = (
    ("roll", "text-primary-600 dark:text-primary-500", _("Roll")),
    ("revoke", "text-red-600 dark:text-red-500", _("Revoke")),
)


def _roll(key: ApiKey, data: Data, _by: str) -> tuple[ApiKey, str]:
    if not ApiKey.objects.alive().filter(pk=key.pk).exists():
        raise Refused("key_ended", gettext("This key has ended. Make a new one for the shop."))
    return key.roll(timedelta(hours=data["overlap"]))


def _is_alive(key: ApiKey) -> bool:
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > clock.now())


@admin.register(ApiKey)
class ApiKeyAdmin(SupportAdmin[ApiKey]):
    """Keys are reached from their shop's page; here one is rolled or revoked."""

    of_shop = "merchant"
    list_display = ("start", "name", "merchant", "mode", "may", "made", "ends", "revoked")
    list_select_related = ("merchant",)
    fieldsets = ((None, {"fields": (("start", "name"), ("mode", "may"), ("merchant",), ("made", "ends", "revoked"))}),)

    columns = {
        "mode": Column(_("Mode"), lambda key: mode(key.live)),
        "may": Column(_("May"), rights),
        "ends": Column(_("Ends"), lambda key: moment(key.expires_at)),
        "made": Column(_("Made"), lambda key: moment(key.created_at)),
        "revoked": Column(_("Revoked"), lambda key: moment(key.revoked_at)),
    }
    acts = {
        "roll": Act(
            label=_("Roll"),
            rights=("orders.add_apikey", "orders.change_apikey"),
            icon="sync_lock",
            colour=PRIMARY,
            again=True,
            when=_is_alive,
            title=_("Roll the API key %(key)s"),
            text=_(
                "A new key with the same rights will be shown once, right after this. This one works on for as long as "
                "you say, so that the shop can change over without a pause."
            ),
            button=_("Roll the key"),
            danger=False,
            form=lambda data, _key: RollForm(data),
            do=_roll,
            done=lambda key, made: (
                gettext("The API key %(key)s was made to follow %(old)s.") % {"key": made[0], "old": key}
            ),
            after=lambda request, _key, made: show_once(request, made[1]),
        ),
        "revoke": Act(
            label=_("Revoke"),
            rights=("orders.change_apikey",),
            icon="key_off",
            colour=DANGER,
            again=True,
            when=lambda key: key.revoked_at is None,
            title=_("Revoke the API key %(key)s"),
            text=_("Whatever uses this key stops working at once. This cannot be undone."),
            button=_("Revoke"),
            do=lambda key, _data, _by: key.revoke(),
            done=_("The API key %(key)s was revoked."),
        ),
    }

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def facts(self, key: ApiKey) -> dict[str, Any]:
        return {"key": key}
