"""The desk's front page and search box in a browser in Shanghai: what support sees first; one word leads to a case."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from friendpay.kit import limits
from tests.browser.conftest import DESK, PHONE, Person, Stack, pay

CUT = """() => [...document.querySelectorAll("#main td")]
  .filter((it) => it.scrollHeight > it.clientHeight + 1 || it.scrollWidth > it.clientWidth + 1)
  .map((it) => it.textContent.trim())"""
TOO_WIDE = """(ways) => [...document.querySelectorAll("#main table")].filter((it) => {
  let around = it.parentElement;
  while (around && getComputedStyle(around).overflowX === "visible") around = around.parentElement;
  return around.scrollWidth > around.clientWidth + 1 && ways.includes(getComputedStyle(around).overflowX);
}).length"""  # tables wider than what is around them, which scrolls or cuts them off
WIDE_WORDS = """() => [...document.querySelectorAll("#result_list tbody :is(th, td)")].map((cell) => {
  const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  if (!cell.querySelector("time, .whitespace-nowrap"))  // times and labels are as wide as we say them
    while (texts.nextNode()) if (texts.currentNode.data.trim()) texts.currentNode.data = "W".repeat(64);
}).length"""
OUT_OF_REACH, SCROLLED = ["hidden"], ["hidden", "auto", "scroll"]
SHOTS = os.environ.get("FRIENDPAY_DESK_SHOTS", "")

Make = Callable[..., Person]


def enter(staff: Person, stack: Stack) -> None:
    """As the demo's support."""
    kept = json.loads((stack.data / "data" / "secrets.json").read_text())
    staff.go("/admin/")
    staff.page.locator("#id_username").fill(kept["FRIENDPAY_SUPPORT_USER"])
    staff.page.locator("#id_password").fill(kept["FRIENDPAY_SUPPORT_PASSWORD"])
    staff.page.locator("[type=submit]").first.click()
    staff.page.locator("[data-zone]").wait_for()
    staff.page.wait_for_load_state()


def shoot(staff: Person, name: str) -> None:
    if SHOTS:
        staff.page.screenshot(path=Path(SHOTS) / f"home-{name}.png", full_page=True)


def test_support_finds_a_payment_from_what_a_caller_says(person: Make, stack: Stack) -> None:
    for number in range(3):
        asked = stack.api(f"/orders/{stack.order(f'HOME-{number}')['id']}/payment-requests", {})
        if number < 2:
            pay(asked["url"], name="Mei")
    staff = person(DESK, timezone_id="Asia/Shanghai")
    enter(staff, stack)
    staff.sees("Times are in Asia/Shanghai (+0800)")
    staff.sees("Median time to paid")
    shoot(staff, "en")
    staff.page.keyboard.press("/")
    staff.page.keyboard.type("90 today")
    staff.page.keyboard.press("Enter")
    staff.sees("hits for “90 today”")
    shoot(staff, "found-en")
    staff.page.get_by_label("Find").first.fill("home-1")
    staff.page.keyboard.press("Enter")
    staff.page.wait_for_url("**/paymentrequest/*/change/")
    staff.sees("HOME-1")


def test_the_front_page_is_for_every_screen_and_everybody(person: Make, stack: Stack) -> None:
    for name, device in (("desk", DESK), ("phone", PHONE)):
        for language in ("en-GB", "zh-CN"):
            for scheme in ("light", "dark"):
                staff = person(device, locale=language, color_scheme=scheme)
                enter(staff, stack)
                wide = staff.page.evaluate("document.documentElement.scrollWidth > innerWidth")
                shoot(staff, f"{name}-{language}-{scheme}")
                assert not wide, (name, language)
                staff.go("/admin/find/?q=90")
                shoot(staff, f"found-{name}-{language}-{scheme}")
                staff.go("/admin/find/?q=nobody+at+all")
                shoot(staff, f"nothing-{name}-{language}-{scheme}")


def longest(stack: Stack) -> dict[str, str]:
    """What finds a row with as much in its columns as there can be, by the list it is in."""
    number = str(time.monotonic_ns())
    body = {
        "reference": number.ljust(64, "W"),
        "currency": "XAF",
        "lines": [{"name": "W" * 60, "quantity": 1, "unit_amount": limits.MAX_MINOR}],
        "buyer": {"id": "W" * 64, "name": "Wolfeschlegelsteinhausenbergerdorff Maximilianeelisevonh"},
    }
    order = stack.api("/orders", body)
    asked = stack.api(f"/orders/{order['id']}/payment-requests", {})
    pay(asked["url"], name="Maximilianeelisevonh")
    [payment] = stack.api(f"/payment-requests/{asked['id']}")["payments"]
    refund = stack.api(f"/payments/{payment['id']}/refunds", {"amount": limits.MAX_MINOR - 1})
    wrong = stack.api("/orders", {**body, "reference": number.ljust(64, "m")})
    asked_in_vain = stack.api(f"/orders/{wrong['id']}/payment-requests", {})
    stack.api(f"/payment-requests/{asked_in_vain['id']}/simulate", {"outcome": "dispute_lost"})
    [disputed] = stack.api(f"/payment-requests/{asked_in_vain['id']}")["payments"]
    stack.api("/webhook-endpoints", {"url": f"http://127.0.0.1:9/{'w' * 90}"})
    waits = stack.api("/orders", {**body, "reference": number.ljust(64, "M")})  # the longest status
    return {
        "orders/order": order["id"],
        "orders/order/": waits["id"],
        "orders/event": order["id"],
        "payments/paymentrequest": asked["id"],
        "payments/payment": payment["id"],
        "payments/refund": refund["id"],
        "payments/providerevent": payment["reference"],
        "payments/dispute": disputed["id"],
    }


def is_listed(staff: Person) -> bool:
    """Whether a list has what was searched for. A dispute takes some seconds to be heard of."""
    end = time.monotonic() + 60
    while not (found := staff.page.locator("#result_list tbody tr").count()) and time.monotonic() < end:
        time.sleep(0.5)
        staff.page.reload()
    return found > 0


def test_lists_fit_a_computers_screen(person: Make, stack: Stack) -> None:
    rows = longest(stack)
    for language in ("en-GB", "zh-CN"):
        staff = person(DESK, locale=language)
        enter(staff, stack)
        for name, own in rows.items():
            staff.go(f"/admin/{name.strip('/')}/?q={own}")
            assert is_listed(staff), name
            assert staff.page.evaluate(TOO_WIDE, SCROLLED) == 0, (name, language)


def test_no_cell_of_any_list_widens_it(person: Make, stack: Stack) -> None:
    """In each column a word of 64 letters, the widest there are, whatever the column is of."""
    longest(stack)
    seen = []
    for language in ("en-GB", "zh-CN"):
        staff = person(DESK, locale=language)
        enter(staff, stack)
        menu = staff.page.locator("#nav-sidebar a[href^='/admin/']").evaluate_all("all => all.map((it) => it.pathname)")
        for address in sorted(set(menu)):
            staff.go(address)
            if staff.page.evaluate(WIDE_WORDS):
                seen.append(address)
                assert staff.page.evaluate(TOO_WIDE, SCROLLED) == 0, (address, language)
    assert {"/admin/orders/order/", "/admin/payments/payment/", "/admin/payments/paymentrequest/"} <= set(seen)


def test_nothing_in_a_table_is_cut_off(person: Make, stack: Stack) -> None:
    stack.api("/webhook-endpoints", {"url": "http://127.0.0.1:9/nobody-listens"})
    asked = stack.api(f"/orders/{stack.order('CUT-1')['id']}/payment-requests", {})
    pay(asked["url"], name="Mei")
    for device in (PHONE, DESK):
        staff = person(device)
        enter(staff, stack)
        staff.go("/admin/find/?q=CUT-1")
        staff.sees("Ways to pay, and why not others")
        assert staff.page.evaluate(CUT) == []
        staff.go("/admin/orders/webhookendpoint/")
        staff.tap(staff.page.locator("#result_list a[href*='/change/']", has_text="nobody-listens"))
        staff.sees("The latest deliveries")
        assert staff.page.evaluate(TOO_WIDE, OUT_OF_REACH) == 0
        if device is PHONE:
            assert staff.page.evaluate(CUT) == []
            assert staff.page.locator("h1").inner_text().strip() == "http://127.0.0.1:9/nobody-listens"


def test_an_empty_list_says_so_and_asks_for_nothing_that_cannot_be_done(person: Make, stack: Stack) -> None:
    staff = person(DESK)
    enter(staff, stack)
    staff.go("/admin/payments/proposal/")
    assert staff.page.locator(".desk-empty").inner_text() == "No data"
    staff.go("/admin/payments/proposal/?q=nobody")
    staff.sees("No results found")
    staff.tap("Reset filters")
    staff.page.wait_for_url("**/proposal/?")
