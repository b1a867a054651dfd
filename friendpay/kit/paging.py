"""Cursor pagination: a cursor is the id of an item, so nothing is skipped or repeated while others add to the list."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from friendpay.kit.errors import Refused

Row = TypeVar("Row", bound=Model)


def newest_first(rows: QuerySet[Row], *, after: str | None, before: str | None, limit: int) -> tuple[list[Row], bool]:
    """Up to `limit` rows after (older than) or before (newer than) those named, next to the named one; whether there
    are more.
    """
    wanted = rows
    if after:
        wanted = wanted.filter(pk__lt=place(rows, after, "after", "pk"))
    if before:
        wanted = wanted.filter(pk__gt=place(rows, before, "before", "pk"))
    if before and not after:
        found, more = cut(wanted.order_by("pk"), limit)
        return found[::-1], more
    return cut(wanted.order_by("-pk"), limit)


def cut(rows: QuerySet[Row], limit: int) -> tuple[list[Row], bool]:
    """The first `limit` rows, and whether there are more."""
    found = list(rows[: limit + 1])
    return found[:limit], len(found) > limit


def place(rows: QuerySet[Any], cursor: str, field: str, column: str) -> Any:
    """Where a cursor stands. One of somebody else is as unknown as one that never was."""
    value = rows.filter(public_id=cursor).values_list(column, flat=True).first()
    if value is None:
        raise Refused("unknown_cursor", _("This is not the id of an item of this list."), field=field, status=422)
    return value
