"""Add a shop and its first key, for operators who would rather type than click."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from friendpay.kit import ids
from friendpay.kit.errors import Refused
from orders.models import ApiKey, Merchant
from orders.pairings import check_origin
from payments.models import ProviderAccount


class Command(BaseCommand):
    help = "Add a shop; prints its id and an API key, which cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--contact", required=True, help="what every payer sees: an e-mail address or phone number")
        parser.add_argument("--origin", action="append", default=[], help="such as https://shop.example; repeatable")
        parser.add_argument("--live", action="store_true", help="the key is for real money")
        parser.add_argument("--sandbox", action="store_true", help="test orders can be paid with the sandbox wallet")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Not to be repeated: each call makes a shop."""
        shop = make(options["name"], options["contact"], options["origin"])
        if options["sandbox"]:
            account = ProviderAccount(merchant=shop, provider="sandbox", name="Sandbox", base_url=settings.PUBLIC_URL)
            account.config = {"secret": ids.token(40)}
            account.save()
        _row, key = ApiKey.make(shop, live=options["live"], name="add_shop")
        self.stdout.write(f"{shop.public_id}\n{key}")


def make(name: str, contact: str, origins: list[str]) -> Merchant:
    """A new shop. Raises CommandError, in words of what to put right."""
    try:
        for origin in origins:
            check_origin(origin, "origin")
        shop = Merchant(name=name, contact=contact, return_origins=origins, embed_origins=origins)
        shop.full_clean()
    except Refused as refused:
        raise CommandError(f"{origin}: {refused.message}") from None
    except ValidationError as error:
        raise CommandError("; ".join(error.messages)) from None
    shop.save()
    return shop
