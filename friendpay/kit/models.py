"""What our models have in common: a row that was read becomes an object at a quarter of what Django's own way costs,
and a new one is made without its signals, too.
"""

from collections.abc import Callable, Collection
from functools import cache
from typing import Any, NamedTuple, Self

from django.db import models
from django.db.models.base import ModelState
from django.db.models.fields.related import ForeignKey


class _Blank(NamedTuple):
    """A model's new row before anything is said of it."""

    names: frozenset[str]  # of its fields, and of the attributes in which it keeps them
    attributes: frozenset[str]
    parents: dict[str, str]  # where it keeps the key of what it belongs to, by the name of that
    values: dict[str, Any]
    made: list[tuple[str, Callable[[], Any]]]  # anew for each row


@cache
def _blank(model: type[models.Model]) -> _Blank:
    fields = model._meta.concrete_fields
    made = [(field.attname, field.default) for field in fields if field.has_default() and callable(field.default)]
    each = {name for name, _make in made}
    values = {field.attname: field.get_default() for field in fields if field.attname not in each}
    attributes = frozenset(field.attname for field in fields)
    parents = {
        field.name: field.attname
        for field in fields
        if type(field) is ForeignKey and field.target_field.primary_key  # one to one is kept on both sides
    }
    return _Blank(attributes | {field.name for field in fields}, attributes, parents, values, made)


class Row(models.Model):
    """Made without Django's signals, which nothing here listens to."""

    class Meta:
        abstract = True

    def __init__(self, *args: Any, **values: Any) -> None:
        """As Django's, which is asked where not only fields are named."""
        blank = _blank(type(self))
        if args or not blank.names.issuperset(values):
            super().__init__(*args, **values)
            return
        kept = vars(self)
        kept["_state"] = state = ModelState()
        kept |= blank.values
        kept |= {name: make() for name, make in blank.made if name not in values}
        for name, value in values.items():
            if name in blank.attributes:
                kept[name] = value
            elif value is not None and name in blank.parents:
                kept[blank.parents[name]] = value.pk
                state.fields_cache[name] = value
            else:
                setattr(self, name, value)

    @classmethod
    def from_db(  # type: ignore[override]  # the types are of a Django to come, which has a way to fetch besides
        cls, db: str | None, field_names: Collection[str], values: Collection[Any]
    ) -> Self:
        """A field that was not read is read when it is asked for, as ever; none needs to know what it was read as."""
        row = cls.__new__(cls)
        state = ModelState()
        state.adding, state.db = False, db
        vars(row).update(zip(field_names, values, strict=True), _state=state)
        return row
