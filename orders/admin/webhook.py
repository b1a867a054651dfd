"""Where shops are told what happens, and what came of each telling."""

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

from orders.admin.base import Panel, SupportAdmin, badge, code, link, mode, moment
from orders.admin.confirm import confirm
from orders.admin.filters import ModeFilter, mode_by
from orders.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from orders.webhooks import endpoints, outbox

SHOWN = 50

KINDS = {
    WebhookDelivery.Status.PENDING: "info",
    WebhookDelivery.Status.DELIVERED: "success",
    WebhookDelivery.Status.GIVEN_UP: "danger",
}

ERRORS = {
    "blocked": _("not called: no public address"),
    "unresolved": _("the name is not known"),
    "unreachable": _("nobody answers there"),
    "tls": _("the certificate is not right"),
    "timeout": _("no whole answer in 15 seconds"),
    "broken": _("the answer makes no sense"),
    "internal": _("our own fault; the log says more"),
}
"""What went wrong with a call, for people."""


def _state(delivery: WebhookDelivery) -> SafeString:
    return badge(delivery.get_status_display(), KINDS[WebhookDelivery.Status(delivery.status)])


def _outcome(attempt: WebhookAttempt) -> str:
    error = str(ERRORS.get(attempt.error, attempt.error))
    return f"{attempt.status_code}: {error}" if attempt.status_code and error else str(attempt.status_code or error)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(SupportAdmin):
    """Endpoints belong to the shops, who make and delete them by the API; support may switch one off and on."""

    list_display = ("url", "merchant", "state", "mode", "failing")
    list_filter = (ModeFilter, ("merchant", AutocompleteSelectFilter))
    list_select_related = ("merchant",)
    search_fields = ("url",)
    search_help_text = _("Address or id")
    actions_detail = ("switch_off", "switch_on")
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
        return endpoint.enabled if action == "switch_off" else not endpoint.enabled and endpoint.deleted_at is None

    def panels(self, endpoint: WebhookEndpoint) -> list[Panel]:
        headers = (_("Delivery"), _("Event"), _("State"), _("Attempts"), _("Written (UTC)"), _("Next try"))
        rows = [
            (
                link(delivery, delivery.public_id),
                link(delivery.event, delivery.event.type),
                _state(delivery),
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


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(SupportAdmin):
    """Deliveries are reached from their endpoint, or by an event's id."""

    list_display = ("public_id", "event_link", "state", "attempts", "endpoint_link", "mode", "written")
    list_filter = ("status", mode_by("endpoint__live"))
    list_select_related = ("endpoint", "event")
    search_fields = ("public_id",)
    search_help_text = _("Any id")
    actions_detail = ("redeliver",)
    fieldsets = (
        (None, {"fields": (("state", "mode", "attempts"), ("event_link", "endpoint_link"))}),
        (_("Times (UTC)"), {"fields": (("written", "next_try", "delivered"),)}),
        (_("Id"), {"fields": ("id_text",)}),
    )

    def find(self, text: str) -> Q | None:
        kind = text.partition("_")[0]
        return {
            "evt": Q(event__public_id=text),
            "we": Q(endpoint__public_id=text),
            "ord": Q(event__order__public_id=text),
        }.get(kind, Q(public_id=text))

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        return super().get_queryset(request).select_related("endpoint", "event")

    def can(self, action: str, delivery: WebhookDelivery) -> bool:
        return delivery.endpoint.enabled

    def panels(self, delivery: WebhookDelivery) -> list[Panel]:
        headers = (_("Time (UTC)"), _("Outcome"), _("Milliseconds"), _("Beginning of the answer"))
        rows = [
            (moment(attempt.at), _outcome(attempt), attempt.milliseconds, code(attempt.answer))
            for attempt in delivery.calls.all()
        ]
        return [Panel(_("Attempts"), headers, rows)]

    @admin.display(description=_("State"))
    def state(self, delivery: WebhookDelivery) -> SafeString:
        return _state(delivery)

    @admin.display(description=_("Mode"))
    def mode(self, delivery: WebhookDelivery) -> SafeString:
        return mode(delivery.endpoint.live)

    @admin.display(description=_("Event"))
    def event_link(self, delivery: WebhookDelivery) -> SafeString:
        return link(delivery.event, delivery.event.type)

    @admin.display(description=_("Endpoint"))
    def endpoint_link(self, delivery: WebhookDelivery) -> SafeString:
        return link(delivery.endpoint)

    @admin.display(description=_("Written"), ordering="id")
    def written(self, delivery: WebhookDelivery) -> Any:
        return moment(delivery.created_at)

    @admin.display(description=_("Next try"))
    def next_try(self, delivery: WebhookDelivery) -> Any:
        return moment(delivery.next_attempt_at)

    @admin.display(description=_("Delivered"))
    def delivered(self, delivery: WebhookDelivery) -> Any:
        return moment(delivery.delivered_at)

    @admin.display(description=_("Id"))
    def id_text(self, delivery: WebhookDelivery) -> SafeString:
        return code(delivery.public_id)

    @action(
        description=_("Deliver again"),
        url_path="redeliver",
        permissions=["orders.redeliver_webhookdelivery"],
        icon="refresh",
        variant=ActionVariant.PRIMARY,
    )
    def redeliver(self, request: HttpRequest, object_id: str) -> HttpResponse:
        delivery = self.get_object(request, object_id)
        if delivery is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)

        def do(_data: dict[str, Any]) -> str:
            outbox.redeliver(delivery.pk)
            return gettext("The event will be delivered again at once.")

        return confirm(
            self,
            request,
            delivery,
            do,
            title=gettext("Deliver the event again"),
            text=gettext("With the id and the body it always had, so that the shop can tell that it is a repeat."),
            button=gettext("Deliver again"),
            danger=False,
        )
