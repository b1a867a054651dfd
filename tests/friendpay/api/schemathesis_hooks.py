"""Loaded by Schemathesis itself: what it cannot know about the API."""

import os
import uuid
from itertools import count
from typing import Any

import schemathesis

_calls = count()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """A reference for each order, refunds of one that is paid, and mostly a fresh key, as a shop would; else nearly all
    calls end there.
    """
    if case.meta and case.meta.generation.mode.is_negative:
        return
    if case.operation.definition.raw["operationId"] == "create_order" and isinstance(case.body, dict):
        case.body["reference"] = str(uuid.uuid4())
    if case.operation.definition.raw["operationId"] == "refund_order" and next(_calls) % 2:
        case.path_parameters["order_id"] = os.environ["PAID_ORDER"]
    if case.headers and "Idempotency-Key" in case.headers and next(_calls) % 5:
        case.headers["Idempotency-Key"] = str(uuid.uuid4())


@schemathesis.check
def right_bodies_are_taken(context: Any, response: Any, case: Any) -> None:
    """What fits the schema is never called malformed; save 4500.0, which JSON Schema takes for a whole number."""
    right = case.meta and not case.meta.generation.mode.is_negative
    if right and response.status_code == 422 and response.json()["code"] == "invalid":
        kinds = {error["code"] for error in response.json()["errors"]}
        assert kinds == {"wrong_type"}, response.text
        assert _has_float(case.body), response.text


def _has_float(thing: Any) -> bool:
    if isinstance(thing, dict | list):
        return any(map(_has_float, thing.values() if isinstance(thing, dict) else thing))
    return isinstance(thing, float)
