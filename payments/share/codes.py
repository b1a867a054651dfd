"""Share codes (short, with a check symbol, sayable on the phone), and the limits on guessing them.

A request's link is 138 random bits, so links never count as guesses. Codes can be guessed, so wrong ones count: for an
address, for those of the same owner, and for everybody. While wrong codes come in from everywhere at once, a friend who
types the right one gets through all the same; who errs has fewer tries than in quiet times.
"""

import re
import secrets
import unicodedata
from collections.abc import Iterator
from itertools import islice
from urllib.parse import unquote

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from friendpay.kit import counters, ids, limits
from friendpay.kit.characters import invisible
from friendpay.kit.errors import Refused
from payments.models import PaymentRequest

SPOKEN: dict[str, "str | Promise"] = {
    "2": _("two"),
    "3": _("three"),
    "4": _("four"),
    "5": _("five"),
    "6": _("six"),
    "7": _("seven"),
    "8": _("eight"),
    "9": _("nine"),
    "A": _("Apple"),
    "C": _("Charlie"),
    "D": _("Delta"),
    "E": _("Echo"),
    "F": _("Foxtrot"),
    "H": _("Hotel"),
    "J": _("Juliet"),
    "K": _("Kilo"),
    "M": _("Mike"),
    "N": _("November"),
    "P": _("Papa"),
    "Q": _("Quebec"),
    "R": _("Romeo"),
    "T": _("Tango"),
    "V": _("Victor"),
    "W": _("Whisky"),
    "X": _("X-ray"),
    "Y": _("Yankee"),
}
"""What a code is made of, and how each character is said on the phone. No two look alike."""

ALPHABET = "".join(SPOKEN)
_MEANT = str.maketrans("BGSZ", "8652")  # what people read or type for the character that looks like it
_CHARACTERS = f"[{ALPHABET}BGSZ]"
_BETWEEN = r"[\s\-_.·•・:=*/~|]*"
_GROUPS = [length for length in (len(settings.CELL), 4, 4) if length]  # as people read it: 7K3M-9QXW
_CODE = re.compile(
    rf"(?<![0-9A-Z])(?={_BETWEEN.join(f'({_CHARACTERS}{{{length}}})' for length in _GROUPS)}(?![0-9A-Z]))"
)
_SPELLED = re.compile(_BETWEEN.join(["", *[f"({_CHARACTERS})"] * sum(_GROUPS), ""]))
_TOKEN = re.compile(rf"/p/+([0-9A-Za-z]{{{ids.TOKEN_SYMBOLS}}})", re.IGNORECASE)

_DASHES = "−⁃‧ー〜~─━"  # that are none by their category
_BREAKS = re.compile(r"=\r?\n|[\s>]+")  # as mail programs write and quote them


class TooManyGuesses(Refused):
    """Wrong codes came too often from around here."""

    def __init__(self, seconds: int) -> None:
        words = _("There were too many wrong codes. Please wait a few minutes, or open the link from the message.")
        super().__init__("too_many_guesses", words, field="text", status=429, retry_after=seconds)


def new() -> str:
    """A share code: 26^7 of them, with a last symbol that catches any one mistyped and most swapped ones; two longer
    where a cell's mark stands before it.
    """
    drawn = settings.CELL + "".join(secrets.choice(ALPHABET) for _i in range(limits.CODE_SYMBOLS - 1))
    return drawn + _check_symbol(drawn)


def _check_symbol(drawn: str) -> str:
    """Luhn's rule in base 26."""
    size, total = len(ALPHABET), 0
    for place, symbol in enumerate(reversed(drawn)):
        value = ALPHABET.index(symbol) * (2 if place % 2 == 0 else 1)
        total += value // size + value % size
    return ALPHABET[-total % size]


def shown(request: PaymentRequest) -> str:
    """As people read it: 7K3M-9QXW."""
    signs = iter(request.code)
    return "-".join("".join(islice(signs, length)) for length in _GROUPS)


def spoken(request: PaymentRequest) -> list[tuple[str, "str | Promise"]]:
    """Each character with the word to say for it on the phone."""
    return [(char, SPOKEN.get(char, char)) for char in request.code]


def inside(text: str) -> list[str]:
    """The share codes in a text, however they are typed; at most three."""
    text = plain(text).upper()
    spelled = _SPELLED.fullmatch(text)
    found = [spelled.groups()] if spelled else _CODE.findall(text)
    codes = ["".join(chars).translate(_MEANT) for chars in found]
    return [code for code in codes if _check_symbol(code[:-1]) == code[-1]][:3]


def find(text: str) -> PaymentRequest | None:
    """The request that a typed code, a link, or a whole pasted message speaks of.

    Lower case, spaces, full-width letters and the words around are understood. A link is looked for first; a code opens
    what is still open, or what is asked for again since its own request expired; else an old one leads nowhere.
    """
    return by_link(text) or _by_code(inside(text))


def look_up(text: str, *, network: str, neighbourhood: str) -> PaymentRequest | None:
    """The same for a stranger, who may not be wrong too often: raises TooManyGuesses without having looked.

    Only codes that could be right count: neither links nor other text, however wrong.
    """
    if found := by_link(text):
        return found
    codes = inside(text)
    if not codes:
        return None
    near = (f"guess:{network}", f"guesses:{neighbourhood}") if network else ()  # unreadable: strangers to each other
    *counts, (all_, _ends) = counters.counted(*near, "guesses")
    most_wrong = limits.GUESSES_SIEGE if all_ >= limits.GUESSES_MANY else limits.GUESSES_CALM
    waits = [ends for (wrong, ends), most in zip(counts, most_wrong, strict=False) if wrong >= most]
    if waits:
        raise TooManyGuesses(max(waits))
    found = _by_code(codes)
    if not found:
        for _code in codes:
            counters.count(*near, "guesses", window=limits.GUESSES_SECONDS)
    return found


def by_link(text: str) -> PaymentRequest | None:
    """The request whose link is in a text: broken by lines, wrapped by a mail scanner, in capitals."""
    tokens = list(dict.fromkeys(token for form in _unwrapped(plain(text)) for token in _TOKEN.findall(form)))[:3]
    known = PaymentRequest.objects
    return (known.filter(token__in=tokens).first() or known.spelled(tokens)) if tokens else None


def _by_code(codes: list[str]) -> PaymentRequest | None:
    if not codes:
        return None
    of_code = PaymentRequest.objects.filter(code__in=codes)
    expired = of_code.filter(status=PaymentRequest.Status.EXPIRED)
    open_ones = PaymentRequest.objects.filter(status=PaymentRequest.Status.OPEN)
    asked_again = open_ones.filter(shared_at__isnull=False, order__in=expired.values("order"))
    return of_code.filter(status=PaymentRequest.Status.OPEN).first() or asked_again.first()


def plain(text: str) -> str:
    """A pasted text without what nobody sees in it, full-width characters as plain ones, every dash as "-"."""
    text = unicodedata.normalize("NFKC", text[: limits.PASTED_CHARACTERS]).replace("\\/", "/")  # as programs write it
    kept = (char for char in text if not invisible(char))
    return "".join("-" if unicodedata.category(char) == "Pd" or char in _DASHES else char for char in kept)


def _unwrapped(text: str) -> Iterator[str]:
    """A text as it is; without the breaks and quote marks in it; and with the links that others have packed up."""
    yield text
    text = _BREAKS.sub("", text)
    for _time in range(3):  # packed into one another
        yield text
        text = unquote(text)
    yield text.replace("_", "/")  # urldefense, in its second version
