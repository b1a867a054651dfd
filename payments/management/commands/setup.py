"""From an empty database to a shop that can be paid: a login, a shop, its key, a wallet, a webhook, by questions."""

import getpass
import sys
from argparse import ArgumentParser
from base64 import b32encode
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django_otp.plugins.otp_totp.models import TOTPDevice
from qrcode import QRCode

from friendpay.kit.errors import Refused
from orders.models import ApiKey, Merchant
from orders.webhooks import endpoints
from payments.management.commands import add_shop
from payments.models import ProviderAccount
from payments.settlement import calls
from payments.wallets import registry
from payments.wallets.base import ProviderError


class Command(BaseCommand):
    """May be broken off and begun again: what is there already is not asked for, and each step is whole in itself."""

    help = "Ask for a login with its second factor, a shop, a wallet and a webhook, and make them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--test", action="store_true", help="a test key and a test account: no real money")

    def handle(self, *args: Any, **options: Any) -> None:
        live = not options["test"]
        self._login()
        shop = self._shop()
        if not ApiKey.objects.filter(merchant=shop, live=live).exists():
            _row, key = ApiKey.make(shop, live=live, name="setup")
            self.stdout.write(f"\nAPI key, for the shop's server; it cannot be shown again:\n  {key}")
        self._wallet(shop, live=live)
        self._webhook(shop, live=live)
        self.stdout.write(f"\nThe desk: {settings.PUBLIC_URL}/admin/\nNext: manage.py doctor")

    def _say(self, words: str) -> None:
        self.stderr.write(words)

    def _login(self) -> None:
        """A superuser, and the app on the phone that goes with it."""
        users = get_user_model().objects.filter(is_superuser=True, is_active=True)
        if user := users.order_by("pk").first():
            if TOTPDevice.objects.filter(user=user, confirmed=True).exists():
                return
            self.stdout.write(f"{user.get_username()} has no second factor yet.")
        else:
            user = self._new_user()
        phone = TOTPDevice(user=user, name="phone", confirmed=True)
        code = QRCode(border=2)
        code.add_data(phone.config_url)
        code.print_ascii(out=self.stdout._out)
        self.stdout.write(f"Scan this with an authenticator app, or type its key: {b32encode(phone.bin_key).decode()}")
        while not phone.verify_token(ask("The six digits it shows: ").replace(" ", "")):
            phone.throttling_failure_count = 0  # whoever types here may do everything anyway
            self._say("They are not right. Is this machine's clock right? Wait for the next ones.")
        phone.save()

    def _new_user(self) -> Any:
        user = get_user_model()(username=ask("Your login at the desk: "), is_staff=True, is_superuser=True)
        while True:
            password = ask("Its password: ", secret=True)
            try:
                user.full_clean(exclude=["password"])
                validate_password(password, user)
                break
            except ValidationError as error:
                self._say("\n".join(error.messages))
        user.set_password(password)
        user.save()
        return user

    def _shop(self) -> Merchant:
        if shop := Merchant.objects.order_by("pk").first():
            return shop
        name = ask("The shop's name, as payers read it: ")
        contact = ask("Where payers can ask it something (an e-mail address or phone number): ")
        origin = ask("Its website, such as https://shop.example (empty: none): ", optional=True)
        with transaction.atomic():
            shop = add_shop.make(name, contact, [origin] if origin else [])
        self.stdout.write(f"The shop is {shop.public_id}.")
        return shop

    def _wallet(self, shop: Merchant, *, live: bool) -> None:
        """An account at a wallet, switched on when the wallet likes its credentials."""
        if ProviderAccount.objects.filter(merchant=shop, live=live, enabled=True).exists():
            return
        there = [name for name in registry.NAMES if not (live and name == "sandbox")]
        name = ask(f"The wallet ({', '.join(there)}; empty: later): ", optional=True)
        if not name:
            return
        if name not in there:
            raise CommandError(f"There is no {name}. There are: {', '.join(there)}.")
        provider = registry.get(name)
        account = self._begun(shop, name, live=live) or ProviderAccount.objects.create(
            merchant=shop, provider=name, live=live, name=provider.label, enabled=False
        )
        self.stdout.write(f"The account is {account.public_id}. Its notifications come to {account.notify_url}")
        if provider.run_by_shop:
            account.base_url = ask("The address of the shop's own gateway: ")
        account.config = {field: value for field in provider.fields if (value := self._credential(name, field))}
        account.granted = self._granted(name)
        if name == "sandbox":
            account.base_url = settings.PUBLIC_URL
        account.save()
        if provider.run_by_shop:
            ask("Press Enter when the gateway knows the account and the secret: ", optional=True)
        account.probing = True
        try:
            with calls.calling(account) as (wallet, data):
                self.stdout.write(wallet.check(data))
        except ProviderError as error:
            self._say(
                f"{provider.label} says: {error.message}. Run setup again and enter it anew, or correct it at the desk"
                " and switch the account on there."
            )
            return
        ProviderAccount.objects.filter(pk=account.pk).update(enabled=True)

    def _begun(self, shop: Merchant, name: str, *, live: bool) -> ProviderAccount | None:
        """What an earlier run left, broken off or refused by the wallet: no second one is made."""
        off = ProviderAccount.objects.filter(merchant=shop, provider=name, live=live, enabled=False)
        return off.filter(payments=None).order_by("-pk").first()

    def _credential(self, wallet: str, field: str) -> str:
        about = registry.get(wallet).fields[field]
        how = " (the path of its file)" if about.long else ""
        more = " (empty: none)" if about.optional else ""
        given = ask(f"{field}{how}{more}: ", secret=about.secret and not about.long, optional=about.optional)
        if not about.long or not given:
            return given
        try:
            return Path(given).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{given} cannot be read: {error}") from None

    def _granted(self, wallet: str) -> list[str]:
        """The contracts that the account has. Payers are offered nothing else."""
        grants = registry.get(wallet).grants
        if not grants:
            return []
        named = ", ".join(f"{name} ({label})" for name, label in grants.items())
        while True:
            said = ask(f"What it grants this account, of {named} (a space between; empty: nothing): ", optional=True)
            if not (unknown := set(said.split()) - grants.keys()):
                return [name for name in grants if name in said.split()]
            self._say(f"There is no {', '.join(sorted(unknown))}.")

    def _webhook(self, shop: Merchant, *, live: bool) -> None:
        if shop.webhook_endpoints.filter(live=live, deleted_at=None).exists():
            return
        url = ask("Where the shop's server is told what happens (https://…; empty: later): ", optional=True)
        if not url:
            return
        try:
            with transaction.atomic():
                _endpoint, secret = endpoints.create(shop, live=live, url=url, event_types=[])
        except Refused as refused:
            raise CommandError(f"{url}: {refused.message}") from None
        self.stdout.write(f"The webhook's secret, which cannot be shown again:\n  {secret}")


def ask(words: str, *, secret: bool = False, optional: bool = False) -> str:
    """One line from whoever sits there, or from a file that is read instead; not shown where it is secret."""
    while True:
        try:
            said = getpass.getpass(words) if secret and sys.stdin.isatty() else input(words)
        except EOFError:
            raise CommandError("There is nothing more to read.") from None
        if said.strip() or optional:
            return said.strip()
