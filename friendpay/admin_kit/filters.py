"""Filters of the desk's lists with fixed choices: none reads a table to find out what there is to choose."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class ModeFilter(SimpleListFilter):
    """Real money or play money. A page whose rows do not say so themselves names in `live_path` what does."""

    title = _("mode")
    parameter_name = "mode"
    live_path = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("live", _("live")), ("test", _("test"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("live", "test"):
            return queryset
        return queryset.filter(**{self.live_path: self.value() == "live"})


def mode_by(path: str) -> type[ModeFilter]:
    """The mode filter for rows that belong to what knows it."""
    return type("ModeFilter", (ModeFilter,), {"live_path": path})
