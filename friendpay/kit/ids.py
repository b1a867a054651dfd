"""Random ids and tokens. The public never sees a sequential number."""

import secrets

from friendpay.kit import limits

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz"  # 54 symbols, none alike


def token(length: int = limits.TOKEN_SYMBOLS) -> str:
    """An unguessable string for a link."""
    number, symbols = secrets.randbelow(len(_ALPHABET) ** length), ""
    for _place in range(length):
        number, symbol = divmod(number, len(_ALPHABET))
        symbols += _ALPHABET[symbol]
    return symbols


def public_id(prefix: str) -> str:
    """An id for the API, such as ord_… or pay_…: random, so that it tells neither how many nor when."""
    return f"{prefix}_{token()}"


def public_id_sql(prefix: str) -> str:
    """The same for rows that one statement writes, as SQL: 122 random bits."""
    return f"'{prefix}_' || replace(gen_random_uuid()::text, '-', '')"
