"""Random ids and tokens. The public never sees a sequential number.

Where several installations share one address, those of links and ids begin with the mark of theirs (`CELL`), by which a
proxy knows where to send a call; being longer by it, they are told from those of the first one, which has none.
"""

import secrets

from django.conf import settings

from friendpay.kit import limits

TOKEN_SYMBOLS = len(settings.CELL) + limits.TOKEN_SYMBOLS

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz"  # 54 symbols, none alike


_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


def token(length: int | None = None) -> str:
    """An unguessable string for a link; with a length, one for any other use."""
    if length is None:
        return settings.CELL + token(limits.TOKEN_SYMBOLS)
    number, pairs = secrets.randbelow(len(_PAIRS) ** ((length + 1) // 2)), ""
    while len(pairs) < length:
        number, pair = divmod(number, len(_PAIRS))
        pairs += _PAIRS[pair]
    return pairs[:length]


def public_id(prefix: str) -> str:
    """An id for the API, such as ord_… or pay_…: random, so that it tells neither how many nor when."""
    return f"{prefix}_{token()}"


def public_id_sql(prefix: str) -> str:
    """The same for rows that one statement writes, as SQL: 122 random bits."""
    return f"'{prefix}_' || replace(gen_random_uuid()::text, '-', '')"
