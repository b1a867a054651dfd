"""The desk's page of notifications from wallets; those that could not be applied wait here for support."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from friendpay.admin_kit.again import password_again
from friendpay.admin_kit.base import SupportAdmin, badge, code, link, mode, moment
from friendpay.admin_kit.confirm import actor, confirm, posted
from friendpay.admin_kit.filters import mode_by
from friendpay.kit.templatetags.money import amount
from payments.admin import search
from payments.admin.filters import ProviderFilter
from payments.models import PaymentRequest, ProviderEvent
from payments.settlement import inbox, orphans
from payments.wallets.base import State

WHERE = {
    "orphan": Q(orphaned_at__isnull=False),
    "set_aside": Q(set_aside_at__isnull=False),
    "due": Q(next_attempt_at__isnull=False),
    "applied": Q(applied_at__isnull=False),
    "put_away": Q(put_away_at__isnull=False),
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
            ("put_away", _("put away")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ProviderEvent]) -> QuerySet[ProviderEvent]:
        value = self.value()
        return queryset.filter(WHERE[value]) if value in WHERE else queryset


class AwayForm(forms.Form):
    note = forms.CharField(label=_("Why nothing is booked"), max_length=200, widget=UnfoldAdminTextInputWidget)


class CountForm(forms.Form):
    """Which request an orphan's money is meant for."""

    request = forms.CharField(
        label=_("Request"),
        max_length=4000,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Its id (pr_…), its link, its share code, or the order number."),
    )

    def clean_request(self) -> PaymentRequest:
        found = list(PaymentRequest.objects.filter(search.find(self.cleaned_data["request"]).as_requests())[:2])
        if not found:
            raise forms.ValidationError(_("There is no such request."))
        if len(found) > 1:
            raise forms.ValidationError(_("That names several requests. Give the id of the one you mean."))
        return found[0]


def _sum(event: ProviderEvent) -> str:
    """The money a notification tells of, in words."""
    sum = (event.outcome or {}).get("amount")
    return amount(sum["minor"], sum["currency"]) if sum else ""


@admin.register(ProviderEvent)
class ProviderEventAdmin(SupportAdmin):
    """What wallets told us. The message itself may hold a payer's data, so only what was read from it is shown."""

    list_display = ("kind", "state", "reference", "says", "error", "account_link", "mode", "received")
    list_filter = (WhereFilter, ProviderFilter, mode_by("account__live"))
    search_fields = ("reference",)
    search_help_text = _("Our reference or the notification's own id")
    actions_detail = ("try_again", "count", "send_back", "put_away")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("state", "mode", "account_link"),
                    ("kind", "about", "says"),
                    ("reference_text", "wallet_reference", "event_text"),
                    ("received", "next_try", "applied"),
                    ("attempts", "error", "note"),
                )
            },
        ),
    )

    def find(self, text: str) -> Q | None:
        return Q(reference=text) | Q(event_id=text) | Q(outcome__provider_ref=text)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderEvent]:
        return super().get_queryset(request).select_related("account").defer("body")

    def can(self, action: str, event: ProviderEvent) -> bool:
        if action in ("try_again", "put_away"):
            return event.is_waiting
        paid = event.outcome is not None and event.outcome["state"] == State.SUCCEEDED
        return event.is_waiting and event.about == "charge" and paid

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

    @action(
        description=_("Count for a request"),
        url_path="count",
        permissions=["payments.assign_providerevent"],
        icon="link",
    )
    @password_again
    def count(self, request: HttpRequest, object_id: str) -> HttpResponse:
        event = self.get_object(request, object_id)
        if event is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)

        def do(data: dict[str, Any]) -> str:
            payment = orphans.adopt(event.pk, data["request"], actor=actor(request))
            if payment.amount_applied:
                return gettext("The money counts for that request now.")
            return gettext("The money did not fit that request, so it goes back to whoever paid it.")

        return confirm(
            self,
            request,
            event,
            do,
            form=CountForm(posted(request)),
            title=gettext("Count %(money)s for a request") % {"money": _sum(event)},
            text=gettext("What does not fit the request goes back to whoever paid it, as always."),
            button=gettext("Count it"),
        )

    @action(
        description=_("Send the money back"),
        url_path="send-back",
        permissions=["payments.assign_providerevent"],
        icon="undo",
    )
    @password_again
    def send_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        event = self.get_object(request, object_id)
        if event is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)

        def do(_data: dict[str, Any]) -> str:
            orphans.send_back(event.pk, actor=actor(request))
            return gettext("The money goes back to whoever paid it.")

        return confirm(
            self,
            request,
            event,
            do,
            title=gettext("Send %(money)s back") % {"money": _sum(event)},
            text=gettext("It goes back to whoever paid it. In our books it stands on a cancelled order of its own."),
            button=gettext("Send it back"),
        )

    @action(
        description=_("Put away"),
        url_path="put-away",
        permissions=["payments.assign_providerevent"],
        icon="archive",
    )
    @password_again
    def put_away(self, request: HttpRequest, object_id: str) -> HttpResponse:
        event = self.get_object(request, object_id)
        if event is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)

        def do(data: dict[str, Any]) -> str:
            inbox.put_away(event.pk, data["note"])
            return gettext("The notification was put away: %(note)s") % data

        return confirm(
            self,
            request,
            event,
            do,
            title=gettext("Put the notification away"),
            text=gettext("Nothing is booked for it, now or later. It stays in the list, with what you write here."),
            button=gettext("Put away"),
            form=AwayForm(posted(request)),
        )

    @admin.display(description=_("State"))
    def state(self, event: ProviderEvent) -> SafeString:
        if event.orphaned_at:
            return badge(_("names nothing of ours"), "danger")
        if event.set_aside_at:
            return badge(_("set aside"), "danger")
        if event.applied_at:
            return badge(_("applied"), "success")
        if event.put_away_at:
            return badge(_("put away"), "warning")
        return badge(_("to be applied"), "info")

    @admin.display(description=_("What it says"))
    def says(self, event: ProviderEvent) -> str:
        if event.outcome is None:
            return gettext("look at the wallet")
        return " · ".join(filter(None, (str(event.outcome["state"]), _sum(event))))

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
