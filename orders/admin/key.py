"""The desk's pages of API keys: made at a shop's page, rolled and revoked at their own."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from friendpay.admin_kit.again import password_again
from friendpay.admin_kit.base import SupportAdmin, mode, moment
from friendpay.admin_kit.confirm import confirm, posted
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


def show_once(request: HttpRequest, secrets: Sequence[str]) -> None:
    """Keys that were just made, on the next page and never again."""
    for secret in secrets:
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


@admin.register(ApiKey)
class ApiKeyAdmin(SupportAdmin):
    """Keys are reached from their shop's page; here one is rolled or revoked."""

    list_display = ("start", "name", "merchant", "mode", "may", "made", "ends", "revoked")
    list_select_related = ("merchant",)
    fieldsets = ((None, {"fields": (("start", "name"), ("mode", "may"), ("merchant",), ("made", "ends", "revoked"))}),)
    actions_detail = ("roll", "revoke")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def can(self, action: str, key: ApiKey) -> bool:
        return key.revoked_at is None and (action == "revoke" or key.expires_at is None or key.expires_at > clock.now())

    @admin.display(description=_("Mode"))
    def mode(self, key: ApiKey) -> SafeString:
        return mode(key.live)

    @admin.display(description=_("May"))
    def may(self, key: ApiKey) -> str:
        return rights(key)

    @admin.display(description=_("Ends (UTC)"))
    def ends(self, key: ApiKey) -> Any:
        return moment(key.expires_at)

    @admin.display(description=_("Made (UTC)"))
    def made(self, key: ApiKey) -> Any:
        return moment(key.created_at)

    @admin.display(description=_("Revoked (UTC)"))
    def revoked(self, key: ApiKey) -> Any:
        return moment(key.revoked_at)

    @action(
        description=_("Roll"),
        url_path="roll",
        permissions=["orders.add_apikey", "orders.change_apikey"],
        icon="sync_lock",
        variant=ActionVariant.PRIMARY,
    )
    @password_again
    def roll(self, request: HttpRequest, object_id: str) -> HttpResponse:
        key = self.get_object(request, object_id)
        if key is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        secrets: list[str] = []

        def do(data: dict[str, Any]) -> str:
            if not ApiKey.objects.alive().filter(pk=key.pk).exists():
                raise Refused("key_ended", gettext("This key has ended. Make a new one for the shop."))
            new, secret = key.roll(timedelta(hours=data["overlap"]))
            secrets.append(secret)
            return gettext("The API key %(key)s was made to follow %(old)s.") % {"key": new, "old": key}

        response = confirm(
            self,
            request,
            key,
            do,
            title=gettext("Roll the API key %(key)s") % {"key": key},
            text=gettext(
                "A new key with the same rights will be shown once, right after this. This one works on for as long as "
                "you say, so that the shop can change over without a pause."
            ),
            button=gettext("Roll the key"),
            form=RollForm(posted(request)),
            danger=False,
        )
        show_once(request, secrets)
        return response

    @action(
        description=_("Revoke"),
        url_path="revoke",
        permissions=["orders.change_apikey"],
        icon="key_off",
        variant=ActionVariant.DANGER,
    )
    @password_again
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        key = self.get_object(request, object_id)
        if key is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)

        def do(_data: dict[str, Any]) -> str:
            key.revoke()
            return gettext("The API key %(key)s was revoked.") % {"key": key}

        return confirm(
            self,
            request,
            key,
            do,
            title=gettext("Revoke the API key %(key)s") % {"key": key},
            text=gettext("Whatever uses this key stops working at once. This cannot be undone."),
            button=gettext("Revoke"),
        )
