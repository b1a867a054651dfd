"""The desk's page of webhook deliveries: what came of each."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from friendpay.admin_kit.base import Panel, SupportAdmin, badge, code, link, mode, moment
from friendpay.admin_kit.confirm import confirm
from friendpay.admin_kit.filters import mode_by
from orders.models import WebhookAttempt, WebhookDelivery
from orders.webhooks import outbox

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


def state_of(delivery: WebhookDelivery) -> SafeString:
    return badge(delivery.get_status_display(), KINDS[WebhookDelivery.Status(delivery.status)])


def _outcome(attempt: WebhookAttempt) -> str:
    error = str(ERRORS.get(attempt.error, attempt.error))
    return f"{attempt.status_code}: {error}" if attempt.status_code and error else str(attempt.status_code or error)


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
        return state_of(delivery)

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
