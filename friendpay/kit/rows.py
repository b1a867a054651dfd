"""Whole rows within a row of another statement (to_jsonb), so that what a page shows is read by one, at one moment."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func, JSONField, Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from friendpay.kit import reads

AnyModel = TypeVar("AnyModel", bound=Model)


class _Row(Func):
    """The row that a queryset is of."""

    output_field = JSONField()

    def __init__(self) -> None:
        super().__init__("pk")

    def as_sql(  # type: ignore[override]  # of what Func may be given, nothing fits here
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str | int, ...]]:
        (key,) = self.get_source_expressions()
        return f"to_jsonb({compiler.quote_name_unless_alias(key.alias)})", ()


def rows(queryset: QuerySet[Any]) -> ArraySubquery:
    """The rows of a queryset that refers to the statement around it, for `annotate`."""
    return ArraySubquery(queryset.annotate(row=_Row()).values("row"))


def models(model: type[AnyModel], found: Iterable[dict[str, Any]]) -> list[AnyModel]:
    """What `rows` found, as they would be had they been asked for alone."""
    return [reads.told(model, row) for row in found]


def attach_one(instances: Iterable[Model], name: str, related: Iterable[Model]) -> None:
    """Let instances know the row that a foreign key of theirs names, as select_related does. Null stays null."""
    known = {row.pk: row for row in related}
    for instance in instances:
        if key := getattr(instance, f"{name}_id"):
            setattr(instance, name, known[key])


def attach(instance: Model, name: str, related: list[AnyModel]) -> None:
    """Let an instance know its related rows, as a prefetch does."""
    known = getattr(instance, name).all()
    known._result_cache, known._prefetch_done = related, True
    vars(instance).setdefault("_prefetched_objects_cache", {})[name] = known
