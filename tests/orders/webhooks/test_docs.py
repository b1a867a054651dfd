"""Every type of event is known to the API, recorded somewhere, and documented; and so is every word of the guide."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from django.conf import settings

from friendpay.kit import limits
from orders import events
from orders.admin import timeline
from orders.admin.delivery import ERRORS
from orders.webhooks import signing, transport
from payments.models import Payment, PaymentRequest, Refund

ROOT = Path(settings.BASE_DIR)
GUIDE = (ROOT / "docs" / "webhooks.md").read_text()
STATUSES = {
    "payment_request": set(PaymentRequest.Status.values) - {"open"},
    "payment": set(Payment.Status.values) - {"created", "pending"},
    "refund": set(Refund.Status.values),
}
"""What a type made of a status can be: those a thing is moved to by a recorded step."""


RECORDING = ("record", "note", "_note", "_end", "_move_dispute")


def recorded() -> Iterator[str]:
    """The types in the calls that record an event, in all of the code."""
    for app in ("orders", "payments", "sandbox"):
        for path in (ROOT / app).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text())):
                if isinstance(call, ast.Call) and _name(call.func) in RECORDING:
                    for argument in (*call.args[:2], *call.args[4:5]):  # the last of them names a dispute's
                        yield from _types(argument)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _types(argument: ast.expr) -> Iterator[str]:
    if isinstance(argument, ast.JoinedStr):
        [thing, _status] = argument.values
        assert isinstance(thing, ast.Constant)
        name = str(thing.value).rstrip(".")
        yield from (f"{name}.{status}" for status in STATUSES[name])
    elif isinstance(argument, ast.IfExp):
        yield from (*_types(argument.body), *_types(argument.orelse))
    elif isinstance(argument, ast.Constant) and re.fullmatch(r"[a-z_]+\.[a-z_]+", str(argument.value)):
        yield str(argument.value)


def test_every_type_that_is_recorded_can_be_asked_for_and_the_other_way_round() -> None:
    assert set(recorded()) == set(events.TYPES)
    assert sorted(events.TYPES) == list(events.TYPES)


def test_every_type_is_documented_and_nothing_else_is() -> None:
    table = GUIDE.split("## Events")[1]
    assert re.findall(r"^\| `([a-z_.]+)` \|", table, re.MULTILINE) == sorted(
        events.TYPES, key=lambda type: [*table.split("`")].index(type)
    )
    assert len(re.findall(r"^\| `", table, re.MULTILINE)) == len(events.TYPES)


def test_every_type_has_a_sentence_at_the_desk() -> None:
    assert set(events.TYPES) == set(timeline.SENTENCES)


def test_every_error_is_documented() -> None:
    table = GUIDE.split("| `error` |")[1].split("\n\n")[0]
    words = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert words == set(ERRORS) == set(get_args(transport.Error)) - {""}


def test_the_schedule_is_as_documented() -> None:
    seconds = [delay.total_seconds() for delay in limits.WEBHOOK_DELAYS]
    assert seconds == [5, 300, 1800, *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24))]
    assert "5 seconds later, then after 5 minutes, 30 minutes, 2, 5, 10, 14, 20 and 24 hours" in GUIDE
    assert f"**{limits.WEBHOOK_DISABLED_AFTER.days} days**" in GUIDE


def test_the_python_of_the_guide_verifies_a_message() -> None:
    [code] = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    handled: list[object] = []
    secret = signing.new_secret()
    page: dict[str, object] = {"secret": secret, "handle": handled.append}
    exec(code, page)
    receive = page["receive"]
    assert callable(receive)
    body = '{"id":"evt_1"}'
    headers = signing.headers([secret], "evt_1", datetime.now(UTC), body)
    assert receive(headers, body.encode()) == 204
    assert receive(headers, body.encode() + b" ") == 401
    assert handled == [{"id": "evt_1"}]
