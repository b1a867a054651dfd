"""A form's field as a page draws it. A form that nobody has sent yet is made once in each language."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

from django.conf import settings
from django.forms import BoundField, Form
from django.utils.translation import get_language


@dataclass(frozen=True)
class Field:
    """One input with its label and what is wrong with it. `attrs` are the input's own."""

    id: str
    label: str
    value: str
    is_long: bool  # of several lines
    attrs: tuple[tuple[str, str], ...]
    errors: tuple[str, ...] = ()

    @classmethod
    def of(cls, bound: BoundField) -> Self:
        widget = bound.field.widget
        drawn = widget.get_context(bound.html_name, bound.value(), bound.build_widget_attrs({}, widget))["widget"]
        attrs = {"name": drawn["name"], "id": bound.auto_id, **drawn["attrs"]}
        if "type" in drawn:
            attrs = {"type": drawn["type"], **attrs}
        return cls(
            id=bound.auto_id,
            label=str(bound.label),
            value="" if drawn["value"] is None else str(drawn["value"]),
            is_long="type" not in drawn,
            attrs=tuple((name, "" if it is True else str(it)) for name, it in attrs.items() if it is not False),
            errors=tuple(str(error) for error in bound.errors),
        )

    def holding(self, value: str) -> Self:
        return replace(self, value=value) if value else self

    def typed(self) -> Self:
        """As the person typed it: that goes along whenever the page is drawn anew."""
        return replace(self, attrs=(*self.attrs, ("data-typed", "")))


def field(form: Form, name: str) -> Field:
    """A field of a form that was sent."""
    return Field.of(form[name])


def empty(kind: type[Form], name: str) -> Field:
    """The same of a form that nobody has sent."""
    return _empty(kind, name, get_language() or settings.LANGUAGE_CODE)


def shown(sent: Form | None, kind: type[Form], name: str, value: str = "") -> Field:
    """A field of the form that was `sent`, if it is of this kind; else of an empty one, with a `value` in it."""
    return field(sent, name) if isinstance(sent, kind) else empty(kind, name).holding(value)


@lru_cache
def _empty(kind: type[Form], name: str, language: str) -> Field:
    return Field.of(kind()[name])
