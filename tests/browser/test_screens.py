"""Every page as people see it. New pictures: FRIENDPAY_SCREENS=docs/screens bin/test tests/browser/test_screens.py"""

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.browser import story
from tests.browser.conftest import DESK, PHONE, Person, Stack

SETS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "phone-light-en": (PHONE, {"color_scheme": "light", "locale": "en-GB"}),
    "phone-dark-zh": (PHONE, {"color_scheme": "dark", "locale": "zh-CN"}),
    "phone-light-ar": (PHONE, {"color_scheme": "light", "locale": "ar-EG"}),
    "desk-light-en": (DESK, {"color_scheme": "light", "locale": "en-GB"}),
    "desk-dark-zh": (DESK, {"color_scheme": "dark", "locale": "zh-CN"}),
}


@pytest.mark.parametrize("name", SETS)
def test_screens_of_the_whole_story(person: Callable[..., Person], stack: Stack, tmp_path: Path, name: str) -> None:
    device, more = SETS[name]
    folder = Path(os.environ.get("FRIENDPAY_SCREENS", tmp_path)) / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, (state, who) in enumerate(story.tell(person, stack, device, more), 1):
        who.page.wait_for_load_state("networkidle")
        who.page.evaluate("scrollTo(0, 0)")
        assert who.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), (
            f"{state} is too wide"
        )
        if state.endswith("unfolded"):
            tall = who.page.evaluate("document.documentElement.scrollHeight")
            who.page.set_viewport_size({"width": device["viewport"]["width"], "height": tall})
            who.page.wait_for_load_state("networkidle")
        save(who.page.screenshot(), folder / f"{number:02}-{state}.webp")
        who.page.set_viewport_size(device["viewport"])


def save(picture: bytes, path: Path) -> None:
    """Small enough to be kept with the code."""
    Image.open(BytesIO(picture)).save(path, "WEBP", quality=80, method=6)
