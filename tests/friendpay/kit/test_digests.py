"""Digests stay when SECRET_KEY is rotated."""

from django.test import RequestFactory, override_settings
from pytest_django.fixtures import Settings

from friendpay.kit.digests import digest
from friendpay.kit.networks import network_of
from payments.pages import addresses
from payments.pages.visitors import COOKIE, visitor_of
from payments.share import safety_words


def everything() -> tuple[object, ...]:
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1")
    request.COOKIES[COOKIE] = "somebody"
    return (
        digest("tests", "value"),
        network_of(request),
        visitor_of(request),
        addresses.digest_of("lin@shop.example"),
        safety_words.of("a token"),
    )


def test_a_rotated_secret_key_forgets_nobody() -> None:
    before = everything()
    with override_settings(SECRET_KEY="another one"):
        assert everything() == before


def test_another_digest_key_makes_other_digests(settings: Settings) -> None:
    before = everything()
    settings.DIGEST_KEY = "another one"
    assert not set(before) & set(everything())


def test_a_value_has_another_digest_for_another_purpose() -> None:
    assert digest("one", "value") != digest("two", "value")
