"""The request log of each API key: written after the answer, by a thread of its own, in batches.

No call ever waits for it: what finds no room, or cannot be written, is left out. What is kept of a body are its names,
numbers and a few short texts that belong to no person; every other text is only counted.
"""

import json
import re
import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from friendpay.kit import background, limits
from orders.models import ApiCall

KEPT = frozenset(
    ("category", "code", "currency", "events", "field", "kind", "limit", "locale", "merchant_reference", "order")
    + ("order_reference", "outcome", "quantity", "reference", "screen", "status", "unit", "after", "before")
)
"""Fields whose texts are kept."""

_ID = re.compile(r"[a-z]{2,5}_[0-9A-Za-z]{8,36}", re.ASCII)
_NAME = re.compile(r"[A-Za-z][\w.-]{0,39}", re.ASCII)
_STEP = re.compile(r"[a-z0-9.-]{0,40}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.]{5,15}(Z|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True)
class Entry:
    """A call, as it came and was answered."""

    id: str
    key: int
    at: datetime
    method: str
    path: str
    query: dict[str, str]
    body: bytes
    status: int
    answer: bytes
    milliseconds: int
    agent: str


_waiting: "deque[Entry]" = deque()
_is_sent_for = threading.Event()


def note(entry: Entry) -> None:
    """Have it written soon. Returns at once; where too much waits already it is dropped."""
    if len(_waiting) < limits.API_CALLS_WAITING:
        _waiting.append(entry)
        if not _is_sent_for.is_set():
            _is_sent_for.set()
            background.run_later("request-log", _write_soon)


def _write_soon() -> None:
    time.sleep(limits.API_CALLS_GATHERED_SECONDS)
    _is_sent_for.clear()  # what comes from now on sends for another
    write()


def write() -> int:
    """Write what waits, and forget the oldest calls of its keys; says how many were written."""
    written = 0
    while batch := [_waiting.popleft() for _number in range(min(len(_waiting), limits.API_CALLS_BATCH_ROWS))]:
        rows = [json.dumps(_row(entry), default=str) for entry in batch]
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [f"[{','.join(rows)}]"])
            written += cursor.rowcount
            cursor.execute(_FORGET, [limits.API_CALLS_KEPT, sorted({entry.key for entry in batch})])
    return written


def purge(before: datetime) -> None:
    """Forget what is older, such as the calls of a key that nobody uses any more."""
    ApiCall.objects.filter(at__lt=before).delete()


_INSERT = """
    INSERT INTO orders_apicall
        (public_id, merchant_id, key_id, live, at, method, path, query, body, status, code, answer, milliseconds, agent)
    SELECT told.id, key.merchant_id, key.id, key.live, told.at, told.method, told.path, told.query, told.body,
        told.status, told.code, told.answer, told.milliseconds, told.agent
    FROM jsonb_to_recordset(%s::jsonb) AS told
        (id text, key bigint, at timestamptz, method text, path text, query jsonb, body text, status smallint,
            code text, answer text, milliseconds integer, agent text)
    JOIN orders_apikey key ON key.id = told.key
    ON CONFLICT DO NOTHING
"""
"""In one statement; a key that is gone meanwhile takes its calls with it."""

_FORGET = """
    WITH edge AS MATERIALIZED (
        SELECT key, (SELECT id FROM orders_apicall WHERE key_id = key ORDER BY id DESC OFFSET %s LIMIT 1) AS id
        FROM unnest(%s::bigint[]) AS wanted (key))
    DELETE FROM orders_apicall AS old USING edge WHERE old.key_id = edge.key AND old.id <= edge.id
"""
"""The edge of each key is found once: PostgreSQL, left to itself, looked for it again for each of the key's calls."""


def _row(entry: Entry) -> dict[str, Any]:
    failed = entry.status >= 400
    answer = _read(entry.answer)
    said = answer if isinstance(answer, dict) else {}
    return {
        "id": entry.id,
        "key": entry.key,
        "at": entry.at,
        "method": entry.method,
        "path": "/".join(_step(step) for step in entry.path.split("/"))[:200],
        "query": {_name(name): redacted(value, name) for name, value in entry.query.items()},
        "body": _text(redacted(_read(entry.body))) if entry.body else "",
        "status": entry.status,
        "code": str(said.get("code", ""))[:40] if failed else "",
        "answer": _text(_problem(said) if failed else {"id": said["id"]} if "id" in said else ""),
        "milliseconds": entry.milliseconds,
        "agent": re.sub(r"[^ -~]", "", entry.agent)[:80],
    }


def redacted(value: Any, name: str = "") -> Any:
    """The same without texts that may be secret, or about somebody."""
    match value:
        case dict():
            return {_name(key): redacted(its, "" if name == "metadata" else key) for key, its in value.items()}
        case list():
            return [redacted(its, name) for its in value]
        case str():
            is_plain = name in KEPT and len(value) <= limits.API_CALL_TEXT_CHARACTERS
            if (is_plain and not value.startswith("sk_")) or _ID.fullmatch(value) or _MOMENT.fullmatch(value):
                return value
            return f"… ({len(value)} characters)"
    return value


def _problem(said: dict[str, Any]) -> dict[str, Any]:
    """Our own words, but for the names of fields that were sent."""
    errors = [{**error, "field": ".".join(map(_name, error["field"].split(".")))} for error in said.get("errors", ())]
    return {name: said[name] for name in ("code", "detail") if name in said} | ({"errors": errors} if errors else {})


def _step(step: str) -> str:
    return step if _STEP.fullmatch(step) or _ID.fullmatch(step) else "…"


def _name(name: str) -> str:
    return name if _NAME.fullmatch(name) or name.isdecimal() else "…"


def _read(body: bytes) -> Any:
    if len(body) >= limits.API_CALL_READ_BYTES:
        return f"{limits.API_CALL_READ_BYTES} bytes or more"
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return f"{len(body)} bytes, not JSON"


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if value != "" else ""
    return re.sub(r"\\u0000|\x00", "", text)[: limits.API_CALL_KEPT_CHARACTERS]
