"""HMAC signature of the wallet's notifications."""

import hmac


def sign(secret: str, timestamp: str, nonce: str, body: bytes) -> str:
    """HMAC-SHA256, in hexadecimal, over the time, the nonce and the exact body sent, a line each."""
    return hmac.new(secret.encode(), f"{timestamp}\n{nonce}\n".encode() + body + b"\n", "sha256").hexdigest()
