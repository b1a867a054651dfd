"""What the buyer's first screen says in every state, on two sizes of phones: what happened, how much, what next."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import PHONE, Person, Stack, pay
from tests.browser.test_main_job import at_checkout

SMALL = {**PHONE, "viewport": {"width": 320, "height": 568}}
SEEN = """(selectors) => {
  const dock = document.querySelector(".dock");
  const floor = dock && getComputedStyle(dock).position === "fixed" ? dock.getBoundingClientRect().top : innerHeight;
  return selectors.filter((selector) => {
    const element = [...document.querySelectorAll(selector)].find((it) => it.checkVisibility());
    if (!element) return true;
    const box = element.getBoundingClientRect();
    const bottom = element.closest(".dock") ? innerHeight : floor;
    return box.top < 0 || box.bottom > bottom + 1 || box.right > innerWidth + 1;
  });
}"""
ORDER = """() => [...document.querySelectorAll("#main h1, #main .amount, .dock .btn")]
  .filter((it) => it.checkVisibility()).map((it) => it.className || it.tagName)"""
NO_SHEET = "navigator.share = undefined"

Make = Callable[..., Person]


def check(who: Person, state: str) -> None:
    """Above the fold and not behind the dock; in the order in which it is read."""
    who.page.wait_for_load_state("load")
    who.page.evaluate("scrollTo(0, 0)")
    hidden = who.page.evaluate(SEEN, ["h1", ".amount", ".dock .btn"])
    assert hidden == [], f"{state}: {hidden} cannot be seen on the first screen"
    read = who.page.evaluate(ORDER)
    assert read[0] == "H1", f"{state}: {read}"
    assert "amount" in read[1], f"{state}: {read}"


def stands(who: Person, stage: str) -> None:
    who.page.locator(f".standing[data-stage={stage}]").wait_for()
    check(who, stage)


@pytest.mark.parametrize("device", [PHONE, SMALL], ids=["390x844", "320x568"])
def test_every_state_is_told_by_the_first_screen(person: Make, device: dict[str, Any]) -> None:
    buyer, friend = person(device, reduced_motion="reduce"), person(PHONE)
    buyer.page.context.add_init_script(NO_SHEET)
    at_checkout(buyer)
    check(buyer, "choose")
    buyer.tap("Ask a friend to pay")
    stands(buyer, "shared")
    link, checkout = buyer.page.input_value("#link"), buyer.page.url
    buyer.tap("Share")
    stands(buyer, "sent")
    friend.go(link)
    stands(buyer, "opened")
    friend.page.mouse.wheel(0, 300)
    stands(buyer, "choosing")
    friend.page.click("#pay button[name=method]")
    stands(buyer, "trying")
    friend.page.click("button[value=refuse]")
    stands(buyer, "failed")
    friend.go(link)
    friend.page.click("#decline summary")
    friend.page.click("#decline form > button")
    stands(buyer, "declined")
    buyer.tap("I'll pay it myself")
    buyer.sees("Pay yourself")
    check(buyer, "pay")
    buyer.page.click("form.dock button[name=method]")
    buyer.sees("Approve this payment?")
    buyer.go(checkout)
    stands(buyer, "own")
    buyer.page.click("#cancel summary")
    buyer.page.click("#cancel button")
    buyer.sees("Your request is cancelled")
    check(buyer, "cancelled")


@pytest.mark.parametrize("device", [PHONE, SMALL], ids=["390x844", "320x568"])
def test_a_part_and_all_of_it_are_told_by_the_first_screen(person: Make, stack: Stack, device: dict[str, Any]) -> None:
    order = stack.order(f"first-screen-{device['viewport']['width']}")
    asked = stack.api(f"/orders/{order['id']}/payment-requests", {"split": {"max_payers": 3, "min_amount": 1000}})
    buyer = person(device, reduced_motion="reduce")
    buyer.go(order["checkout_url"])
    pay(asked["url"], amount="30.00")
    stands(buyer, "partly")
    pay(asked["url"], amount="60.00")
    buyer.page.locator(".seal.arrive").wait_for()
    check(buyer, "paid")


def test_whoever_was_sent_the_buyers_page_is_led_to_the_payment(person: Make) -> None:
    buyer, friend = person(PHONE), person(SMALL)
    buyer.page.context.add_init_script(NO_SHEET)
    at_checkout(buyer)
    buyer.tap("Ask a friend to pay")
    buyer.sees("Send this to a friend")
    link = buyer.page.input_value("#link")
    assert buyer.page.locator("link[rel=canonical]").get_attribute("href") == link
    friend.go(buyer.page.url)
    friend.sees("Is this your order?")
    friend.tap("Someone asked me to pay")
    friend.page.wait_for_url(link)
    buyer.page.reload()
    buyer.page.locator("#sheet-fold").wait_for()


def test_without_a_line_nothing_is_sent_and_the_page_stays(person: Make) -> None:
    buyer = person(PHONE)
    buyer.page.context.add_init_script(NO_SHEET)
    at_checkout(buyer)
    buyer.page.context.set_offline(True)
    buyer.tap("Ask a friend to pay")
    buyer.sees("Nothing was sent. Tap again when you're back online.")
    buyer.page.context.set_offline(False)
    buyer.tap("Ask a friend to pay")
    buyer.sees("Send this to a friend")
