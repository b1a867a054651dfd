"""Sending a request and finding it again, in real browsers: the share sheet with its picture, copying, and the code."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import zxingcpp
from PIL import Image

from tests.browser.conftest import DESK, PHONE, Person
from tests.browser.test_main_job import ask_and_share, at_checkout, link_in

Make = Callable[..., Person]
SHEET = """
navigator.canShare = (what) => (what.files ?? []).every((file) => file.type === "image/png");
navigator.share = async ({text = "", files = []}) => {
  if (!navigator.userActivation.isActive) throw new DOMException("no tap", "NotAllowedError");
  const bytes = await Promise.all(files.map((file) => file.arrayBuffer()));
  const pictures = bytes.map((one) => Array.from(new Uint8Array(one)));
  window.shared = {text, names: files.map((file) => file.name), pictures};
  sessionStorage.shared = text || sessionStorage.shared || "";
};
"""
ARRIVED = """async () => {
  const end = performance.now() + 60_000;
  while (!window.shared && performance.now() < end) await new Promise((again) => setTimeout(again, 20));
  return window.shared;
}"""
NO_SHEET = "navigator.share = undefined"


def scanned(picture: bytes) -> str:
    """What a camera reads in it."""
    image = Image.open(io.BytesIO(picture))
    assert image.size == (1080, 1440)
    (code,) = zxingcpp.read_barcodes(image.convert("L"))
    return str(code.text)


def asked(buyer: Person, script: str = NO_SHEET) -> None:
    buyer.page.context.add_init_script(script)
    at_checkout(buyer)
    buyer.tap("Ask a friend to pay")
    buyer.page.locator("#sheet-fold").wait_for()


def unfold(buyer: Person) -> None:
    """More ways to share, which a phone folds."""
    if buyer.page.locator("#sheet-fold:not([open])").count():
        buyer.page.locator("#sheet-fold > summary").click()


def test_asking_opens_the_share_sheet_by_the_same_tap(person: Make) -> None:
    buyer = person(PHONE)
    asked(buyer, SHEET)
    assert (buyer.taps, buyer.typed) == (1, 0)
    link = link_in(buyer.page.evaluate("sessionStorage.shared"))
    buyer.sees("Waiting for your friend")
    friend = person(PHONE)
    friend.go(link)
    buyer.sees("Link opened")


def test_a_share_sheet_that_did_not_open_leaves_the_page_to_send_from(person: Make) -> None:
    buyer = person(PHONE)
    asked(buyer, "navigator.share = async () => { throw new DOMException('no', 'NotAllowedError') }")
    buyer.sees("Send this to a friend")
    assert buyer.button("Share").is_visible()


def test_the_picture_is_a_choice_of_its_own_and_can_be_scanned(person: Make) -> None:
    buyer = person(PHONE)
    asked(buyer, SHEET)
    link = link_in(buyer.page.evaluate("sessionStorage.shared"))
    buyer.tap("Share again")
    told = buyer.page.evaluate(ARRIVED)
    assert (told["names"], link_in(told["text"])) == ([], link)
    unfold(buyer)
    pictures = []
    for choose in (buyer.page.get_by_text("Share as an image").click, buyer.page.get_by_label("Show the amount").check):
        with buyer.page.expect_request_finished(lambda it: "/poster.png" in it.url and it.resource_type == "fetch"):
            choose()  # the picture is fetched ahead of the tap
        buyer.page.evaluate("window.shared = null")
        buyer.page.wait_for_timeout(500)
        buyer.tap("Share image")
        told = buyer.page.evaluate(ARRIVED)
        assert (told["text"], told["names"]) == ("", ["friendpay.png"])
        pictures.append(bytes(told["pictures"][0]))
        assert scanned(pictures[-1]) == link
    assert pictures[0] != pictures[1]
    friend = person(PHONE)
    friend.go(link)
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    buyer.sees("A friend is paying")
    assert buyer.page.locator("img.poster").evaluate("(image) => image.currentSrc").endswith("?amount=on")


def test_without_a_share_sheet_the_message_is_copied_and_pasted_by_one_tap(person: Make) -> None:
    buyer = person(DESK, permissions=["clipboard-read", "clipboard-write"])
    asked(buyer)
    buyer.tap("Share")
    buyer.hears("Copied. Paste it into a chat.")
    link = link_in(buyer.page.evaluate("navigator.clipboard.readText()"))
    friend = buyer  # the clipboard is the machine's: the message arrived there by some chat
    friend.go("/open/")
    friend.taps = friend.typed = 0
    friend.tap("Paste")
    friend.page.wait_for_url(link)
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    friend.sees("Approve this payment?")
    assert (friend.taps, friend.typed) == (2, 0)


def test_a_code_from_the_phone_takes_two_taps_and_nothing_but_the_code(person: Make) -> None:
    buyer, friend = person(DESK), person(PHONE)
    ask_and_share(buyer)
    buyer.page.get_by_text("Spell it out over the phone").click()
    said = buyer.page.locator(".spoken li b").all_inner_texts()
    friend.go("/open/")
    friend.tap(friend.page.get_by_label("Code or message"))
    friend.type("Code or message", "".join(said).lower())  # and it opens by itself
    friend.tap("Pay CN¥45.00 with Sandbox wallet")
    friend.sees("Approve this payment?")
    assert friend.taps <= 2
    assert friend.typed == 8


def test_a_wrong_code_is_told_kindly(person: Make) -> None:
    friend = person(PHONE)
    friend.go("/open/")
    friend.type("Code or message", "AAAA-AAAA")
    friend.sees("We can't find an open request for that code.")
    friend.complaints = [line for line in friend.complaints if "422" not in line]


def test_the_picture_is_saved_without_any_script(person: Make, tmp_path: Path) -> None:
    buyer = person(PHONE, java_script_enabled=False)
    at_checkout(buyer)
    buyer.tap("Ask a friend to pay")
    unfold(buyer)
    buyer.page.get_by_text("Share as an image").click()
    buyer.page.get_by_label("Show the items").check()
    with buyer.page.expect_download() as saving:
        buyer.tap("Save image")
    saving.value.save_as(tmp_path / "poster.png")
    link = buyer.page.get_by_label("Your link", exact=True).input_value()
    assert scanned((tmp_path / "poster.png").read_bytes()) == link


def test_in_chinese_wechat_comes_first_with_the_words_copied_and_the_picture_shown(person: Make) -> None:
    buyer = person(PHONE, locale="zh-CN", permissions=["clipboard-read", "clipboard-write"])
    buyer.page.context.add_init_script(NO_SHEET)
    buyer.go("/")
    buyer.page.locator(".goods button").first.click()
    buyer.go("/basket/")
    buyer.page.locator(".dock button, .dock a").first.click()
    buyer.tap("请朋友代付")
    dock = buyer.page.locator(".dock .or")
    assert dock.locator("button, a").locator("visible=true").first.inner_text().strip() == "微信"
    buyer.tap("微信")
    picture = buyer.page.locator("img.poster")
    picture.wait_for()
    buyer.hears("已复制")
    text = buyer.page.evaluate("navigator.clipboard.readText()")
    assert scanned(buyer.page.request.get(buyer.address + (picture.get_attribute("src") or "")).body()) == link_in(text)


def test_both_see_the_same_words_and_picture_and_a_report_reaches_support(person: Make) -> None:
    buyer, friend = person(DESK), person(PHONE)
    friend.go(ask_and_share(buyer))
    for look in (".words", "svg.safety-picture"):
        assert buyer.page.locator(look).inner_html() == friend.page.locator(look).inner_html()
    friend.tap("Report this request")
    friend.tap("Back to the request")
    friend.sees("Lin is asking you to pay")
    friend.tap("Report this request")
    friend.tap(friend.page.get_by_label("I don't know who is asking"))
    friend.tap("Send the report")
    friend.sees("Thank you for telling us")
    assert friend.page.locator("main").locator("a, button").count() == 0  # nothing leads to a button that pays
    assert not re.search("report", buyer.page.locator("body").inner_text(), re.IGNORECASE)
