"""The number on a receipt: short enough to be said on the phone, and it tells nobody how many there are.

It is the payment's own number, shuffled by DIGEST_KEY (a Feistel network of four rounds) and written with the
characters of share codes. Support reads it back.
"""

import re

from friendpay.kit.digests import digest_bytes
from payments.share.codes import ALPHABET, plain

_SIDE = len(ALPHABET) ** 4  # of the two halves of a number
_ROUNDS = range(4)
_NUMBER = re.compile(rf"R-?([{ALPHABET}]{{4}})-?([{ALPHABET}]{{4}})")


def number(payment_id: int) -> str:
    """As people read it: R-8FHC-Y23N. Another for every payment."""
    left, right = divmod(payment_id, _SIDE)
    for turn in _ROUNDS:
        left, right = right, (left + _shuffle(turn, right)) % _SIDE
    return f"R-{_written(left)}-{_written(right)}"


def meant(text: str) -> int | None:
    """The payment that a number is of, however it is typed; None where the text is no such number."""
    found = _NUMBER.fullmatch(re.sub(r"\s", "", plain(text).upper()))
    if not found:
        return None
    left, right = (_read(half) for half in found.groups())
    for turn in reversed(_ROUNDS):
        left, right = (right - _shuffle(turn, left)) % _SIDE, left
    return left * _SIDE + right


def _shuffle(turn: int, half: int) -> int:
    return int.from_bytes(digest_bytes("payments.receipt_number", f"{turn} {half}")[:8]) % _SIDE


def _written(half: int) -> str:
    signs = ""
    for _place in range(4):
        half, sign = divmod(half, len(ALPHABET))
        signs = ALPHABET[sign] + signs
    return signs


def _read(signs: str) -> int:
    half = 0
    for sign in signs:
        half = half * len(ALPHABET) + ALPHABET.index(sign)
    return half
