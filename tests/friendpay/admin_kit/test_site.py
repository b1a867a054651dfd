"""Who gets in at the desk: a password, then a code from the phone."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
import unfold
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from friendpay.admin_kit import audit_log
from orders.models import ApiKey, Order, WebhookEndpoint
from payments.models import Payment, PaymentRequest, ProviderAccount
from tests import desk

pytestmark = pytest.mark.django_db

FACTOR = "/admin/second-factor/"
OURS = Path(__file__).parents[3] / "templates/admin/base.html"
THEMES = Path(unfold.__file__).parent / "templates/admin/base.html"


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


def test_every_page_has_one_main_landmark(client: Client) -> None:
    """A screen reader leads there past the menu."""
    assert [who.get(page).content.count(b"<main") for who, page in ((Client(), "/admin/login/"), (client, FACTOR))] == [
        1,
        1,
    ]
    set_up(client)
    for page in ("/admin/", "/admin/orders/order/", "/admin/find/?q=x", "/admin/password_change/"):
        answer = client.get(page)
        assert (answer.status_code, answer.content.count(b"<main"), answer.content.count(b"</main>")) == (200, 1, 1)


def test_the_theme_lays_out_its_pages_as_before_but_for_the_landmark() -> None:
    """Our copy of its template follows it."""
    own, theme = (path.read_text().split() for path in (OURS, THEMES))
    tags = {"<main": "<div", "</main>": "</div>"}
    assert [tags.get(word, word) for word in own] == theme


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
    boss = desk.staff(*desk.READ, "auth.view_user", "auth.change_user", "otp_totp.delete_totpdevice", name="boss")
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


def test_the_key_of_an_earlier_visit_is_dead(client: Client) -> None:
    """Who has stolen the password looks at the page first; then its owner sets up a phone."""
    thief = Client()
    thief.force_login(User.objects.get())
    thief.get(FACTOR)
    copied = TOTPDevice.objects.get()
    client.get(FACTOR)
    assert TOTPDevice.objects.get().key != copied.key
    assert client.post(FACTOR, {"code": code(TOTPDevice.objects.get())}).status_code == 302
    thief.post(FACTOR, {"code": code(copied)})
    assert thief.get("/admin/").status_code == 302
    assert thief.post(FACTOR, {"code": code(copied)}).status_code == 200


def test_the_key_is_not_shown_with_a_wrong_code_nor_confirmed_by_another_session(client: Client) -> None:
    client.get(FACTOR)
    device = TOTPDevice.objects.get()
    wrong = client.post(FACTOR, {"code": "000000"})
    assert (wrong.status_code, b"<svg" in wrong.content, b"Begin again" in wrong.content) == (200, False, True)
    other = Client()
    other.force_login(User.objects.get())
    answer = other.post(FACTOR, {"code": code(device)})
    assert answer.status_code == 200
    assert other.get("/admin/").status_code == 302


def test_an_hour_without_work_ends_the_session(settings: Settings) -> None:
    settings.DEMO = True
    client = desk.staff(*desk.READ, name="idle")
    assert client.get("/admin/").status_code == 200
    assert 3500 < client.session.get_expiry_age() <= 3600
    session = client.session
    session["seen"] = time.time() - 120
    session.save()
    Session.objects.update(expire_date=now() + timedelta(seconds=5))
    client.get("/admin/")
    assert Session.objects.get(pk=client.session.session_key).expire_date > now() + timedelta(minutes=50)


def test_logins_wrong_passwords_and_second_factors_are_written_down() -> None:
    user = User.objects.create_superuser("berta", password="a long password")
    client = Client()
    client.post("/admin/login/", {"username": "berta", "password": "guessed"})
    client.post("/admin/login/", {"username": "nobody", "password": "guessed"})
    client.post("/admin/login/", {"username": "berta", "password": "a long password"})
    client.get(FACTOR)
    client.post(FACTOR, {"code": "000000"})
    TOTPDevice.objects.update(throttling_failure_count=0)
    client.post(FACTOR, {"code": code(TOTPDevice.objects.get())})
    told = [entry.change_message.rpartition(" (")[0] for entry in LogEntry.objects.filter(user=user).order_by("id")]
    assert told == [
        audit_log.WRONG_PASSWORD,
        audit_log.PASSWORD_RIGHT,
        audit_log.WRONG_CODE,
        audit_log.ENROLLED,
        audit_log.CAME_IN,
    ]


@pytest.fixture
def demo(settings: Settings) -> None:
    settings.DEMO = True


@pytest.mark.usefixtures("demo")
def test_who_may_change_users_makes_no_superuser_and_gives_no_rights() -> None:
    boss = desk.staff(*desk.READ, "auth.view_user", "auth.change_user", "auth.add_user", name="boss")
    anna = User.objects.get(username="boss")
    big, small = Group.objects.create(name="money"), Group.objects.create(name="reading")
    big.permissions.add(Permission.objects.get(codename="refund_payment"))
    small.permissions.add(Permission.objects.get(codename="view_order"))
    user = User.objects.create_user("new", is_staff=True)
    form = {"username": "new", "is_active": "on", "is_superuser": "on", "groups": [small.pk]}
    form |= {"user_permissions": [Permission.objects.get(codename="refund_payment").pk]}
    assert boss.post(desk.page(user), form).status_code == 302
    user.refresh_from_db()
    assert (user.is_superuser, user.user_permissions.count(), list(user.groups.all())) == (False, 0, [small])
    assert boss.post(desk.page(user), form | {"groups": [big.pk]}).status_code == 200
    assert list(user.groups.all()) == [small]
    assert anna.is_superuser is False


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("page", ["change", "auth_user_password_change", "reset_second_factor"])
def test_nobody_touches_the_login_of_somebody_above(page: str) -> None:
    rights = (
        "auth.view_user",
        "auth.change_user",
        "otp_totp.delete_totpdevice",
        "auth.change_group",
        "auth.view_group",
    )
    boss = desk.staff(*rights, name="boss")
    above = User.objects.create_superuser("root", password="a long password", email="root@shop.example")
    richer = User.objects.create_user("richer", is_staff=True)
    richer.user_permissions.add(Permission.objects.get(codename="refund_payment"))
    for user in (above, richer):
        TOTPDevice.objects.create(user=user, name="phone")
        before = (user.password, user.email, user.username)
        address = (
            reverse("admin:auth_user_password_change", args=[user.pk]) if "password" in page else desk.page(user, page)
        )
        boss.post(address, {"username": "mine", "password1": "a quite new one", "password2": "a quite new one"})
        user.refresh_from_db()
        assert (user.password, user.email, user.username) == before
        assert TOTPDevice.objects.filter(user=user).exists()
    assert boss.get("/admin/auth/group/").status_code == 403


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("model", "query"),
    [
        (Order, "token__regex=^a"),
        (Order, "token__startswith=a"),
        (PaymentRequest, "token__gt=a"),
        (PaymentRequest, "order__token__regex=^a"),
        (PaymentRequest, "code__contains=7"),
        (Payment, "token__in=a,b"),
        (Payment, "request__order__token__regex=^a"),
        (ProviderAccount, "sealed__regex=^a"),
        (User, "password__startswith=pbkdf2"),
        (WebhookEndpoint, "sealed__regex=^a"),
        (ApiKey, "digest__startswith=a"),
        (Order, "merchant__id__exact=x"),
        (Order, "status__exact__regex=a"),
    ],
)
def test_no_filter_reads_what_no_page_shows(model: type[Model], query: str) -> None:
    everything = [
        f"{p.content_type.app_label}.{p.codename}" for p in Permission.objects.filter(codename__startswith="view_")
    ]
    client = desk.staff(*everything, name="reader")
    assert client.get(f"{desk.rows(model)}?{query}").status_code == 400


def test_passwords_are_long_and_not_the_usual_ones() -> None:
    for word in ("short", "123456789012", "password1234", "adminadmin"):
        with pytest.raises(ValidationError):
            validate_password(word)
    validate_password("a long password of mine")
