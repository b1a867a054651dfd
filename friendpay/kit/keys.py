"""Thousands of primary keys in one statement."""

from collections.abc import Iterable

from django.db.models.expressions import RawSQL


def among(keys: Iterable[int]) -> RawSQL:
    """For `pk__in`: all of them as one parameter, not a parameter each."""
    return RawSQL("SELECT unnest(%s::bigint[])", [list(keys)])
