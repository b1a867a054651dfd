"""What every page of the support desk has in common: it reads, it links, and it says amounts and times the same way."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from inspect import isclass
from typing import Any

from django.contrib.admin import ShowFacets
from django.contrib.admin.checks import ModelAdminChecks
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from friendpay.kit.templatetags.money import amount

Cell = Any  # what a template can show: text, or markup that is safe already

KINDS = {
    "open": "info",
    "awaiting_payment": "info",
    "created": "info",
    "pending": "info",
    "requested": "info",
    "submitted": "info",
    "paid": "success",
    "succeeded": "success",
}
"""The colour of a status. Red is for what somebody must look at, and is said where it is so."""


def badge(text: object, kind: str = "") -> SafeString:
    """A small label: info, success, warning, danger, or plain."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": kind})


def mode(live: bool) -> SafeString:
    """Whether real money moves."""
    return badge(_("live"), "success") if live else badge(_("test"), "warning")


def money(minor: int, currency: str) -> SafeString:
    """An amount that no line break splits, in figures of equal width."""
    return format_html('<span class="desk-num">{}</span>', amount(minor, currency))


def moment(when: datetime | None, form: str = "%Y-%m-%d %H:%M:%S") -> SafeString | str:
    """A point in time, the same for everybody: support and a provider compare it with each other's logs."""
    if when is None:
        return ""
    utc = when.astimezone(UTC)
    return format_html('<time class="desk-num" title="{}">{}</time>', utc.isoformat(), utc.strftime(form))


def minute(when: datetime) -> SafeString | str:
    """The same for a list, where seconds are in the way."""
    return moment(when, "%Y-%m-%d %H:%M")


def address(thing: Model, page: str = "change") -> str:
    """The desk's page of a thing."""
    return reverse(f"admin:{thing._meta.app_label}_{thing._meta.model_name}_{page}", args=[thing.pk])


def link(thing: Model, text: object = "") -> SafeString:
    """To the page of a thing."""
    return format_html(
        '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', address(thing), text or thing
    )


def code(text: str) -> SafeString:
    """Something to copy: an id, a reference, an address."""
    return format_html('<code class="desk-code">{}</code>', text) if text else SafeString("")


@dataclass(frozen=True)
class Panel:
    """A table on a thing's page. One that `flows` is read as lines of text on a phone, not as cards."""

    title: object
    headers: Sequence[object]
    rows: Iterable[Sequence[Cell]]
    flows: bool = False

    @property
    def table(self) -> dict[str, Any]:
        return {"headers": self.headers, "rows": [list(row) for row in self.rows]}


def is_shown_filter(admin: "ModelAdmin", lookup: str) -> bool:
    """Whether a filter in an address is one that stands on the page.

    Django takes every lookup of a field of the row itself: with `token__regex` a reader of lists could find out what no
    page shows, sign by sign.
    """
    filters: list[Any] = [(entry,) if isinstance(entry, str) else entry for entry in admin.list_filter]
    if any(isclass(entry) and lookup == getattr(entry, "parameter_name", "") for entry in filters):
        return True
    names = [entry[0] for entry in filters if not isclass(entry)]
    return any(lookup in (name, *(f"{name}__{kind}" for kind in _FILTERS)) for name in names)


_FILTERS = ("exact", "in", "isnull", "id__exact")  # what the theme's filters put into an address


class PlainChangeList(ChangeList):
    """Counts once: a list without filters says how many it has, not "show all"."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count


class ShownFilters(ModelAdmin):
    """A list that is filtered by what stands on it alone. A filter that cannot be read is a 400."""

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        try:
            return super().get_changelist_instance(request)
        except IncorrectLookupParameters as error:
            raise BadRequest(gettext("This filter cannot be read.")) from error

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return is_shown_filter(self, lookup)


class SupportAdmin(ShownFilters):
    """A list and pages to read. Nothing is added, changed or deleted here; what support may do is a button of its own.

    `find` makes search exact first: a text that names something (an id, a reference, a link) shows that alone;
    otherwise its words are looked for in `search_fields`.
    """

    change_form_after_template = "orders/admin/panels.html"
    checks_class = ModelAdminChecks  # Unfold's own asks the database for permissions, before there is any
    compressed_fields = False  # labels stand above what they name: three fit in a row
    actions = None
    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # each would be a count of its own

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PlainChangeList

    def find(self, text: str) -> Q | None:
        """What the text names exactly, if it can name anything here."""
        return None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        exact = self.find(text) if text else None
        if exact is not None:
            found = queryset.filter(exact)
            if found.exists():
                return found, False
        return super().get_search_results(request, queryset, text)

    def panels(self, thing: Any) -> list[Panel]:
        """The tables below a thing's fields."""
        return []

    def can(self, action: str, thing: Any) -> bool:
        """Whether a button makes sense for this thing now. The use case decides in the end."""
        return True

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        actions = super().get_actions_detail(request, object_id)
        thing = self.get_object(request, str(object_id)) if actions else None
        return [action for action in actions if thing and self.can(action.method.original_function_name, thing)]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Model | None = None, **kwargs: Any
    ) -> HttpResponse:
        context["panels"] = self.panels(obj) if obj else []
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)
