"""How WeChat Pay signs what it says and encrypts what it tells. Written apart from the client it is to test."""

import base64
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from friendpay.demo.emulation.base import token
from payments.wallets.wechatpay.emulator.requests import SCHEME


def signed_text(timestamp: str, nonce: str, body: bytes) -> bytes:
    return f"{timestamp}\n{nonce}\n".encode() + body + b"\n"


def signature_headers(key: RSAPrivateKey, serial: str, body: bytes, at: float) -> dict[str, str]:
    """The five headers of an answer or a notification."""
    timestamp, nonce = str(int(at)), token(32)
    signature = key.sign(signed_text(timestamp, nonce, body), PKCS1v15(), SHA256())
    return {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature": base64.b64encode(signature).decode(),
        "Wechatpay-Signature-Type": SCHEME,
    }


def seal(api_v3_key: str, plain: bytes, kind: str, nonce: str) -> dict[str, str]:
    """The `resource` of a notification."""
    ciphertext = AESGCM(api_v3_key.encode()).encrypt(nonce.encode(), plain, kind.encode())
    return {
        "original_type": kind,
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(ciphertext).decode(),
        "associated_data": kind,
        "nonce": nonce,
    }


def private_pem(key: RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key: RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def certificate_pem(key: RSAPrivateKey, serial_number: int) -> str:
    """A platform certificate, as merchants of old verify by."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Simulated platform certificate")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), serial_number, now, now + timedelta(days=1))
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()
