"""A shop's people at the desk: invited by one act, looking after their shop, taken off it."""

import re
from smtplib import SMTPRecipientsRefused
from typing import Any, NoReturn

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core import mail as django_mail
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from friendpay.admin_kit import roles
from friendpay.kit import background
from friendpay.kit.errors import Refused
from orders import members, scope
from orders.admin import people
from orders.models import ApiKey, Membership, Merchant, WebhookEndpoint
from payments.models import ProviderAccount, RolloutRule
from tests import desk, shop

pytestmark = pytest.mark.django_db

EMAIL = "mei@shop.example"
PASSWORD = "tea leaves in the harbour"


@pytest.fixture(autouse=True)
def _roles(settings: Settings) -> None:
    settings.DEMO = True  # the second factor has tests of its own
    roles.make()


def operator() -> Client:
    client = desk.staff(name="boss")
    User.objects.filter(username="boss").update(is_superuser=True)
    return client


def link_of(page: Any) -> str:
    found: list[str] = re.findall(r"/admin/invitation/[^<\s]+", page.content.decode())
    return found[0]


def set_password(link: str, password: str = PASSWORD) -> Any:
    client = Client()
    form = client.get(link, follow=True)
    return client.post(form.request["PATH_INFO"], {"new_password1": password, "new_password2": password})


def log_in(email: str = EMAIL, password: str = PASSWORD) -> Client:
    client = desk.Agent()
    client.post(reverse("admin:login"), {"username": email, "password": password})
    return client


def invited(merchant: Merchant) -> Client:
    page = operator().post(desk.page(merchant, "invite"), {"email": EMAIL}, follow=True)
    set_password(link_of(page))
    return log_in()


def test_an_invited_person_sets_a_password_and_sees_the_shop_alone() -> None:
    merchant, other = shop.make_merchant(), shop.make_merchant()
    page = operator().post(desk.page(merchant, "invite"), {"email": "Mei@shop.example"}, follow=True)
    link = link_of(page)
    assert EMAIL in desk.words(page)
    assert not User.objects.get(username=EMAIL).has_usable_password()
    assert EMAIL in desk.words(Client().get(link, follow=True))
    assert set_password(link).status_code == 302
    assert "opens nothing any more" in desk.words(Client().get(link, follow=True))
    client, user = log_in(), User.objects.get(username=EMAIL)
    assert desk.found(client, Merchant, "") == [merchant.pk]
    assert client.get(desk.page(other)).status_code == 302
    assert ([group.name for group in user.groups.all()], user.is_superuser) == ([roles.DEVELOPER], False)
    assert link not in operator_reads(merchant)


def invites(monkeypatch: pytest.MonkeyPatch) -> str:
    """What the operator reads who has invited somebody; what was left for later is done."""
    monkeypatch.setattr(background, "run_later", lambda _purpose, job: job())
    merchant = shop.make_merchant()
    page = operator().post(desk.page(merchant, "invite"), {"email": "Mei@shop.example"}, follow=True)
    return link_of(page)


def test_the_link_goes_by_mail_to_whoever_was_invited(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MAIL_TO_PEOPLE = True
    link = invites(monkeypatch)
    (mail,) = django_mail.outbox
    assert (mail.to, f"{settings.PUBLIC_URL}{link}" in mail.body) == ([EMAIL], True)
    assert set_password(link).status_code == 302


def test_without_a_mail_server_the_link_is_shown_alone(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MAIL_TO_PEOPLE = False
    assert invites(monkeypatch)
    assert django_mail.outbox == []


def test_a_mail_server_that_fails_takes_nothing_from_the_page_and_its_words_stay_out_of_the_log(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings.MAIL_TO_PEOPLE = True

    def fails(*_args: object) -> NoReturn:
        raise SMTPRecipientsRefused({EMAIL: (550, b"no such user")})

    monkeypatch.setattr(people, "send_mail", fails)
    assert set_password(invites(monkeypatch)).status_code == 302
    (logged,) = [record.getMessage() for record in caplog.records if record.name == people.__name__]
    assert logged.endswith("SMTPRecipientsRefused")


def operator_reads(merchant: Merchant) -> str:
    client = Client()
    client.force_login(User.objects.get(username="boss"))
    return client.get(desk.page(merchant)).content.decode()


def test_the_second_factor_is_set_up_like_anybodys(settings: Settings) -> None:
    merchant = shop.make_merchant()
    client = invited(merchant)
    settings.DEMO = False
    answer = client.get(desk.rows(Merchant), follow=True)
    assert answer.request["PATH_INFO"] == reverse("admin:second_factor")


def test_who_is_taken_off_is_out_at_the_next_click_and_comes_back_with_nothing_of_before() -> None:
    merchant = shop.make_merchant()
    client = invited(merchant)
    user, member = User.objects.get(username=EMAIL), Membership.objects.get()
    user.user_permissions.add(Permission.objects.get(codename="refund_payment"))
    TOTPDevice.objects.create(user=user, name="phone")
    boss = desk.Agent()
    boss.force_login(User.objects.get(username="boss"))
    assert client.get(desk.rows(Merchant)).status_code == 200
    boss.post(desk.page(member, "end"), {"again-password": "a long password", "again-username": "boss"})
    assert client.get(desk.rows(Merchant)).status_code == 302
    member.refresh_from_db()
    assert member.ended_by == "support:boss"
    assert log_in().get(desk.rows(Merchant)).status_code == 302

    back = members.invite(merchant, EMAIL, by="support:boss")
    user = User.objects.get(username=EMAIL)
    assert (back.membership.pk != member.pk, user.is_active, user.has_usable_password()) == (True, True, False)
    assert not user.user_permissions.exists()
    assert not TOTPDevice.objects.filter(user=user).exists()
    assert Membership.objects.count() == 2


def test_one_person_works_for_two_shops_and_keeps_the_other() -> None:
    one, two = shop.make_merchant(), shop.make_merchant()
    client = invited(one)
    assert members.invite(two, EMAIL, by="support:boss").key == ""
    assert sorted(desk.found(client, Merchant, "")) == sorted([one.pk, two.pk])
    members.end(Membership.objects.get(merchant=one), by="support:boss")
    assert desk.found(client, Merchant, "") == [two.pk]


def test_a_repeat_gives_another_link_until_a_password_is_set() -> None:
    merchant = shop.make_merchant()
    first, second = (members.invite(merchant, EMAIL, by="support:boss") for _time in range(2))
    assert (first.membership, bool(second.key), Membership.objects.count()) == (second.membership, True, 1)
    set_password(f"/admin/invitation/{second.key}/")
    with pytest.raises(Refused, match="member_already"):
        members.invite(merchant, EMAIL, by="support:boss")


@pytest.mark.parametrize("who", ["superuser", "support", "bare", "left"])
def test_a_login_that_is_not_a_shops_never_becomes_one(who: str) -> None:
    merchant = shop.make_merchant()
    user = User.objects.create_user(EMAIL.upper(), is_staff=True, is_superuser=who == "superuser")
    if who in ("support", "left"):
        user.groups.add(Group.objects.get(name=roles.SUPPORT))
    if who == "left":
        User.objects.filter(pk=user.pk).update(is_active=False)
    answer = operator().post(desk.page(merchant, "invite"), {"email": EMAIL})
    assert "that is not a shop" in desk.words(answer)
    assert not Membership.objects.exists()
    assert User.objects.get(pk=user.pk).is_active == (who != "left")


def test_nobody_invites_who_has_less_than_what_is_given() -> None:
    merchant = shop.make_merchant()
    client = desk.staff("orders.view_merchant", "orders.add_membership", *roles.ROLES[roles.SENIOR])
    assert client.post(desk.page(merchant, "invite"), {"email": EMAIL}).status_code == 403
    assert not User.objects.filter(username=EMAIL).exists()


def test_a_login_without_a_shop_sees_nothing() -> None:
    shop.make_merchant()
    user = User.objects.create_user("clerk", is_staff=True)
    user.groups.add(Group.objects.get(name=roles.DEVELOPER))
    assert scope.shops_of(user) == frozenset()


def test_a_shops_own_person_does_all_four_set_up_steps() -> None:
    """Keys, origins and look, webhooks, wallets and rules: with what there is, and no operator."""
    merchant = shop.make_merchant()
    client = invited(merchant)
    page = client.post(desk.page(merchant, "make_key"), {"name": "till", "can_read": "on"}, follow=True)
    assert ApiKey.objects.filter(merchant=merchant, name="till").exists()
    assert "sk_test_" in desk.words(page)

    page = client.post(
        desk.page(merchant, "make_endpoint"),
        {"url": "https://shop.example/hook", "event_types": ["order.paid"]},
        follow=True,
    )
    endpoint = WebhookEndpoint.objects.get(merchant=merchant)
    assert (endpoint.event_types, "whsec_" in desk.words(page)) == (["order.paid"], True)
    assert "whsec_" not in desk.words(client.get(desk.page(merchant)))
    assert "whsec_" in desk.words(client.post(desk.page(endpoint, "new_secret"), follow=True))
    client.post(desk.page(endpoint, "delete_endpoint"))
    endpoint.refresh_from_db()
    assert endpoint.deleted_at is not None

    form = {"contact": "help@shop.example", "request_minutes": 60, "accent": "#0b7a4b"}
    form |= {"return_origins": "https://shop.example", "name": "A Bank", "is_verified": "on", "is_frozen": "on"}
    before = (merchant.name, merchant.is_verified, merchant.is_frozen)
    assert client.post(desk.page(merchant), form).status_code == 302
    merchant.refresh_from_db()
    assert (merchant.return_origins, merchant.accent) == (["https://shop.example"], "#0b7a4b")
    assert (merchant.name, merchant.is_verified, merchant.is_frozen) == before

    client.post(
        reverse("admin:payments_provideraccount_add"), {"merchant": merchant.pk, "provider": "sandbox", "name": "Ours"}
    )
    account = ProviderAccount.objects.get(merchant=merchant, name="Ours")
    assert client.get(desk.page(account)).status_code == 200
    client.post(
        reverse("admin:payments_rolloutrule_add"), {"merchant": merchant.pk, "method": "sandbox", "share_percent": "10"}
    )
    assert RolloutRule.objects.filter(merchant=merchant, share=1000).exists()


def test_a_bad_address_of_a_webhook_is_said_at_its_field() -> None:
    merchant = shop.make_merchant()
    answer = invited(merchant).post(desk.page(merchant, "make_endpoint"), {"url": "https://127.0.0.1/hook"})
    assert answer.status_code in (400, 422)
    assert not WebhookEndpoint.objects.exists()
