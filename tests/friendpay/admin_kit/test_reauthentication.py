"""The password again: before money and keys, from who has not given it lately, and without losing what was typed."""

import html
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from friendpay.admin_kit import audit_log, reauthentication
from friendpay.kit import desk_limits
from orders.models import ApiKey, Merchant
from payments.models import Payment, ProviderAccount, Refund, Report, StoppedBuyer
from tests import desk, shop
from tests.payments.admin.test_actions import failed_refund, orphan, paid

pytestmark = pytest.mark.django_db

RIGHT, WRONG = "a long password", "a long passwort"
SECRET = 'line one\nline <two>\r\n"line" three & a half'


@pytest.fixture
def client(settings: Settings) -> Client:
    """A superuser who logged in a while ago."""
    settings.DEMO = True
    client = Client()
    client.force_login(User.objects.create_superuser("root", password=RIGHT))
    return client


def long_ago(client: Client, seconds: float = 15 * 60 + 1) -> None:
    session = client.session
    session[reauthentication.GIVEN_AT] = time.time() - seconds
    session.save()


def asks(answer: Any) -> bool:
    return answer.status_code == 200 and b'name="again-password"' in answer.content


def kept(answer: Any) -> dict[str, list[str]]:
    """What the page carries along, as a browser would send it."""
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', answer.content.decode()):
        name, value = map(html.unescape, tag)
        if name != "csrfmiddlewaretoken":
            fields.setdefault(name, []).append(value)
    return fields


def refund_of(**more: str) -> tuple[str, dict[str, str]]:
    payment = paid()
    form = {"amount": "1.00", "note": 'a "note"', "seen": str(payment.amount_captured), **desk.WHY}
    return desk.page(payment, "refund"), form | more


def test_a_refund_waits_for_the_password_and_keeps_what_was_typed(client: Client) -> None:
    page, form = refund_of()
    assert client.get(page).status_code == 200  # to look is free
    answer = client.post(page, form)
    assert asks(answer)
    assert not Refund.objects.exists()
    before = client.session.session_key
    sent = client.post(page, kept(answer) | {"again-password": RIGHT})
    assert sent.status_code == 302
    refund = Refund.objects.get()
    assert (refund.amount, refund.note) == (100, 'a "note"')
    assert client.session.session_key != before


def test_a_wrong_password_moves_nothing_and_loses_nothing(client: Client) -> None:
    page, form = refund_of()
    first = client.post(page, form)
    answer = client.post(page, kept(first) | {"again-password": WRONG})
    assert asks(answer)
    assert "This password is not right." in answer.content.decode()
    assert WRONG not in answer.content.decode()
    assert kept(answer) == kept(first)
    assert asks(client.post(page, kept(first) | {"again-password": ""}))
    assert not Refund.objects.exists()


def test_who_gave_it_lately_is_not_asked_and_the_minutes_are_a_setting(client: Client, settings: Settings) -> None:
    page, form = refund_of()
    long_ago(client)
    assert asks(client.post(page, form))
    settings.DESK_PASSWORD_MINUTES = 16
    assert client.post(page, form).status_code == 302
    assert Refund.objects.count() == 1


@pytest.mark.parametrize("stamp", [-60, 10**9])
def test_a_clock_that_was_set_back_or_none_is_no_password(client: Client, stamp: float) -> None:
    page, form = refund_of()
    long_ago(client, stamp)
    assert asks(client.post(page, form))


def test_logging_in_counts_as_giving_it_and_a_wrong_try_does_not(client: Client) -> None:
    page, form = refund_of()
    wrong = client.post("/admin/login/", {"username": "root", "password": WRONG})
    assert wrong.status_code == 200
    assert asks(client.post(page, form))
    told = list(LogEntry.objects.filter(change_message__startswith=audit_log.PASSWORD_RIGHT))
    assert told == []
    other = Client()
    assert other.post("/admin/login/", {"username": "root", "password": RIGHT}).status_code == 302
    assert other.post(page, form).status_code == 302


def test_another_ones_password_is_not_the_ones_own(client: Client) -> None:
    User.objects.create_superuser("berta", password="quite another one")
    page, form = refund_of()
    given = {"again-username": "berta", "again-password": "quite another one"}
    assert asks(client.post(page, form | given))
    assert not Refund.objects.exists()


def test_guesses_count_with_those_of_the_login(client: Client) -> None:
    page, form = refund_of()
    tries = [client.post(page, form | {"again-password": WRONG}).status_code for _ in range(11)]
    assert tries == [200] * 10 + [429]
    answer = client.post(page, form | {"again-password": RIGHT})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= desk_limits.WRONG_PASSWORDS_SECONDS
    assert kept(answer)["note"] == ['a "note"']
    assert Client().post("/admin/login/", {"username": "root", "password": RIGHT}).status_code == 429
    assert not Refund.objects.exists()


def test_it_is_written_down(client: Client) -> None:
    page, form = refund_of()
    client.post(page, form | {"again-password": WRONG})
    client.post(page, form | {"again-password": RIGHT})
    told = [entry.change_message.rpartition(" (")[0] for entry in LogEntry.objects.order_by("id")[:2]]
    assert told == [audit_log.WRONG_PASSWORD, audit_log.PASSWORD_AGAIN]


def test_credentials_are_not_even_read_without_it(client: Client) -> None:
    shop.make_merchant()
    account = ProviderAccount.objects.get()
    page = f"{desk.page(account)}?_changelist_filters=mode%3Dtest"
    answer = client.get(page)
    assert asks(answer)
    assert b"credential_" not in answer.content
    assert asks(client.post(page, kept(answer) | {"again-password": WRONG}))
    sent = client.post(page, kept(answer) | {"again-password": RIGHT})
    assert (sent.status_code, sent.headers["location"]) == (302, page)
    assert b"credential_secret" in client.get(page).content
    late = client.post(page, kept(answer))  # a second tab that still asks: it only reads
    assert late.status_code == 302
    account.refresh_from_db()
    assert account.config


def test_who_reads_accounts_without_their_credentials_is_not_asked() -> None:
    shop.make_merchant()
    reader = desk.staff("payments.view_provideraccount")
    long_ago(reader)
    assert not asks(reader.get(desk.page(ProviderAccount.objects.get())))


def test_a_key_of_several_lines_arrives_whole(client: Client) -> None:
    shop.make_merchant()
    account = ProviderAccount.objects.get()
    form = {"name": "Till", "enabled": "on", "base_url": account.base_url, "credential_secret": SECRET}
    answer = client.post(desk.page(account), desk.WHY | form)
    assert account.config == ProviderAccount.objects.get().config
    assert client.post(desk.page(account), kept(answer) | {"again-password": RIGHT}).status_code == 302
    assert ProviderAccount.objects.get().config["secret"].splitlines() == SECRET.splitlines()


def test_several_values_of_one_field_are_kept(client: Client) -> None:
    groups = [Group.objects.create(name=name) for name in ("one", "two", "three")]
    user = User.objects.create_user("new", is_staff=True)
    form = {"username": "new", "is_active": "on", "is_staff": "on", "groups": [group.pk for group in groups[1:]]}
    answer = client.post(desk.page(user), desk.WHY | form)
    assert asks(answer)
    assert user.groups.count() == 0
    assert client.post(desk.page(user), kept(answer) | {"again-password": RIGHT}).status_code == 302
    assert set(user.groups.all()) == set(groups[1:])


def _merchant() -> Merchant:
    return shop.make_merchant()


def _key() -> ApiKey:
    return ApiKey.make(shop.make_merchant(), name="till", live=False, can_read=True)[0]


def _account() -> ProviderAccount:
    shop.make_merchant()
    return ProviderAccount.objects.get()


def _user() -> User:
    user = User.objects.create_user("new", is_staff=True)
    TOTPDevice.objects.create(user=user, name="phone")
    return user


def _group() -> Group:
    return Group.objects.create(name="money")


def _report() -> Report:
    asked = shop.make_request()
    told = {"merchant": asked.merchant, "reason": "stranger", "network": "n", "created_at": asked.created_at}
    return Report.objects.create(request=asked, **told)


@pytest.mark.parametrize(
    ("make", "action"),
    [
        (_report, "stop_buyer"),
        (_report, "freeze_shop"),
        (_merchant, "make_key"),
        (_key, "roll"),
        (_key, "revoke"),
        (_account, "change"),
        (_account, "test"),
        (_user, "change"),
        (_user, "reset_second_factor"),
        (_user, "password"),
        (_group, "change"),
        (_group, "delete_group"),
        (paid, "refund"),
        (failed_refund, "send_again"),
        (failed_refund, "send_in_parts"),
        (failed_refund, "returned_elsewhere"),
        (failed_refund, "withdraw"),
        (orphan, "count"),
        (orphan, "send_back"),
        (orphan, "put_away"),
    ],
)
def test_money_keys_and_logins_wait_for_it(client: Client, make: Callable[[], Model], action: str) -> None:
    thing = make()
    page = (
        reverse("admin:auth_user_password_change", args=[thing.pk])
        if action == "password"
        else desk.page(thing, action)
    )
    before = _all()
    for form in ({}, {"post": "yes"}, {"again-show": "yes"}, {"again-password": WRONG}):
        assert asks(client.post(page, form))
    assert _all() == before


@pytest.mark.parametrize("page", ["auth/user/add/", "auth/group/add/", "payments/provideraccount/add/"])
def test_new_logins_and_accounts_wait_for_it_too(client: Client, page: str) -> None:
    assert asks(client.post(f"/admin/{page}", {"name": "x", "username": "x"}))


def _all() -> list[Any]:
    models = (Merchant, StoppedBuyer, ApiKey, ProviderAccount, User, Group, TOTPDevice, Payment, Refund)
    return [sorted(map(str, model._default_manager.values_list())) for model in models]


def test_ones_own_new_password_needs_the_old_and_guesses_count(client: Client) -> None:
    page = reverse("admin:password_change")
    new = {"new_password1": "quite a new one", "new_password2": "quite a new one"}
    answers = [client.post(page, new | {"old_password": WRONG}) for _ in range(10)]
    assert [answer.status_code for answer in answers] == [200] * 10
    refused = client.post(page, new | {"old_password": RIGHT})
    assert "too many wrong passwords" in refused.content.decode()
    assert User.objects.get(username="root").check_password(RIGHT)


def test_ones_own_new_password_is_written_down(client: Client) -> None:
    new = {"old_password": RIGHT, "new_password1": "quite a new one", "new_password2": "quite a new one"}
    assert client.post(reverse("admin:password_change"), new).status_code == 302
    assert User.objects.get(username="root").check_password("quite a new one")
    assert LogEntry.objects.get().change_message.startswith(audit_log.PASSWORD_CHANGED)
