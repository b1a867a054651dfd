"""The desk's page of events, all in one list."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from friendpay.admin_kit.base import SupportAdmin, code, link, mode, moment
from friendpay.admin_kit.filters import ModeFilter
from orders.admin import timeline
from orders.models import Event


class TypeFilter(SimpleListFilter):
    """The types we have words for: reading them from the table would read all of it."""

    title = _("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(type, type) for type in sorted(timeline.SENTENCES)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(type=self.value()) if self.value() else queryset


@admin.register(Event)
class EventAdmin(SupportAdmin):
    """The audit log. It is written with each change and never touched again."""

    list_display = ("created", "who", "what", "amount", "order_link", "type", "mode")
    list_filter = (TypeFilter, ModeFilter, ("merchant", AutocompleteSelectFilter))
    ordering = ("-id",)
    search_fields = ("order__reference",)
    search_help_text = _("Order number or any id")
    fieldsets = (
        (None, {"fields": (("created", "who"), ("what", "amount"), ("type", "mode"))}),
        (_("About"), {"fields": (("order_link", "object_text"), ("request_text", "seq"), ("id_text", "sequence"))}),
        (_("Data"), {"fields": ("data",)}),
    )

    def find(self, text: str) -> Q | None:
        kind = text.partition("_")[0]
        return {
            "evt": Q(public_id=text),
            "pr": Q(request=text),
            "ord": Q(order__public_id=text),
            "pay": Q(object_id=text),
            "re": Q(object_id=text),
        }.get(kind, Q(order__reference=text))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return super().get_queryset(request).select_related("order")

    @admin.display(description=_("Time (UTC)"), ordering="id")
    def created(self, event: Event) -> Any:
        return moment(event.created_at)

    @admin.display(description=_("Who"))
    def who(self, event: Event) -> str:
        return timeline.who(event)

    @admin.display(description=_("What happened"))
    def what(self, event: Event) -> str:
        return timeline.sentence(event)

    @admin.display(description=_("Amount"))
    def amount(self, event: Event) -> SafeString | str:
        return timeline.how_much(event)

    @admin.display(description=_("Order"))
    def order_link(self, event: Event) -> SafeString | str:
        return link(event.order) if event.order else ""

    @admin.display(description=_("Mode"), ordering="live")
    def mode(self, event: Event) -> SafeString:
        return mode(event.live)

    @admin.display(description=_("Id"))
    def id_text(self, event: Event) -> SafeString:
        return code(event.public_id)

    @admin.display(description=_("Object"))
    def object_text(self, event: Event) -> SafeString:
        return code(event.object_id)

    @admin.display(description=_("Payment request"))
    def request_text(self, event: Event) -> SafeString:
        return code(event.request)
