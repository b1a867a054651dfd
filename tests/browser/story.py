"""Every page in every state, one after the other, as three people come to see them: for pictures and for checks."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from tests.browser.conftest import Person, Stack

MESSAGE = {
    "en-GB": "Could you get this for me? I'll cook on Sunday.",
    "zh-CN": "帮我付一下好吗？周日我下厨。",
    "ar-EG": "هل تدفع هذا عني؟ سأطبخ يوم الأحد.",
}
_numbers = count(1)

Shown = tuple[str, Person]


def tell(make: Callable[..., Person], stack: Stack, device: dict[str, Any], more: dict[str, Any]) -> Iterator[Shown]:
    """Each state, when it is on somebody's screen. Whoever asks for the next one has looked."""
    buyer, friend, other = (make(device, reduced_motion="reduce", **more) for _who in range(3))
    yield from _main_story(buyer, friend, other, MESSAGE[more["locale"]])
    yield from _other_endings(buyer, friend, other)
    yield from _together(stack, buyer, friend)
    yield from _nowhere(stack, buyer, other)
    for somebody in (buyer, friend, other):  # what a browser says of a page that is not there, or cannot be reached
        expected = ("400", "404", "422", "ERR_INTERNET_DISCONNECTED")
        somebody.complaints = [line for line in somebody.complaints if not any(word in line for word in expected)]


def _shop(buyer: Person) -> None:
    buyer.go("/")
    for goods in ("spring-oolong", "spring-oolong", "gaiwan"):
        buyer.page.click(f"#{goods} button")


def _ask(buyer: Person) -> str:
    buyer.page.click(".dock button")
    buyer.page.click("form[action$='/ask/'] button")
    buyer.page.locator("#sheet-fold").wait_for()
    return buyer.page.input_value("#link")


def _main_story(buyer: Person, friend: Person, other: Person, message: str) -> Iterator[Shown]:
    buyer.go("/basket/")
    yield "basket-empty", buyer
    _shop(buyer)
    yield "shop", buyer
    buyer.page.click(".dock a")
    buyer.page.wait_for_url("**/basket/")
    yield "basket", buyer
    buyer.page.click(".dock button")
    buyer.page.wait_for_url("**/checkout/*/")
    yield "checkout", buyer
    buyer.page.click("a[href$='/pay/']")
    buyer.page.wait_for_url("**/pay/")
    yield "pay-it-yourself", buyer
    buyer.page.go_back()
    buyer.page.click("form[action$='/ask/'] button")
    buyer.page.click("#message-fold summary")
    buyer.page.fill("#id_message", message)
    buyer.page.click("form[action$='/message/'] button")
    buyer.page.locator("#saved").wait_for()
    yield "share", buyer
    link = buyer.page.input_value("#link")
    folded = ["#sheet-fold"] * buyer.page.locator("#sheet-fold:not([open])").count()  # on a phone
    for fold in (*folded, "#spoken-fold", "#picture-fold", "#by-mail", "#parts-fold", "#cancel", ".tongues"):
        if buyer.page.locator(fold).count():
            buyer.page.click(f"{fold} > summary")
    yield "share-unfolded", buyer
    yield from _paid(buyer, friend, other, link)


def _paid(buyer: Person, friend: Person, other: Person, link: str) -> Iterator[Shown]:
    friend.go(link)
    other.go(link)
    yield "friend", friend
    for fold in ("#who", "#later", "#decline", ".tongues"):
        other.page.click(f"{fold} summary")
    yield "friend-unfolded", other
    friend.page.click("#who summary")
    friend.page.fill("#id_name", "Mei")
    friend.page.click("#pay button[name=method]")
    friend.page.locator("button[value=approve]").wait_for()
    yield "wallet", friend
    other.page.locator("#pay .note").wait_for()
    yield "somebody-is-paying", other
    buyer.page.locator(".steps .now [data-left]").wait_for()
    yield "a-friend-is-paying", buyer
    buyer.page.context.set_offline(True)
    buyer.page.locator("#offline").wait_for()
    yield "offline", buyer
    buyer.page.context.set_offline(False)
    friend.page.click("button[value=approve]")
    friend.page.locator(".seal.arrive").wait_for()
    yield "receipt", friend
    buyer.page.locator(".seal.arrive").wait_for()
    yield "paid", buyer
    other.page.locator(".seal.arrive").wait_for()
    yield "paid-by-somebody-else", other
    friend.go(link)
    yield "thank-you", friend
    buyer.page.click(".links a[href$='/receipt/']")
    buyer.page.wait_for_url("**/receipt/")
    yield "buyers-receipt", buyer


def _other_endings(buyer: Person, friend: Person, other: Person) -> Iterator[Shown]:
    _shop(buyer)
    buyer.page.click(".dock a")
    link = _ask(buyer)
    friend.go(link)
    friend.page.click("#decline summary")
    friend.page.click("#decline form > button")
    friend.page.locator("[role=status].note").wait_for()
    yield "declined", friend
    buyer.page.locator(".standing[data-stage=declined]").wait_for()
    yield "a-friend-cannot", buyer
    other.go(f"{link}report/")
    yield "report", other
    other.page.click("input[value=other]")
    other.page.click(".dock button")
    other.page.locator(".seal").wait_for()
    yield "reported", other
    friend.page.click("#pay button[name=method]")
    buyer.page.click("#cancel summary")
    buyer.page.click("#cancel button")
    buyer.page.wait_for_selector("#live[data-state=cancelled]")
    yield "cancelled", buyer
    for _poll in range(60):  # the wallet is told to close, and is not in a hurry
        friend.page.reload()
        if not friend.page.locator("button[value=approve]").count():
            break
        friend.page.wait_for_timeout(250)
    yield "wallet-closed", friend
    other.go(link)
    yield "not-needed-any-more", other
    friend.page.click("main details summary")
    friend.page.click("button[value=approve-late]")
    friend.page.locator(".seal.warn").wait_for()
    yield "money-goes-back", friend


def _together(stack: Stack, buyer: Person, friend: Person) -> Iterator[Shown]:
    """Several friends pay parts; and one leaves the wallet without paying."""
    order = stack.order(f"together-{next(_numbers)}")
    payment_request = stack.api(
        f"/orders/{order['id']}/payment-requests", {"split": {"max_payers": 3, "min_amount": 1000}}
    )
    friend.go(payment_request["url"])
    yield "friend-part", friend
    friend.page.fill("#id_amount", "1.5")
    friend.page.click("#pay button[name=method]")
    yield "friend-mistake", friend
    friend.page.fill("#id_amount", "30.00")
    friend.page.locator("#pay button.btn[name=method]", has_text="30").click()  # the sum is on the button first
    friend.page.click("button[value=approve]")
    friend.page.locator(".seal.arrive").wait_for()
    buyer.go(order["checkout_url"])
    yield "part-is-paid", buyer
    buyer.go(f"{order['checkout_url']}embed/")
    yield "in-a-shops-page", buyer
    buyer.go(payment_request["url"])
    buyer.page.click("#pay button[name=method]")
    buyer.page.click("button[value=refuse]")
    buyer.page.locator(".dock a.btn[href^='/p/']:not(.quiet)").wait_for()
    yield "nothing-was-paid", buyer


def _nowhere(stack: Stack, buyer: Person, other: Person) -> Iterator[Shown]:
    other.go("/open/")
    yield "type-a-code", other
    other.page.fill("#id_text", "7K3M-9QXX")  # and it opens by itself
    other.page.locator("#id_text_error").wait_for()
    yield "unknown-code", other
    other.go("/open/nothing/")
    yield "nothing-here", other
    other.go("/login/")
    yield "try-again", other
    order = stack.order(f"cancelled-{next(_numbers)}")
    stack.api(f"/orders/{order['id']}/cancel", {})
    buyer.go(order["checkout_url"])
    yield "order-cancelled", buyer
