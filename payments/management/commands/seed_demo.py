"""Put the demo shop into the database, as bin/up does at every start."""

import os
from datetime import date
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import QuerySet

from friendpay.kit import ids
from orders.models import ApiKey, Merchant
from orders.shop.demo_goods import MERCHANT
from payments.models import ProviderAccount
from payments.wallets import registry

SIMULATED = "Simulated"

EXAMPLE_SHOP = "http://127.0.0.1:8100"  # docs/examples/shop


class Command(BaseCommand):
    help = "Create or refresh the demo merchant, its API key, its sandbox wallet and the support login. Demo only."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Safe to repeat; what the demo's orders refer to is kept. Refused outside the demo."""
        if not settings.DEMO:
            raise CommandError("seed_demo runs in the demo only (FRIENDPAY_DEMO=1).")
        merchant, made = Merchant.objects.update_or_create(
            public_id=MERCHANT,
            defaults={
                "name": "Harbour Tea",
                "legal_name": "Harbour Tea Ltd.",
                "contact": "help@harbourtea.example",
                "site": "https://harbourtea.example",
                "is_verified": True,
                "verified_on": date(2026, 11, 2),
                "return_origins": [settings.PUBLIC_URL],
            },
        )
        if made:  # what was registered since is kept
            merchant.embed_origins = [EXAMPLE_SHOP]
            merchant.save(update_fields=["embed_origins"])
        self.make_key(merchant, os.environ.get("FRIENDPAY_DEMO_KEY", ""))
        self.make_wallet(merchant)
        stand_ins(merchant).update(enabled=False)  # each comes back when its emulator runs
        self.make_support(
            os.environ.get("FRIENDPAY_SUPPORT_USER", ""), os.environ.get("FRIENDPAY_SUPPORT_PASSWORD", "")
        )

    def make_key(self, merchant: Merchant, key: str) -> None:
        """The key of this start is the only demo key: one of an earlier start stops working."""
        if key:
            ApiKey.objects.filter(merchant=merchant, name="demo").exclude(digest=ApiKey.digest_of(key)).delete()
            if not ApiKey.objects.filter(digest=ApiKey.digest_of(key)).exists():
                ApiKey.make(merchant, name="demo", key=key)

    def make_wallet(self, merchant: Merchant) -> None:
        account = ProviderAccount.objects.filter(merchant=merchant, provider="sandbox").first()
        if account is None:
            account = ProviderAccount(merchant=merchant, provider="sandbox", name="Sandbox")
            account.config = {"secret": ids.token(40)}
        account.base_url = settings.PUBLIC_URL
        account.save()

    def make_support(self, name: str, password: str) -> None:
        if name and password:
            user, _made = get_user_model().objects.get_or_create(username=name)
            user.is_staff = user.is_superuser = True
            if not user.check_password(password):
                user.set_password(password)
            user.save()


def stand_ins(merchant: Merchant) -> QuerySet[ProviderAccount]:
    """The demo merchant's accounts at simulated wallets."""
    return ProviderAccount.objects.filter(merchant=merchant, name__startswith=SIMULATED)


def make_stand_in(provider: str, *, base_url: str, config: dict[str, str]) -> ProviderAccount:
    """The demo merchant's account at a simulated wallet, with what that wallet hands out at this start."""
    merchant = Merchant.objects.get(public_id=MERCHANT)
    account = stand_ins(merchant).filter(provider=provider).first() or ProviderAccount(
        merchant=merchant, provider=provider, name=f"{SIMULATED} {provider}"
    )
    account.base_url, account.config, account.enabled = base_url, config, True
    account.granted = list(registry.get(provider).grants)
    account.save()
    return account
