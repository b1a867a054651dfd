"""What of some rows belongs to some shops. Which shops somebody works for is known above: `Desk.shops_of`."""

from typing import Any

from django.db.models import QuerySet

Shops = frozenset[int] | None
"""The shops somebody works for, by id; None for all there are."""


def is_one_shop(shops: Shops) -> bool:
    """Whether there is nothing to choose among them, nor any other to tell theirs from."""
    return shops is not None and len(shops) == 1


def within(rows: QuerySet[Any], way: str | None, shops: Shops) -> QuerySet[Any]:
    """The rows of these shops, which `way` leads to from a row; none where no way does."""
    if shops is None:
        return rows
    return rows.none() if way is None else rows.filter(**{f"{way}__in": shops})
