"""What a friend can do beside paying, the thanks afterwards, mail and receipts, in real browsers."""

import re
import time
from collections.abc import Callable
from email import message_from_string, policy
from email.message import EmailMessage

from tests.browser.axe import faults
from tests.browser.conftest import DESK, PHONE, Person, Stack
from tests.browser.test_main_job import SHARE, approve, ask_and_share, at_checkout

Make = Callable[..., Person]


def mail_to(stack: Stack, address: str, subject: str) -> EmailMessage:
    """The mail the demo has written for somebody, waited for."""
    end = time.monotonic() + 90
    while time.monotonic() < end:
        for file in (stack.data / "data" / "mail").glob("*.log"):
            text = file.read_text().partition("\n-----")[0]
            found = message_from_string(text, policy=policy.default)
            assert isinstance(found, EmailMessage)
            if (found["To"], found["Subject"]) == (address, subject):
                return found
        time.sleep(0.2)
    raise AssertionError(f"nothing was written to {address}")


def test_one_tap_passes_the_link_on(person: Make) -> None:
    buyer, friend = person(DESK), person(PHONE)
    link = ask_and_share(buyer)
    friend.page.context.add_init_script(SHARE)
    friend.go(link)
    friend.tap("Pass it on")
    assert friend.page.evaluate("window.shared").endswith(f"I can't just now. {link}")
    assert (friend.taps, friend.typed) == (1, 0)


def test_no_and_not_now_without_any_script_or_typing(person: Make) -> None:
    buyer, friend = person(DESK, java_script_enabled=False), person(PHONE, java_script_enabled=False)
    at_checkout(buyer)
    buyer.tap("Ask a friend to pay")
    friend.go(buyer.page.get_by_label("Your link", exact=True).input_value())
    assert friend.button("Pass it on").get_attribute("href").startswith("mailto:?body=Could")  # type: ignore[union-attr]
    friend.tap(friend.page.get_by_text("Not now"))
    with friend.page.expect_download() as download:
        friend.page.get_by_label("In 4 hours").check()
        friend.tap("Add a reminder to my calendar")
    assert "BEGIN:VALARM" in download.value.path().read_text()
    friend.page.get_by_label("Your email address").fill("mei@post.example")
    friend.page.get_by_label("In 1 hour").check()
    friend.tap("Email me a reminder")
    friend.sees("We'll remind you, unless")
    friend.tap(friend.page.locator("#decline summary"))
    friend.page.get_by_label("Sorry, I can't this time.").check()
    friend.tap("Let Lin know")
    friend.sees("We've let Lin know.")
    assert friend.page.get_by_text("We'll remind you, unless").count() == 0
    assert friend.typed == 0
    buyer.tap("Refresh")
    buyer.sees("“Sorry, I can't this time.”")


def test_thanks_arrive_by_themselves_and_the_receipt_by_mail(person: Make, stack: Stack) -> None:
    buyer, friend = person(DESK), person(PHONE)
    friend.go(ask_and_share(buyer))
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    approve(friend)
    friend.sees("Thank you!")
    friend.tap(friend.page.get_by_text("Email me the receipt").first)
    friend.type("Your email address", "receipts@post.example")
    friend.tap(friend.page.locator("#by-mail button"))
    friend.sees("We'll email r…@post.example")
    buyer.page.get_by_label("Thank you! The next one is on me.").check()
    assert buyer.page.locator("#thank").is_visible()  # nothing is sent until it is
    buyer.tap("Send")
    buyer.sees("Your thanks are on the payer's receipt")
    friend.sees("Lin says")
    friend.sees("Thank you! The next one is on me.")
    message = mail_to(stack, "receipts@post.example", "Your receipt from Harbour Tea")
    stop = message["List-Unsubscribe"].strip("<>")
    friend.go(stop)
    assert faults(friend) == []
    friend.tap("Stop all emails")
    friend.sees("You'll get no more email from us")


def printed(who: Person) -> str:
    """What stands on the paper, which is one sheet."""
    pdf = who.page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
    assert re.search(rb"/MediaBox \[0 0 59[45][.\d]* 84[12]", pdf)  # A4
    who.page.emulate_media(media="print")
    return who.page.inner_text("body")


def test_both_receipts_print_on_one_sheet_without_buttons_or_anything_private(person: Make, stack: Stack) -> None:
    order = stack.api(
        "/orders",
        {
            "reference": "PRINT-1",
            "currency": "CNY",
            "lines": [{"name": f"Tea number {kind}", "quantity": 2, "unit_amount": 1500} for kind in range(1, 7)],
            "buyer": {"id": "lin-at-the-shop", "name": "Lin"},
        },
    )
    asked = stack.api(f"/orders/{order['id']}/payment-requests", {})
    friend, buyer = person(PHONE), person(DESK)
    friend.go(asked["url"])
    friend.tap("Pay CN¥180.00 with Sandbox wallet")
    approve(friend)
    friend.sees("Thank you!")
    payment = stack.api(f"/payment-requests/{asked['id']}")["payments"][0]["id"]
    stack.api(f"/payments/{payment}/refunds", {"amount": 3000})
    friend.sees("Returned")
    paper = printed(friend)
    for word in ("Harbour Tea", "CN¥180.00", "Sandbox wallet", "Tea number 6", "CN¥30.00", "by the shop"):
        assert word in paper
    numbers = re.search(r"Receipt no\.\s+(R-\w{4}-\w{4})\s+Wallet's number\s+(\w+)", paper)
    assert numbers
    assert re.search(r"When\s+(\w+ \d+, 20\d\d|\d+ \w+ 20\d\d)", paper)  # American, or any other English
    aside = ("lin-at-the-shop", payment, "Legal name")  # the last is behind the badge, which paper cannot open
    for word in (*aside, "PRINT-1", "Print", "Language", "Email me the receipt", "Back to the request"):
        assert word not in paper
    buyer.go(f"{order['checkout_url']}receipt/")
    paper = printed(buyer)
    for word in ("Harbour Tea", "PRINT-1", "CN¥180.00", "Tea number 6", "A friend", "Returned", "CN¥30.00"):
        assert word in paper
    for word in (*aside, *numbers.groups(), "Print", "Language", "Back"):
        assert word not in paper
