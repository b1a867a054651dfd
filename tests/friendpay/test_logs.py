"""No log holds a whole link or key."""

import logging

import pytest

from friendpay.logs import CONFIG, Formatter, redact

TOKEN = "3fGhJkLmNpQrStVwXyZ01234"


@pytest.mark.parametrize("place", ["p", "pay", "r", "checkout", "mail", "ws/p"])
def test_a_link_is_cut_short(place: str) -> None:
    said = redact(f'GET /{place}/{TOKEN}/status.json "/{place}/{TOKEN}/"')
    assert TOKEN[5:] not in said
    assert said == f'GET /{place}/3fGh…/status.json "/{place}/3fGh…/"'


def test_a_key_and_a_channel_group_are_cut_short() -> None:
    assert redact("Bearer sk_test_abcdefghijk") == "Bearer sk_test_ab…"
    assert redact(f"group p.{TOKEN}") == "group p.3fGh…"


@pytest.mark.parametrize(
    "plain",
    ["/p/", "/open/", "/static/payments/live.js", "pr_abc", "/api/v1/orders", "p.s. hello", "/sandbox/views.py"],
)
def test_other_words_stay_as_they_are(plain: str) -> None:
    assert redact(plain) == plain


def test_a_traceback_is_redacted_too() -> None:
    try:
        raise ValueError(f"/p/{TOKEN}/")
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "", 1, "lost %s", (f"/r/{TOKEN}/",), (type(error), error, error.__traceback__)
        )
    text = Formatter("%(message)s").format(record)
    assert "ValueError" in text
    assert TOKEN not in text


def test_every_line_is_written_by_the_root_logger_which_redacts() -> None:
    assert [handler for handler in logging.getLogger().handlers if isinstance(handler.formatter, Formatter)]
    assert all(not told.get("handlers") for told in CONFIG["loggers"].values())
    assert CONFIG["handlers"]["stderr"]["formatter"] == "line"
