"""`manage.py setup` makes what a first payment needs, and asks only for what is not there."""

import re
from base64 import b64encode
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from orders.models import ApiKey, Merchant, WebhookEndpoint
from payments.models import ProviderAccount
from payments.wallets import registry
from payments.wallets.base import ProviderError
from tests.shop import make_merchant

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"
SHOP = ["Harbour Tea", "help@harbourtea.example", "https://shop.example"]

Type = Callable[..., str]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Type:
    """Run it with these lines typed; says what was printed. CODE is what the phone shows."""
    keys: list[bytes] = []

    def make(self: TOTPDevice) -> str:
        keys.append(self.bin_key)
        return f"otpauth://totp/{self.user}"

    monkeypatch.setattr(TOTPDevice, "config_url", property(make))

    def run(*lines: str, live: bool = False) -> str:
        waiting = list(lines)

        def read(_words: str) -> str:
            if not waiting:
                raise EOFError
            line = waiting.pop(0)
            return f"{TOTP(keys[-1]).token():06}" if line == "CODE" else line

        monkeypatch.setattr("builtins.input", read)
        out = StringIO()
        call_command("setup", *([] if live else ["--test"]), stdout=out, stderr=out)
        assert waiting == []
        return out.getvalue()

    return run


def test_a_login_a_shop_a_key_a_wallet_and_a_webhook_are_made_and_never_twice(typed: Type) -> None:
    said = typed(
        "lin", PASSWORD, "CODE", *SHOP, "sandbox", "a secret of the sandbox wallet", "https://shop.example/hook"
    )
    user = get_user_model().objects.get()
    assert user.check_password(PASSWORD)
    assert TOTPDevice.objects.filter(user=user, confirmed=True).count() == 1
    shop = Merchant.objects.get()
    assert (shop.name, shop.contact, shop.return_origins) == (SHOP[0], SHOP[1], [SHOP[2]])
    key = next(line.strip() for line in said.splitlines() if "sk_test_" in line)
    assert ApiKey.objects.get().digest == ApiKey.digest_of(key)
    assert ProviderAccount.objects.get().enabled
    assert WebhookEndpoint.objects.get().url == "https://shop.example/hook"
    assert "whsec_" in said
    assert "manage.py doctor" in typed()
    counts = [model.objects.count() for model in (Merchant, ApiKey, ProviderAccount, WebhookEndpoint)]
    assert counts == [1, 1, 1, 1]


def test_a_weak_password_and_a_wrong_code_are_asked_for_again(typed: Type) -> None:
    said = typed("lin", "password1234", PASSWORD, "000000", "CODE", *SHOP, "", "")
    assert "too common" in said
    assert "not right" in said
    assert get_user_model().objects.get().check_password(PASSWORD)


def test_broken_off_before_the_code_no_phone_is_kept_and_it_goes_on_there(typed: Type) -> None:
    with pytest.raises(CommandError, match="nothing more to read"):
        typed("lin", PASSWORD)
    assert not TOTPDevice.objects.exists()
    assert "no second factor yet" in typed("CODE", *SHOP, "", "")
    assert TOTPDevice.objects.filter(confirmed=True).count() == 1


def _refuse(_account: Any) -> str:
    raise ProviderError("no such key", permanent=True)


def test_an_account_the_wallet_refuses_stays_off(typed: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.get("sandbox"), "check", _refuse)
    assert "no such key" in typed("lin", PASSWORD, "CODE", *SHOP, "sandbox", "a secret", "")
    assert not ProviderAccount.objects.get().enabled


def test_an_account_that_was_refused_is_entered_anew_and_no_second_one_made(
    typed: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as refusing:
        refusing.setattr(registry.get("sandbox"), "check", _refuse)
        typed("lin", PASSWORD, "CODE", *SHOP, "sandbox", "a wrong secret", "")
    typed("sandbox", "the right secret", "")
    account = ProviderAccount.objects.get()
    assert account.enabled
    assert account.config["secret"] == "the right secret"


def test_what_the_wallet_grants_is_asked_for_since_payers_are_offered_nothing_else(
    typed: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry.get("stripe"), "check", lambda _account: "It knows this key.")
    credentials = ["sk_live_1", "whsec_1"]
    said = typed("lin", PASSWORD, "CODE", *SHOP, "stripe", *credentials, "link cart", "link card", "", live=True)
    assert "There is no cart." in said
    assert ProviderAccount.objects.get().granted == ["card", "link"]


def test_a_gateway_of_the_shop_is_told_its_account_before_it_is_tried(
    typed: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry.get("house"), "check", lambda _account: "It knows this account.")
    gateway = ["https://shop.example/gateway", f"whsec_{b64encode(bytes(32)).decode()}", ""]
    said = typed("lin", PASSWORD, "CODE", *SHOP, "house", *gateway, "", "", "", live=True)
    account = ProviderAccount.objects.get()
    assert account.enabled
    assert said.index(account.notify_url) < said.index("It knows this account.")


def test_real_money_is_never_for_the_sandbox_wallet(typed: Type) -> None:
    with pytest.raises(CommandError, match="There is no sandbox"):
        typed("lin", PASSWORD, "CODE", *SHOP, "sandbox", live=True)
    assert not ProviderAccount.objects.exists()
    assert ApiKey.objects.get().live


def test_a_website_that_is_none_makes_no_shop(typed: Type) -> None:
    with pytest.raises(CommandError, match="shop.example"):
        typed("lin", PASSWORD, "CODE", "Harbour Tea", "help@harbourtea.example", "shop.example")
    assert not Merchant.objects.exists()


def test_the_first_order_of_the_document_is_taken() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "deploy.md").read_text("utf-8")
    (body,) = re.findall(r"-d '(\{.+?\})'$", text, re.DOTALL | re.MULTILINE)
    _row, key = ApiKey.make(make_merchant(), name="document")
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "first-order"}
    made = Client().post("/api/v1/orders", body, content_type="application/json", headers=headers)
    assert made.status_code == 201
    assert made.json()["payment_request"]["url"]
