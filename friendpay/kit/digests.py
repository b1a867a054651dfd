"""Keyed digests (HMAC) of what is recognised again but not kept: addresses, networks, visitors.

They are made with DIGEST_KEY, which stays when SECRET_KEY is rotated, so that a rotation forgets nobody who asked to be
left alone.
"""

from django.conf import settings
from django.utils.crypto import salted_hmac


def digest(purpose: str, value: str) -> str:
    """The hexadecimal digest of a value; the same value has another one for another purpose."""
    return salted_hmac(purpose, value, secret=settings.DIGEST_KEY).hexdigest()


def digest_bytes(purpose: str, value: str) -> bytes:
    """32 bytes of the same kind (SHA-256), to choose something by."""
    return salted_hmac(purpose, value, secret=settings.DIGEST_KEY, algorithm="sha256").digest()
