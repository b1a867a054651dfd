"""The desk's form of a shop's own gateway: its address belongs to the credentials, for real money too, and stays."""

from typing import Any
from unittest import mock

import pytest
from django.test import Client
from pytest_django import Settings

from payments.admin import credentials
from payments.models import ProviderAccount
from payments.offers.weighing import Surface
from payments.settlement.rules import Payer
from tests import desk, shop

pytestmark = pytest.mark.django_db

ADDRESS = "https://shop.example/friendpay?shop=1"
SECRET = "whsec_c2ltdWxhdGVkOiBubyBtb25leSBtb3ZlcyBoZXJlLiE="


@pytest.fixture
def client() -> Client:
    return desk.staff(*desk.READ, "payments.change_provideraccount")


@pytest.fixture
def account() -> ProviderAccount:
    account = ProviderAccount(merchant=shop.make_merchant(), provider="house", live=True)
    account.save()
    return account


def write(client: Client, account: ProviderAccount, base_url: str = ADDRESS, **changed: str) -> Any:
    form = {"name": "Till", "enabled": "on", "base_url": base_url, "credential_label": "", **changed}
    with mock.patch.object(credentials, "ask", return_value=(True, "fine")):
        answer = client.post(desk.page(account), form)
    account.refresh_from_db()
    return answer


def test_a_live_account_speaks_to_the_shops_own_address(client: Client, account: ProviderAccount) -> None:
    words = desk.text(client, desk.page(account))
    for said in ("The one address of your gateway", "whsec_ and at least 32 random bytes", "What friends read"):
        assert said in words
    assert write(client, account, credential_secret=SECRET).status_code == 302
    assert account.as_data().base_url == ADDRESS
    assert account.config == {"secret": SECRET}
    assert account.gateway == f"house {ADDRESS}"  # calls to another shop's gateway never wait for this one


@pytest.mark.parametrize("address", ["", "http://shop.example/", "https://10.0.0.1/", "https://shop.example:9/"])
def test_its_address_is_public_and_https(
    client: Client, account: ProviderAccount, settings: Settings, address: str
) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    assert write(client, account, address, credential_secret=SECRET).status_code == 200
    assert (account.base_url, account.sealed) == ("", "")


def test_its_address_is_fixed_once_payments_hang_on_it(client: Client, account: ProviderAccount) -> None:
    write(client, account, credential_secret=SECRET)
    other = "https://other.example/friendpay"
    assert write(client, account, other, credential_secret=SECRET).status_code == 302  # nothing hangs on it yet
    order = shop.make_order(account.merchant)
    order.live = True
    order.save()
    request = shop.make_request(order)
    shop.begin(request, method="house", payer=Payer(visitor="Mei"), surface=Surface())
    answer = write(client, account, credential_secret=SECRET)
    assert list(answer.context["adminform"].form.errors) == ["base_url"]
    assert account.base_url == other
