"""Rolling the keys that stored secrets are sealed with."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.core.management import CommandError, call_command
from pytest_django import Settings

from payments.models import ProviderAccount
from tests import shop

pytestmark = pytest.mark.django_db
SECRET = {"secret": "a secret of the sandbox wallet, for tests"}


def rotate() -> str:
    said = StringIO()
    call_command("rotate_credentials", stdout=said)
    return said.getvalue()


def test_after_the_rotation_the_newest_key_alone_opens_everything(settings: Settings) -> None:
    merchant, (old,), new = shop.make_merchant(), settings.CREDENTIAL_KEYS, Fernet.generate_key().decode()
    ProviderAccount.objects.create(merchant=merchant, provider="stripe")  # without credentials yet
    settings.CREDENTIAL_KEYS = [new, old]
    assert rotate() == rotate() == "1 sealed with the newest key.\n"
    account = ProviderAccount.objects.get(provider="sandbox")
    settings.CREDENTIAL_KEYS = [new]
    assert account.config == SECRET
    settings.CREDENTIAL_KEYS = [old]
    with pytest.raises(InvalidToken):
        _ = account.config


def test_what_no_key_opens_is_named_and_stops_nothing_else(settings: Settings) -> None:
    new = Fernet.generate_key().decode()
    ProviderAccount.objects.create(
        merchant=shop.make_merchant("Lost"),
        provider="alipay",
        sealed=Fernet(Fernet.generate_key()).encrypt(b"{}").decode(),
    )
    lost = ProviderAccount.objects.get(provider="alipay")
    shop.make_merchant()
    settings.CREDENTIAL_KEYS = [new, *settings.CREDENTIAL_KEYS]
    with pytest.raises(CommandError, match=f"provider account {lost.pk}"):
        rotate()
    settings.CREDENTIAL_KEYS = [new]
    fine = ProviderAccount.objects.filter(merchant__name="Harbour Tea").get()
    assert fine.config == SECRET
    assert ProviderAccount.objects.get(pk=lost.pk).sealed == lost.sealed
