"""Signing, verifying and decrypting as WeChat Pay's API v3 does it. Pure functions; nothing here calls out."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

SCHEME = "WECHATPAY2-SHA256-RSA2048"
FRESH_SECONDS = 300

_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)


class Unverified(Exception):
    """Not provably from WeChat Pay, or not from now."""


class Unreadable(Exception):
    """From WeChat Pay, but not in a form we understand."""


def sign(key: RSAPrivateKey, *lines: str) -> str:
    """The base64 signature over the lines, each with its line end."""
    text = "".join(f"{line}\n" for line in lines)
    return base64.b64encode(key.sign(text.encode(), PKCS1v15(), SHA256())).decode()


def verify(keys: Mapping[str, RSAPublicKey], headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Raises Unverified unless `body`, byte for byte, was signed by one of `keys` less than five minutes from `now`.

    `keys` are by serial number. An unknown serial is a refusal, never a reason to go and fetch its certificate.
    """
    timestamp, nonce = headers.get("wechatpay-timestamp", ""), headers.get("wechatpay-nonce", "")
    key = keys.get(_serial(headers.get("wechatpay-serial", "")))
    if headers.get("wechatpay-signature-type", SCHEME) != SCHEME:
        raise Unverified("signed by a scheme other than RSA-SHA256")
    if key is None:
        raise Unverified("signed by a key this account does not know")
    if not re.fullmatch(r"[0-9]{1,12}", timestamp) or abs(now.timestamp() - int(timestamp)) >= FRESH_SECONDS:
        raise Unverified("signed at another time than now")
    try:
        signature = base64.b64decode(headers.get("wechatpay-signature", ""), validate=True)
        key.verify(signature, f"{timestamp}\n{nonce}\n".encode() + body + b"\n", PKCS1v15(), SHA256())
    except (ValueError, InvalidSignature):
        raise Unverified("the signature does not fit") from None


def decrypt(api_v3_key: str, resource: object) -> dict[str, Any]:
    """What is inside the `resource` of a notification. Raises Unreadable."""
    if not isinstance(resource, dict) or resource.get("algorithm") != "AEAD_AES_256_GCM":
        raise Unreadable("encrypted by an algorithm other than AEAD_AES_256_GCM")
    nonce, extra = resource.get("nonce"), resource.get("associated_data") or ""
    if not isinstance(nonce, str) or not isinstance(extra, str):
        raise Unreadable("the nonce is missing")
    try:
        ciphertext = base64.b64decode(str(resource.get("ciphertext", "")), validate=True)
        plain = AESGCM(api_v3_key.encode()).decrypt(nonce.encode(), ciphertext, extra.encode())
    except (InvalidTag, binascii.Error, ValueError):
        raise Unreadable("the resource does not decrypt with this account's APIv3 key") from None
    return parse(plain)


def parse(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises Unreadable."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Unreadable("not a JSON object")
    return value


@lru_cache(maxsize=256)
def private_key(pem: str) -> RSAPrivateKey:
    """Raises ValueError when it is not a private key that signs by RSA."""
    try:
        key = load_pem_private_key(pem.strip().encode(), None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(str(error)) from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("not an RSA key")
    return key


@lru_cache(maxsize=256)
def public_keys(pems: str, public_key_id: str) -> dict[str, RSAPublicKey]:
    """The keys that WeChat Pay may sign with, by serial number. Raises ValueError when there is none, or one is broken.

    `pems` holds WeChat Pay's public key, whose name is `public_key_id`, or platform certificates, which carry their own
    serial numbers, or both while a merchant moves from one to the other.
    """
    keys: dict[str, RSAPublicKey] = {}
    for block in _PEM.finditer(pems):
        pem = block[0].encode()
        if block[1] == "CERTIFICATE":
            certificate = x509.load_pem_x509_certificate(pem)
            key, serial = certificate.public_key(), f"{certificate.serial_number:X}"
        else:
            key, serial = load_pem_public_key(pem), public_key_id  # type: ignore[assignment]
        if not isinstance(key, RSAPublicKey):
            raise ValueError("not an RSA key")
        if not serial:
            raise ValueError("the public key's id is missing")
        keys[_serial(serial)] = key
    if not keys:
        raise ValueError("neither a public key nor a certificate in PEM form")
    return keys


def ends_at(pems: str) -> datetime | None:
    """When the last of the certificates ends; None where there is a key that does not, or nothing to be read."""
    blocks = list(_PEM.finditer(pems))
    if not blocks or any(block[1] != "CERTIFICATE" for block in blocks):
        return None
    try:
        return max(x509.load_pem_x509_certificate(block[0].encode()).not_valid_after_utc for block in blocks)
    except ValueError:
        return None


def _serial(serial: str) -> str:
    """Certificates are named by a hexadecimal number, written in either case and with or without leading zeros."""
    return serial.upper().lstrip("0")
