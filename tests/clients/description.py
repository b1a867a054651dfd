"""The API's description, as the clients are made of it: objects, operations, events."""

from dataclasses import dataclass, field
from typing import Any

ENUM_LONGEST = 60  # longer ones, such as currencies, are plain text

Schema = dict[str, Any]


@dataclass
class Operation:
    """One call of the API. `page` names what it lists, `answers` what it gives otherwise, None for nothing."""

    name: str
    method: str
    path: str
    summary: str
    place: list[str]
    query: list[Schema]
    body: Schema | None
    body_name: str
    answers: list[str]
    page: str


@dataclass
class Description:
    """What the clients are made of."""

    schemas: dict[str, Schema]
    operations: list[Operation]
    events: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Schema) -> "Description":
        schemas = document["components"]["schemas"]
        operations = [
            _operation(document, path, method, told)
            for path, methods in document["paths"].items()
            for method, told in methods.items()
        ]
        events = {}
        for name, told in document.get("webhooks", {}).items():
            within = told["post"]["requestBody"]["content"]["application/json"]["schema"]["allOf"][1]
            events[name] = name_of(refs(within["properties"]["data"])[0])
        kept = {
            name_of(name): it for name, it in sorted(schemas.items()) if not name.endswith("Page") and name != "Nothing"
        }
        return cls(kept, operations, events)


def _operation(document: Schema, path: str, method: str, told: Schema) -> Operation:
    parameters = [_resolved(document, parameter) for parameter in told.get("parameters", [])]
    body = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    wanted = [name for name in refs(body or {}) if name != "Nothing"][:1]
    answers = []
    for status, answer in sorted(told["responses"].items()):
        if status.startswith("2"):
            answers += refs(_resolved(document, answer).get("content", {}).get("application/json", {}))
    page = next((name for name in answers if name.endswith("Page")), "")
    item = refs(document["components"]["schemas"][page]["properties"]["data"])[0] if page else ""
    return Operation(
        name=told["operationId"],
        method=method.upper(),
        path=path.removeprefix("/api/v1"),
        summary=told["summary"],
        place=[parameter["name"] for parameter in parameters if parameter["in"] == "path"],
        query=[it for it in parameters if it["in"] == "query" and not (page and it["name"] == "before")],
        body=document["components"]["schemas"][wanted[0]] if wanted else None,
        body_name=name_of(wanted[0]) if wanted else "",
        answers=[name_of(name) for name in answers if not name.endswith("Page")],
        page=name_of(item) if item else "",
    )


def _resolved(document: Schema, told: Schema) -> Schema:
    found: Any = told
    if "$ref" in told:
        found = document
        for step in told["$ref"].removeprefix("#/").split("/"):
            found = found[step]
    resolved: Schema = found
    return resolved


def refs(schema: Any) -> list[str]:
    """The schemas that one refers to, in their order."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return [schema["$ref"].split("/")[-1]]
        return [name for value in schema.values() for name in refs(value)]
    return [name for value in schema for name in refs(value)] if isinstance(schema, list) else []


def name_of(schema: str) -> str:
    return schema.removesuffix("Out")
