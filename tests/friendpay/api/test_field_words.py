"""What a wrong field is told: words, for whoever wrote the program."""

import re
from typing import Any

import pytest

from friendpay.api.app import api
from orders.api.fields import SHAPES
from tests.caller import ORDER, Caller

pytestmark = pytest.mark.django_db

LINE: dict[str, Any] = ORDER["lines"][0]
OWN_WORDS = ("^https://(", "^(0", "^[1-9][0-9]{0,5}(", "^[!-~]{1,255}$")  # webhooks, quantities, Idempotency-Key
UNREADABLE = re.compile(r"\^|\\[xu]|\[\^|Input should|String should|pattern|dictionary|instance")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reference": ""}, "Send one line that says something, without control characters."),
        ({"reference": "x" * 65}, "At most 64 characters."),
        ({"reference": 5}, "Send a text."),
        ({"lines": []}, "At least 1 of them."),
        ({"lines": [LINE] * 101}, "At most 100 of them."),
        ({"lines": [5]}, "Send an object."),
        ({"lines": {}}, "Send a list."),
        ({"lines": [{**LINE, "unit": "a\nb"}]}, "Send one line, without control characters."),
        ({"lines": [{**LINE, "unit_amount": -1}]}, "At least 0."),
        ({"lines": [{**LINE, "unit_amount": "5"}]}, "Send a whole number, without quotes."),
        ({"lines": [{**LINE, "quantity": 0.5}]}, 'Send a whole number, or a decimal as text, like "0.5".'),
        ({"lines": [{**LINE, "colour": "green"}]}, "There is no such field."),
        ({"buyer": {"id": "17"}}, "This is required."),
        ({"buyer": 5}, "Send an object."),
        ({"lines": [{**LINE, "name": " "}]}, "Send a text that says something."),
        ({"return_url": "shop"}, "Send a whole address, such as https://shop.example/thanks."),
        ({"metadata": {"a b": ""}}, "A key is of letters, digits and the characters _ . : -"),
        ({"payment_request": {"message": "\x00"}}, "Send a text without control characters."),
    ],
)
def test_a_wrong_field_is_told_in_words(change: dict[str, Any], words: str) -> None:
    [error] = Caller().post("/orders", ORDER | change)["errors"]
    assert error["message"] == words


def test_a_wrong_query_is_too() -> None:
    caller = Caller()
    assert caller.get("/orders", limit="many")["errors"][0]["message"] == "Send a whole number."
    assert "id" in caller.get("/orders", after="5")["errors"][0]["message"]


def patterns(schema: Any) -> set[str]:
    """All that stand anywhere in a description."""
    parts = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    own = schema.get("pattern") if isinstance(schema, dict) else None
    return set().union({own} if isinstance(own, str) else set(), *(patterns(part) for part in parts))


def test_no_shape_of_any_field_is_told_as_a_pattern() -> None:
    """Those without words of their own are ids, or are refused by words of a schema's own."""
    found = patterns(api.get_openapi_schema()) - set(SHAPES)
    ids = {pattern for pattern in found if re.fullmatch(r"\^[a-z]+_\[0-9A-Za-z\]\{1,36\}\$", pattern)}
    assert ids
    assert all(pattern.startswith(OWN_WORDS) for pattern in found - ids)
    assert not any(UNREADABLE.search(str(words)) for words in SHAPES.values())
