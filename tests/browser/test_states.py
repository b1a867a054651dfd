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
DOCK = f"(() => {{{(ROOT / 'static/payments/dock.js').read_text()}}})()"
COVERED = """() => {
  scrollTo(0, document.documentElement.scrollHeight);
  const dock = document.querySelector(".dock");
  const floor = dock && getComputedStyle(dock).position === "fixed" ? dock.getBoundingClientRect().top : innerHeight;
  return [...document.querySelectorAll(".foot p, .foot summary, .foot button")]
    .filter((it) => it.checkVisibility() && it.getBoundingClientRect().bottom > floor + 1)
    .map((it) => it.textContent.trim());
}"""
CROOKED = """() => {
  const box = (it) => it.getBoundingClientRect();
  const px = (it, what) => Number.parseFloat(getComputedStyle(it)[what]);
  const apart = (a, b) => a.left > b.right - 1 || b.left > a.right - 1 || a.top > b.bottom - 1 || b.top > a.bottom - 1;
  const beside = (a, b) => !a.width || apart(a, b);
  const found = [];
  for (const dock of document.querySelectorAll(".dock")) {
    if (![...dock.children].some((it) => it.offsetHeight > 0)) found.push("a dock with nothing in it");
  }
  for (const bubble of document.querySelectorAll(".bubble")) {
    const words = document.createRange();
    words.selectNodeContents(bubble);
    const above = [...words.getClientRects()].find((it) => it.width)?.top - box(bubble).top;
    if (above > px(bubble, "paddingTop") + 8) found.push("an empty line in a bubble");
  }
  for (const link of document.querySelectorAll(".link.within")) {
    if (!link.checkVisibility()) continue;
    const around = link.parentElement;
    const lines = (box(around).height - px(around, "paddingBottom")) / px(around, "lineHeight");
    if (Math.abs(lines - Math.round(lines)) > 0.1) found.push(`lines apart around ${link.textContent.trim()}`);
    if (box(link).height < 44) found.push(`too small to tap: ${link.textContent.trim()}`);
  }
  for (const word of document.querySelectorAll(".row > :is(span, .link, .btn)")) {
    if (!word.checkVisibility()) continue;
    const size = px(word, "fontSize");
    const narrow = box(word).width < 6 * size && box(word).height > Math.max(3 * size, 50);
    if (narrow) found.push(`no room for ${word.textContent.trim()}`);
  }
  for (const code of document.querySelectorAll(".codeline .code")) {
    const others = [...code.parentElement.children].filter((it) => it !== code);
    if (!others.every((it) => beside(box(it), box(code)))) found.push("something over a code");
  }
  for (const row of document.querySelectorAll("#shares .way")) {
    const gap = box(row).right - px(row, "paddingRight") - box(row.lastElementChild).right;
    if (gap > 2) found.push("a sum in the middle of its row");
  }
  return found;
}"""


def alone(source: str, accent: str) -> str:
    """The page with its styles in it and without its scripts: it asks for nothing, and goes nowhere."""
    styles = STYLE.read_text() + (branding.stylesheet(accent) if accent else "")
    return re.sub(r"<script.*?</script>|<link[^>]*>", "", source).replace("</head>", f"<style>{styles}</style></head>")


@contextmanager
def opened(browser: Browser, language: str, **more: Any) -> Iterator[Iterator[tuple[str, Page]]]:
    """Each state by its name, on the smallest of phones, with all that can be unfolded open."""
    with translation.override(language):
        pages = list(states.drawn(RequestFactory().get("/")))

    def show() -> Iterator[tuple[str, Page]]:
        for name, source, accent in pages:
            page.set_content(alone(source, accent))
            page.evaluate(UNFOLD)
            yield name, page

    context = browser.new_context(**NARROW, reduced_motion="reduce", **more)
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


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_what_is_last_on_a_page_can_be_seen_above_the_dock(browser: Browser, scripts: bool) -> None:
    covered = {}
    with opened(browser, "de", java_script_enabled=scripts) as shown:
        for name, page in shown:
            if scripts:
                page.evaluate(DOCK)
                page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")
            if found := page.evaluate(COVERED):
                covered[name] = found
    assert covered == {}


@pytest.mark.parametrize("language", ["en", "de"])
def test_rows_lines_and_docks_are_drawn_as_they_are_meant(browser: Browser, language: str) -> None:
    with opened(browser, language) as shown:
        assert {name: wrong for name, page in shown if (wrong := page.evaluate(CROOKED))} == {}


def test_at_twice_the_size_of_text_goods_have_room_for_their_words(browser: Browser) -> None:
    with opened(browser, "de") as shown:
        for name, page in shown:
            page.set_viewport_size({"width": 195, "height": 422})
            widths = page.evaluate("[...document.querySelectorAll('.lines .what')].map((it) => it.offsetWidth)")
            assert all(width > 80 for width in widths), (name, widths)
