"""The whole story as three people live it.

New pictures of it: FRIENDPAY_SCREENS=docs/screens bin/test tests/browser/test_screens.py
"""

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.browser import story
from tests.browser.axe import faults, spills
from tests.browser.conftest import DESK, PHONE, Person, Stack

SETS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "phone-light-en": (PHONE, {"color_scheme": "light", "locale": "en-GB"}),
    "phone-dark-zh": (PHONE, {"color_scheme": "dark", "locale": "zh-CN"}),
    "phone-light-ar": (PHONE, {"color_scheme": "light", "locale": "ar-EG"}),
    "desk-light-en": (DESK, {"color_scheme": "light", "locale": "en-GB"}),
    "desk-dark-zh": (DESK, {"color_scheme": "dark", "locale": "zh-CN"}),
}


DRAWS = os.environ.get("FRIENDPAY_SCREENS", "")
CHECKED = ("phone-light-en", "phone-light-ar", "desk-dark-zh")  # each state besides, in all themes: test_states.py


@pytest.mark.parametrize("name", SETS if DRAWS else CHECKED)
def test_the_whole_story_fits_every_screen_and_axe_finds_nothing(
    person: Callable[..., Person], stack: Stack, name: str
) -> None:
    device, more = SETS[name]
    found: dict[str, list[str]] = {}
    for number, (state, who) in enumerate(story.tell(person, stack, device, more), 1):
        wrong = ["wider than the screen"] if spills(who.page) else []
        if DRAWS:
            draw(who, Path(DRAWS) / name / f"{number:02}-{state}.webp", whole=state.endswith("unfolded"))
        else:
            wrong += faults(who)
        if wrong:
            found[state] = wrong
    assert found == {}


def draw(who: Person, path: Path, *, whole: bool) -> None:
    """What is on the screen, or the `whole` page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = who.page.viewport_size
    assert size
    who.page.wait_for_load_state("networkidle")
    who.page.evaluate("scrollTo(0, 0)")
    if whole:
        tall = who.page.evaluate("document.documentElement.scrollHeight")
        who.page.set_viewport_size({"width": size["width"], "height": tall})
        who.page.wait_for_load_state("networkidle")
    save(who.page.screenshot(), path)
    who.page.set_viewport_size(size)


def save(picture: bytes, path: Path) -> None:
    """Small enough to be kept with the code."""
    Image.open(BytesIO(picture)).save(path, "WEBP", quality=80, method=6)
