"""`?metadata[key]=value`: a filter of lists, once for each key."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from orders.api.fields import KEY

_NAMED = re.compile(rf"metadata\[({KEY.strip('^$')})\]")

DESCRIBED: dict[str, Any] = {
    "parameters": [
        {
            "in": "query",
            "name": "metadata",
            "style": "deepObject",
            "explode": True,
            "required": False,
            "schema": {
                "type": "object",
                "propertyNames": {"pattern": KEY},
                "additionalProperties": {"type": "string"},
            },
            "description": "Those with this in their metadata, such as `metadata[cart]=17`; once for each key.",
        }
    ]
}
"""For `openapi_extra` of a route that has the filter."""

Rows = TypeVar("Rows", bound="QuerySet[Any]")
View = TypeVar("View", bound=Callable[..., Any])


def allowed(view: View) -> View:
    """Mark a route that has the filter: elsewhere it is as unknown as any."""
    view.filters_metadata = True  # type: ignore[attr-defined]
    return view


def is_one(name: str) -> bool:
    """Whether a query parameter is such a filter."""
    return bool(_NAMED.fullmatch(name))


def filtered(rows: Rows, call: HttpRequest) -> Rows:
    """Those that have all that the call asks for."""
    wanted = {found[1]: value for name, value in call.GET.items() if (found := _NAMED.fullmatch(name))}
    if any("\0" in text for pair in wanted.items() for text in pair):  # which no JSON of PostgreSQL has
        return rows.none()
    return rows.filter(~Q(metadata={}), metadata__contains=wanted) if wanted else rows
