"""Guessing a password of the desk: how often one may be wrong, and who is not kept out by it."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from friendpay.admin_kit import password
from friendpay.kit import desk_limits

pytestmark = pytest.mark.django_db

LOGIN = "/admin/login/"
RIGHT, WRONG = "a long password", "a long passwort"


@pytest.fixture(autouse=True)
def anna() -> User:
    return User.objects.create_superuser("anna", password=RIGHT)


def enter(word: str, *, name: str = "anna", of: str = "192.0.2.1", client: Client | None = None) -> Any:
    client = client or Client()
    client.cookies.pop("sessionid", None)
    return client.post(LOGIN, {"username": name, "password": word}, REMOTE_ADDR=of)


def guess(times: int, of: str = "192.0.2.1") -> list[int]:
    return [enter(WRONG, of=of).status_code for _ in range(times)]


def test_after_too_many_wrong_ones_from_a_network_even_the_right_one_must_wait() -> None:
    assert guess(10) == [200] * 10
    answer = enter(RIGHT)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= desk_limits.WRONG_PASSWORDS_SECONDS
    assert "too many wrong passwords. Please wait 15 minutes" in answer.content.decode()
    assert enter(RIGHT, of="192.0.2.2").status_code == 302


def test_who_changes_the_login_is_counted_all_the_same() -> None:
    assert [enter(WRONG, name=f"guess-{number}").status_code for number in range(11)] == [200] * 10 + [429]


def test_an_ipv6_network_counts_as_one() -> None:
    tries = [enter(WRONG, of=f"2001:db8::{number}").status_code for number in range(11)]
    assert tries == [200] * 10 + [429]


def test_a_login_tried_from_everywhere_is_shut_for_strangers_and_not_for_its_own_browser() -> None:
    mine = Client()
    assert enter(RIGHT, of="203.0.113.1", client=mine).status_code == 302
    tries = [enter(WRONG, name="Anna", of=f"198.51.100.{number}").status_code for number in range(31)]
    assert tries == [200] * 30 + [429]
    assert enter(RIGHT, of="203.0.113.2").status_code == 429
    assert enter(RIGHT, of="203.0.113.1", client=mine).status_code == 302
    assert enter(RIGHT, name="berta", of="203.0.113.2").status_code == 200  # wrong, and that is all


def test_ones_own_browser_is_no_place_to_guess_from_either() -> None:
    mine = Client()
    enter(RIGHT, client=mine)
    assert [enter(WRONG, client=mine).status_code for _ in range(11)] == [200] * 10 + [429]


def test_a_cookie_of_another_login_or_of_nobody_helps_nothing() -> None:
    User.objects.create_superuser("berta", password=RIGHT)
    other = Client()
    enter(RIGHT, name="berta", client=other)
    guess(10, of="192.0.2.9")
    assert enter(RIGHT, of="192.0.2.9", client=other).status_code == 429
    forged = Client()
    forged.cookies[password.COOKIE] = password._hashed("anna")
    assert enter(RIGHT, of="192.0.2.9", client=forged).status_code == 429


def test_right_ones_do_not_count_and_the_wait_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [enter(RIGHT).status_code for _ in range(12)] == [302] * 12
    monkeypatch.setattr(desk_limits, "WRONG_PASSWORDS_SECONDS", 60)
    guess(10)
    assert "Please wait 1 minute and" in enter(RIGHT).content.decode()
