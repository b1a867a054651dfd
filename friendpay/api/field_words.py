"""What a wrong field is told, in words: never a regular expression, nor the name of a type in our language."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from orders.api.fields import SHAPES

_WORDS = {
    "missing": _("This is required."),
    "extra_forbidden": _("There is no such field."),
    "string_too_long": _("At most %(max_length)s characters."),
    "string_too_short": _("At least %(min_length)s characters."),
    "too_long": _("At most %(max_length)s of them."),
    "too_short": _("At least %(min_length)s of them."),
    "greater_than_equal": _("At least %(ge)s."),
    "less_than_equal": _("At most %(le)s."),
    "string_type": _("Send a text."),
    "int_type": _("Send a whole number, without quotes."),
    "int_parsing": _("Send a whole number."),
    "bool_type": _("Send true or false, without quotes."),
    "list_type": _("Send a list."),
    "dict_type": _("Send an object."),
    "model_type": _("Send an object."),
    "model_attributes_type": _("Send an object."),
}
"""By what the checker calls a fault."""

_ID = _("Send an id of such a thing, as an answer of ours gave it.")


_THE_CHECKERS = ("Input should", "Field required", "Extra inputs", "String should", "List should", "Dictionary should")


def of(fault: dict[str, Any]) -> str:
    """The sentence for a fault that the checker found; a fault that a schema of ours raised has its own."""
    said, context = str(fault["msg"]), fault.get("ctx", {})
    if not said.startswith(_THE_CHECKERS):
        return said
    if "pattern" in context:
        return str(SHAPES.get(context["pattern"], _ID))
    words = _WORDS.get(fault["type"])
    return str(words) % context if words else said
