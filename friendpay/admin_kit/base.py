"""What every page of the support desk has in common: it shows what is of one's own shops, it reads, it finds, and what
may be done is declared.
"""

import json
from collections.abc import Callable
from inspect import isclass
from typing import Any, Generic, cast

from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.contrib.admin.checks import ModelAdminChecks
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.paginator import Paginator
from django.db.models import ForeignKey, ManyToManyField, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from friendpay.admin_kit import reasons
from friendpay.admin_kit.acts import Act, Thing, view_of
from friendpay.admin_kit.cells import Panel
from friendpay.admin_kit.columns import Column
from friendpay.admin_kit.scope import Shops, within
from friendpay.kit import desk_limits


def is_shown_filter(admin: "ModelAdmin", lookup: str) -> bool:
    """Whether a filter in an address is one that stands on the page.

    Django takes every lookup of a field of the row itself: with `token__regex` a reader of lists could find out what no
    page shows, character by character.
    """
    filters: list[Any] = [(entry,) if isinstance(entry, str) else entry for entry in admin.list_filter]
    if any(isclass(entry) and lookup == getattr(entry, "parameter_name", "") for entry in filters):
        return True
    names = [entry[0] for entry in filters if not isclass(entry)]
    return any(lookup in (name, *(f"{name}__{kind}" for kind in _FILTERS)) for name in names)


_FILTERS = ("exact", "in", "isnull", "id__exact")  # what the theme's filters put into an address


WATCHERS: list[Callable[[HttpRequest, Model], None]] = []
"""Told of each thing whose page somebody opened. Whoever keeps a record of that adds itself."""


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts so far and no further: how many there are of a million is worth no second, and nobody turns to their last
    page.
    """

    template_name = "orders/admin/pagination.html"

    @cached_property
    def count(self) -> int:
        listed = cast(QuerySet[Any], self.object_list)
        rows = listed.order_by()[: desk_limits.ROWS_COUNTED + 1]
        return rows.count()

    @property
    def is_more(self) -> bool:
        return self.count > desk_limits.ROWS_COUNTED


class PlainChangeList(ChangeList):
    """Counts once: a list without filters says how many it has, not "show all"; so does one too long to be counted."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if (not self.query and not self.has_active_filters) or self.paginator.is_more:
            self.full_result_count = self.result_count


class Scoped(ModelAdmin):
    """Pages about rows that belong to a shop: who works for some shops sees theirs alone, in every list, search,
    choice, link and action, and writes into no other.

    A page that names no way to the shop is closed to them. Every page of the desk stands on this.
    """

    of_shop: str | None = None
    """From a row to its shop, as a filter says it: "merchant", "payment__merchant"."""

    def shops(self, request: HttpRequest) -> Shops:
        found: Shops = self.admin_site.shops_of(request.user)
        return found

    def is_closed(self, request: HttpRequest) -> bool:
        return self.of_shop is None and self.shops(request) is not None

    def has_module_permission(self, request: HttpRequest) -> bool:
        return not self.is_closed(request) and bool(super().has_module_permission(request))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not self.is_closed(request) and bool(super().has_view_permission(request, obj))

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return not self.is_closed(request) and bool(super().has_add_permission(request, *args))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not self.is_closed(request) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not self.is_closed(request) and bool(super().has_delete_permission(request, obj))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.mine(request, super().get_queryset(request))

    def mine(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the rows that whoever asks may see."""
        return within(rows, self.of_shop, self.shops(request))

    def get_field_queryset(
        self, db: str | None, db_field: "ForeignKey[Any, Any] | ManyToManyField[Any, Any]", request: HttpRequest
    ) -> QuerySet[Any] | None:
        """What a form's field offers, and takes: rows of one's own shops."""
        offered: QuerySet[Any] | None = super().get_field_queryset(db, db_field, request)
        related = db_field.remote_field.model
        if self.shops(request) is None:
            return offered
        rows = related._default_manager.all() if offered is None else offered
        page = self.admin_site._registry.get(related)
        return page.mine(request, rows) if page else rows.none()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Whoever saves something says why."""
        form = super().get_form(request, obj, change=change, **kwargs)
        saves = self.has_change_permission(request, obj) if change else self.has_add_permission(request)
        is_draft = kwargs.get("fields", ()) is None  # Django looks which fields there are, and makes the form after
        return reasons.asked_by(form) if saves and not is_draft else form

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        changes = super().construct_change_message(request, form, formsets, add)
        said = LogEntry(change_message=json.dumps(changes)).get_change_message()
        return reasons.told(said, form.cleaned_data)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        shown = context["adminform"]
        if reasons.WHY in shown.form.fields:
            shown.fieldsets = [*shown.fieldsets, (gettext("Reason"), {"fields": ((reasons.WHY, reasons.WORDS),)})]
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Whatever a form holds: what it saved is of one's own shop, or was not saved."""
        super().save_model(request, obj, form, change)
        if self.shops(request) is not None and not self.get_queryset(request).filter(pk=obj.pk).exists():
            raise PermissionDenied


def mine(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Those of the rows that whoever asks may see, as the desk's page of such rows says."""
    page: Any = admin.site.get_model_admin(rows.model)
    found: QuerySet[Any] = page.mine(request, rows)
    return found


class ShownFilters(Scoped):
    """A list that is filtered by what stands on it alone. A filter that cannot be read is a 400."""

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        try:
            return super().get_changelist_instance(request)
        except IncorrectLookupParameters as error:
            raise BadRequest(gettext("This filter cannot be read.")) from error

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return is_shown_filter(self, lookup)


class Declared(ModelAdmin, Generic[Thing]):
    """A page whose columns and actions are tables: `columns` by the names that lists and fieldsets use, `acts` by the
    name in their address. What is declared here is enforced by `acts.view_of` alone.
    """

    checks_class = ModelAdminChecks  # Unfold's own asks the database for permissions, before there is any
    columns: dict[str, Column[Thing]] = {}
    acts: dict[str, Act[Thing]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, column in vars(cls).get("columns", {}).items():
            setattr(cls, name, column)
        acts = vars(cls).get("acts", {})
        for name, act in acts.items():
            setattr(cls, name, view_of(name, act))
        if acts:
            cls.actions_detail = (*vars(cls).get("actions_detail", ()), *acts)

    def facts(self, thing: Thing) -> dict[str, Any]:
        """What the sentences of the actions name of a thing."""
        return {}

    def to_act_on(self, request: HttpRequest, object_id: str) -> Thing | None:
        """The thing that somebody wants to do something with; None where there is none, or none for them."""
        found: Thing | None = self.get_object(request, object_id)
        return found

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        buttons = super().get_actions_detail(request, object_id)
        thing = self.get_object(request, str(object_id)) if buttons else None
        return [button for button in buttons if thing and self._makes_sense(button, thing)]

    def _makes_sense(self, button: Any, thing: Thing) -> bool:
        act = self.acts.get(button.method.original_function_name)
        return act is None or act.when(thing)


class SupportAdmin(ShownFilters, Declared[Thing]):
    """A list and pages to read. Nothing is added, changed or deleted here; what support may do is an act.

    `find` makes search exact first: a text that names something (an id, a reference, a link) shows that alone;
    otherwise its words are looked for in `search_fields`.
    """

    change_form_after_template = "orders/admin/panels.html"
    compressed_fields = False  # labels stand above what they name: three fit in a row
    actions = None
    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator
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

    def find_all(self, request: HttpRequest, text: str) -> Q | None:
        """Whatever the text names or speaks of, where one search knows all of it; nothing else is tried then."""
        return None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        if text and (known := self.find_all(request, text)) is not None:
            return queryset.filter(known), False
        exact = self.find(text) if text else None
        if exact is not None:
            found = queryset.filter(exact)
            if found.exists():
                return found, False
        return super().get_search_results(request, queryset, text)

    def panels(self, thing: Thing) -> list[Panel]:
        """The tables below a thing's fields."""
        return []

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Thing | None = None, **kwargs: Any
    ) -> HttpResponse:
        if obj:
            for watcher in WATCHERS:
                watcher(request, obj)
        context["panels"] = self.panels(obj) if obj else []
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)
