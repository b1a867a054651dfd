"""Tokens of our own making are Django's."""

import pytest
from django.http import HttpRequest
from django.middleware.csrf import (  # type: ignore[attr-defined]
    CSRF_ALLOWED_CHARS,
    _does_token_match,
    _unmask_cipher_token,
)

from friendpay.kit import csrf

SECRETS = ["b" * 32, CSRF_ALLOWED_CHARS[:32], CSRF_ALLOWED_CHARS[-32:]]


def asked(secret: str) -> HttpRequest:
    request = HttpRequest()
    request.META["CSRF_COOKIE"] = secret
    return request


@pytest.mark.parametrize("secret", SECRETS)
def test_django_finds_the_secret_in_it(secret: str) -> None:
    request = asked(secret)
    tokens = {csrf.token(request) for _often in range(300)}
    assert len(tokens) == 300
    assert {_unmask_cipher_token(token) for token in tokens} == {secret}
    assert all(_does_token_match(token, secret) for token in tokens)
    assert request.META["CSRF_COOKIE_NEEDS_UPDATE"] is True


def test_masks_are_made_of_every_letter_and_of_no_other() -> None:
    masks = "".join(csrf.token(asked("a" * 32))[:32] for _often in range(300))
    assert set(masks) == set(CSRF_ALLOWED_CHARS)


def test_who_has_no_secret_gets_one() -> None:
    request = HttpRequest()
    token = csrf.token(request)
    assert _does_token_match(token, request.META["CSRF_COOKIE"])
