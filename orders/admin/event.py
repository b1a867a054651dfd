"""The desk's page of events, all in one list."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from friendpay.admin_kit import filters
from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import code, link, moment
from friendpay.admin_kit.columns import ID, MODE, Column
from orders.admin import timeline
from orders.models import Event

BY_TYPE = filters.value(_("type"), "type", "type", lambda: {type: type for type in sorted(timeline.SENTENCES)})
"""The types we have words for: reading them from the table would read all of it."""


@admin.register(Event)
class EventAdmin(SupportAdmin[Event]):
    """The audit log. It is written with each change and never touched again."""

    of_shop = "merchant"
    list_display = ("created", "who", "what", "amount", "order_link", "type", "mode")
    list_filter = (BY_TYPE, filters.mode(), ("merchant", filters.ShopFilter))
    ordering = ("-id",)
    search_fields = ("=order__reference",)
    search_help_text = _("Order number or any id")
    fieldsets = (
        (None, {"fields": (("created", "who"), ("what", "amount"), ("type", "mode"))}),
        (_("About"), {"fields": (("order_link", "object_text"), ("request_text", "seq"), ("id_text", "sequence"))}),
        (_("Data"), {"fields": ("data",)}),
    )
    columns = {
        "created": Column(_("Time"), lambda event: moment(event.created_at), "id"),
        "who": Column(_("Who"), timeline.who),
        "what": Column(_("What happened"), timeline.sentence),
        "amount": Column(_("Amount"), timeline.how_much),
        "order_link": Column(_("Order"), lambda event: link(event.order) if event.order else ""),
        "mode": MODE,
        "id_text": ID,
        "object_text": Column(_("Object"), lambda event: code(event.object_id)),
        "request_text": Column(_("Payment request"), lambda event: code(event.request)),
    }

    def find(self, text: str) -> Q | None:
        kind = text.partition("_")[0]
        return {
            "evt": Q(public_id=text),
            "pr": Q(request=text),
            "ord": Q(order__public_id=text),
            "pay": Q(object_id=text),
            "re": Q(object_id=text),
        }.get(kind, Q(order__reference__iexact=text))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return super().get_queryset(request).select_related("order")
