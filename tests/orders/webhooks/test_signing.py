"""Signatures as the public library and others read them."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from orders.webhooks import signing

BODY = '{"text":"中文 ☕"}'


def test_a_secret_has_32_random_bytes() -> None:
    secrets = {signing.new_secret() for _ in range(10)}
    assert len(secrets) == 10
    for secret in secrets:
        assert secret.startswith("whsec_")
        assert len(base64.b64decode(secret[6:], validate=True)) == 32


def test_the_public_library_verifies_a_message_and_nothing_else() -> None:
    secret, now = signing.new_secret(), datetime.now(UTC)
    headers = signing.headers([secret], "evt_1", now, BODY)
    assert Webhook(secret).verify(BODY.encode(), headers) == {"text": "中文 ☕"}
    for changed in ({"webhook-id": "evt_2"}, {"webhook-timestamp": str(int(now.timestamp()) - 1)}):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(BODY, headers | changed)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + " ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.new_secret()).verify(BODY, headers)


def test_the_signature_is_hmac_sha256_of_id_time_and_body() -> None:
    secret = signing.new_secret()
    headers = signing.headers([secret], "evt_1", datetime(2026, 1, 2, 3, 4, 5, 999_999, UTC), BODY)
    signed = f"evt_1.1767323045.{BODY}".encode()
    mac = base64.b64encode(hmac.digest(base64.b64decode(secret[6:]), signed, hashlib.sha256)).decode()
    assert headers == {"webhook-id": "evt_1", "webhook-timestamp": "1767323045", "webhook-signature": f"v1,{mac}"}


def test_H4_each_living_secret_signs_and_each_is_enough() -> None:
    secrets = [signing.new_secret(), signing.new_secret()]
    headers = signing.headers(secrets, "evt_1", datetime.now(UTC), BODY)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in secrets:
        Webhook(secret).verify(BODY, headers)


def test_a_time_of_another_zone_is_the_same_time() -> None:
    secret, now = signing.new_secret(), datetime.now(UTC)
    east = now.astimezone(timezone(timedelta(hours=8)))
    assert signing.headers([secret], "evt_1", east, BODY) == signing.headers([secret], "evt_1", now, BODY)
    Webhook(secret).verify(BODY, signing.headers([secret], "evt_1", east, BODY))


def test_a_time_without_a_zone_is_not_signed() -> None:
    with pytest.raises(ValueError, match="zone"):
        signing.headers([signing.new_secret()], "evt_1", datetime(2026, 1, 1), BODY)  # noqa: DTZ001


@pytest.mark.parametrize("secret", ["whsec_YQ==", "whsec_", "", "whsec_not base64!", "whsec_" + "A" * 88])
def test_a_weak_or_broken_secret_does_not_sign(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        signing.headers([secret], "evt_1", datetime.now(UTC), BODY)
