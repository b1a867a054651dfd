"""Encryption at rest (Fernet): sealed with the first of CREDENTIAL_KEYS, opened with any: keys can be rotated."""

import json
from functools import cache, lru_cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


@cache
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(values: dict[str, str]) -> str:
    return _box(tuple(settings.CREDENTIAL_KEYS)).encrypt(json.dumps(values).encode()).decode()


def unseal(sealed: str) -> dict[str, str]:
    """The secrets, {} when none were ever entered. Raises InvalidToken when no key fits."""
    if not sealed:
        return {}
    return dict(_unsealed(sealed, tuple(settings.CREDENTIAL_KEYS)))


@lru_cache(maxsize=200)
def _unsealed(sealed: str, keys: tuple[str, ...]) -> dict[str, str]:
    """Kept for a while: a page that weighs a shop's wallets opens the credentials of each."""
    values: dict[str, str] = json.loads(_box(keys).decrypt(sealed.encode()))
    return values


def reseal(sealed: str) -> str:
    """The same secrets under the newest key."""
    return _box(tuple(settings.CREDENTIAL_KEYS)).rotate(sealed.encode()).decode()
