"""The desk's page of orders, as support reads it."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from friendpay.admin_kit import filters
from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import KINDS, Cell, Panel, badge, code, link, moment, money
from friendpay.admin_kit.columns import ID, MODE, Column
from friendpay.kit import quantities
from orders.admin import timeline
from orders.models import Adjustment, AdjustmentKind, Order, OrderLine


def status(order: Order) -> SafeString:
    """As lists show it."""
    text = _("paid elsewhere") if order.paid_elsewhere else order.get_status_display()
    return badge(text, KINDS.get(order.status, ""))


def _kind(adjustment: Adjustment) -> str:
    kind = AdjustmentKind(adjustment.kind).label
    return f"{kind} ({_('included')})" if adjustment.included else str(kind)


def _named(line: OrderLine) -> SafeString | str:
    """Its name beside its picture, or beside what became of that."""
    if line.picture is None:
        return line.name
    if line.picture.path:
        return format_html(
            '<img class="desk-goods" src="{}" alt="" width="64" height="48">{}', line.picture.path, line.name
        )
    told = badge(f"{line.picture.get_status_display()} {line.picture.reason}".strip())
    return format_html("{} {} {}", line.name, told, code(line.image_url))


@admin.register(Order)
class OrderAdmin(SupportAdmin[Order]):
    """Orders. What is asked and paid for them is added by the payments' own pages."""

    of_shop = "merchant"
    list_display = ("reference", "status_badge", "buyer_name", "total_text", "paid_text", "merchant", "mode", "created")
    list_filter = ("status", filters.mode(), ("merchant", filters.ShopFilter))
    sortable_by = ("created",)
    search_fields = ("=reference",)
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
                    ("id_text", "return_url", "note"),
                )
            },
        ),
    )

    columns = {
        "status_badge": Column(_("Status"), status, "status"),
        "mode": MODE,
        "total_text": Column(_("Amount"), lambda order: money(order.amount, order.currency), "amount"),
        "paid_text": Column(_("Paid here"), lambda order: money(order.amount_paid, order.currency), "amount_paid"),
        "refunded_text": Column(_("Refunded by the shop"), lambda order: money(order.amount_refunded, order.currency)),
        "shop": Column(_("Shop"), lambda order: link(order.merchant)),
        "id_text": ID,
        "note": Column(_("Note"), lambda order: order.paid_elsewhere_note),
        "created": Column(_("Created"), lambda order: moment(order.created_at), "id"),
        "expires": Column(_("Ends"), lambda order: moment(order.expires_at)),
        "paid": Column(_("Paid"), lambda order: moment(order.paid_at)),
        "cancelled": Column(_("Cancelled"), lambda order: moment(order.cancelled_at)),
        "expired": Column(_("Expired"), lambda order: moment(order.expired_at)),
    }

    def find(self, text: str) -> Q | None:
        return Q(reference=text) | Q(public_id=text)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).select_related("merchant")

    def panels(self, order: Order) -> list[Panel]:
        lines: list[tuple[Cell, ...]] = [
            (
                _named(line),
                f"{quantities.number(line.quantity)} {line.unit}".strip(),
                "" if line.unit_amount is None else money(line.unit_amount, order.currency),
                money(line.amount, order.currency),
            )
            for line in order.lines.select_related("picture")
        ]
        if order.adjusted:
            total = (_("Total"), "", "", money(order.amount, order.currency))
            rows = [(it.included, (it.name, _kind(it), "", money(it.amount, order.currency))) for it in order.adjusted]
            lines += [*(row for inside, row in rows if not inside), total, *(row for inside, row in rows if inside)]
        goods = Panel(_("Goods"), (_("Name"), _("Quantity"), _("Each"), _("Together")), lines)
        return [goods, timeline.timeline(order.events.all())]
