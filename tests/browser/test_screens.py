"""Every page as people see it. New pictures: FRIENDPAY_SCREENS=docs/screens bin/test tests/browser/test_screens.py"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import DESK, PHONE, Person

SETS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "phone-light-en": (PHONE, {"color_scheme": "light", "locale": "en-GB"}),
    "phone-dark-zh": (PHONE, {"color_scheme": "dark", "locale": "zh-CN"}),
    "desk-light-en": (DESK, {"color_scheme": "light", "locale": "en-GB"}),
    "desk-dark-zh": (DESK, {"color_scheme": "dark", "locale": "zh-CN"}),
}
MESSAGE = {"en-GB": "Could you get this for me? I'll cook on Sunday.", "zh-CN": "帮我付一下好吗？周日我下厨。"}


@pytest.mark.parametrize("name", SETS)
def test_screens_of_the_whole_story(person: Callable[..., Person], tmp_path: Path, name: str) -> None:
    device, more = SETS[name]
    folder = Path(os.environ.get("FRIENDPAY_SCREENS", tmp_path)) / name
    folder.mkdir(parents=True, exist_ok=True)
    buyer, friend, other = (person(device, reduced_motion="reduce", **more) for _who in range(3))

    def shoot(who: Person, picture: str) -> None:
        who.page.wait_for_load_state("networkidle")
        who.page.evaluate("scrollTo(0, 0)")
        assert who.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{picture} is too wide"
        who.page.screenshot(path=folder / f"{picture}.png")

    def ask() -> str:
        buyer.go("/")
        for goods in ("spring-oolong", "spring-oolong", "gaiwan"):
            buyer.page.click(f"#{goods} button")
        shoot(buyer, "01-shop")
        buyer.page.click(".dock a")
        shoot(buyer, "02-basket")
        buyer.page.click(".dock button")
        shoot(buyer, "03-checkout")
        buyer.page.click("form[action$='/ask/'] button")
        buyer.page.click("#message-fold summary")
        buyer.page.fill("#id_message", MESSAGE[more["locale"]])
        buyer.page.click("form[action$='/message/'] button")
        buyer.page.wait_for_url("**/checkout/*/")
        shoot(buyer, "04-share")
        return buyer.page.input_value("#link")

    link = ask()
    friend.go(link)
    other.go(link)
    shoot(friend, "05-friend")
    friend.page.click("#who summary")
    friend.page.fill("#id_name", "Mei")
    friend.page.click("#pay button[name=method]")
    shoot(friend, "06-wallet")
    other.page.locator("#pay .note").wait_for()
    shoot(other, "07-somebody-is-paying")
    buyer.page.locator(".steps .now [data-left]").wait_for()
    shoot(buyer, "08-a-friend-is-paying")
    friend.page.click("button[value=approve]")
    friend.page.locator(".seal.arrive").wait_for()
    shoot(friend, "09-receipt")
    buyer.page.locator(".seal.arrive").wait_for()
    shoot(buyer, "10-paid")
    other.page.locator(".seal.arrive").wait_for()
    shoot(other, "11-paid-by-somebody-else")

    friend.go(ask())
    friend.page.click("#decline summary")
    friend.page.click("#decline button")
    friend.page.locator("[role=status].note").wait_for()
    shoot(friend, "12-declined")
    friend.page.click("#pay button[name=method]")
    buyer.page.click("#cancel summary")
    buyer.page.click("#cancel button")
    shoot(buyer, "13-cancelled")
    for _look in range(40):  # the wallet is told to close, and is not in a hurry
        friend.page.reload()
        if not friend.page.locator("button[value=approve]").count():
            break
        friend.page.wait_for_timeout(250)
    friend.page.click("details summary")
    friend.page.click("button[value=approve-late]")
    friend.page.locator(".seal.warn").wait_for()
    shoot(friend, "14-money-goes-back")
    other.go("/open/")
    shoot(other, "15-type-a-code")
    other.go("/open/nothing/")
    shoot(other, "16-nothing-here")
    other.complaints = [line for line in other.complaints if "404" not in line]
