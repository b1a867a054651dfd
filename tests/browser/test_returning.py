"""Back from the wallet, refused, stopped, with scripts that fail: what was said stays, and "paid" comes in any case."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Route

from tests.browser.conftest import DESK, PHONE, Person, Stack, pay

Make = Callable[..., Person]
SCRIPTS = ("clock", "language", "line", "live", "morph", "part", "return", "share", "steps", "wallet")


def asked(stack: Stack, reference: str, **more: object) -> dict[str, str]:
    order = stack.order(f"{reference}-{time.monotonic_ns()}")
    plea = stack.api(f"/orders/{order['id']}/payment-requests", more)
    return {"link": plea["url"], "buyer": order["checkout_url"]}


def test_a_lost_notification_costs_who_comes_back_three_seconds(person: Make, stack: Stack) -> None:
    friend = person(PHONE)
    friend.go(asked(stack, "lost")["link"])
    friend.page.click("#pay button[name=method]")
    friend.page.click("main details summary")
    friend.page.click("button[value=approve-untold]")
    began = time.monotonic()
    friend.page.locator(".seal.arrive").wait_for(timeout=6000)
    assert time.monotonic() - began <= 3


def test_without_a_script_one_tap_asks_the_wallet(person: Make, stack: Stack) -> None:
    friend = person(PHONE, java_script_enabled=False)
    friend.go(asked(stack, "lost-plain")["link"])
    friend.page.click("#pay button[name=method]")
    friend.page.click("main details summary")
    friend.page.click("button[value=approve-untold]")
    friend.page.get_by_role("button", name="I have paid: check again").click(timeout=9000)
    friend.page.locator(".seal.arrive").wait_for()


def test_a_refusal_and_a_mistake_are_read_while_others_come_and_go(person: Make, stack: Stack) -> None:
    friend = person(PHONE)
    link = asked(stack, "refused", split={"max_payers": 3, "min_amount": 1000})["link"]
    friend.go(link)
    friend.page.fill("#id_amount", "1.5")
    friend.page.locator("button", has_text="Pay CN¥1.50").wait_for()
    friend.page.click("#pay button[name=method]")
    friend.page.locator("#id_amount_error").wait_for()
    pay(link, amount="30.00")
    friend.sees("CN¥30.00 of CN¥90.00 is paid")
    friend.page.wait_for_timeout(500)
    assert friend.page.locator("#id_amount_error").is_visible()
    assert friend.page.input_value("#id_amount") == "1.5"
    friend.complaints = [line for line in friend.complaints if "422" not in line]


def test_the_sum_on_the_button_follows_what_is_typed(person: Make, stack: Stack) -> None:
    friend = person(PHONE)
    friend.go(asked(stack, "typed", split={"max_payers": 3, "min_amount": 1000})["link"])
    friend.page.fill("#id_amount", "2,000")
    friend.page.locator("button", has_text="Pay CN¥2,000.00").wait_for()
    friend.page.fill("#id_amount", "20,5")
    friend.page.locator("button", has_text="Pay CN¥20.50").wait_for()
    friend.page.press("#id_amount", "Enter")  # chooses no wallet
    friend.page.wait_for_timeout(500)
    assert friend.page.url.endswith("/")
    friend.page.click("#pay button[name=method]")
    friend.sees("Approve this payment?")
    friend.sees("CN¥20.50")


def test_a_tap_that_was_stopped_can_be_made_again_and_news_go_on(person: Make, stack: Stack) -> None:
    friend, link = person(PHONE), asked(stack, "stopped")["link"]
    friend.go(link)

    def stop(route: Route) -> None:
        route.abort("aborted")

    friend.page.route("**/pay/", stop)
    friend.page.click("#pay button[name=method]")
    friend.page.wait_for_timeout(500)
    pay(link)
    friend.page.locator(".seal.arrive").wait_for(timeout=16000)
    friend.complaints = [line for line in friend.complaints if "ERR_" not in line]


@pytest.mark.parametrize("script", SCRIPTS)
def test_with_any_script_gone_paid_still_appears(person: Make, stack: Stack, script: str) -> None:
    buyer, at = person(DESK), asked(stack, f"no-{script}")
    buyer.page.route(re.compile(rf"/{script}(\.[0-9a-f]+)?\.js"), lambda route: route.abort())
    buyer.go(at["buyer"])
    buyer.page.locator("#code").wait_for()
    pay(at["link"])
    end = time.monotonic() + 5
    while not buyer.page.locator(".seal.arrive").count() and time.monotonic() < end:
        if (link := buyer.page.locator(".unlive a")).is_visible():
            link.click()
        buyer.page.wait_for_timeout(200)
    assert buyer.page.locator(".seal.arrive").count()
    buyer.page.wait_for_load_state()  # what its console has to say of the missing script is said
    buyer.complaints = [line for line in buyer.complaints if "ERR_FAILED" not in line and "dynamically" not in line]
