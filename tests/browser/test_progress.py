"""What the buyer sees while friends look, choose and try; and what a page knows that was asleep meanwhile."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import DESK, PHONE, Person, Stack
from tests.browser.sleeper import sleeper
from tests.browser.test_main_job import approve, ask_and_share
from tests.chromium import installed

BEHIND = "Object.defineProperty(document, 'hidden', { get: () => window.behind ?? false })"
NOTES = """(async () => {
  const helper = (await navigator.serviceWorker.getRegistrations())[0];
  return ((await helper?.getNotifications()) ?? []).map((note) => note.body);
})()"""
"""What the browser shows outside of the page."""

Make = Callable[..., Person]


def test_the_buyer_follows_every_step(person: Make) -> None:
    buyer, friend = person(DESK), person(PHONE)
    link = ask_and_share(buyer)
    icon = buyer.page.locator("link[rel=icon]")
    buyer.sees("Waiting for your friend to open it")
    assert re.search(r"icon\.(\w+\.)?svg$", icon.get_attribute("href") or "")
    friend.go(link)
    friend.sees("Lin can see that the link was opened, not by whom.")
    buyer.sees("Link opened")
    buyer.hears("Link opened")
    assert re.search(r"icon-news\.(\w+\.)?svg$", icon.get_attribute("href") or "")
    friend.page.mouse.wheel(0, 300)
    buyer.sees("Someone is choosing how to pay")
    assert buyer.page.title().startswith("Someone is choosing")
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    buyer.sees("Someone is paying")
    friend.tap("Refuse")
    buyer.sees("A friend tried")
    buyer.sees("No money has moved.")
    assert buyer.page.title().startswith("Not paid yet")
    friend.go(link)
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    buyer.sees("Someone is paying")
    buyer.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    approve(friend)
    buyer.sees("Harbour Tea has your order.")
    assert buyer.page.evaluate("scrollY") == 0  # wherever she was on the page, what it came to is said at the top
    assert re.search(r"icon-paid\.(\w+\.)?svg$", icon.get_attribute("href") or "")


def test_another_tab_of_who_pays_says_that_it_is_she(person: Make, stack: Stack) -> None:
    order = stack.order("two-tabs")
    friend = person(PHONE)
    friend.go(stack.api(f"/orders/{order['id']}/payment-requests", {})["url"])
    other = friend.page.context.new_page()
    other.goto(friend.page.url)
    other.locator(".is-live").wait_for()
    friend.page.click("#pay button[name=method]")
    other.get_by_text("You started paying with Sandbox wallet").wait_for()


def test_without_a_script_nobody_is_said_to_have_opened_it(person: Make) -> None:
    buyer, friend = person(DESK), person(PHONE, java_script_enabled=False)
    friend.go(ask_and_share(buyer))
    friend.page.wait_for_timeout(1500)
    buyer.sees("Waiting for your friend to open it")


def test_pages_that_slept_while_the_wallet_was_open_say_paid_as_soon_as_they_wake(
    person: Make, browser: Browser, tmp_path: Path
) -> None:
    """The buyer's tab behind the messenger, and the friend's behind a wallet that is an app of its own. Their lines
    stay deaf: nothing but waking makes them ask.
    """
    buyer, friend = person(DESK), person(PHONE)
    path = installed() or browser.browser_type.executable_path
    friend.go(ask_and_share(buyer))
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    friend.sees("Approve this payment?")
    wallet = friend.page.url
    friend.page.go_back()
    friend.tap("I have already paid")
    friend.sees("Checking your payment")
    with sleeper(path, tmp_path / "buyer") as asking, sleeper(path, tmp_path / "friend") as paying:
        asking.go(buyer.page.url)
        asking.sees("Is this your order?")
        asking.evaluate("document.querySelector('.dock button').click()")  # another browser: "It's my order"
        paying.go(friend.page.url)
        asking.sees("Someone is paying")
        paying.sees("Checking your payment")
        asking.sleep()
        paying.sleep()
        friend.go(wallet)
        approve(friend)
        friend.sees("Thank you!")
        asking.wake()
        asking.sees("Harbour Tea has your order.")
        paying.wake()
        paying.sees("Thank you!")
        assert asking.evaluate("document.title").startswith("Paid")
        assert paying.evaluate("document.title").startswith("Paid")


def test_who_wants_to_be_told_is_told_by_the_browser_and_nobody_else(person: Make) -> None:
    buyer, friend = person(DESK, permissions=["notifications"]), person(PHONE)
    buyer.page.context.add_init_script(BEHIND)
    link = ask_and_share(buyer)
    buyer.page.evaluate("window.behind = true")
    friend.go(link)
    buyer.sees("Link opened")
    friend.page.mouse.wheel(0, 300)  # else it is told by itself later on, when a page was looked at for long enough
    buyer.sees("Someone is choosing how to pay")
    assert buyer.page.evaluate(NOTES) == []  # nobody asked for it
    buyer.page.evaluate("window.behind = false")
    buyer.tap("Notify me on this device")  # this browser has no push service, and says so
    buyer.sees("Your browser notifies you while this page is open in the background.")
    buyer.page.evaluate("window.behind = true")
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    buyer.page.wait_for_function(f"(async () => (await {NOTES}).length === 1)()")  # that somebody is paying
    approve(friend)
    buyer.sees("Harbour Tea has your order.")
    buyer.page.wait_for_function(f"(async () => (await {NOTES}).includes('Your order is paid.'))()")
    assert buyer.page.evaluate(f"{NOTES}.then((notes) => notes.length)") == 2
    buyer.complaints = [line for line in buyer.complaints if "Push API" not in line]


@pytest.fixture
def keeping(browser: Browser) -> Iterator[Browser]:
    """A browser that keeps a page for its back button, as people's do."""
    kept = browser.browser_type.launch(
        executable_path=installed(), args=["--no-sandbox"], ignore_default_args=["--disable-back-forward-cache"]
    )
    yield kept
    kept.close()


def test_a_page_that_comes_back_by_the_back_button_says_what_happened(
    person: Make, keeping: Browser, stack: Stack
) -> None:
    buyer, friend = (
        Person(keeping.new_context(locale="en-GB").new_page(), stack.address),
        person(PHONE),
    )
    link = ask_and_share(buyer)
    buyer.page.evaluate("window.addEventListener('pageshow', (event) => event.persisted && (window.cameBack = true))")
    buyer.go("/open/")
    friend.go(link)
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    approve(friend)
    friend.sees("Thank you!")
    buyer.page.go_back(wait_until="commit")  # a kept page is not loaded again
    buyer.sees("Harbour Tea has your order.")
    assert buyer.page.evaluate("window.cameBack"), "the browser did not keep the page"
