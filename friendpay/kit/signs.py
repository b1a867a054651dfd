"""Invisible Unicode characters in what people type."""

import unicodedata

_BLANK = set("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u20e3\u2800\u3164\uffa0")  # fillers, keycaps
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))  # of a sign's form, emoji or not


def invisible(sign: str) -> bool:
    """Whether a sign leaves nothing to see or only changes another: joiners, marks of direction, control signs. Spaces
    and line breaks are none.
    """
    if sign.isspace():
        return False
    hidden = unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Cn", "Co")
    return hidden or sign in _BLANK or any(ord(sign) in selectors for selectors in _SELECTORS)
