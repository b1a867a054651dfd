"""The Python client's types and methods, as text."""

from collections.abc import Iterator

from tests.clients.description import ENUM_LONGEST, Description, Operation, Schema, name_of, refs

_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def python_type(schema: Schema) -> str:
    if "$ref" in schema:
        return name_of(refs(schema)[0])
    if choices := schema.get("anyOf") or schema.get("allOf"):
        return " | ".join(dict.fromkeys(python_type(choice) for choice in choices))
    if "const" in schema:
        return f"Literal[{schema['const']!r}]".replace("'", '"')
    if 0 < len(schema.get("enum", ())) <= ENUM_LONGEST:
        return "Literal[" + ", ".join(f'"{value}"' for value in schema["enum"]) + "]"
    if schema.get("type") == "array":
        return f"list[{python_type(schema['items'])}]"
    return _PLAIN.get(schema.get("type", ""), "dict[str, Any]")


def python_types(description: Description) -> str:
    parts = [
        '"""The objects of friendpay\'s API. Written from its description by tests/clients/build.py."""\n',
        "from __future__ import annotations\n\nfrom typing import Any, Literal, NotRequired, TypedDict\n",
    ]
    for name, schema in description.schemas.items():
        if "properties" not in schema:
            parts.append(f"{name} = {python_type(schema)}\n")
            continue
        said = (schema.get("description") or f"{name} of the API.").split("\n")[0]
        lines = [f"class {name}(TypedDict):", f'    """{said}"""\n']
        for key, told in schema["properties"].items():
            kind = python_type(told)
            lines.append(f"    {key}: {kind if key in schema.get('required', ()) else f'NotRequired[{kind}]'}")
        parts.append("\n".join(lines) + "\n")
    told = ", ".join(f'"{name}"' for name in description.events)
    parts.append(f"EventType = Literal[{told}]\n")
    parts.append(
        "class WebhookMessage(Event):\n"
        '    """What a webhook carries: the event, with the fields that Standard Webhooks wants."""\n\n'
        "    timestamp: str\n"
    )
    return "\n\n".join(parts)


def python_operations(description: Description) -> str:
    return "\n".join(
        [
            '"""A method for each call of the API. Written from its description by tests/clients/build.py."""',
            "",
            "from collections.abc import AsyncIterator, Iterator",
            "from typing import Any, Literal, cast",
            "",
            "from friendpay_client import types as t",
            "",
            *_python_class(description, "Operations", "Calls as methods; an answer is a dictionary, typed.", False),
            "",
            *_python_class(description, "AsyncOperations", "The same, to be awaited.", True),
        ]
    )


def _python_class(description: Description, name: str, said: str, is_async: bool) -> Iterator[str]:
    yield f"class {name}:"
    yield f'    """{said}"""'
    prefix = "async " if is_async else ""
    taken = "self, method: str, path: str, query: Any = None, body: Any = None, idempotency_key: str | None = None"
    yield f"\n    {prefix}def _call({taken}) -> Any:"
    yield "        raise NotImplementedError"
    kind = "AsyncIterator" if is_async else "Iterator"
    yield f"\n    def _pages(self, path: str, query: Any) -> {kind}[Any]:"
    yield "        raise NotImplementedError"
    for it in description.operations:
        yield from _python_method(it, kind, is_async)


def _python_method(it: Operation, iterator: str, is_async: bool) -> Iterator[str]:
    place = [f"{name}: str" for name in it.place]
    named, given = [], []
    for key, told in (it.body or {}).get("properties", {}).items():
        kind = _qualified(python_type(told))
        needed = key in (it.body or {}).get("required", ())
        named.append((not needed, f"{key}: {kind}" if needed else f"{key}: {_optional(kind)} = None"))
        given.append(f'"{key}": {key}')
    asked = [f'"{told["name"]}": {told["name"]}' for told in it.query]
    for told in it.query:
        named.append((True, f"{told['name']}: {_optional(_qualified(python_type(told['schema'])))} = None"))
    if it.method == "POST":
        named.append((True, "idempotency_key: str | None = None"))
    words = [text for _last, text in sorted(named, key=lambda pair: pair[0])]
    inside = ", ".join(["self", *place, *(["*", *words] if words else [])])
    path = f'f"{it.path}"' if it.place else f'"{it.path}"'
    query = "{" + ", ".join(asked) + "}"
    if it.page:
        yield f"\n    def {it.name}({inside}) -> {iterator}[t.{it.page}]:"
        yield f'        """{it.summary}: all of them, fetched page by page as they are asked for."""'
        yield f"        return self._pages({path}, {query})"
        return
    answer = " | ".join(f"t.{name}" for name in it.answers) or "None"
    call = ", ".join([f'"{it.method}"', path, *([f"query={query}"] if asked else [])])
    if it.method in ("POST", "PATCH"):
        call += ", body={" + ", ".join(given) + "}"
    if it.method == "POST":
        call += ", idempotency_key=idempotency_key"
    yield f"\n    {'async ' if is_async else ''}def {it.name}({inside}) -> {answer}:"
    yield f'        """{it.summary}"""'
    called = f"{'await ' if is_async else ''}self._call({call})"
    yield f"        {called}" if answer == "None" else f'        return cast("{answer}", {called})'


def _optional(kind: str) -> str:
    return kind if kind.endswith("| None") else f"{kind} | None"


def _qualified(kind: str) -> str:
    """The names of our types are those that begin with a capital and are none of Python's."""
    plain = {"Literal", "Any", "None"}
    out, word, quoted = "", "", False
    for sign in f"{kind} ":
        if sign.isalnum() and not quoted:
            word += sign
            continue
        out += f"t.{word}" if word[:1].isupper() and word not in plain else word
        word = ""
        quoted ^= sign == '"'
        out += sign
    return out.strip()
