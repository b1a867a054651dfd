"""The Node client's types and methods, as text."""

from collections.abc import Iterator

from tests.clients.description import ENUM_LONGEST, Description, Operation, Schema, name_of, refs

_SCRIPT = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def script_type(schema: Schema) -> str:
    if "$ref" in schema:
        return name_of(refs(schema)[0])
    if choices := schema.get("anyOf") or schema.get("allOf"):
        return " | ".join(dict.fromkeys(script_type(choice) for choice in choices))
    if "const" in schema:
        return f'"{schema["const"]}"'
    if 0 < len(schema.get("enum", ())) <= ENUM_LONGEST:
        return " | ".join(f'"{value}"' for value in schema["enum"])
    if schema.get("type") == "array":
        return f"Array<{script_type(schema['items'])}>"
    return _SCRIPT.get(schema.get("type", ""), "Record<string, unknown>")


def script_types(description: Description) -> str:
    parts = ["// The objects of friendpay's API. Written from its description by tests/clients/build.py."]
    for name, schema in description.schemas.items():
        if "properties" not in schema:
            parts.append(f"export type {name} = {script_type(schema)};")
            continue
        said = (schema.get("description") or f"{name} of the API.").split("\n")[0]
        lines = [f"/** {said} */", f"export interface {name} {{"]
        for key, told in schema["properties"].items():
            mark = "" if key in schema.get("required", ()) else "?"
            lines.append(f"  {key}{mark}: {script_type(told)};")
        parts.append("\n".join([*lines, "}"]))
    kinds = "\n".join(f'  "{name}": {data};' for name, data in description.events.items())
    parts.append(f"/** Each type of event, and what its `data` is. */\nexport interface EventData {{\n{kinds}\n}}")
    parts.append("export type EventType = keyof EventData;")
    parts.append(
        "/** What a webhook carries: the event, with the fields that Standard Webhooks wants. */\n"
        "export type WebhookMessage = {\n"
        '  [T in EventType]: Omit<Event, "type" | "data"> & { type: T; data: EventData[T]; timestamp: string };\n'
        "}[EventType];"
    )
    return "\n\n".join(parts) + "\n"


def script_operations(description: Description) -> str:
    lines = [
        "// A method for each call of friendpay's API. Written from its description by tests/clients/build.py.",
        'import type * as t from "./types.js";',
        "",
        "export type Query = Record<string, string | number | boolean | Record<string, unknown> | null | undefined>;",
        "",
        "/** Calls as methods. */",
        "export abstract class Operations {",
        "  protected abstract call<T>(",
        "    method: string, path: string, query?: Query, body?: unknown, idempotencyKey?: string,",
        "  ): Promise<T>;",
        "  protected abstract pages<T>(path: string, query: Query): AsyncIterable<T>;",
    ]
    for it in description.operations:
        lines += _script_method(it)
    return "\n".join([*lines, "}", ""])


def _script_method(it: Operation) -> Iterator[str]:
    first, *others = it.name.split("_")
    name = first + "".join(word.capitalize() for word in others)
    path = it.path
    for key in it.place:
        path = path.replace("{" + key + "}", "${encodeURIComponent(" + key + ")}")
    taken = [f"{key}: string" for key in it.place]
    if it.body:
        needed = bool(it.body.get("required"))
        taken.append(f"body: t.{it.body_name}" + ("" if needed else " = {}"))
    if it.query:
        fields = "; ".join(f"{told['name']}?: {_spaced(script_type(told['schema']))}" for told in it.query)
        taken.append(f"query: {{ {fields} }} = {{}}")
    if it.method == "POST":
        taken.append("idempotencyKey?: string")
    inside = ", ".join(taken)
    yield ""
    if it.page:
        yield f"  /** {it.summary}: all of them, fetched page by page as they are asked for. */"
        yield f"  {name}({inside}): AsyncIterable<t.{it.page}> {{"
        yield f"    return this.pages(`{path}`, query);"
    else:
        answer = " | ".join(f"t.{one}" for one in it.answers) or "void"
        rest = f", {'query' if it.query else '{}'}, {'body' if it.body else '{}'}" if it.method != "GET" else ""
        rest = rest if it.method != "DELETE" else ""
        rest += ", idempotencyKey" if it.method == "POST" else ""
        rest = ", query" if it.method == "GET" and it.query else rest
        yield f"  /** {it.summary} */"
        yield f"  {name}({inside}): Promise<{answer}> {{"
        yield f'    return this.call("{it.method}", `{path}`{rest});'
    yield "  }"


def _spaced(kind: str) -> str:
    return f"t.{kind}" if kind[:1].isupper() and not kind.startswith(("Array<", "Record<")) else kind
