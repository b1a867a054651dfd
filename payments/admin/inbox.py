"""The desk's page of notifications from wallets; those that could not be applied wait here for support."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from friendpay.admin_kit import filters
from friendpay.admin_kit.acts import PRIMARY, Act, Data
from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import address, badge, code, mode, moment
from friendpay.admin_kit.columns import Column
from friendpay.admin_kit.fields import choose_among
from friendpay.kit import clock, desk_limits
from friendpay.kit.money import Money
from friendpay.kit.templatetags.money import amount
from payments.admin import parts, raw, search, second_person
from payments.admin.filters import BY_ACCOUNTS_PROVIDER
from payments.models import Payment, PaymentRequest, ProviderEvent
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


BY_PLACE = filters.choice(
    _("state"),
    "state",
    {
        "orphan": (_("names nothing of ours"), WHERE["orphan"]),
        "set_aside": (_("set aside after failures"), WHERE["set_aside"]),
        "due": (_("to be applied"), WHERE["due"]),
        "applied": (_("applied"), WHERE["applied"]),
        "put_away": (_("put away"), WHERE["put_away"]),
    },
)


class AwayForm(forms.Form):
    note = forms.CharField(label=_("Why nothing is booked"), max_length=200, widget=UnfoldAdminTextInputWidget)


class CountForm(forms.Form):
    """Which request an orphan's money is meant for: one of the likely ones, or another by its name."""

    likely = forms.ChoiceField(label=_("Likely"), required=False, widget=UnfoldAdminRadioSelectWidget)
    request = forms.CharField(
        label=_("Or another request"),
        max_length=4000,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Its id (pr_…), its link, its share code, or the order number."),
    )

    def __init__(self, data: QueryDict | None, event: ProviderEvent) -> None:
        super().__init__(data)
        self.event = event
        found = _likely(event)
        choose_among(self.fields["likely"], [(it.public_id, _told(it)) for it in found])
        if not found:
            del self.fields["likely"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        named = data.get("request") or data.get("likely")
        if not named:
            raise forms.ValidationError(_("Say which request the money is meant for."))
        shop = self.event.account.merchant_id
        meant = search.named(named, frozenset({shop})).as_requests()
        found = list(PaymentRequest.objects.filter(meant, merchant=shop)[:2])
        if not found:
            self.add_error("request", _("There is no such request."))
        elif len(found) > 1:
            self.add_error("request", _("That names several requests. Give the id of the one you mean."))
        else:
            data["request"] = found[0]
        return data


def _likely(event: ProviderEvent) -> list[PaymentRequest]:
    """Requests of the same shop for just this sum, asked for not long before the money came; open ones first."""
    sum = (event.outcome or {}).get("amount")
    if not sum:
        return []
    account, since = event.account, event.received_at - desk_limits.SUGGESTED_WITHIN
    asked = PaymentRequest.objects.filter(
        merchant=account.merchant_id,
        order__live=account.live,
        currency=sum["currency"],
        amount=sum["minor"],
        created_at__range=(since, event.received_at),
    )
    found = asked.select_related("order").order_by("-id")[: desk_limits.SUGGESTED_REQUESTS]
    return sorted(found, key=lambda it: it.status_at(clock.now()) != PaymentRequest.Status.OPEN)


def _told(asked: PaymentRequest) -> str:
    status = PaymentRequest.Status(asked.status_at(clock.now())).label
    created = f"{timezone.localtime(asked.created_at):%Y-%m-%d %H:%M}"
    return f"{asked.order.reference} · {asked.order.buyer_name} · {status} · {created}"


def _sum(event: ProviderEvent) -> str:
    """The money a notification tells of, in words."""
    sum = (event.outcome or {}).get("amount")
    return amount(sum["minor"], sum["currency"]) if sum else ""


def _money_of(event: ProviderEvent, _data: Data) -> Money:
    return orphans.money_of(event)[1]


def _state(event: ProviderEvent) -> SafeString:
    if event.orphaned_at:
        return badge(_("names nothing of ours"), "danger")
    if event.set_aside_at:
        return badge(_("set aside"), "danger")
    if event.applied_at:
        return badge(_("applied"), "success")
    if event.put_away_at:
        return badge(_("put away"), "warning")
    return badge(_("to be applied"), "info")


def says(event: ProviderEvent) -> str:
    if event.outcome is None:
        return gettext("look at the wallet")
    return " · ".join(filter(None, (str(event.outcome["state"]), _sum(event))))


def _is_paid_orphan(event: ProviderEvent) -> bool:
    paid = event.outcome is not None and event.outcome["state"] == State.SUCCEEDED
    return event.is_waiting and event.about == "charge" and paid


def _counted(_event: ProviderEvent, payment: Payment) -> str:
    if payment.amount_applied:
        return gettext("The money counts for that request now.")
    return gettext("The money did not fit that request, so it goes back to whoever paid it.")


@admin.register(ProviderEvent)
class ProviderEventAdmin(SupportAdmin[ProviderEvent]):
    """What wallets told us. The message itself may hold a payer's data, so only what was read from it is shown."""

    of_shop = "account__merchant"
    list_display = ("kind", "state", "reference_text", "says", "error", "account_link", "mode", "received")
    list_filter = (BY_PLACE, BY_ACCOUNTS_PROVIDER, filters.mode("account__live"))
    search_fields = ("reference",)
    search_help_text = _("Our reference or the notification's own id")
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

    columns = {
        "state": Column(_("State"), _state),
        "says": Column(_("What it says"), says),
        "mode": Column(_("Mode"), lambda event: mode(event.account.live)),
        "account_link": parts.ACCOUNT,
        "reference_text": parts.OUR_REFERENCE,
        "wallet_reference": Column(
            _("The wallet's number"), lambda event: code((event.outcome or {}).get("provider_ref", ""))
        ),
        "event_text": Column(_("The notification's id"), lambda event: code(event.event_id)),
        "received": Column(_("Received"), lambda event: moment(event.received_at), "id"),
        "next_try": Column(_("Next try"), lambda event: moment(event.next_attempt_at)),
        "applied": Column(_("Applied"), lambda event: moment(event.applied_at)),
    }
    actions_detail = ("as_written",)
    acts = {
        "try_again": Act(
            label=_("Try again"),
            rights=("payments.retry_providerevent",),
            icon="refresh",
            colour=PRIMARY,
            when=lambda event: event.is_waiting,
            title=_("Try the notification again"),
            text=_(
                "It is looked up and applied once more, as if it had just arrived. If nothing has changed since, it "
                "comes back here."
            ),
            button=_("Try again"),
            danger=False,
            do=lambda event, _data, _by: inbox.try_again(event.pk),
            done=_("The notification will be tried again at once."),
        ),
        "count": Act(
            label=_("Count for a request"),
            rights=("payments.assign_providerevent",),
            icon="link",
            again=True,
            when=_is_paid_orphan,
            title=_("Count %(money)s for a request"),
            text=_("What does not fit the request goes back to whoever paid it, as always."),
            button=_("Count it"),
            form=CountForm,
            instead=second_person.asked_for(
                "count", _money_of, lambda _event: None, lambda event: event.account.merchant
            ),
            do=lambda event, data, by: orphans.adopt(event.pk, data["request"], actor=by),
            done=_counted,
        ),
        "send_back": Act(
            label=_("Send the money back"),
            rights=("payments.assign_providerevent",),
            icon="undo",
            again=True,
            when=_is_paid_orphan,
            title=_("Send %(money)s back"),
            text=_("It goes back to whoever paid it. In our books it stands on a cancelled order of its own."),
            button=_("Send it back"),
            instead=second_person.asked_for(
                "send_back", _money_of, lambda _event: None, lambda event: event.account.merchant
            ),
            do=lambda event, _data, by: orphans.send_back(event.pk, actor=by),
            done=_("The money goes back to whoever paid it."),
        ),
        "put_away": Act(
            label=_("Put away"),
            rights=("payments.assign_providerevent",),
            icon="archive",
            again=True,
            when=lambda event: event.is_waiting,
            title=_("Put the notification away"),
            text=_("Nothing is booked for it, now or later. It stays in the list, with what you write here."),
            button=_("Put away"),
            form=lambda data, _event: AwayForm(data),
            why="note",
            do=lambda event, data, _by: inbox.put_away(event.pk, data["note"]),
            done=_("The notification was put away: %(note)s"),
        ),
    }

    def find(self, text: str) -> Q | None:
        return Q(reference=text) | Q(event_id=text) | Q(outcome__provider_ref=text)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderEvent]:
        return super().get_queryset(request).select_related("account").defer("body")

    def facts(self, event: ProviderEvent) -> dict[str, Any]:
        return {"money": _sum(event)}

    @action(
        description=_("What the wallet wrote"),
        url_path="as-written",
        permissions=["payments.read_providerevent"],
        icon="code",
    )
    def as_written(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The message itself, without secrets. Who looked is on record."""
        event = self.get_object(request, object_id) if self.has_view_permission(request) else None
        if event is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        self.log_change(request, event, gettext("Looked at what the wallet wrote."))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": event,
            "title": gettext("What the wallet wrote"),
            "message": raw.shown(event),
            "back": address(event),
        }
        return TemplateResponse(request, "payments/admin/as_written.html", context)
