"""Notifications from wallets; those that could not be applied wait here for support."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from orders.admin.base import SupportAdmin, badge, code, link, mode, moment, money
from orders.admin.confirm import confirm
from orders.admin.filters import mode_by
from payments import inbox
from payments.admin.filters import ProviderFilter
from payments.models import ProviderEvent

WHERE = {
    "orphan": Q(orphaned_at__isnull=False),
    "set_aside": Q(set_aside_at__isnull=False),
    "due": Q(next_attempt_at__isnull=False),
    "applied": Q(applied_at__isnull=False),
}
"""Where a notification is; the first two are support's work."""


class WhereFilter(SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("orphan", _("names nothing of ours")),
            ("set_aside", _("set aside after failures")),
            ("due", _("to be applied")),
            ("applied", _("applied")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ProviderEvent]) -> QuerySet[ProviderEvent]:
        value = self.value()
        return queryset.filter(WHERE[value]) if value in WHERE else queryset


@admin.register(ProviderEvent)
class ProviderEventAdmin(SupportAdmin):
    """What wallets told us. The message itself may hold a payer's data, so only what was read from it is shown."""

    list_display = ("kind", "state", "reference", "says", "error", "account_link", "mode", "received")
    list_filter = (WhereFilter, ProviderFilter, mode_by("account__live"))
    list_select_related = ("account",)
    search_fields = ("reference",)
    search_help_text = _("Our reference or the notification's own id")
    actions_detail = ("try_again",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("state", "mode", "account_link"),
                    ("kind", "about", "says"),
                    ("reference_text", "wallet_reference", "event_text"),
                    ("received", "next_try", "applied"),
                    ("attempts", "error"),
                )
            },
        ),
    )

    def find(self, text: str) -> Q | None:
        return Q(reference=text) | Q(event_id=text) | Q(outcome__provider_ref=text)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderEvent]:
        return super().get_queryset(request).select_related("account").defer("body")

    def can(self, action: str, event: ProviderEvent) -> bool:
        return event.orphaned_at is not None or event.set_aside_at is not None

    @action(
        description=_("Try again"),
        url_path="try-again",
        permissions=["payments.retry_providerevent"],
        icon="refresh",
        variant=ActionVariant.PRIMARY,
    )
    def try_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        event = self.get_object(request, object_id)
        if event is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)

        def do(_data: dict[str, Any]) -> str:
            inbox.try_again(event.pk)
            return gettext("The notification will be tried again at once.")

        return confirm(
            self,
            request,
            event,
            do,
            title=gettext("Try the notification again"),
            text=gettext(
                "It is looked up and applied once more, as if it had just arrived. If nothing has changed since, it "
                "comes back here."
            ),
            button=gettext("Try again"),
            danger=False,
        )

    @admin.display(description=_("State"))
    def state(self, event: ProviderEvent) -> SafeString:
        if event.orphaned_at:
            return badge(_("names nothing of ours"), "danger")
        if event.set_aside_at:
            return badge(_("set aside"), "danger")
        if event.applied_at:
            return badge(_("applied"), "success")
        return badge(_("to be applied"), "info")

    @admin.display(description=_("What it says"))
    def says(self, event: ProviderEvent) -> SafeString | str:
        if event.outcome is None:
            return gettext("look at the wallet")
        sum = event.outcome["amount"]
        if sum is None:
            return str(event.outcome["state"])
        return format_html("{} · {}", event.outcome["state"], money(sum["minor"], sum["currency"]))

    @admin.display(description=_("Mode"))
    def mode(self, event: ProviderEvent) -> SafeString:
        return mode(event.account.live)

    @admin.display(description=_("Provider account"))
    def account_link(self, event: ProviderEvent) -> SafeString:
        return link(event.account, event.account.name or event.account.provider)

    @admin.display(description=_("Reference"))
    def reference_text(self, event: ProviderEvent) -> SafeString:
        return code(event.reference)

    @admin.display(description=_("The wallet's number"))
    def wallet_reference(self, event: ProviderEvent) -> SafeString:
        return code((event.outcome or {}).get("provider_ref", ""))

    @admin.display(description=_("The notification's id"))
    def event_text(self, event: ProviderEvent) -> SafeString:
        return code(event.event_id)

    @admin.display(description=_("Received (UTC)"), ordering="id")
    def received(self, event: ProviderEvent) -> Any:
        return moment(event.received_at)

    @admin.display(description=_("Next try (UTC)"))
    def next_try(self, event: ProviderEvent) -> Any:
        return moment(event.next_attempt_at)

    @admin.display(description=_("Applied (UTC)"))
    def applied(self, event: ProviderEvent) -> Any:
        return moment(event.applied_at)
