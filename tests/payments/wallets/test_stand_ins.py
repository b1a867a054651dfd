"""The demo shop's accounts at simulated wallets: there while the wallets run, and never outside the demo."""

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from orders.models import Merchant
from orders.shop.demo_goods import MERCHANT
from payments.management.commands import emulate
from payments.management.commands.seed_demo import make_stand_in
from payments.models import ProviderAccount
from payments.offers import weighing
from payments.offers.weighing import Surface
from tests import shop

pytestmark = pytest.mark.django_db


def start(number: int) -> ProviderAccount:
    return make_stand_in("wechatpay", base_url=f"http://127.0.0.1:{number}", config={"appid": f"keys of {number}"})


def shown() -> list[str]:
    order = shop.make_order(Merchant.objects.get(public_id=MERCHANT))
    return [str(offer.label) for offer in weighing.for_page(order, Surface())]


def test_the_wallet_is_offered_while_it_runs_and_says_what_it_is() -> None:
    call_command("seed_demo")
    start(1)
    assert shown() == ["WeChat Pay (simulated)", "Sandbox wallet"]
    call_command("seed_demo")
    assert shown() == ["Sandbox wallet"]


def test_a_new_start_brings_new_keys_to_the_same_account() -> None:
    call_command("seed_demo")
    first = start(1)
    call_command("seed_demo")
    again = start(2)
    assert (again.pk, again.enabled, again.base_url) == (first.pk, True, "http://127.0.0.1:2")
    assert again.config == {"appid": "keys of 2"}


class Made(Exception):
    """An account at a simulated wallet would stand in the database now."""


def test_no_wallet_is_simulated_outside_the_demo(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(wallet: str, **account: object) -> None:
        raise Made

    monkeypatch.setattr(emulate, "make_stand_in", make)
    monkeypatch.setenv("FRIENDPAY_EMULATORS", '{"wechatpay": 1}')
    settings.DEMO = False
    with pytest.raises(CommandError, match="demo only"):
        call_command("emulate")
    settings.DEMO = True
    with pytest.raises(Made):
        call_command("emulate")
