"""Who gets in at the desk: a password, then a code from the phone."""

import time

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from tests import desk

pytestmark = pytest.mark.django_db

FACTOR = "/admin/second-factor/"


@pytest.fixture(autouse=True)
def no_demo(settings: Settings) -> None:
    settings.DEMO = False


@pytest.fixture
def client() -> Client:
    """Somebody whose password was right."""
    return desk.staff(*desk.READ)


def code(device: TOTPDevice, steps: int = 0) -> str:
    totp = TOTP(device.bin_key)
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06}"


def set_up(client: Client) -> TOTPDevice:
    """The phone of whoever is logged in, and in."""
    client.get(FACTOR)
    device = TOTPDevice.objects.get()
    assert client.post(FACTOR, {"code": code(device, -1)}).status_code == 302
    return TOTPDevice.objects.get()


@pytest.mark.parametrize(
    "address", ["/admin/", "/admin/orders/order/", "/admin/search/?s=a", "/admin/jsi18n/", "/admin/x/"]
)
def test_a_password_alone_opens_nothing(client: Client, address: str) -> None:
    answer = client.get(address, follow=True)
    assert answer.redirect_chain[-1][0].startswith(FACTOR)
    assert "sidebar" not in answer.content.decode() or "Payment requests" not in answer.content.decode()


def test_the_way_in_leads_on_to_where_one_wanted_to_go() -> None:
    User.objects.create_superuser("anna", password="a long password")
    client = Client()
    wanted = "/admin/payments/refund/?status__exact=failed"
    to_login = client.get(wanted)
    sent = client.post(to_login.headers["location"], {"username": "anna", "password": "a long password"}, follow=True)
    factor = sent.redirect_chain[-1][0]
    assert factor.startswith(FACTOR)
    answer = client.post(factor, {"code": code(TOTPDevice.objects.get())})
    assert answer.headers["location"] == wanted
    assert client.get(wanted).status_code == 200


def test_the_first_visit_sets_up_the_phone(client: Client) -> None:
    answer = client.get(FACTOR)
    device = TOTPDevice.objects.get()
    assert not device.confirmed
    assert b"<svg" in answer.content
    assert "no-store" in answer.headers["cache-control"]
    client.get(FACTOR)
    assert TOTPDevice.objects.get() == device
    assert client.post(FACTOR, {"code": code(device)}).status_code == 302
    assert client.get("/admin/").status_code == 200
    assert TOTPDevice.objects.get().confirmed


def test_the_key_is_never_shown_again(client: Client) -> None:
    device = set_up(client)
    again = Client()
    again.force_login(User.objects.get())
    answer = again.get(FACTOR)
    assert b"<svg" not in answer.content.split(b"<form")[0]
    assert device.config_url not in answer.content.decode()
    assert TOTPDevice.objects.count() == 1


@pytest.mark.parametrize("wrong", ["", "12345", "abcdef", "1234567", "١٢٣٤٥٦"])
def test_what_is_no_code_is_refused(client: Client, wrong: str) -> None:
    set_up(client)
    again = Client()
    again.force_login(User.objects.get())
    assert again.post(FACTOR, {"code": wrong}).status_code == 200
    assert again.get("/admin/").status_code == 302


def test_a_code_opens_once(client: Client) -> None:
    client.get(FACTOR)
    used = code(TOTPDevice.objects.get())
    assert client.post(FACTOR, {"code": used}).status_code == 302
    again = Client()
    again.force_login(User.objects.get())
    assert again.post(FACTOR, {"code": used}).status_code == 200
    assert again.get("/admin/").status_code == 302


def test_after_a_wrong_code_even_the_right_one_must_wait(client: Client) -> None:
    client.get(FACTOR)
    device = TOTPDevice.objects.get()
    wrong = f"{(int(code(device)) + 111_111) % 1_000_000:06}"
    client.post(FACTOR, {"code": wrong})
    assert client.post(FACTOR, {"code": code(device)}).status_code == 200
    assert client.get("/admin/").status_code == 302


def test_another_ones_code_does_not_open(client: Client) -> None:
    device = set_up(client)
    bob = desk.staff(*desk.READ, name="bob")
    bob.get(FACTOR)
    assert bob.post(FACTOR, {"code": code(device, 1)}).status_code == 200
    assert bob.get("/admin/").status_code == 302


def test_the_session_gets_another_key(client: Client) -> None:
    client.get(FACTOR)
    before = client.session.session_key
    set_up(client)
    assert client.session.session_key != before


@pytest.mark.parametrize("evil", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_it_leads_to_no_other_site(client: Client, evil: str) -> None:
    client.get(FACTOR)
    answer = client.post(f"{FACTOR}?next={evil}", {"code": code(TOTPDevice.objects.get())})
    assert answer.headers["location"] == "/admin/"


def test_who_cannot_give_the_code_can_log_out(client: Client) -> None:
    assert client.post(FACTOR, {"logout": "yes"}).headers["location"] == "/admin/login/"
    assert "_auth_user_id" not in client.session


def test_strangers_and_customers_do_not_come_this_far() -> None:
    assert Client().get(FACTOR).headers["location"] == "/admin/login/"
    User.objects.create_user("carl", password="a long password")
    client = Client()
    client.force_login(User.objects.get())
    assert client.get(FACTOR).headers["location"] == "/admin/login/"
    assert not TOTPDevice.objects.exists()


def test_a_lost_phone_is_taken_off_by_who_may() -> None:
    boss = desk.staff("auth.view_user", "auth.change_user", "otp_totp.delete_totpdevice", name="boss")
    anna = desk.staff(*desk.READ)
    set_up(anna)
    boss.get(FACTOR)
    own = TOTPDevice.objects.get(user__username="boss")
    boss.post(FACTOR, {"code": code(own)})
    user = User.objects.get(username="anna")
    assert boss.post(desk.page(user, "reset_second_factor")).status_code == 302
    assert not TOTPDevice.objects.filter(user=user).exists()
    assert anna.get("/admin/").status_code == 302  # at once


def test_taking_off_a_phone_needs_a_right_of_its_own(settings: Settings) -> None:
    settings.DEMO = True
    boss = desk.staff("auth.view_user", "auth.change_user", "auth.delete_user", name="boss")
    user = User.objects.get()
    assert boss.post(desk.page(user, "reset_second_factor")).status_code == 403
    assert boss.post(desk.page(user, "delete"), {"post": "yes"}).status_code == 403


def test_a_demo_asks_for_the_password_alone(client: Client, settings: Settings) -> None:
    settings.DEMO = True
    assert client.get("/admin/").status_code == 200
    assert "Demo" in desk.text(client, "/admin/")
