"""The main job in two real browsers at once: a buyer at a desk, a friend with a phone."""

import re
import time
from collections.abc import Callable

import pytest

from tests.browser.conftest import DESK, PHONE, Person, Stack

SHARE = "navigator.share = async (what) => { window.shared = sessionStorage.shared = what.text }"
WATCH_TITLE = """
window.marked = true;
new MutationObserver(() => { if (document.title.startsWith("Paid")) window.paidAt ??= Date.now() })
  .observe(document.querySelector("title"), {childList: true, characterData: true, subtree: true});
"""
Make = Callable[..., Person]


def at_checkout(buyer: Person) -> None:
    """A basket, and the way to its checkout: what comes before the job begins."""
    buyer.go("/")
    buyer.tap("Add Spring oolong")
    buyer.tap("Basket, 1 item")
    buyer.tap("Check out")
    buyer.sees("Ask a friend to pay")
    buyer.taps = 0


def link_in(text: str) -> str:
    found = re.search(r"http\S+/p/\w+/", text)
    assert found
    return found[0]


def ask_and_share(buyer: Person) -> str:
    """What the buyer does, and the link that leaves in the share sheet."""
    buyer.page.context.add_init_script(SHARE)
    at_checkout(buyer)
    buyer.tap("Ask a friend to pay")
    buyer.page.locator("#sheet-fold").wait_for()
    return link_in(buyer.page.evaluate("sessionStorage.shared"))


def approve(friend: Person) -> float:
    """Approve in the wallet; says when, in milliseconds."""
    began = time.time() * 1000
    friend.button("Approve").click(no_wait_after=True)
    friend.page.wait_for_url("**/r/**")
    return began


def test_two_taps_and_nothing_typed_on_either_side(person: Make) -> None:
    buyer, friend = person(DESK), person(PHONE)
    link = ask_and_share(buyer)
    assert (buyer.taps, buyer.typed) <= (3, 0)
    assert buyer.typed == 0
    friend.go(link)
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    friend.sees("Approve this payment?")
    assert friend.taps <= 2
    assert friend.typed == 0
    buyer.sees("Someone is paying")
    approve(friend)
    friend.sees("Thank you!")
    buyer.sees("Harbour Tea has your order.")


def test_the_buyers_page_turns_to_paid_within_a_second_and_without_a_reload(person: Make) -> None:
    delays = []
    for _try in range(8):  # a few slow moments of a busy machine are not the page's fault; eight are
        buyer, friend = person(DESK), person(PHONE)
        friend.go(ask_and_share(buyer))
        buyer.page.evaluate(WATCH_TITLE)
        friend.tap("Pay CN¥45.00 with Sandbox wallet")
        began = approve(friend)
        buyer.sees("Harbour Tea has your order.")
        assert buyer.page.evaluate("window.marked")
        assert buyer.page.title().startswith("Paid")
        assert buyer.page.locator("#announcer").text_content() == "Your order is paid."
        delays.append(buyer.page.evaluate("window.paidAt") - began)
        if delays[-1] <= 1000:
            break
    assert min(delays) <= 1000, f"milliseconds from the wallet's approval: {delays}"


def test_what_the_buyer_is_typing_survives_what_happens_meanwhile(person: Make) -> None:
    buyer, friend = person(DESK), person(PHONE)
    friend.go(ask_and_share(buyer))
    buyer.tap(buyer.page.get_by_text("Add a message"))
    buyer.type("Message to your friend", "Could you")
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    buyer.sees("Someone is paying")
    buyer.page.keyboard.type(" get this for me?")
    assert buyer.page.get_by_label("Message to your friend").input_value() == "Could you get this for me?"


def test_what_the_buyer_has_open_survives_a_no_and_then_a_payment(person: Make) -> None:
    buyer, friend = person(DESK), person(PHONE)
    friend.go(ask_and_share(buyer))
    friend.tap(friend.page.locator("#decline summary"))
    friend.tap("Let Lin know")
    buyer.page.locator(".standing[data-stage=declined]").wait_for()
    buyer.tap(buyer.page.get_by_text("Add a message"))
    buyer.type("Message to your friend", "Could you")
    buyer.tap(buyer.page.locator("#cancel summary"))
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    buyer.page.locator(".standing[data-stage=trying]").wait_for()
    assert buyer.page.get_by_label("Message to your friend").input_value() == "Could you"
    assert buyer.button("Yes, cancel it").is_visible()


def test_a_second_friend_sees_the_first_and_then_that_it_is_paid(person: Make) -> None:
    buyer, friend, other = person(DESK), person(PHONE), person(PHONE)
    link = ask_and_share(buyer)
    friend.go(link)
    other.go(link)
    friend.tap(friend.page.get_by_text("Add your name"))
    friend.type("Your name (anyone with this link can see it)", "Mei")
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    other.sees("Mei is paying")
    other.sees("you can pay in")
    approve(friend)
    other.sees("Someone has already paid for Lin")


def test_without_any_script(person: Make) -> None:
    buyer, friend = person(DESK, java_script_enabled=False), person(PHONE, java_script_enabled=False)
    at_checkout(buyer)
    buyer.tap("Ask a friend to pay")
    assert buyer.taps <= 3
    assert not buyer.page.get_by_role("button", name="Share").is_visible()
    friend.go(buyer.page.get_by_label("Your link", exact=True).input_value())
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    assert (friend.taps, friend.typed) == (1, 0)
    friend.tap("Approve CN¥45.00")
    for _poll in range(120):
        if friend.page.get_by_text("Thank you!").is_visible():
            break
        friend.page.wait_for_timeout(250)
        friend.tap("I've paid: check again")
    friend.sees("Thank you!")
    buyer.tap("Refresh")
    buyer.sees("Harbour Tea has your order.")


def test_cancelling_takes_a_second_word_and_ends_the_friends_page(person: Make) -> None:
    buyer, friend = person(DESK), person(PHONE)
    link = ask_and_share(buyer)
    friend.go(link)
    friend.sees("Lin is asking you to pay")
    buyer.tap(buyer.page.get_by_text("Cancel this request"))
    buyer.tap("Yes, cancel it")
    buyer.sees("Your request is cancelled")
    friend.sees("No longer needed")
    buyer.tap("Ask a friend again")
    buyer.sees("Waiting for your friend")  # the share sheet came by the same tap
    again = link_in(buyer.page.evaluate("sessionStorage.shared"))
    assert again != link
    friend.go(again)
    friend.sees("Lin is asking you to pay")


def test_declining_is_told_to_the_buyer_at_once(person: Make) -> None:
    buyer, friend = person(DESK), person(PHONE)
    friend.go(ask_and_share(buyer))
    friend.tap(friend.page.locator("#decline summary"))
    friend.type("Add a note (optional)", "Next time!")
    friend.tap("Let Lin know")
    friend.sees("We've let Lin know.")
    buyer.sees("“Next time!”")


def test_a_page_that_lost_its_line_catches_up_when_it_comes_back(person: Make) -> None:
    buyer, friend = person(DESK), person(PHONE)
    friend.go(ask_and_share(buyer))
    buyer.page.context.set_offline(True)
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    approve(friend)
    friend.sees("Thank you!")
    buyer.page.context.set_offline(False)
    buyer.sees("Harbour Tea has your order.")
    buyer.complaints = [line for line in buyer.complaints if "ERR_INTERNET_DISCONNECTED" not in line]


def test_a_spoken_code_opens_the_request_in_any_browser(person: Make) -> None:
    buyer, friend = person(DESK), person(PHONE)
    ask_and_share(buyer)
    friend.go("/open/")
    code = buyer.page.locator("#code").inner_text()
    friend.type("Code or message", code.lower().replace("-", " "))  # and it opens by itself
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    friend.sees("Approve this payment?")
    assert friend.taps <= 2
    assert friend.typed == len(code)


@pytest.mark.proof
def test_a_minutes_request_expires_on_both_pages_and_in_the_api_by_itself(person: Make, stack: Stack) -> None:
    order = stack.api(
        "/orders",
        {
            "reference": "expiring",
            "currency": "CNY",
            "lines": [{"name": "Spring oolong", "quantity": 1, "unit_amount": 4500}],
            "buyer": {"id": "lin", "name": "Lin"},
        },
    )
    asked = stack.api(f"/orders/{order['id']}/payment-requests", {"expires_in": 60})
    with stack.database() as database:  # a minute is the least that may be asked for, and long for a test
        ends = "UPDATE payments_paymentrequest SET expires_at = now() + interval '8 seconds' WHERE public_id = %s"
        assert database.execute(ends, [asked["id"]]).rowcount == 1
    buyer, friend = person(DESK), person(PHONE)
    buyer.go(order["checkout_url"])
    friend.go(asked["url"])
    friend.sees("This request has expired")
    buyer.sees("This request has expired")
    assert stack.api(f"/payment-requests/{asked['id']}")["status"] == "expired"
    buyer.tap("Ask a friend again")
    buyer.sees("Send this to a friend")
