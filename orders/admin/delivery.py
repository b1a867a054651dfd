"""The desk's page of webhook deliveries: what came of each."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from friendpay.admin_kit import filters
from friendpay.admin_kit.acts import PRIMARY, Act
from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import Panel, badge, code, labelled, link, mode, moment
from friendpay.admin_kit.columns import ID, Column
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
    return labelled(attempt.status_code, error) if attempt.status_code and error else str(attempt.status_code or error)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(SupportAdmin[WebhookDelivery]):
    """Deliveries are reached from their endpoint, or by an event's id."""

    of_shop = "merchant"
    list_display = ("public_id", "event_link", "state", "attempts", "endpoint_link", "mode", "written")
    list_filter = ("status", filters.mode("endpoint__live"))
    list_select_related = ("endpoint", "event")
    search_fields = ("public_id",)
    search_help_text = _("Any id")
    fieldsets = (
        (None, {"fields": (("state", "mode", "attempts"), ("event_link", "endpoint_link"))}),
        (_("Times"), {"fields": (("written", "next_try", "delivered"),)}),
        (_("Id"), {"fields": ("id_text",)}),
    )
    columns = {
        "state": Column(_("State"), state_of),
        "mode": Column(_("Mode"), lambda delivery: mode(delivery.endpoint.live)),
        "event_link": Column(_("Event"), lambda delivery: link(delivery.event, delivery.event.type)),
        "endpoint_link": Column(_("Endpoint"), lambda delivery: link(delivery.endpoint)),
        "written": Column(_("Written"), lambda delivery: moment(delivery.created_at), "id"),
        "next_try": Column(_("Next try"), lambda delivery: moment(delivery.next_attempt_at)),
        "delivered": Column(_("Delivered"), lambda delivery: moment(delivery.delivered_at)),
        "id_text": ID,
    }
    acts = {
        "redeliver": Act(
            label=_("Deliver again"),
            rights=("orders.redeliver_webhookdelivery",),
            icon="refresh",
            colour=PRIMARY,
            when=lambda delivery: delivery.endpoint.enabled,
            title=_("Deliver the event again"),
            text=_("With the id and the body it always had, so that the shop can tell that it is a repeat."),
            button=_("Deliver again"),
            danger=False,
            do=lambda delivery, _data, _by: outbox.redeliver(delivery.pk),
            done=_("The event will be delivered again at once."),
        )
    }

    def find(self, text: str) -> Q | None:
        kind = text.partition("_")[0]
        return {
            "evt": Q(event__public_id=text),
            "we": Q(endpoint__public_id=text),
            "ord": Q(event__order__public_id=text),
        }.get(kind, Q(public_id=text))

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        return super().get_queryset(request).select_related("endpoint", "event")

    def panels(self, delivery: WebhookDelivery) -> list[Panel]:
        headers = (_("Time"), _("Outcome"), _("Milliseconds"), _("Beginning of the answer"))
        rows = [
            (moment(attempt.at), _outcome(attempt), attempt.milliseconds, code(attempt.answer))
            for attempt in delivery.calls.all()
        ]
        return [Panel(_("Attempts"), headers, rows)]
