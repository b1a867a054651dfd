"""No log holds a whole link or key."""

import logging
import re
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from friendpay.kit import ids, links
from friendpay.logs import CONFIG, Formatter, redact
from payments.live.routing import websocket_urlpatterns

TOKEN = "3fGhJkLmNpQrStVwXyZ01234"
NAMES_ONLY = {"account", "colour", "name", "provider"}
"""Parameters of routes that name something and give no right."""


def routes(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every address for the public with its parameters: the desk and the API ask who calls."""
    for pattern in patterns:
        address = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield address, set(re.findall(r"<(?:\w+:)?(\w+)>", address))
        elif not address.startswith(("admin/", "api/")):
            yield from routes(pattern.url_patterns, address)


WITH_TOKENS = [
    address
    for address, parameters in [*routes(get_resolver().url_patterns), *routes(websocket_urlpatterns)]
    if parameters - NAMES_ONLY
]


@pytest.mark.parametrize("route", WITH_TOKENS)
def test_no_address_of_ours_shows_its_token(route: str) -> None:
    prefix, _open, rest = route.partition("<")
    token = ids.token()
    assert prefix.removeprefix("ws/").rstrip("/") in links.PREFIXES
    said = redact(f"GET https://pay.example/{prefix}{token}{rest.partition('>')[2]}?a=b")
    assert token[5:] not in said
    assert f"/{prefix}{token[:4]}…" in said


def test_every_prefix_of_the_table_has_a_route() -> None:
    assert len(WITH_TOKENS) > 30
    assert {route.removeprefix("ws/").partition("/")[0] for route in WITH_TOKENS} == set(links.PREFIXES)


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
