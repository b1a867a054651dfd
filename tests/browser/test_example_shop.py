"""The example shop on another origin, with a strict policy: its buyer never leaves it, and it hears of money itself."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Frame

from tests.browser.conftest import DESK, KEY, PHONE, ROOT, Person, Stack
from tests.ports import free_port

SHARE = "navigator.share = async (what) => { window.shared = what.text }"
HEAR = """for (const name of ["opened", "closed", "ready", "asked", "paying", "paid"]) {
  document.addEventListener(`friendpay:${name}`, () => { document.documentElement.dataset.heard += ` ${name}` });
}"""
Make = Callable[..., Person]


@pytest.fixture(scope="module")
def example(stack: Stack) -> Iterator[str]:
    """The shop as its developer starts it. Its address."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "docs" / "examples" / "shop" / "shop.py")],
        env={**os.environ, "FRIENDPAY_URL": stack.address, "FRIENDPAY_KEY": KEY, "SHOP_PORT": str(port)},
    )
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < end:
            with suppress(OSError), urllib.request.urlopen(address, timeout=20):
                break
            time.sleep(0.1)
        assert process.poll() is None
        yield address
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture(scope="module")
def registered(stack: Stack, browser: Browser, example: str) -> str:
    """The operator lets the shop's page show the sheet."""
    secrets = json.loads((stack.data / "data" / "secrets.json").read_text())
    desk = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 1000})
    page = desk.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{stack.address}/admin/orders/merchant/")
    page.locator("[name=username]").fill(secrets["FRIENDPAY_SUPPORT_USER"])
    page.locator("[name=password]").fill(secrets["FRIENDPAY_SUPPORT_PASSWORD"])
    page.locator("[type=submit]").click()
    page.get_by_role("link", name="Harbour Tea").first.click()
    page.locator("[name=embed_origins]").fill(f"{example}\nhttps://another.example")
    page.select_option("select[name=why]", "shop")
    page.locator("[name=_save]").click()
    page.wait_for_url("**/orders/merchant/")
    desk.close()
    return example


def buy(buyer: Person, shop: str) -> None:
    buyer.go(shop)
    buyer.tap("Buy")
    buyer.sees("Not paid yet.")
    buyer.taps = 0


def pay(friend: Person, link: str) -> None:
    friend.go(link)
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    friend.tap("Approve CN¥45.00")
    friend.page.wait_for_url("**/r/**")


def fits(buyer: Person, frame: Frame) -> bool:
    """Whether the sheet is as tall as all that is in it; it is told so by a message."""
    for _poll in range(400):
        wanted = frame.evaluate("document.getElementById('live').getBoundingClientRect().height")
        given = buyer.page.locator("friend-pay iframe").evaluate("it => parseInt(it.style.height)")
        if given >= wanted:
            return True
        buyer.page.wait_for_timeout(50)
    return False


def test_the_buyer_asks_and_sees_it_paid_without_leaving_the_shop(person: Make, registered: str) -> None:
    buyer, friend = person(DESK), person(PHONE)
    buyer.page.context.add_init_script(SHARE)
    buy(buyer, registered)
    order = buyer.page.url
    buyer.page.get_by_role("button", name="Ask a friend to pay").wait_for()
    buyer.tap("Ask a friend to pay")
    sheet = buyer.page.frame_locator("friend-pay iframe")
    sheet.get_by_alt_text("QR code of your link").wait_for()
    buyer.tap(sheet.get_by_role("button", name="Share"))
    assert (buyer.taps, buyer.typed) == (2, 0)
    frame = next(frame for frame in buyer.page.frames if "/embed/" in frame.url)
    assert fits(buyer, frame)
    shared = frame.evaluate("window.shared")
    link = next(word for word in shared.split() if "/p/" in word)
    friend.go(link)
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    sheet.get_by_text("is paying").first.wait_for()
    friend.tap("Approve CN¥45.00")
    buyer.sees("Paid. Thank you!")
    assert buyer.page.url == order


def test_the_shops_page_hears_what_happens_even_when_the_sheet_was_closed(person: Make, registered: str) -> None:
    buyer, friend = person(DESK), person(PHONE)
    buyer.page.context.add_init_script(HEAR)
    buyer.page.route("**/shop.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    buy(buyer, registered)
    buyer.page.get_by_role("button", name="Ask a friend to pay").click()
    frame = buyer.page.frame_locator("friend-pay iframe")
    link = frame.get_by_role("link", name="Text message").get_attribute("href") or ""
    buyer.page.locator("html[data-heard~=asked]").wait_for()  # the link is there a moment earlier
    buyer.page.keyboard.press("Escape")
    pay(friend, next(word for word in unquote(link).split() if "/p/" in word))
    heard = buyer.page.locator("html[data-heard~=paid]").get_attribute("data-heard") or ""
    assert heard.replace(" paying", "").split()[1:] == ["ready", "opened", "asked", "closed", "paid"]


def test_the_plain_way_to_the_checkout_does_the_same(person: Make, registered: str) -> None:
    buyer, friend = person(DESK, java_script_enabled=False), person(PHONE)
    buy(buyer, registered)
    order = buyer.page.url
    buyer.page.get_by_role("link", name="Ask a friend to pay").click()
    buyer.tap("Ask a friend to pay")
    pay(friend, buyer.page.get_by_label("Your link", exact=True).input_value())
    for _poll in range(400):
        buyer.go(order)
        if buyer.page.get_by_text("Paid. Thank you!").is_visible():
            break
        buyer.page.wait_for_timeout(250)
    buyer.sees("Paid. Thank you!")


def test_where_the_origin_is_not_registered_the_button_is_a_link(person: Make, stack: Stack, registered: str) -> None:
    buyer = person(DESK)
    buy(buyer, registered.replace("127.0.0.1", "localhost"))
    end = time.monotonic() + 60
    while not any("ERR_FAILED" in line for line in buyer.complaints):  # the last that is said of a refused question
        assert time.monotonic() < end, buyer.complaints
        buyer.page.wait_for_timeout(50)
    assert buyer.page.get_by_role("button", name="Ask a friend to pay").count() == 0
    buyer.page.get_by_role("link", name="Ask a friend to pay").click()
    buyer.page.wait_for_url(f"{stack.address}/checkout/**")
    refused = [line for line in buyer.complaints if "CORS" in line or "403" in line or "ERR_FAILED" in line]
    buyer.complaints = [line for line in buyer.complaints if line not in refused]


def test_a_page_that_is_not_registered_cannot_frame_the_sheet(person: Make, stack: Stack, registered: str) -> None:
    buyer = person(DESK)
    buy(buyer, registered)
    checkout = buyer.page.get_by_role("link", name="To the checkout").get_attribute("href") or ""
    attacker = buyer.page.context.new_page()
    for target in (checkout, f"{checkout}embed/?origin={registered}"):
        attacker.goto(f"{registered.replace('127.0.0.1', 'localhost')}/nowhere")
        attacker.evaluate(
            "to => document.body.append(Object.assign(document.createElement('iframe'), {src: to}))", target
        )
        (frame,) = attacker.frames[1:]
        end = time.monotonic() + 60
        while not frame.url.startswith("chrome-error:"):
            assert time.monotonic() < end, frame.url
            attacker.wait_for_timeout(50)


def test_a_forged_webhook_changes_nothing(example: str) -> None:
    request = urllib.request.Request(f"{example}/webhooks", data=b'{"type": "order.paid"}', method="POST")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request, timeout=60)
