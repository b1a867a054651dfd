"""Making a webhook endpoint at a shop's page, and showing its secret, once."""

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from friendpay.admin_kit.acts import Act, Data
from orders.admin.key import show_once
from orders.events import TYPES
from orders.models import Merchant, WebhookEndpoint
from orders.webhooks import endpoints


class EndpointForm(forms.Form):
    url = forms.CharField(
        label=_("address"),
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Where the shop's server listens: https://shop.example/hooks."),
    )
    description = forms.CharField(
        label=_("Name"),
        max_length=120,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Where it will be used, so that it can be told from others."),
    )
    live = forms.BooleanField(label=_("Live: real money"), required=False, widget=UnfoldBooleanSwitchWidget)
    event_types = forms.MultipleChoiceField(
        label=_("Told of"),
        choices=[(type, type) for type in TYPES],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None for all."),
    )


def _show(request: HttpRequest, _merchant: Merchant, made: tuple[WebhookEndpoint, str]) -> None:
    """Its secret, unless there was such an endpoint already."""
    if made[1]:
        show_once(request, made[1])


def _make(merchant: Merchant, data: Data, _by: str) -> tuple[WebhookEndpoint, str]:
    return endpoints.create(merchant, **data)


NEW_ENDPOINT: Act[Merchant] = Act(
    label=_("Make a webhook endpoint"),
    rights=("orders.add_webhookendpoint",),
    icon="webhook",
    again=True,
    title=_("Make a webhook endpoint"),
    text=_("It is told what happens from now on. The secret that signs it will be shown once, right after this."),
    button=_("Make the endpoint"),
    danger=False,
    form=lambda data, _merchant: EndpointForm(data),
    do=_make,
    done=lambda _merchant, made: gettext("The webhook endpoint %(id)s is there.") % {"id": made[0].public_id},
    after=_show,
)
