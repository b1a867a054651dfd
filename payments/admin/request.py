"""The desk's page of payment requests: where each stands, how it got there, and ending one."""

from typing import Any

from django.contrib import admin
from django.db.models import DateTimeField, Q, QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action
from unfold.enums import ActionVariant

from friendpay.admin_kit.again import password_again
from friendpay.admin_kit.base import Panel, SupportAdmin, code, link, minute, mode, moment, money
from friendpay.admin_kit.confirm import actor, confirm
from friendpay.admin_kit.filters import mode_by
from friendpay.kit import clock
from friendpay.kit.templatetags.times import digits
from orders.admin import timeline
from orders.models import Event
from payments.admin import parts, search
from payments.models import PaymentRequest, Refund
from payments.settlement import lifecycle
from payments.share import codes


@admin.register(PaymentRequest)
class PaymentRequestAdmin(SupportAdmin):
    """Every row carries `now`, so that none is shown as open past its time."""

    list_display = (
        "reference",
        "status_badge",
        "buyer",
        "total_text",
        "paid_text",
        "time_left",
        "merchant",
        "mode",
        "created",
    )
    list_filter = ("status", mode_by("order__live"), ("merchant", AutocompleteSelectFilter))
    search_fields = ("order__reference", "order__buyer_name", "order__buyer_id")
    search_help_text = _("Order number, buyer's name or id, link, code or any reference")
    actions_detail = ("cancel",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("status_badge", "mode", "time_left"),
                    ("total_text", "paid_text", "held_text"),
                    ("order_link", "buyer", "shop"),
                    ("code_text", "shared", "split"),
                    "message",
                    ("created", "expires", "ended"),
                    ("id_text", "seq"),
                )
            },
        ),
    )

    def find(self, text: str) -> Q | None:
        return search.find(text).as_requests()

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentRequest]:
        rows = super().get_queryset(request).select_related("order", "merchant")
        return rows.annotate(now=Value(clock.now(), DateTimeField()))

    def panels(self, payment_request: PaymentRequest) -> list[Panel]:
        return [
            timeline.timeline(Event.objects.filter(request=payment_request.public_id)),
            parts.payments_panel(payment_request.payments.all()),
            parts.refunds_panel(Refund.objects.filter(payment__request=payment_request)),
            *parts.reports_panels(payment_request.reports.all()),
        ]

    def can(self, action: str, payment_request: Any) -> bool:
        return bool(payment_request.status == PaymentRequest.Status.OPEN)

    @action(
        description=_("Cancel the request"),
        url_path="cancel",
        permissions=["payments.cancel_paymentrequest"],
        icon="block",
        variant=ActionVariant.DANGER,
    )
    @password_again
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        payment_request = self.get_object(request, object_id)
        if payment_request is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)

        def do(_data: dict[str, Any]) -> str:
            lifecycle.cancel_request(payment_request.pk, actor=actor(request))
            return gettext("The payment request for order %(order)s was cancelled.") % {
                "order": payment_request.order.reference
            }

        return confirm(
            self,
            request,
            payment_request,
            do,
            title=gettext("Cancel the payment request for order %(order)s")
            % {"order": payment_request.order.reference},
            text=gettext(
                "Nobody can pay it any more. What friends have given so far goes back to them, and so does money that "
                "still comes. The buyer can ask again."
            ),
            button=gettext("Cancel the request"),
        )

    @admin.display(description=_("Order"), ordering="order__reference")
    def reference(self, payment_request: Any) -> str:
        return str(payment_request.order.reference)

    @admin.display(description=_("Order"))
    def order_link(self, payment_request: Any) -> SafeString:
        return link(payment_request.order)

    @admin.display(description=_("Status"), ordering="status")
    def status_badge(self, payment_request: Any) -> SafeString:
        return parts.request_status(payment_request, payment_request.now)

    @admin.display(description=_("Mode"))
    def mode(self, payment_request: Any) -> SafeString:
        return mode(payment_request.order.live)

    @admin.display(description=_("Buyer"), ordering="order__buyer_name")
    def buyer(self, payment_request: Any) -> str:
        return (
            f"{payment_request.order.buyer_name} ({payment_request.order.buyer_id})"
            if payment_request.order.buyer_id
            else payment_request.order.buyer_name
        )

    @admin.display(description=_("Shop"))
    def shop(self, payment_request: Any) -> SafeString:
        return link(payment_request.merchant)

    @admin.display(description=_("Amount"), ordering="amount")
    def total_text(self, payment_request: Any) -> SafeString:
        return money(payment_request.amount, payment_request.currency)

    @admin.display(description=_("Paid"), ordering="amount_paid")
    def paid_text(self, payment_request: Any) -> SafeString:
        return money(payment_request.amount_paid, payment_request.currency)

    @admin.display(description=_("On its way"))
    def held_text(self, payment_request: Any) -> SafeString:
        return money(payment_request.amount_held, payment_request.currency)

    @admin.display(description=_("Time left"), ordering="expires_at")
    def time_left(self, payment_request: Any) -> str:
        if payment_request.status_at(payment_request.now) != PaymentRequest.Status.OPEN:
            return ""
        return digits(int((payment_request.expires_at - payment_request.now).total_seconds()))

    @admin.display(description=_("Share code"))
    def code_text(self, payment_request: Any) -> SafeString:
        return code(codes.shown(payment_request))

    @admin.display(description=_("Asked a friend (UTC)"))
    def shared(self, payment_request: Any) -> Any:
        return moment(payment_request.shared_at) or gettext("no, the buyer pays herself")

    @admin.display(description=_("Paying together"))
    def split(self, payment_request: Any) -> str:
        if payment_request.split_max_payers is None:
            return gettext("one friend pays all of it")
        least = money(payment_request.split_min_amount, payment_request.currency)
        return gettext("up to %(count)s friends, each at least %(least)s") % {
            "count": payment_request.split_max_payers,
            "least": least,
        }

    @admin.display(description=_("Id"))
    def id_text(self, payment_request: Any) -> SafeString:
        return code(payment_request.public_id)

    @admin.display(description=_("Created (UTC)"), ordering="id")
    def created(self, payment_request: Any) -> Any:
        return minute(payment_request.created_at)

    @admin.display(description=_("Time is over (UTC)"))
    def expires(self, payment_request: Any) -> Any:
        return moment(payment_request.expires_at)

    @admin.display(description=_("Ended (UTC)"))
    def ended(self, payment_request: Any) -> Any:
        return moment(payment_request.paid_at or payment_request.closed_at)
