"""Filters of the desk's lists with fixed choices: none reads a table to find out what there is to choose."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from friendpay.admin_kit.scope import is_one_shop

Words = str | Promise
Rows = Q | Callable[[], Q]


class ShopFilter(AutocompleteSelectFilter):
    """By shop: it offers, and names, those of whoever looks. Who works for one has nothing to choose."""

    def has_output(self) -> bool:
        shops = self.model_admin.admin_site.shops_of(self.request.user)
        return not is_one_shop(shops) and bool(super().has_output())

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            shops = self.field.remote_field.model
            page = self.model_admin.admin_site.get_model_admin(shops)
            choice["form"].fields[self.lookup_kwarg].queryset = page.mine(self.request, shops.objects.all())
            yield choice


class _ChoiceFilter(SimpleListFilter):
    offered: Mapping[str, tuple[Words, Rows]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(value, words) for value, (words, _rows) in self.offered.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if (value := self.value() or "") not in self.offered:
            return queryset
        _words, rows = self.offered[value]
        return queryset.filter(rows() if callable(rows) else rows)


class _ValueFilter(SimpleListFilter):
    column: str
    offered: Callable[[], Mapping[str, Words]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.offered().items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


def choice(title: Promise, name: str, offered: Mapping[str, tuple[Words, Rows]]) -> type[SimpleListFilter]:
    """Choices, each with its words and the rows it stands for (a function, where that depends on the time). What is no
    choice filters nothing.
    """
    return type("ChoiceFilter", (_ChoiceFilter,), {"title": title, "parameter_name": name, "offered": offered})


def value(title: Promise, name: str, column: str, offered: Callable[[], Mapping[str, Words]]) -> type[SimpleListFilter]:
    """The values of a column, asked for each time. One that is not offered is looked for all the same."""
    attributes = {"title": title, "parameter_name": name, "column": column, "offered": staticmethod(offered)}
    return type("ValueFilter", (_ValueFilter,), attributes)


def mode(path: str = "live") -> type[SimpleListFilter]:
    """Real money or play money; rows that do not say so themselves belong to what does."""
    return choice(_("mode"), "mode", {"live": (_("live"), Q(**{path: True})), "test": (_("test"), Q(**{path: False}))})
