"""Twelve cases that callers bring to the desk, each solved in at most four clicks from its home page, beginning with
what the caller knows.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.browser import cases
from tests.browser.conftest import DESK, Person, Stack

MOST = 4
Make = Callable[..., Person]


class Agent:
    """Somebody at the desk. Every click counts; typing, and choosing from a list, is none."""

    def __init__(self, person: Person) -> None:
        self.person, self.page = person, person.page

    def call(self) -> None:
        """The next caller: everything begins on the home page."""
        self.person.go("/admin/")
        self.person.taps = 0

    def finds(self, text: str) -> None:
        """What the caller says, and Enter: one thing opens at once; where several things fit, the first is opened."""
        box = self.page.locator(".desk-find input[name=q]")
        box.fill(text)
        with self.page.expect_navigation():
            box.press("Enter")
        self.page.wait_for_load_state()
        if not self.page.locator(".desk-case").count():
            self.person.tap(self.page.locator("#main table a[href*='/change/']").first)
            self.page.locator(".desk-case").first.wait_for()

    def click(self, name: str) -> None:
        self.person.tap(name)

    def reads(self, *words: str) -> None:
        for some in words:
            self.person.sees(some)

    def because(self, reason: str = "buyer") -> None:
        self.page.select_option("select[name=why]", reason)

    def confirms(self, name: str) -> None:
        """The button of the form that asks once more."""
        self.person.tap(self.page.locator("form button[type=submit]").get_by_text(name, exact=True).last)


@pytest.fixture
def agent(person: Make, stack: Stack) -> Agent:
    somebody = person(DESK)
    kept = json.loads((stack.data / "data" / "secrets.json").read_text())
    somebody.go("/admin/")
    somebody.page.fill("input[name=username]", kept["FRIENDPAY_SUPPORT_USER"])
    somebody.page.fill("input[name=password]", kept["FRIENDPAY_SUPPORT_PASSWORD"])
    somebody.page.press("input[name=password]", "Enter")
    somebody.page.wait_for_url("**/admin/")
    return Agent(somebody)


def ask(stack: Stack, reference: str, amount: int = 9000, category: str = "tea", **more: Any) -> dict[str, Any]:
    line = {"name": "Spring oolong, 100 g", "quantity": 1, "unit_amount": amount, "category": category}
    order = {"reference": reference, "currency": "CNY", "lines": [line], "buyer": {"id": reference, "name": "Lin"}}
    return stack.api("/orders", order | {"payment_request": more})["payment_request"]  # type: ignore[no-any-return]


def live(stack: Stack, request: dict[str, Any], outcome: str = "", **more: Any) -> dict[str, Any]:
    return stack.api(f"/payment-requests/{request['id']}/simulate", {"outcome": outcome or None, **more})


def decided(stack: Stack, reference: str, status: str) -> None:
    """Wait for what the wallet says of an order's refund: the desk's pages tell how it was when they were opened."""
    end = time.monotonic() + 120
    while [it["status"] for it in stack.api(f"/refunds?order_reference={reference}")["data"]] != [status]:
        assert time.monotonic() < end, f"the refund of {reference} is not {status}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def made(stack: Stack) -> dict[str, Any]:
    """What the callers speak of, by a name for each."""
    stack.api("/webhook-endpoints", {"url": "http://127.0.0.1:9/nobody-listens"})
    names = ("late-1", "twice-1", "refused-1", "crossed-1", "wrong-1", "scam-1", "lost-1", "untold-1")
    found: dict[str, Any] = {name: ask(stack, name) for name in names}
    ask(stack, "orphan-1", 7777)
    short = ask(stack, "short-1", 10000, split={"max_payers": 3, "min_amount": 1000})
    line = {"name": "Card", "quantity": 1, "unit_amount": 5000, "category": "gift cards"}
    hidden = {"reference": "hidden-1", "currency": "CNY", "lines": [line], "buyer": {"id": "hidden-1", "name": "Lin"}}
    live(stack, found["late-1"], "late", payer_name="Mei")
    live(stack, found["twice-1"], "twice")
    live(stack, found["refused-1"], "refund_refused")
    payment = stack.api(f"/payment-requests/{found['refused-1']['id']}")["payments"][0]
    stack.api(f"/payments/{payment['id']}/refunds", {})
    live(stack, short, amount=3000, payer_name="Jo")
    live(stack, short, "expired")
    live(stack, found["crossed-1"], "begun", payer_name="Kim")
    stack.api(f"/payment-requests/{found['crossed-1']['id']}/cancel", {})
    live(stack, found["untold-1"])
    decided(stack, "late-1", "succeeded")
    decided(stack, "refused-1", "failed")
    return found | cases.make(stack, found["wrong-1"]["id"], stack.api("/orders", hidden)["id"])


def paid_but_shown_expired(agent: Agent, _made: dict[str, Any]) -> None:
    """I paid, and it says expired."""
    agent.finds("late-1")
    agent.reads("came too late", "The time was over")
    agent.click("Make a request")
    agent.because()
    agent.confirms("Make the request")
    agent.reads("The new link")


def paid_twice(agent: Agent, made: dict[str, Any]) -> None:
    """We both paid."""
    agent.finds(made["twice-1"]["url"])
    agent.reads("someone else had already paid", "2 · ")


def paid_late(agent: Agent, made: dict[str, Any]) -> None:
    """I paid late. Where is my money?"""
    agent.finds(f"Mei says: {made['late-1']['url']}")
    agent.reads("1 · Mei", "The refund is with the payer.")


def wrong_amount(agent: Agent, _made: dict[str, Any]) -> None:
    """The amount is wrong."""
    agent.finds("wrong-1")
    agent.reads("CN¥89.99", "not the amount that was asked for")


def refund_refused(agent: Agent, _made: dict[str, Any]) -> None:
    """The wallet refused my refund."""
    agent.finds("refused-1")
    agent.reads("It is still owed.")
    agent.click("re_")
    agent.click("Returned by other means")
    agent.because("payer")
    agent.page.fill("input[name=how]", "by bank transfer")
    agent.confirms("It was returned")
    agent.reads("is booked as returned by other means")


def webhook_never_came(agent: Agent, _made: dict[str, Any]) -> None:
    """Your webhook never came."""
    agent.finds("untold-1")
    agent.click("Tell the shop again")
    agent.because("shop")
    agent.confirms("Tell it again")
    agent.reads("webhooks are sent again")


def friend_cannot_open_the_link(agent: Agent, made: dict[str, Any]) -> None:
    """My friend cannot open the link."""
    agent.finds("lost-1")
    agent.reads("What the friend sees")
    agent.click("Another link")
    agent.because()
    agent.confirms("Make another link")
    agent.reads("The new link")
    assert "This link was replaced" in httpx.get(made["lost-1"]["url"], timeout=60).text


def button_not_shown(agent: Agent, _made: dict[str, Any]) -> None:
    """There is no button for my wallet."""
    agent.finds("hidden-1")
    agent.reads("Ways to pay, and why not others", "gift cards")


def scam_report(agent: Agent, made: dict[str, Any]) -> None:
    """This is a scam."""
    link, proof = made["scam-1"]["url"], {"csrfmiddlewaretoken": "0" * 32}
    with httpx.Client(cookies={"csrftoken": "0" * 32}, timeout=60) as friend:
        assert friend.post(f"{link}report/", data=proof | {"reason": "pressed"}).status_code < 400
    agent.finds(link)
    agent.reads("I'm being pressured or threatened")
    agent.click("Stop the buyer")
    agent.because("suspicion")
    agent.confirms("Stop the buyer")
    agent.reads("The buyer was stopped")


def chip_in_short(agent: Agent, _made: dict[str, Any]) -> None:
    """We did not get it all together."""
    agent.finds("short-1")
    agent.reads("the full amount wasn't reached", "1 · Jo", "CN¥30.00")
    agent.click("Make a request")
    agent.because()
    agent.confirms("Make the request")
    agent.reads("The new link")


def orphan(agent: Agent, made: dict[str, Any]) -> None:
    """I paid 77.77, and nobody knows of it."""
    agent.click("Orphans")
    agent.reads(made["orphan"])
    agent.click("Count for a request")
    agent.person.tap(agent.page.get_by_text("orphan-1"))
    agent.because("payer")
    agent.confirms("Count it")
    agent.reads("The money counts for that request now.")


def buyer_cancelled_while_the_friend_paid(agent: Agent, made: dict[str, Any]) -> None:
    """I cancelled while my friend was paying."""
    agent.finds(made["crossed-1"]["code"])
    agent.reads("The request was cancelled", "1 · Kim")
    agent.click("Ask the wallet now")
    agent.because("payer")
    agent.confirms("Ask now")
    agent.reads("was asked about 1 · Kim")


CASES = [
    paid_but_shown_expired,
    paid_twice,
    paid_late,
    wrong_amount,
    refund_refused,
    webhook_never_came,
    friend_cannot_open_the_link,
    button_not_shown,
    scam_report,
    chip_in_short,
    orphan,
    buyer_cancelled_while_the_friend_paid,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_a_case_is_solved_in_four_clicks(
    case: Callable[[Agent, dict[str, Any]], None], agent: Agent, made: dict[str, Any]
) -> None:
    agent.call()
    case(agent, made)
    assert agent.person.taps <= MOST, f"{agent.person.taps} clicks"
