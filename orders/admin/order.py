"""The desk's page of orders, as support reads it."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from friendpay.admin_kit.base import KINDS, Panel, SupportAdmin, badge, code, link, minute, mode, moment, money
from friendpay.admin_kit.filters import ModeFilter
from orders.admin import timeline
from orders.models import Order


@admin.register(Order)
class OrderAdmin(SupportAdmin):
    """Orders. What is asked and paid for them is added by the payments' own pages."""

    list_display = ("reference", "status_badge", "buyer_name", "total_text", "paid_text", "merchant", "mode", "created")
    list_filter = ("status", ModeFilter, ("merchant", AutocompleteSelectFilter))
    search_fields = ("reference", "buyer_name", "buyer_id")
    search_help_text = _("Order number, buyer's name or id, link, code or any reference")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("reference", "status_badge", "mode"),
                    ("total_text", "paid_text", "refunded_text"),
                    ("buyer_name", "buyer_id", "shop"),
                    ("created", "expires", "paid", "cancelled", "expired"),
                    ("id_text", "return_url"),
                )
            },
        ),
    )

    def find(self, text: str) -> Q | None:
        return Q(reference=text) | Q(public_id=text)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).select_related("merchant")

    def panels(self, order: Order) -> list[Panel]:
        lines = [
            (line.name, line.quantity, money(line.unit_amount, order.currency), money(line.amount, order.currency))
            for line in order.lines.all()
        ]
        goods = Panel(_("Goods"), (_("Name"), _("Quantity"), _("Each"), _("Together")), lines)
        return [goods, timeline.timeline(order.events.all())]

    @admin.display(description=_("Status"), ordering="status")
    def status_badge(self, order: Order) -> SafeString:
        text = _("paid elsewhere") if order.paid_elsewhere else order.get_status_display()
        return badge(text, KINDS.get(order.status, ""))

    @admin.display(description=_("Mode"), ordering="live")
    def mode(self, order: Order) -> SafeString:
        return mode(order.live)

    @admin.display(description=_("Amount"), ordering="amount")
    def total_text(self, order: Order) -> SafeString:
        return money(order.amount, order.currency)

    @admin.display(description=_("Paid here"), ordering="amount_paid")
    def paid_text(self, order: Order) -> SafeString:
        return money(order.amount_paid, order.currency)

    @admin.display(description=_("Refunded by the shop"))
    def refunded_text(self, order: Order) -> SafeString:
        return money(order.amount_refunded, order.currency)

    @admin.display(description=_("Shop"))
    def shop(self, order: Order) -> SafeString:
        return link(order.merchant)

    @admin.display(description=_("Id"))
    def id_text(self, order: Order) -> SafeString:
        return code(order.public_id)

    @admin.display(description=_("Created (UTC)"), ordering="id")
    def created(self, order: Order) -> Any:
        return minute(order.created_at)

    @admin.display(description=_("Ends (UTC)"))
    def expires(self, order: Order) -> Any:
        return moment(order.expires_at)

    @admin.display(description=_("Paid (UTC)"))
    def paid(self, order: Order) -> Any:
        return moment(order.paid_at)

    @admin.display(description=_("Cancelled (UTC)"))
    def cancelled(self, order: Order) -> Any:
        return moment(order.cancelled_at)

    @admin.display(description=_("Expired (UTC)"))
    def expired(self, order: Order) -> Any:
        return moment(order.expired_at)
