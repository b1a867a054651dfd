"""The desk's page of webhook endpoints."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from friendpay.admin_kit import filters
from friendpay.admin_kit.acts import DANGER, PRIMARY, Act
from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import Panel, badge, link, moment
from friendpay.admin_kit.columns import ID, MODE, Column
from friendpay.kit import desk_limits
from orders import events
from orders.admin.delivery import state_of
from orders.admin.key import show_once
from orders.models import WebhookEndpoint
from orders.webhooks import endpoints

FAILING = filters.choice(
    _("state"),
    "failing",
    {
        "yes": (_("failing"), Q(failing_since__isnull=False, disabled_at=None)),
        "off": (_("switched off after failures"), Q(disabled_reason__in=["failing", "gone"], deleted_at=None)),
    },
)


def _state(endpoint: WebhookEndpoint) -> SafeString:
    if not endpoint.enabled:
        return badge(endpoint.get_disabled_reason_display(), "" if endpoint.deleted_at else "danger")
    return badge(_("failing"), "warning") if endpoint.failing_since else badge(_("on"), "success")


def _pace(endpoint: WebhookEndpoint) -> str:
    return gettext("slowly, or not tried yet") if endpoint.is_slow else gettext("quickly")


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(SupportAdmin[WebhookEndpoint]):
    """Endpoints are made at their shop's page, or by the API; here one is tested, switched, or deleted."""

    of_shop = "merchant"
    list_display = ("url", "merchant", "state", "mode", "failing")
    list_filter = (FAILING, filters.mode(), ("merchant", filters.ShopFilter))
    list_select_related = ("merchant",)
    search_fields = ("url",)
    search_help_text = _("Address or id")
    fieldsets = (
        (None, {"fields": (("url", "merchant"), ("state", "mode", "pace"), ("types", "description"))}),
        (_("Times"), {"fields": (("created", "failing", "disabled"),)}),
        (_("Id"), {"fields": ("id_text",)}),
    )

    columns = {
        "state": Column(_("State"), _state),
        "mode": MODE,
        "pace": Column(_("Answers"), _pace),
        "types": Column(_("Told of"), lambda endpoint: ", ".join(endpoint.event_types) or gettext("everything")),
        "created": Column(_("Created"), lambda endpoint: moment(endpoint.created_at)),
        "failing": Column(_("Failing since"), lambda endpoint: moment(endpoint.failing_since)),
        "disabled": Column(_("Switched off"), lambda endpoint: moment(endpoint.disabled_at)),
        "id_text": ID,
    }
    acts = {
        "ping": Act(
            label=_("Send a test"),
            rights=("orders.change_webhookendpoint",),
            icon="network_ping",
            colour=PRIMARY,
            when=lambda endpoint: endpoint.enabled,
            title=_("Send a test to the webhook endpoint"),
            text=_("It is told of this test like of any event, signed, but once. Nobody else is told."),
            button=_("Send a test"),
            danger=False,
            do=lambda endpoint, _data, by: events.ping(endpoint.pk, actor=by),
            done=lambda _endpoint, delivery: (
                gettext("The test %(id)s is on its way. Load the page again to see what came of it.")
                % {"id": delivery.public_id}
            ),
        ),
        "switch_off": Act(
            label=_("Switch off"),
            rights=("orders.change_webhookendpoint",),
            icon="notifications_off",
            colour=DANGER,
            when=lambda endpoint: endpoint.enabled,
            title=_("Switch off the webhook endpoint"),
            text=_("Nothing more is sent to it, and what it was still owed is given up. The shop gets no mail."),
            button=_("Switch off"),
            do=lambda endpoint, _data, _by: endpoints.disable(endpoint.pk, endpoints.Reason.SUPPORT),
            done=_("The endpoint was switched off."),
        ),
        "switch_on": Act(
            label=_("Switch on"),
            rights=("orders.change_webhookendpoint",),
            icon="notifications_active",
            colour=PRIMARY,
            when=lambda endpoint: not endpoint.enabled and endpoint.deleted_at is None,
            title=_("Switch on the webhook endpoint"),
            text=_("It is told what happens from now on. What it missed can be delivered again, one by one."),
            button=_("Switch on"),
            danger=False,
            do=lambda endpoint, _data, _by: endpoints.enable(endpoint.pk),
            done=_("The endpoint was switched on."),
        ),
        "new_secret": Act(
            label=_("New secret"),
            rights=("orders.change_webhookendpoint",),
            icon="sync_lock",
            again=True,
            when=lambda endpoint: endpoint.deleted_at is None,
            title=_("Give the webhook endpoint a new secret"),
            text=_("It will be shown once, right after this. For a day the old one signs too."),
            button=_("New secret"),
            danger=False,
            do=lambda endpoint, _data, _by: endpoints.rotate_secret(endpoint.pk),
            done=_("The endpoint has a new secret."),
            after=lambda request, _endpoint, made: show_once(request, made[1]),
        ),
        "delete_endpoint": Act(
            label=_("Delete"),
            rights=("orders.delete_webhookendpoint",),
            icon="delete",
            colour=DANGER,
            again=True,
            when=lambda endpoint: endpoint.deleted_at is None,
            title=_("Delete the webhook endpoint"),
            text=_("Nothing more is sent to it, and it cannot be switched on again. What was told stays readable."),
            button=_("Delete"),
            do=lambda endpoint, _data, _by: endpoints.delete(endpoint.pk),
            done=_("The endpoint was deleted."),
        ),
    }

    def find(self, text: str) -> Q | None:
        return Q(public_id=text)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        return super().get_queryset(request).defer("sealed")

    def panels(self, endpoint: WebhookEndpoint) -> list[Panel]:
        headers = (_("Delivery"), _("Event"), _("State"), _("Attempts"), _("Written"), _("Next try"))
        rows = [
            (
                link(delivery, delivery.public_id),
                link(delivery.event, delivery.event.type),
                state_of(delivery),
                delivery.attempts,
                moment(delivery.created_at),
                moment(delivery.next_attempt_at),
            )
            for delivery in endpoint.deliveries.select_related("event")[: desk_limits.DELIVERIES_SHOWN]
        ]
        return [Panel(_("The latest deliveries"), headers, rows)]
