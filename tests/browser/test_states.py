"""Whoever looks at whatever state of whatever page: axe finds nothing, and nothing is wider than the screen."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.test import RequestFactory
from django.utils import translation
from playwright.sync_api import Browser, Page

from orders import branding
from tests.browser import states
from tests.browser.axe import faults_of, spills
from tests.browser.conftest import PHONE, ROOT

STYLE = ROOT / "static" / "style.css"
UNFOLD = "document.querySelectorAll('details').forEach((it) => { it.open = true })"
NARROW: dict[str, Any] = {**PHONE, "viewport": {"width": 320, "height": 568}}


def alone(source: str, accent: str) -> str:
    """The page with its styles in it and without its scripts: it asks for nothing, and goes nowhere."""
    styles = STYLE.read_text() + (branding.stylesheet(accent) if accent else "")
    return re.sub(r"<script.*?</script>|<link[^>]*>", "", source).replace("</head>", f"<style>{styles}</style></head>")


@contextmanager
def opened(browser: Browser, language: str) -> Iterator[Iterator[tuple[str, Page]]]:
    """Each state by its name, on the smallest of phones, with all that can be unfolded open."""
    with translation.override(language):
        pages = list(states.drawn(RequestFactory().get("/")))

    def show() -> Iterator[tuple[str, Page]]:
        for name, source, accent in pages:
            page.set_content(alone(source, accent))
            page.evaluate(UNFOLD)
            yield name, page

    context = browser.new_context(**NARROW, reduced_motion="reduce")
    page = context.new_page()
    yield show()
    context.close()


def test_axe_finds_nothing_in_any_state_in_any_theme(browser: Browser) -> None:
    with opened(browser, "en") as shown:
        assert {name: wrong for name, page in shown if (wrong := faults_of(page))} == {}


@pytest.mark.parametrize("language", ["en", "de", "ar", "zh-hans"])
def test_no_state_is_wider_than_the_smallest_phone(browser: Browser, language: str) -> None:
    with opened(browser, language) as shown:
        assert [name for name, page in shown if spills(page)] == []
