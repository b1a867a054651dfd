"""Filters by wallet."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from payments.offers.weighing import LABELS
from payments.wallets import registry as providers


class MethodFilter(SimpleListFilter):
    title = _("wallet")
    parameter_name = "method"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(LABELS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(method=self.value()) if self.value() else queryset


class ProviderFilter(SimpleListFilter):
    """By provider; rows that are no accounts themselves are filtered by theirs."""

    title = _("provider")
    parameter_name = "provider"
    provider_path = "account__provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, _(providers.get(name).label)) for name in providers.NAMES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.provider_path: self.value()}) if self.value() else queryset


class AccountProviderFilter(ProviderFilter):
    provider_path = "provider"


class PausedFilter(SimpleListFilter):
    title = _("answers")
    parameter_name = "paused"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("does not answer"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.exclude(paused_until=None) if self.value() == "yes" else queryset
