"""The desk's page of webhook endpoints."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action
from unfold.enums import ActionVariant

from friendpay.admin_kit.base import Panel, SupportAdmin, badge, code, link, mode, moment
from friendpay.admin_kit.confirm import actor, confirm
from friendpay.admin_kit.filters import ModeFilter
from orders import events
from orders.admin.delivery import state_of
from orders.models import WebhookEndpoint
from orders.webhooks import endpoints

SHOWN = 50


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(SupportAdmin):
    """Endpoints belong to the shops, who make and delete them by the API; support may test one or switch it."""

    list_display = ("url", "merchant", "state", "mode", "failing")
    list_filter = (ModeFilter, ("merchant", AutocompleteSelectFilter))
    list_select_related = ("merchant",)
    search_fields = ("url",)
    search_help_text = _("Address or id")
    actions_detail = ("ping", "switch_off", "switch_on")
    fieldsets = (
        (None, {"fields": (("url", "merchant"), ("state", "mode", "pace"), ("types", "description"))}),
        (_("Times (UTC)"), {"fields": (("created", "failing", "disabled"),)}),
        (_("Id"), {"fields": ("id_text",)}),
    )

    def find(self, text: str) -> Q | None:
        return Q(public_id=text)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        return super().get_queryset(request).defer("sealed")

    def can(self, action: str, endpoint: WebhookEndpoint) -> bool:
        return not endpoint.enabled and endpoint.deleted_at is None if action == "switch_on" else endpoint.enabled

    def panels(self, endpoint: WebhookEndpoint) -> list[Panel]:
        headers = (_("Delivery"), _("Event"), _("State"), _("Attempts"), _("Written (UTC)"), _("Next try"))
        rows = [
            (
                link(delivery, delivery.public_id),
                link(delivery.event, delivery.event.type),
                state_of(delivery),
                delivery.attempts,
                moment(delivery.created_at),
                moment(delivery.next_attempt_at),
            )
            for delivery in endpoint.deliveries.select_related("event")[:SHOWN]
        ]
        return [Panel(_("The latest deliveries"), headers, rows)]

    @admin.display(description=_("State"))
    def state(self, endpoint: WebhookEndpoint) -> SafeString:
        if not endpoint.enabled:
            return badge(endpoint.get_disabled_reason_display(), "" if endpoint.deleted_at else "danger")
        return badge(_("failing"), "warning") if endpoint.failing_since else badge(_("on"), "success")

    @admin.display(description=_("Mode"), ordering="live")
    def mode(self, endpoint: WebhookEndpoint) -> SafeString:
        return mode(endpoint.live)

    @admin.display(description=_("Answers"))
    def pace(self, endpoint: WebhookEndpoint) -> str:
        return gettext("slowly, or not tried yet") if endpoint.is_slow else gettext("quickly")

    @admin.display(description=_("Told of"))
    def types(self, endpoint: WebhookEndpoint) -> str:
        return ", ".join(endpoint.event_types) or gettext("everything")

    @admin.display(description=_("Created"))
    def created(self, endpoint: WebhookEndpoint) -> Any:
        return moment(endpoint.created_at)

    @admin.display(description=_("Failing since"))
    def failing(self, endpoint: WebhookEndpoint) -> Any:
        return moment(endpoint.failing_since)

    @admin.display(description=_("Switched off"))
    def disabled(self, endpoint: WebhookEndpoint) -> Any:
        return moment(endpoint.disabled_at)

    @admin.display(description=_("Id"))
    def id_text(self, endpoint: WebhookEndpoint) -> SafeString:
        return code(endpoint.public_id)

    @action(
        description=_("Send a test"),
        url_path="ping",
        permissions=["orders.change_webhookendpoint"],
        icon="network_ping",
        variant=ActionVariant.PRIMARY,
    )
    def ping(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = self.get_object(request, object_id)
        if endpoint is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)

        def do(_data: dict[str, Any]) -> str:
            delivery = events.ping(endpoint.pk, actor=actor(request))
            words = gettext("The test %(id)s is on its way. Load the page again to see what came of it.")
            return words % {"id": delivery.public_id}

        return confirm(
            self,
            request,
            endpoint,
            do,
            title=gettext("Send a test to the webhook endpoint"),
            text=gettext("It is told of this test like of any event, signed, but once. Nobody else is told."),
            button=gettext("Send a test"),
            danger=False,
        )

    @action(
        description=_("Switch off"),
        url_path="switch-off",
        permissions=["orders.change_webhookendpoint"],
        icon="notifications_off",
        variant=ActionVariant.DANGER,
    )
    def switch_off(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = self.get_object(request, object_id)
        if endpoint is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)

        def do(_data: dict[str, Any]) -> str:
            endpoints.disable(endpoint.pk, endpoints.Reason.SUPPORT)
            return gettext("The endpoint was switched off.")

        return confirm(
            self,
            request,
            endpoint,
            do,
            title=gettext("Switch off the webhook endpoint"),
            text=gettext("Nothing more is sent to it, and what it was still owed is given up. The shop gets no mail."),
            button=gettext("Switch off"),
        )

    @action(
        description=_("Switch on"),
        url_path="switch-on",
        permissions=["orders.change_webhookendpoint"],
        icon="notifications_active",
        variant=ActionVariant.PRIMARY,
    )
    def switch_on(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = self.get_object(request, object_id)
        if endpoint is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)

        def do(_data: dict[str, Any]) -> str:
            endpoints.enable(endpoint.pk)
            return gettext("The endpoint was switched on.")

        return confirm(
            self,
            request,
            endpoint,
            do,
            title=gettext("Switch on the webhook endpoint"),
            text=gettext("It is told what happens from now on. What it missed can be delivered again, one by one."),
            button=gettext("Switch on"),
            danger=False,
        )
