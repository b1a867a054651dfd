"""The API's description as a page shows it: what each call takes and gives, in plain rows."""

import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

Schema = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """A field or a parameter."""

    name: str
    kind: str
    required: bool
    text: SafeString


@dataclass(frozen=True)
class Operation:
    """A call."""

    id: str
    method: str
    address: str
    summary: str
    text: SafeString
    parameters: list[Row]
    takes: list[Row]
    example: str
    status: str
    gives: str
    problems: list[str]


@dataclass(frozen=True)
class Section:
    """Calls about one kind of thing."""

    name: str
    operations: list[Operation] = field(default_factory=list)


def contents(description: Schema) -> dict[str, Any]:
    """What `api/manual.html` is given."""
    sections: dict[str, Section] = {}
    for address, methods in description["paths"].items():
        for method, operation in methods.items():
            name = operation["tags"][0]
            section = sections.setdefault(name, Section(name))
            section.operations.append(_operation(description, address, method, operation))
    schemas = description["components"]["schemas"]
    things = [
        {
            "name": name,
            "text": _marked(schema.get("description", "")),
            "rows": _rows(description, schema),
            "example": _example(schema),
        }
        for name, schema in sorted(schemas.items())
        if not name.endswith("In") and "properties" in schema
    ]
    return {
        "info": description["info"],
        "introduction": _marked(description["info"]["description"]),
        "server": description["servers"][0]["url"],
        "sections": list(sections.values()),
        "things": things,
    }


def _operation(description: Schema, address: str, method: str, operation: Schema) -> Operation:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    taken = _resolved(description, body)
    status, said = next(iter(operation["responses"].items()))
    given = said.get("content", {}).get("application/json", {}).get("schema")
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        address=address,
        summary=operation["summary"],
        text=_marked(operation["description"]),
        parameters=[_parameter(_resolved(description, parameter)) for parameter in operation["parameters"]],
        takes=_rows(description, taken),
        example=_example(taken),
        status=f"{status} {HTTPStatus(int(status)).phrase}",
        gives=_kind(description, given) if given else "",
        problems=[status for status in operation["responses"] if status >= "400"],
    )


def _marked(text: str) -> SafeString:
    """What stands between backticks, as code."""
    return mark_safe(re.sub("`([^`]+)`", r"<code>\1</code>", escape(text)))


def _example(schema: Schema) -> str:
    return "\n".join(json.dumps(example, indent=2, ensure_ascii=False) for example in schema.get("examples", ()))


def _parameter(parameter: Schema) -> Row:
    kind = f"{_kind({}, parameter['schema'])}, in the {parameter['in']}"
    return Row(parameter["name"], kind, parameter["required"], _marked(parameter.get("description", "")))


_SHOWN_WITHIN = ("LineOut", "ImageOut", "BuyerOut", "SplitOut")


def _rows(description: Schema, schema: Schema, before: str = "") -> list[Row]:
    """The fields of an object; of what it takes apart, the fields within."""
    rows = []
    for name, details in schema.get("properties", {}).items():
        required = name in schema.get("required", ())
        kind, text = _kind(description, details), _marked(details.get("description", ""))
        rows.append(Row(f"{before}{name}", kind, required, text))
        inner, mark = _inner(description, details)
        if inner.get("title", "").endswith("In") or inner.get("title") in _SHOWN_WITHIN:
            rows += _rows(description, inner, f"{before}{name}{mark}.")
    return rows


def _inner(description: Schema, details: Schema) -> tuple[Schema, str]:
    """The object a field holds, if it does, and how its fields are named."""
    for choice in details.get("anyOf") or details.get("allOf") or [details]:
        if choice.get("type") == "array":
            return _resolved(description, choice["items"]), "[]"
        if "$ref" in choice:
            return _resolved(description, choice), ""
    return {}, ""


def _resolved(description: Schema, schema: Schema) -> Schema:
    target: Any = schema
    if "$ref" in schema:
        target = description
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
    return dict(target)


def _kind(description: Schema, details: Schema) -> str:
    """The type of a value, in a few words."""
    if choices := details.get("anyOf") or details.get("allOf"):
        return " or ".join(_kind(description, choice) for choice in choices)
    if "$ref" in details:
        return str(details["$ref"].rpartition("/")[2])
    if values := details.get("enum"):
        return "one of " + ", ".join(values) if len(values) < 12 else "text, a code"
    if details.get("type") == "array":
        return f"list of {_kind(description, details['items'])}"
    kind = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "object"}
    words = [kind.get(details.get("type", ""), str(details.get("type", "anything")))]
    if details.get("format") == "date-time":
        words = ["time"]
    if "maxLength" in details:
        words.append(f"up to {details['maxLength']} characters")
    if "minimum" in details and "maximum" in details:
        words.append(f"{details['minimum']} to {details['maximum']}")
    return ", ".join(words)
