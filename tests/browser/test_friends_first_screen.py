"""What a friend sees without scrolling: who asks, who gets the money, how much, what for, what if she does nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import PHONE, Person, Stack

Make = Callable[..., Person]
LARGE = PHONE
SMALL = {**PHONE, "viewport": {"width": 320, "height": 568}}
SEEN = """(element) => {
  const range = document.createRange();
  range.selectNodeContents(element);
  const {x, y, height, width} = range.getClientRects()[0];
  const there = document.elementFromPoint(x + Math.min(4, width / 2), y + height / 2);
  return y >= 0 && y + height <= innerHeight && element.contains(there);
}"""


def sees(friend: Person, *words: str) -> None:
    """Each of these is on the screen, and neither below it nor under the dock."""
    friend.page.wait_for_load_state("load")
    for word in words:
        place = friend.page.locator("main").get_by_text(word).locator("visible=true").first
        assert place.evaluate(SEEN), f"{word} is not on the first screen of {friend.page.viewport_size}"


def dock_share(friend: Person) -> float:
    """How much of the screen the dock covers."""
    return float(friend.page.evaluate("document.querySelector('.dock').getBoundingClientRect().height / innerHeight"))


@pytest.fixture(params=[LARGE, SMALL], ids=["390x844", "320x568"])
def device(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(request.param)


def asked(stack: Stack, reference: str, **more: Any) -> dict[str, Any]:
    order = stack.order(f"{reference}-first-screen")
    return stack.api(f"/orders/{order['id']}/payment-requests", {"message": "I'll cook on Sunday.", **more})


def test_five_questions_are_answered_without_scrolling(person: Make, stack: Stack, device: dict[str, Any]) -> None:
    friend = person(device)
    friend.go(asked(stack, f"five-{device['viewport']['width']}")["url"])
    sees(
        friend,
        "Lin is asking you to pay",
        "Lin's order at Harbour Tea",
        "CN¥90.00",
        "Spring oolong, 100 g",
        "Paid to",
        "If you do nothing, you won't be charged.",
        "Pay CN¥90.00 with Sandbox wallet",
    )
    assert dock_share(friend) < 0.4


def test_every_state_says_what_happened_how_much_and_what_next(
    person: Make, stack: Stack, device: dict[str, Any]
) -> None:
    friend, other = person(device), person(device)
    wide = device["viewport"]["width"]
    part = asked(stack, f"parts-{wide}", split={"max_payers": 3})
    friend.go(part["url"])
    sees(friend, "Lin is asking you to chip in", "Still needed", "CN¥90.00", "Pay CN¥30.00 with Sandbox wallet")
    request = asked(stack, f"states-{wide}")
    friend.go(request["url"])
    other.go(request["url"])
    friend.page.click("#pay button[name=method]")
    friend.sees("Approve this payment?")
    other.page.locator("#pay .note").wait_for()
    sees(other, "Lin is asking you to pay", "CN¥90.00", "Someone is paying", "you can pay in")
    friend.go(request["url"])
    sees(friend, "CN¥90.00", "You started paying with Sandbox wallet", "Continue to payment")
    friend.page.click("#pay a.btn")
    friend.page.click("button[value=approve]")
    friend.sees("Thank you!")
    sees(friend, "Thank you!", "We've told", "CN¥90.00")
    friend.go(request["url"])
    sees(friend, "You paid CN¥90.00 for", "Your receipt")
    other.sees("This is paid")
    sees(other, "This is paid", "Someone has already paid for")
    ended = asked(stack, f"ended-{wide}")
    stack.api(f"/payment-requests/{ended['id']}/cancel", {})
    other.go(ended["url"])
    sees(other, "No longer needed", "cancelled the request")


def test_many_ways_to_pay_cover_no_more_than_half(person: Make, stack: Stack, device: dict[str, Any]) -> None:
    friend = person(device)
    friend.go(asked(stack, f"many-{device['viewport']['width']}")["url"])
    friend.page.evaluate(
        """() => {
          const ways = document.createElement('details');
          ways.className = 'fold quietly ways';
          ways.open = true;
          ways.append(document.createElement('summary'));
          for (let i = 0; i < 10; i++) ways.append(document.querySelector('#pay .btn').cloneNode(true));
          document.querySelector('#pay').append(ways);
        }"""
    )
    assert dock_share(friend) <= 0.51
