"""What PostgreSQL did for a statement, step by step."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection


def steps(sql: str, params: Sequence[Any]) -> list[dict[str, Any]]:
    """Runs the statement. Every node of its plan as EXPLAIN tells it: "Actual Loops" is how often it was begun."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
        ((plan,),) = cursor.fetchone()
    return list(_nodes(plan["Plan"]))


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from _nodes(below)
