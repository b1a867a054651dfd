"""Random ids and tokens. The public never sees a sequential number.

Where several installations share one address, those of links and ids begin with the mark of theirs (`CELL`), by which a
proxy knows where to send a call; being longer by it, they are told from those of the first one, which has none.
"""

import secrets

from django.conf import settings

from friendpay.kit import limits

TOKEN_SYMBOLS = len(settings.CELL) + limits.TOKEN_SYMBOLS

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz"  # 54 symbols, none alike

_SYMBOLS = bytes(ord(_ALPHABET[byte % len(_ALPHABET)]) for byte in range(256))
_UNEVEN = bytes(range(256 - 256 % len(_ALPHABET), 256))
"""Bytes that are left out: with them the first symbols would come more often than the others."""


def token(length: int | None = None) -> str:
    """An unguessable string for a link; with a length, one for any other use."""
    if length is None:
        return settings.CELL + token(limits.TOKEN_SYMBOLS)
    drawn = b""
    while len(drawn) < length:
        drawn += secrets.token_bytes(2 * length).translate(_SYMBOLS, _UNEVEN)
    return drawn[:length].decode()


def public_id(prefix: str) -> str:
    """An id for the API, such as ord_… or pay_…: random, so that it tells neither how many nor when."""
    return f"{prefix}_{token()}"


def public_id_sql(prefix: str) -> str:
    """The same for rows that one statement writes, as SQL: 122 random bits."""
    return f"'{prefix}_' || replace(gen_random_uuid()::text, '-', '')"
