"""Encryption at rest (Fernet): sealed with the first of CREDENTIAL_KEYS, opened with any: keys can be rotated."""

import json
from functools import cache

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
    values: dict[str, str] = json.loads(_box(tuple(settings.CREDENTIAL_KEYS)).decrypt(sealed.encode()))
    return values


def reseal(sealed: str) -> str:
    """The same secrets under the newest key."""
    return _box(tuple(settings.CREDENTIAL_KEYS)).rotate(sealed.encode()).decode()
