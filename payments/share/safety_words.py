"""Safety words: two words and a small picture that a request shows on both screens and on its poster.

They are a keyed hash of its token: whoever makes up a request cannot choose them. People compare them by word of mouth,
so line n of every list in `words/` means the same, and the picture speaks no language.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from friendpay.kit import limits
from friendpay.kit.digests import digest_bytes

WORDS = Path(__file__).parent / "words"

COLOURS: tuple[tuple[str, "str | Promise"], ...] = (
    ("#b3261e", gettext_lazy("red")),
    ("#9a5b00", gettext_lazy("brown")),
    ("#0b7a4b", gettext_lazy("green")),
    ("#1d5fb4", gettext_lazy("blue")),
    ("#7a3ea8", gettext_lazy("purple")),
    ("#3d4148", gettext_lazy("grey")),
)
SHAPES: tuple[tuple[str, "str | Promise"], ...] = (
    ("M24 10l4 10h11l-9 7 4 11-10-7-10 7 4-11-9-7h11z", gettext_lazy("star")),
    ("M30 9a15 15 0 1 0 9 22 13 13 0 0 1-9-22z", gettext_lazy("moon")),
    ("M24 38S10 30 10 19.500a7 7 0 0 1 14-2 7 7 0 0 1 14 2C38 30 24 38 24 38z", gettext_lazy("heart")),
    ("M24 9s-11 12-11 19a11 11 0 0 0 22 0c0-7-11-19-11-19z", gettext_lazy("drop")),
    ("M23 9v19h-13zM26 12v16h11zM9 31h30l-5 8H14z", gettext_lazy("boat")),
    ("M24 9 8 23h4v15h8v-9h8v9h8V23h4z", gettext_lazy("house")),
    ("M24 8 14 21h5l-7 10h9v8h6v-8h9l-7-10h5z", gettext_lazy("tree")),
    ("M9 24q9-12 20-6l8-6v24l-8-6q-11 6-20-6zm7-3a2 2 0 1 0 4 0 2 2 0 0 0-4 0z", gettext_lazy("fish")),
    ("M11 14h22v4h6v12h-7q-2 7-10 7-11 0-11-12zm22 8v5h3v-5z", gettext_lazy("cup")),
    ("M24 9q10 0 10 13v7l4 5H10l4-5v-7q0-13 10-13zm-4 27h8a4 4 0 0 1-8 0z", gettext_lazy("bell")),
    ("M23 21a8 8 0 1 0 0 6h5v4h4v-4h3v6h5V21zm-7 0a3 3 0 1 1 0 6 3 3 0 0 1 0-6z", gettext_lazy("key")),
    ("M14 36a8 8 0 0 1-1-16 11 11 0 0 1 21-2 9 9 0 0 1 2 18z", gettext_lazy("cloud")),
    ("M10 38q-3-26 28-28 1 26-20 25l12-15-16 18z", gettext_lazy("leaf")),
    ("M24 9 38 24 24 39 10 24z", gettext_lazy("diamond")),
    ("M10 12l8 7 6-9 6 9 8-7-3 19H13zM13 34h22v4H13z", gettext_lazy("crown")),
    ("M24 20q-8-12-14-7t2 13q-3 10 3 11t9-9q3 10 9 9t3-11q8-8 2-13t-14 7z", gettext_lazy("butterfly")),
)


@dataclass(frozen=True)
class SafetyWords:
    """What people compare: the words in the reader's language, and the picture."""

    words: tuple[str, str]
    shape: int
    colour: int

    @property
    def text(self) -> str:
        """The two words as they stand on a page."""
        return " · ".join(self.words)

    @property
    def name(self) -> str:
        """The picture in words, for whoever cannot see it."""
        return _("Picture: %(shape)s, %(colour)s") % {
            "shape": SHAPES[self.shape][1],
            "colour": COLOURS[self.colour][1],
        }

    @property
    def drawing(self) -> SafeString:
        """What is inside the picture, 48 by 48, for the page's SVG and the poster's alike."""
        return mark_safe(
            f'<rect width="48" height="48" rx="12" fill="{COLOURS[self.colour][0]}"/>'
            f'<path fill="#fff" fill-rule="evenodd" d="{SHAPES[self.shape][0]}"/>'
        )

    @property
    def svg(self) -> SafeString:
        """The picture for a page."""
        return format_html(
            '<svg class="safety-picture" viewBox="0 0 48 48" role="img" aria-label="{}">{}</svg>',
            self.name,
            self.drawing,
        )


def of(token: str) -> SafetyWords:
    """The same for a token every time, on every machine with our secret."""
    digest = _digest(token)
    first, second = _places(digest)
    words = _words(get_language() or "")
    return SafetyWords(
        words=(words[first], words[second]),
        shape=digest[2] % len(SHAPES),
        colour=digest[3] % len(COLOURS),
    )


def places(token: str) -> tuple[int, int]:
    """Where a token's two words stand in every language's list."""
    return _places(_digest(token))


def meant(text: str) -> tuple[int, int] | None:
    """The places of the two words that a text consists of, in any of our languages; None where it is no two."""
    for between in (_APART, re.compile(r"\s+")):
        if len(parts := between.split(text.strip())) == 2:  # noqa: PLR2004  # two words
            for places in map(_numbered, (path.stem for path in sorted(WORDS.glob("*.txt")))):
                found = [places[word] for part in parts if (word := part.strip().casefold()) in places]
                if len(found) == len(parts):
                    return found[0], found[1]
    return None


_APART = re.compile(r"\s*[·•・,，、/&+]\s*|\s+and\s+|和")


def _digest(token: str) -> bytes:
    return digest_bytes("payments.share.safety_words", token)


def _places(digest: bytes) -> tuple[int, int]:
    first, second = digest[0] % limits.SAFETY_WORDS, digest[1] % (limits.SAFETY_WORDS - 1)
    return first, second + (second >= first)


@cache
def _numbered(language: str) -> dict[str, int]:
    return {word.casefold(): place for place, word in enumerate(_words(language))}


@cache
def _words(language: str) -> list[str]:
    """The list of a language; English where there is none, as for British readers."""
    path = WORDS / f"{language}.txt"
    return (path if path.exists() else WORDS / "en.txt").read_text("utf-8").split("\n")[: limits.SAFETY_WORDS]
