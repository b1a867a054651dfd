"""Forms of what support does about a case."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from friendpay.admin_kit.fields import choose_among
from orders.models import Order, WebhookDelivery
from payments.admin.story import MAILS
from payments.models import Mail

_LONGER = {
    "": _("as long as a new request"),
    "60": _("an hour from now"),
    "1440": _("a day from now"),
    "4320": _("three days from now"),
}


class NoteForm(forms.Form):
    note = forms.CharField(label=_("Note"), max_length=1000, widget=UnfoldAdminTextareaWidget({"rows": 4}))


class LongerForm(forms.Form):
    """Until when a request is open."""

    until = forms.ChoiceField(
        label=_("Open for"), choices=list(_LONGER.items()), required=False, widget=UnfoldAdminSelectWidget
    )

    @property
    def life(self) -> timedelta | None:
        chosen = self.cleaned_data["until"]
        return timedelta(minutes=int(chosen)) if chosen else None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        return data | {"life": self.life if "until" in data else None}


class _Person(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return obj.get_full_name() or str(obj.get_username())


class AssignForm(forms.Form):
    """Who sees to the case; nobody, where it is left empty."""

    user = _Person(
        User.objects.filter(is_staff=True, is_active=True).order_by("username"),
        label=_("Colleague"),
        required=False,
        empty_label=_("nobody"),
        widget=UnfoldAdminSelectWidget,
    )


class TellAgainForm(forms.Form):
    """What the shop is told again: at first what never reached it."""

    deliveries = forms.MultipleChoiceField(label=_("Webhooks"), widget=UnfoldAdminCheckboxSelectMultipleWidget)

    def __init__(self, data: QueryDict | None, order: Order) -> None:
        found = list(deliveries_of(order))
        missed = [str(it.pk) for it in found if it.status != WebhookDelivery.Status.DELIVERED]
        super().__init__(data, initial={"deliveries": missed})
        told = [(str(it.pk), f"{it.event.type} · {it.endpoint.url} · {it.get_status_display()}") for it in found]
        choose_among(self.fields["deliveries"], told)


class MailForm(forms.Form):
    """Which mails are sent again."""

    mails = forms.MultipleChoiceField(label=_("Mails"), widget=UnfoldAdminCheckboxSelectMultipleWidget)

    def __init__(self, data: QueryDict | None, order: Order) -> None:
        super().__init__(data)
        sent = [(str(it.pk), f"{it.to.veiled} · {MAILS.get(it.kind, it.kind)}") for it in mails_of(order)]
        choose_among(self.fields["mails"], sent)


def deliveries_of(order: Order) -> Any:
    """What its shop was, or is to be, told, where somebody still listens."""
    told = WebhookDelivery.objects.filter(event__order=order, endpoint__disabled_at=None)
    return told.select_related("event", "endpoint").order_by("id")


def mails_of(order: Order) -> Any:
    """What was sent to addresses that are still known."""
    sent = Mail.objects.filter(to__order=order, to__subscription__isnull=True, sent_at__isnull=False).exclude(
        to__address=""
    )
    return sent.select_related("to").order_by("id")
