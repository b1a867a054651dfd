"""Provider accounts: credentials go in, never out; the provider says what it thinks of them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from friendpay.kit import clock
from payments import tasks
from payments.admin import credentials
from payments.models import ProviderAccount
from payments.settlement import refunds
from payments.wallets import registry
from payments.wallets.base import Account, ProviderError
from payments.wallets.wechatpay.emulator.server import WeChatPay
from tests import desk, shop

pytestmark = pytest.mark.django_db

EDIT = "payments.change_provideraccount"


@pytest.fixture
def client() -> Client:
    return desk.staff(*desk.READ, EDIT, "payments.add_provideraccount")


@pytest.fixture
def account() -> ProviderAccount:
    shop.make_merchant()
    return ProviderAccount.objects.get()


@pytest.fixture
def commits(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Any:
    """Run what waits for the commit, as a real commit does."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def write(client: Client, account: ProviderAccount, **changes: str) -> Any:
    plain = {"name": "Till", "enabled": "on", "base_url": account.base_url, "credential_secret": ""}
    return client.post(desk.page(account), plain | changes)


def test_an_account_is_made_off_and_switched_on_with_its_credentials(client: Client) -> None:
    merchant = shop.make_merchant()
    ProviderAccount.objects.all().delete()
    answer = client.post(
        "/admin/payments/provideraccount/add/",
        {"merchant": merchant.pk, "provider": "wechatpay", "name": "", "live": "on"},
    )
    account = ProviderAccount.objects.get()
    assert (account.provider, account.live, account.enabled, account.sealed) == ("wechatpay", True, False, "")
    assert answer.headers["location"] == desk.page(account)
    body = client.get(desk.page(account)).content.decode()
    for name in registry.get("wechatpay").fields:
        assert f'name="credential_{name}"' in body
    assert client.get(desk.page(account)).context["adminform"].form["enabled"].value() is True


def test_a_sandbox_is_never_live_neither_by_the_form_nor_in_the_tables(client: Client) -> None:
    merchant = shop.make_merchant()
    given = {"merchant": merchant.pk, "provider": "sandbox", "name": "Second", "live": "on"}
    answer = client.post("/admin/payments/provideraccount/add/", given)
    assert "it can never be live" in answer.content.decode()
    assert not ProviderAccount.objects.filter(name="Second").exists()
    with pytest.raises(IntegrityError, match="sandbox_is_never_live"), transaction.atomic():
        ProviderAccount.objects.create(merchant=merchant, provider="sandbox", live=True)


@pytest.mark.parametrize(
    ("provider", "ticked", "kept"),
    [
        ("alipay", ["order_code", "page"], ["order_code", "page"]),
        ("wechatpay", ["h5"], ["h5"]),
        ("stripe", ["card", "ideal"], ["card", "ideal"]),
        ("stripe", [], []),
    ],
)
def test_what_the_wallet_has_granted_is_ticked_in_the_form(
    client: Client, provider: str, ticked: list[str], kept: list[str]
) -> None:
    account = ProviderAccount.objects.create(merchant=shop.make_merchant(), provider=provider, granted=["card"])
    config = {f"credential_{name}": "x" for name in registry.get(provider).fields}
    body = client.get(desk.page(account)).content.decode()
    assert all(str(label) in body for label in registry.get(provider).grants.values())
    assert client.post(desk.page(account), config | {"name": "Till", "granted": ticked}).status_code == 302
    account.refresh_from_db()
    assert account.granted == kept


def test_nothing_can_be_granted_that_the_wallet_does_not_know(client: Client) -> None:
    account = ProviderAccount.objects.create(merchant=shop.make_merchant(), provider="stripe", granted=["card"])
    config = {"credential_secret_key": "x", "credential_webhook_secret": "x"}
    assert client.post(desk.page(account), config | {"granted": ["sepa_debit"]}).status_code == 200
    account.refresh_from_db()
    assert account.granted == ["card"]


@pytest.mark.parametrize("provider", registry.NAMES)
def test_every_provider_is_asked_for_what_it_needs(client: Client, provider: str) -> None:
    account = ProviderAccount.objects.create(merchant=shop.make_merchant(), provider=provider)
    fields = client.get(desk.page(account)).context["adminform"].form.fields
    asked = {name.removeprefix("credential_") for name in fields if "credential_" in name}
    assert asked == set(registry.get(provider).fields)


def test_a_secret_is_never_shown_and_kept_when_left_empty(client: Client, account: ProviderAccount) -> None:
    words = client.get(desk.page(account)).content.decode()
    assert account.config["secret"] not in words
    assert "Set. Leave empty to keep it." in words
    before = account.config
    assert write(client, account).status_code == 302
    account.refresh_from_db()
    assert (account.name, account.config) == ("Till", before)


def test_a_new_secret_replaces_the_old_and_is_encrypted(client: Client, account: ProviderAccount) -> None:
    assert write(client, account, credential_secret="another long secret").status_code == 302
    account.refresh_from_db()
    assert account.config == {"secret": "another long secret"}
    assert "another long secret" not in account.sealed
    assert "another long secret" not in LogEntry.objects.get().change_message


def test_a_wrong_form_does_not_show_the_secret_that_was_typed(client: Client, account: ProviderAccount) -> None:
    answer = write(client, account, name="x" * 99, credential_secret="typed secret")
    assert answer.status_code == 200
    assert "typed secret" not in answer.content.decode()


def test_a_first_secret_must_be_given(client: Client) -> None:
    account = ProviderAccount.objects.create(merchant=shop.make_merchant(), provider="sandbox")
    assert write(client, account).status_code == 200
    account.refresh_from_db()
    assert account.sealed == ""


def test_what_is_no_secret_is_shown_and_can_be_changed(client: Client) -> None:
    account = ProviderAccount.objects.create(merchant=shop.make_merchant(), provider="alipay")
    account.config = {"app_id": "2021000000000000", "seller_id": "2088", "private_key": "k", "alipay_public_key": "p"}
    account.save()
    form = client.get(desk.page(account)).context["adminform"].form
    assert form["credential_app_id"].value() == "2021000000000000"
    assert not form["credential_private_key"].value()


@pytest.mark.django_db(transaction=True)
def test_saving_shows_what_the_provider_says(client: Client, account: ProviderAccount) -> None:
    answer = write(client, account)
    assert "The sandbox wallet answers." in desk.text(client, answer.headers["location"])


@pytest.mark.django_db(transaction=True)
def test_testing_shows_what_the_provider_says(
    client: Client, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_account: Account) -> str:
        raise ProviderError("This secret is not known <b>here</b>.", permanent=True, code="SIGN_ERROR")

    monkeypatch.setattr(registry.get("sandbox"), "check", refuse)
    assert "Test this account" in desk.text(client, desk.page(account))
    answer = client.post(desk.page(account, "test"), follow=True)
    assert "This secret is not known &lt;b&gt;here&lt;/b&gt;. (SIGN_ERROR)" in answer.content.decode()


@pytest.mark.parametrize(("secret", "now"), [("a new secret", True), ("", False)])
def test_refunds_that_waited_for_the_account_go_on_once_the_provider_is_content(
    client: Client, account: ProviderAccount, commits: Any, secret: str, now: bool
) -> None:
    payment = shop.succeed(shop.hold(shop.make_request(shop.make_order(account.merchant))))
    refund = refunds.refund_payment(payment.pk, actor="merchant")
    account.config = {"secret": ""}
    account.save()
    refunds.send()
    refund.refresh_from_db()
    assert (refund.waits_for_shop, refund.code) == (True, "no_secret")
    put_off = refund.next_attempt_at
    with commits():
        write(client, account, credential_secret=secret)
    refund.refresh_from_db()
    assert (refund.next_attempt_at != put_off) is now


def test_no_transaction_is_open_while_the_provider_is_asked(
    client: Client, account: ProviderAccount, commits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def check(account: Account) -> str:
        asked.append(account.id)
        return "fine"

    monkeypatch.setattr(registry.get("sandbox"), "check", check)
    for change in (lambda: write(client, account), lambda: client.post(desk.page(account, "test"))):
        asked.clear()
        with commits():
            change()
            assert asked == []  # only after the commit
        assert asked == [account.public_id]


def test_looking_at_the_test_asks_nobody(
    client: Client, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry.get("sandbox"), "check", lambda account: pytest.fail("asked"))
    assert client.get(desk.page(account, "test")).status_code == 200


def test_credentials_no_key_opens_are_said_to_be_so(
    client: Client, account: ProviderAccount, settings: Settings, commits: Any
) -> None:
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    assert "cannot be read with the present keys" in desk.text(client, desk.page(account))
    with commits():
        client.post(desk.page(account, "test"))
    assert "cannot be read with the present keys" in desk.text(client, desk.page(account))
    assert write(client, account, credential_secret="entered again").status_code == 302
    account.refresh_from_db()
    assert account.config == {"secret": "entered again"}


def test_mode_and_notification_address_are_plain(client: Client, account: ProviderAccount) -> None:
    words = desk.text(client, desk.page(account))
    assert account.notify_url in words
    assert " test " in words
    ProviderAccount.objects.update(provider="alipay", live=True)
    assert " live " in desk.text(client, desk.page(account))


def test_whose_it_is_and_whether_it_is_live_never_change(client: Client, account: ProviderAccount) -> None:
    other = shop.make_merchant("Other")
    write(client, account, live="on", provider="alipay", merchant=str(other.pk), sealed="x", public_id="acc_x")
    now = ProviderAccount.objects.get(pk=account.pk)
    assert (now.live, now.provider, now.merchant_id, now.public_id) == (
        False,
        "sandbox",
        account.merchant_id,
        account.public_id,
    )


def test_an_account_is_never_deleted(account: ProviderAccount) -> None:
    client = desk.staff(*desk.READ, EDIT, "payments.delete_provideraccount")
    assert client.post(desk.page(account, "delete"), {"post": "yes"}).status_code == 403
    assert ProviderAccount.objects.exists()


def test_who_may_only_look_sees_no_credentials_and_tests_nothing(account: ProviderAccount) -> None:
    client = desk.staff(*desk.READ)
    assert "credential" not in client.get(desk.page(account)).content.decode().lower()
    assert write(client, account).status_code == 403
    assert client.post(desk.page(account, "test")).status_code == 403


def stripe(**changes: Any) -> ProviderAccount:
    account = ProviderAccount(merchant=shop.make_merchant(), provider="stripe", **changes)
    account.config = {"secret_key": "sk_live_stored", "webhook_secret": "whsec_stored"}
    account.save()
    return account


def move(client: Client, account: ProviderAccount, base_url: str, **secrets: str) -> ProviderAccount:
    form = {"name": "Till", "enabled": "on", "base_url": base_url, "granted": ["card"]}
    with mock.patch.object(credentials, "ask", return_value=(True, "fine")):
        client.post(desk.page(account), form | {credentials.PREFIX + name: value for name, value in secrets.items()})
    account.refresh_from_db()
    return account


@pytest.mark.parametrize("address", ["https://thief.example", "https://api.stripe.com.thief.example/v1"])
def test_a_live_accounts_secrets_go_to_the_wallet_alone(client: Client, address: str) -> None:
    account = stripe(live=True)
    assert move(client, account, address, secret_key="sk_live_new", webhook_secret="whsec_new").base_url == ""
    ProviderAccount.objects.update(base_url=address)  # even if it stood there
    account.refresh_from_db()
    assert account.as_data().base_url == ""


def test_another_gateway_gets_no_stored_secret(client: Client) -> None:
    account = stripe()
    assert move(client, account, "https://stand-in.example").base_url == ""
    assert move(client, account, "https://stand-in.example", secret_key="sk_test_new").base_url == ""
    moved = move(client, account, "https://stand-in.example", secret_key="sk_test_new", webhook_secret="whsec_new")
    assert moved.base_url == "https://stand-in.example"
    assert moved.config == {"secret_key": "sk_test_new", "webhook_secret": "whsec_new"}
    assert move(client, moved, "").base_url == "https://stand-in.example"


@pytest.mark.parametrize(
    "address", ["http://10.0.0.1", "https://169.254.169.254/", "ftp://stand-in.example", "http://x"]
)
def test_no_gateway_is_inside_our_own_network(client: Client, settings: Settings, address: str) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    account = stripe()
    assert move(client, account, address, secret_key="sk_test_new", webhook_secret="whsec_new").base_url == ""


@pytest.mark.parametrize(("days_left", "warned"), [(31, False), (29, True), (-1, True)])
def test_certificates_that_end_within_30_days_are_told_of_at_the_desk_and_in_the_log(
    client: Client, days_left: int, warned: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    account = ProviderAccount(merchant=shop.make_merchant(), provider="wechatpay")
    account.config = WeChatPay(certificate=True).account()
    account.save()
    assert registry.get("wechatpay").ends_at(account.as_data())
    ends = clock.now() + timedelta(days=days_left)
    monkeypatch.setattr(registry.get("wechatpay"), "ends_at", lambda account: ends, raising=True)
    assert (f"certificates end on {ends:%Y-%m-%d}" in desk.text(client, desk.page(account))) is warned
    with caplog.at_level("WARNING"):
        tasks.warn_of_ends()
    assert (account.public_id in caplog.text) is warned


def test_a_key_without_an_end_warns_of_nothing() -> None:
    account = ProviderAccount(merchant=shop.make_merchant(), provider="wechatpay")
    account.config = WeChatPay().account()
    assert account.ends_soon(datetime(2099, 1, 1, tzinfo=UTC)) is None
