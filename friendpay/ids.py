"""Names for things. The public never sees a sequential number."""

import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz"  # 54 symbols, none alike


def token(length: int = 24) -> str:
    """An unguessable string for a link: 24 symbols are 138 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def public_id(prefix: str) -> str:
    """An id for the API, such as ord_… or pay_…: random, so that it tells neither how many nor when."""
    return f"{prefix}_{token()}"
