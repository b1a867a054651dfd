"""Whoever looks, and however: dark or light, from the right, by keyboard, twice as large, or not at all but by ear."""

import gzip
import re
import urllib.request
from collections.abc import Callable
from typing import Any

from tests.browser.axe import spills
from tests.browser.conftest import DESK, PHONE, Person, Stack
from tests.browser.test_main_job import at_checkout, link_in

ZOOMED = {**PHONE, "viewport": {"width": 195, "height": 422}}  # a phone's page at 200%

Make = Callable[..., Person]


def press(who: Person, name: str | re.Pattern[str], *, role: str = "button") -> None:
    """Come to a control by Tab alone, and press it."""
    for _step in range(60):
        who.page.keyboard.press("Tab")
        here = who.page.locator(":focus")
        if here.count() and here.and_(who.page.get_by_role(role, name=name)).count():  # type: ignore[arg-type]
            assert here.evaluate("e => getComputedStyle(e).outlineStyle") != "none"
            who.page.keyboard.press("Enter")
            return
    raise AssertionError(f"Tab does not lead to {name}")


def test_the_keyboard_alone_does_the_whole_job(person: Make) -> None:
    buyer, friend = person(DESK), person(DESK)
    at_checkout(buyer)
    buyer.page.context.add_init_script("navigator.share = async (what) => { sessionStorage.shared = what.text }")
    buyer.page.reload()
    press(buyer, "Ask a friend to pay")
    buyer.page.locator("#sheet-fold").wait_for()
    press(buyer, re.compile("^Share"))
    friend.go(link_in(buyer.page.evaluate("sessionStorage.shared")))
    press(friend, re.compile("^Pay CN¥"))
    friend.sees("Approve this payment?")
    press(friend, re.compile("^Approve"))
    friend.sees("Thank you!")
    buyer.sees("Harbour Tea has your order.")


def test_twice_as_large_the_job_is_done_without_scrolling_sideways(person: Make) -> None:
    buyer, friend = person(ZOOMED), person(ZOOMED)

    def fits(who: Person) -> None:
        assert not spills(who.page), who.page.url

    at_checkout(buyer)
    fits(buyer)
    buyer.tap("Ask a friend to pay")
    buyer.page.locator("#sheet-fold").wait_for()
    fits(buyer)
    friend.go(buyer.page.input_value("#link"))
    fits(friend)
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    friend.sees("Approve this payment?")
    fits(friend)
    friend.tap("Approve CN¥45.00")
    friend.sees("Thank you!")
    fits(friend)
    buyer.sees("Harbour Tea has your order.")
    fits(buyer)


def test_another_language_loses_neither_the_page_nor_what_was_typed(person: Make, stack: Stack) -> None:
    order = stack.order("languages")
    payment_request = stack.api(f"/orders/{order['id']}/payment-requests", {})
    friend = person(PHONE)
    friend.go(payment_request["url"])
    friend.page.click("#who summary")
    friend.type("Your name (anyone with this link can see it)", "Mei")
    friend.page.evaluate("window.marked = true")
    friend.tap(friend.page.locator(".tongues summary"))
    friend.tap("العربية")
    friend.page.locator("html[dir=rtl][lang=ar]").wait_for()
    assert friend.page.evaluate("window.marked")
    assert friend.page.input_value("#id_name") == "Mei"
    assert friend.page.url == payment_request["url"]
    friend.go("/open/")
    assert friend.page.locator("html").get_attribute("lang") == "ar"
    friend.page.locator(".tongues summary").click()
    friend.tap("Español")
    friend.sees("¿Un amigo te dio un código?")


def test_without_a_script_the_language_is_changed_as_well(person: Make) -> None:
    friend = person(PHONE, java_script_enabled=False)
    friend.go("/open/")
    friend.tap(friend.page.locator(".tongues summary"))
    friend.tap("Français")
    friend.sees("Un ami vous a donné un code ?")
    assert friend.page.url.endswith("/open/")


def test_from_the_right_codes_and_amounts_are_read_as_they_are(person: Make, stack: Stack) -> None:
    order = stack.order("from-the-right")
    stack.api(f"/orders/{order['id']}/payment-requests", {})
    buyer = person(PHONE, locale="ar-EG")
    buyer.go(order["checkout_url"])
    if buyer.page.locator("form[action$='/ask/']").count():
        buyer.page.click("form[action$='/ask/'] button")
    buyer.page.locator("#sheet-fold > summary").click()
    buyer.page.locator("#code").wait_for()
    assert buyer.page.locator("html").get_attribute("dir") == "rtl"
    left = [box["x"] for box in boxes(buyer, "#code")]
    assert left == sorted(left), "the code's characters do not stand from left to right"


def boxes(who: Person, selector: str) -> list[dict[str, float]]:
    """Where each character of a text stands."""
    told: list[dict[str, float]] = who.page.locator(selector).evaluate(
        """(element) => [...element.firstChild.textContent].map((_, i) => {
          const range = document.createRange();
          range.setStart(element.firstChild, i);
          range.setEnd(element.firstChild, i + 1);
          return {x: range.getBoundingClientRect().x};
        })"""
    )
    return told


def heard(who: Person) -> str:
    """What a screen reader has of the page, without what differs each time."""
    tree = who.page.locator("body").aria_snapshot()
    return re.sub(r"\d?\d:\d\d(:\d\d)?|[0-9A-Z]{4}-[0-9A-Z]{4}|HT-\w+", "…", tree)


def test_what_a_screen_reader_says(person: Make) -> None:
    buyer, friend = person(DESK), person(PHONE)
    at_checkout(buyer)
    buyer.tap("Ask a friend to pay")
    buyer.page.locator("#code").wait_for()
    told = heard(buyer)
    for line in (
        'heading "Send this to a friend" [level=1]',
        'img "QR code of your link"',
        'button "Share"',
        'button "Copy message"',
        'heading "Where it stands" [level=2]',
        'link "I\'ll pay it myself"',
    ):
        assert line in told, told
    friend.go(buyer.page.input_value("#link"))
    told = heard(friend)
    for line in (
        'link "Skip to content"',
        'heading "Lin is asking you to pay" [level=1]',
        "paragraph: CN¥45.00",
        'button "Pay CN¥45.00 with Sandbox wallet"',
        'region "Lin\'s order at Harbour Tea"',
        "contentinfo",
    ):
        assert line in told, told
    assert not re.search(r"(button|link|img|textbox)(:|$| \[)", told, re.MULTILINE), f"something has no name:\n{told}"


def test_pages_travel_small_and_their_files_are_kept_for_ever(stack: Stack) -> None:
    """As bin/up serves them, all the way through the bridge."""

    def get(path: str) -> tuple[Any, bytes]:
        request = urllib.request.Request(f"{stack.address}{path}", headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.headers, answer.read()

    headers, body = get("/open/")
    assert headers["Content-Encoding"] == "gzip"
    page = gzip.decompress(body).decode()
    files = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:js|css))"', page)
    assert len(files) > 5
    for file in files:
        headers, body = get(file)
        assert headers["Content-Encoding"] == "gzip", file
        assert "immutable" in headers["Cache-Control"], file
