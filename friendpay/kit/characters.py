"""Invisible Unicode characters in what people type."""

import unicodedata
from functools import lru_cache

from friendpay.kit import limits

_BLANK = set("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u20e3\u2800\u3164\uffa0")  # fillers, keycaps
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))  # of a character's form, emoji or not


@lru_cache(limits.CHARACTERS_KNOWN)
def invisible(char: str) -> bool:
    """Whether a character leaves nothing to see or only changes another: joiners, marks of direction, controls. Spaces
    and line breaks are none.
    """
    if char.isspace():
        return False
    hidden = unicodedata.category(char) in ("Cc", "Cf", "Cs", "Cn", "Co")
    return hidden or char in _BLANK or any(ord(char) in selectors for selectors in _SELECTORS)
