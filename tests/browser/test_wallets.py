"""Every wallet on every screen, against simulated wallets: the right rail, and from the tap to the buyer's "paid"."""

import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog

from tests import agents
from tests.browser.axe import faults
from tests.browser.conftest import DESK, PHONE, Person, Stack, started

DEVICES: dict[str, dict[str, Any]] = {
    "WeChat on iPhone": {**PHONE, "user_agent": agents.WECHAT_IPHONE},
    "WeChat on Android": {**PHONE, "user_agent": agents.WECHAT_ANDROID},
    "Alipay on iPhone": {**PHONE, "user_agent": agents.ALIPAY_IPHONE},
    "Alipay on Android": {**PHONE, "user_agent": agents.ALIPAY_ANDROID},
    "Safari on iPhone": {**PHONE, "user_agent": agents.SAFARI_IPHONE},
    "Chrome on Android": {**PHONE, "user_agent": agents.CHROME_ANDROID},
    "a desktop": {**DESK, "user_agent": agents.CHROME_DESKTOP},
    "WeChat on Windows": {**DESK, "user_agent": agents.WECHAT_WINDOWS},
}
PAID = "Harbour Tea has your order."
Make = Callable[..., Person]


@dataclass
class Asked:
    """An order of 45.00 that a friend is asked to pay, and its buyer, who looks on."""

    id: str
    url: str
    buyer: Person


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with started(tmp_path_factory.mktemp("wallets"), "--emulators") as stack:
        said, end = stack.data / "bin-up.log", time.monotonic() + 300
        while "Ctrl-C" not in said.read_text():
            assert time.monotonic() < end, said.read_text()
            time.sleep(0.2)
        yield stack


@pytest.fixture(scope="module")
def browsers(browser: Browser) -> Iterator[dict[str, list[BrowserContext]]]:
    """By device: people borrow one, which takes a tenth of what a new one does."""
    kept: dict[str, list[BrowserContext]] = {}
    yield kept
    for context in chain(*kept.values()):
        context.close()


@pytest.fixture
def person(stack: Stack, browser: Browser, browsers: dict[str, list[BrowserContext]]) -> Iterator[Make]:
    """Makes people who were never here before; whatever a page complained of in its console fails the test."""
    people: list[Person] = []

    def make(device: dict[str, Any]) -> Person:
        kept = browsers.setdefault(repr(device), [])
        context = next((it for it in kept if not it.pages), None)
        if context is None:
            kept.append(context := browser.new_context(locale="en-GB", **device))
        context.clear_cookies()
        people.append(Person(context.new_page(), stack.address))
        return people[-1]

    yield make
    for page in [page for somebody in people for page in somebody.page.context.pages]:
        page.close()
    assert [line for somebody in people for line in somebody.complaints] == []


def _order(stack: Stack) -> dict[str, Any]:
    lines = [{"name": "Spring oolong", "quantity": 1, "unit_amount": 4500}]
    order = {"reference": f"W-{time.time_ns()}", "currency": "CNY", "lines": lines}
    return stack.api("/orders", order | {"buyer": {"id": "lin", "name": "Lin"}})


@pytest.fixture
def payment_request(stack: Stack, person: Make) -> Asked:
    order = _order(stack)
    asked = stack.api(f"/orders/{order['id']}/payment-requests", {})
    buyer = person(DESK)
    buyer.go(order["checkout_url"])
    buyer.sees("Send this to a friend")
    return Asked(asked["id"], asked["url"], buyer)


# What payers do in their wallets


def choose(friend: Person, wallet: str) -> None:
    """The likeliest is a button, the others are behind one word."""
    if not friend.button(wallet).count():
        friend.tap(friend.page.locator("#ways summary"))
    friend.tap(wallet)


def tap_pay(friend: Person) -> None:
    """On the wallet's own page, which says that it is simulated."""
    friend.sees("no money moves here")
    friend.page.get_by_role("button", name="Pay", exact=True).click()


def scan(friend: Person) -> None:
    """With another phone; the page with the code goes on by itself."""
    friend.sees("Scan this with")
    assert faults(friend) == []
    with friend.page.expect_popup() as phone:
        friend.tap("Scan it with a simulated phone")
    phone.value.get_by_role("button", name="Pay", exact=True).click()


def on_alipays_page(friend: Person) -> None:
    """Without a phone: from the page with the code to Alipay's own."""
    friend.tap("Pay on the Alipay (simulated) website")
    tap_pay(friend)


def in_the_sheet(friend: Person) -> None:
    """Nothing more: the sheet has opened by itself and was approved."""


def put_bridge(friend: Person, stack: Stack, *, approves: bool = True) -> None:
    """What WeChat's own browser puts into each page. Its calls do not go through the page, nor by the page's policy."""
    found = re.search(r"scans WeChat's codes: (\S+)", (stack.data / "bin-up.log").read_text())
    assert found
    with urllib.request.urlopen(f"{found[1]}bridge.js", timeout=60) as answer:
        script = answer.read().decode()

    def outside(url: str, body: str) -> str:
        with urllib.request.urlopen(url, body.encode(), timeout=60) as answer:
            word: str = answer.read().decode()
            return word

    def decide(dialog: Dialog) -> None:
        assert "no money moves here" in dialog.message
        dialog.accept() if approves else dialog.dismiss()

    friend.page.expose_function("outside", outside)
    friend.page.add_init_script(
        "{const fetch = async (url, {body}) => ({json: async () => JSON.parse(await window.outside(url, body))});"
        f"{script}}}"
    )
    friend.page.once("dialog", decide)


JOBS: list[tuple[str, str, Callable[[Person], None]]] = [
    ("WeChat on iPhone", "WeChat Pay", in_the_sheet),
    ("WeChat on Android", "WeChat Pay", in_the_sheet),
    ("WeChat on iPhone", "Card", tap_pay),
    ("Alipay on iPhone", "Alipay", tap_pay),
    ("Alipay on Android", "Alipay", tap_pay),
    ("Alipay on iPhone", "Card", tap_pay),
    ("Safari on iPhone", "WeChat Pay", tap_pay),
    ("Safari on iPhone", "Alipay", tap_pay),
    ("Safari on iPhone", "Card", tap_pay),
    ("Chrome on Android", "WeChat Pay", tap_pay),
    ("Chrome on Android", "Alipay", tap_pay),
    ("Chrome on Android", "Card", tap_pay),
    ("a desktop", "WeChat Pay", scan),
    ("a desktop", "Alipay", scan),
    ("a desktop", "Alipay", on_alipays_page),
    ("a desktop", "Card", tap_pay),
    ("WeChat on Windows", "WeChat Pay", scan),
]


@pytest.mark.parametrize(
    ("device", "wallet", "finish"), JOBS, ids=[f"{job[0]}, {job[1]}, {job[2].__name__}" for job in JOBS]
)
def test_from_one_tap_to_the_buyers_paid(
    person: Make, stack: Stack, payment_request: Asked, device: str, wallet: str, finish: Callable[[Person], None]
) -> None:
    friend = person(DEVICES[device])
    if finish is in_the_sheet:
        put_bridge(friend, stack)
    friend.go(payment_request.url)
    choose(friend, f"{wallet} (simulated)")
    assert friend.taps <= 2
    assert friend.typed == 0
    finish(friend)
    friend.sees("Thank you!")
    payment_request.buyer.sees(PAID)
    payments = stack.api(f"/payment-requests/{payment_request.id}")["payments"]
    assert [it["amount_applied"] for it in payments if it["status"] == "succeeded"] == [4500]


@pytest.mark.parametrize(
    ("device", "line"),
    [
        ("WeChat on iPhone", "WeChat can't open Alipay (simulated) here"),
        ("WeChat on Android", "WeChat can't open Alipay (simulated) here"),
        ("Alipay on iPhone", "Alipay can't open WeChat Pay (simulated) here"),
        ("Alipay on Android", "Alipay can't open WeChat Pay (simulated) here"),
    ],
)
def test_a_wallet_of_the_other_house_is_reached_by_copying_the_link(
    person: Make, payment_request: Asked, device: str, line: str
) -> None:
    friend = person(DEVICES[device])
    friend.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    friend.go(payment_request.url)
    friend.tap(friend.page.locator("#ways summary"))
    friend.sees(line)
    assert faults(friend) == []
    friend.tap("Copy link")
    friend.hears("Copied")
    assert friend.page.evaluate("navigator.clipboard.readText()") == payment_request.url


def test_closing_the_sheet_pays_nothing_and_the_button_opens_it_again(
    person: Make, stack: Stack, payment_request: Asked
) -> None:
    friend = person(DEVICES["WeChat on iPhone"])
    put_bridge(friend, stack, approves=False)
    friend.go(payment_request.url)
    choose(friend, "WeChat Pay (simulated)")
    friend.sees("You closed the wallet. Nothing was paid.")
    friend.page.once("dialog", lambda dialog: dialog.accept())
    friend.tap("Pay with WeChat Pay (simulated)")
    friend.sees("Thank you!")
    payment_request.buyer.sees(PAID)


def test_a_sheet_outside_wechat_says_where_it_opens(person: Make, payment_request: Asked) -> None:
    """Somebody shows WeChat's words but has not its bridge."""
    friend = person(DEVICES["WeChat on iPhone"])
    friend.go(payment_request.url)
    choose(friend, "WeChat Pay (simulated)")
    friend.sees("This only works inside the wallet's app.")
    friend.tap("Pay another way")
    choose(friend, "Card (simulated)")
    tap_pay(friend)
    friend.sees("Thank you!")


def test_without_a_script_the_sheets_page_says_so_and_the_code_works(person: Make, payment_request: Asked) -> None:
    friend = person({**DEVICES["WeChat on iPhone"], "java_script_enabled": False})
    friend.go(payment_request.url)
    choose(friend, "WeChat Pay (simulated)")
    friend.sees("needs JavaScript to open here")
    friend.tap("Pay another way")
    friend.tap(friend.page.locator("#ways summary"))
    friend.sees("WeChat can't open Alipay (simulated) here")
    assert friend.page.get_by_label("The link").input_value() == payment_request.url


def test_the_buyer_pays_by_code_from_her_own_phone(person: Make, stack: Stack) -> None:
    buyer = person(DEVICES["Safari on iPhone"])
    buyer.go(_order(stack)["checkout_url"])
    buyer.tap("Pay now")
    buyer.tap(buyer.page.get_by_text("Pay by code"))
    buyer.tap("Show a code for WeChat Pay (simulated)")
    scan(buyer)
    buyer.sees(PAID)


@pytest.mark.parametrize(("device", "finish"), [("Safari on iPhone", tap_pay), ("a desktop", scan)])
def test_the_buyer_pays_herself_on_the_same_rails(
    person: Make, stack: Stack, device: str, finish: Callable[[Person], None]
) -> None:
    buyer = person(DEVICES[device])
    buyer.go(_order(stack)["checkout_url"])
    buyer.tap("Pay now")
    choose(buyer, "WeChat Pay (simulated)")
    finish(buyer)
    buyer.sees(PAID)


def test_a_pages_forms_lead_to_its_wallets_and_to_no_other_host(person: Make, payment_request: Asked) -> None:
    friend = person(DEVICES["a desktop"])
    friend.go(payment_request.url)
    before = friend.page.url
    with friend.page.expect_console_message(lambda line: "form-action" in line.text):
        friend.page.evaluate(
            "() => {const form = document.createElement('form'); form.method = 'post';"
            "form.action = 'http://127.0.0.1:9/'; document.body.append(form); form.submit()}"
        )
    assert friend.page.url == before
    friend.complaints.clear()
