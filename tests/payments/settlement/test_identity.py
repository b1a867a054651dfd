"""An account that payments hang on stays the same one at its wallet; another's is a new account here."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.test import Client
from pytest_django import Settings

from payments import tasks
from payments.admin import credentials
from payments.admin.payment import undecided_for_long
from payments.models import Payment, ProviderAccount, Refund
from payments.settlement import lifecycle, refunds
from payments.settlement.rules import Attempt, Payer
from payments.wallets import registry
from payments.wallets.base import Account, Outcome, State
from payments.wallets.house.emulator.server import House
from payments.wallets.house.emulator.signing import key_of
from payments.wallets.stripe.emulator.requests import Wrong
from payments.wallets.stripe.emulator.server import Stripe
from tests import desk, shop
from tests.payments.scene import Scene

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]

SAME = "For another one make a new account here"
at_stripe = pytest.mark.parametrize("stage", ["card"], indirect=True)


@pytest.fixture
def client() -> Client:
    return desk.staff(*desk.READ, "payments.change_provideraccount")


@pytest.fixture(autouse=True)
def _no_new_word_of_the_wallet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "ask", lambda _account: (True, "fine"))


def write(client: Client, account: ProviderAccount, base_url: str | None = None, **typed: str) -> Any:
    """The form of the account, as it is sent; secrets are left empty unless they are typed."""
    provider = registry.get(account.provider)
    shown = {
        name: "" if provider.fields[name].secret else credentials.stored(account).get(name, "")
        for name in provider.fields
    }
    form = {credentials.PREFIX + name: value for name, value in (shown | typed).items()}
    address = account.base_url if base_url is None else base_url
    more = {"name": "Till", "enabled": "on", "base_url": address, "granted": list(account.granted)}
    return client.post(desk.page(account), form | more)


def stays(client: Client, account: ProviderAccount, field: str, **changed: str) -> str:
    """The change is refused beside its field, and nothing moved; the words."""
    before = ProviderAccount.objects.values().get(pk=account.pk)
    answer = write(client, account, **changed)
    assert answer.status_code == 200
    assert ProviderAccount.objects.values().get(pk=account.pk) == before
    errors = answer.context["adminform"].form.errors
    assert list(errors) == [field]
    return " ".join(errors[field])


def account_of(provider: str) -> ProviderAccount:
    """The one account of a shop."""
    account = ProviderAccount(merchant=shop.make_merchant(), provider=provider)
    account.config = dict.fromkeys(registry.get(provider).fields, "before")
    ProviderAccount.objects.all().delete()
    account.save()
    return account


def hold(account: ProviderAccount) -> Payment:
    """A friend begins; whether the wallet has opened her attempt is not known."""
    request = shop.make_request(shop.make_order(account.merchant))
    return lifecycle.hold(request.pk, Attempt(account, account.provider, "native", 9000, shop.HOLD), Payer(name="Mei"))


def open_at(account: ProviderAccount) -> None:
    lifecycle.start_payment(hold(account), next_step={"rail": "native"}, session="")


def stripe(scene: Scene) -> Stripe:
    assert isinstance(scene.wallet, Stripe)
    return scene.wallet


NAMES = [("wechatpay", "mchid"), ("wechatpay", "appid"), ("alipay", "app_id"), ("alipay", "seller_id")]


@pytest.mark.parametrize(("provider", "name"), NAMES)
@pytest.mark.parametrize("live", [True, False])
def test_who_an_account_names_is_fixed_once_payments_hang_on_it(
    client: Client, provider: str, name: str, live: bool
) -> None:
    account = account_of(provider)
    open_at(account)
    ProviderAccount.objects.update(live=live)
    account.refresh_from_db()
    assert SAME in stays(client, account, credentials.PREFIX + name, **{name: "another"})
    assert SAME in stays(client, account, credentials.PREFIX + name, **{name: "before2"})


@pytest.mark.parametrize(("provider", "name"), NAMES)
def test_before_any_payment_everything_can_be_put_right(client: Client, provider: str, name: str) -> None:
    account = account_of(provider)
    assert write(client, account, **{name: "another"}).status_code == 302
    account.refresh_from_db()
    assert account.config[name] == "another"


def test_a_merchant_number_that_was_mistyped_can_be_put_right_after_a_payment_the_wallet_refused(
    client: Client,
) -> None:
    account = account_of("wechatpay")
    payment = hold(account)
    stays(client, account, "credential_mchid", mchid="another")  # nobody knows yet whether it was opened
    lifecycle.end_payment(payment.pk, cancelled=False, code="MCH_NOT_EXISTS", words="")
    assert write(client, account, mchid="another").status_code == 302


def test_keys_that_name_nobody_are_renewed_as_ever(client: Client) -> None:
    account = account_of("wechatpay")
    open_at(account)
    typed = {"private_key": "new", "serial_no": "new", "api_v3_key": "new", "public_key": "new", "app_secret": "new"}
    assert write(client, account, **typed).status_code == 302
    account.refresh_from_db()
    assert {name: account.config[name] for name in typed} == typed
    assert account.config["mchid"] == "before"


def test_payments_stay_at_the_gateway_that_knows_them(client: Client) -> None:
    account = account_of("alipay")
    address = "https://stand-in.example"
    typed = {"private_key": "new"}
    assert write(client, account, base_url=address, **typed).status_code == 302
    account.refresh_from_db()
    open_at(account)
    assert SAME in stays(client, account, "base_url", base_url="https://other.example", **typed)


@at_stripe
def test_a_rolled_key_of_the_same_stripe_account_is_taken(client: Client, scene: Scene) -> None:
    scene.pay()
    scene.hear()
    stripe(scene).accounts["sk_test_rolled"] = stripe(scene).book
    assert write(client, scene.account, secret_key="sk_test_rolled").status_code == 302
    scene.account.refresh_from_db()
    assert scene.account.config["secret_key"] == "sk_test_rolled"


@at_stripe
@pytest.mark.parametrize("paid", [True, False])
def test_a_key_of_another_stripe_account_is_refused(client: Client, scene: Scene, paid: bool) -> None:
    """It is good for Stripe, and knows nothing of the session we opened."""
    if paid:
        scene.pay()
        scene.hear()
    stripe(scene).accounts["sk_test_other"] = stripe(scene).new_book()
    assert SAME in stays(client, scene.account, "credential_secret_key", secret_key="sk_test_other")


@at_stripe
def test_a_key_that_could_not_be_proved_changes_nothing_and_says_why(client: Client, scene: Scene) -> None:
    words = stays(client, scene.account, "credential_secret_key", secret_key="sk_test_nobody")
    assert "Invalid API Key provided" in words
    stripe(scene).accounts["sk_test_rolled"] = stripe(scene).book
    stripe(scene).scripted.append(Wrong("down", status=500, kind="api_error"))
    assert "Nothing was changed" in stays(client, scene.account, "credential_secret_key", secret_key="sk_test_rolled")


@pytest.mark.parametrize("stage", ["house"], indirect=True)
def test_another_secret_of_a_shops_own_gateway_is_taken_once_the_gateway_knows_it(client: Client, scene: Scene) -> None:
    assert isinstance(scene.wallet, House)
    scene.pay()
    scene.hear()
    secret = "whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3I="
    assert "The signature does not fit" in stays(client, scene.account, "credential_secret", secret=secret)
    scene.wallet.door.key = key_of(secret)
    assert write(client, scene.account, secret=secret).status_code == 302
    scene.account.refresh_from_db()
    assert scene.account.config["secret"] == secret


@at_stripe
def test_other_changes_of_a_stripe_account_ask_nobody(client: Client, scene: Scene) -> None:
    before = len(stripe(scene).calls)
    assert write(client, scene.account, webhook_secret="whsec_rolled").status_code == 302
    assert write(client, scene.account, secret_key=scene.account.config["secret_key"]).status_code == 302
    assert len(stripe(scene).calls) == before


@at_stripe
@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_wallet_is_asked_for_whose_a_key_is(
    client: Client, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    within: list[bool] = []

    def fetch(_account: Account, reference: str, _session: str) -> Outcome:
        within.append(connection.in_atomic_block)
        return Outcome(State.PENDING, reference)

    monkeypatch.setattr(registry.get("stripe"), "fetch", fetch)
    assert write(client, scene.account, secret_key="sk_test_rolled").status_code == 302
    assert within == [False]


@pytest.mark.parametrize("stage", ["wechatpay", "card"], indirect=True)
@pytest.mark.parametrize("right", [True, False])
def test_credentials_that_no_key_opens_are_proved_by_the_wallet(
    client: Client, scene: Scene, settings: Settings, right: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.pay()
    scene.hear()
    typed = dict(scene.account.config)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    if not right:
        monkeypatch.setattr(
            registry.get(scene.account.provider),
            "fetch",
            lambda _account, reference, _session: Outcome(State.UNKNOWN, reference),
        )
    assert write(client, scene.account, **typed).status_code == (302 if right else 200)
    scene.account.refresh_from_db()
    assert scene.account.is_locked is not right


def test_an_account_that_was_switched_off_is_still_asked_and_sends_its_refunds(
    scene: Scene, move_time: MoveTime
) -> None:
    """What the words beside the field promise."""
    scene.pay()
    ProviderAccount.objects.update(enabled=False)
    move_time(20)
    tasks.sweep_payments()
    assert scene.stands()[:2] == ("paid", "succeeded")
    refunds.refund_payment(scene.payment.pk, 1000, actor="merchant")
    move_time(1)
    tasks.sweep_refunds()
    assert [refund.amount for refund in Refund.objects.all() if refund.sent_at] == [1000]
    assert scene.moved()[1] == [1000]


def test_what_a_wallet_knew_is_never_unknown_and_so_cancelled(
    scene: Scene, move_time: MoveTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it answers for another merchant's account. Alipay and a shop's own gateway know nothing before the payer is
    there.
    """
    provider = registry.get(scene.account.provider)
    for call in ("fetch", "close"):
        monkeypatch.setattr(provider, call, lambda _account, reference, _session="": Outcome(State.UNKNOWN, reference))
    for _hour in range(6):
        move_time(3600)
        tasks.sweep_payments()
    payment = scene.payment
    if not provider.knows_from_start:
        assert payment.status == "cancelled"
    else:
        assert (payment.status, payment.held_until) == ("pending", None)
        assert payment.next_attempt_at is not None
        assert "unknown to the provider" in payment.error
        assert Payment.objects.filter(undecided_for_long()).get() == payment
