"""Try a shop's own gateway: what it does right, and what must be mended (docs/wallets/house.md)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from friendpay.kit.money import Money
from payments.models import ProviderAccount
from payments.settlement import calls
from payments.wallets.base import ProviderError
from payments.wallets.house.conformance.hearing import hearing
from payments.wallets.house.conformance.play import Play


class Command(BaseCommand):
    help = "Play friendpay against a shop's own gateway with a test account, and print what must be mended."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("account", help="the id of a test account of the shop's own gateway (acc_…)")
        add("--listen", default="127.0.0.1:0", metavar="HOST:PORT", help="where events are taken (default: any port)")
        add("--reached-at", default="", metavar="URL", help="what the gateway has to call to get there, as by a tunnel")
        add("--amount", type=int, default=300, help="minor units of each payment (default: 300)")
        add("--currency", default="EUR", help="the currency of each payment (default: EUR)")
        add("--patience", type=float, default=120.0, help="seconds for what a person or a retry takes (default: 120)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ends with an error when anything must be mended. Nothing is written here; no real money moves."""
        account = ProviderAccount.objects.filter(public_id=options["account"], provider="house").first()
        if account is None or account.live:
            raise CommandError("There is no such test account of a shop's own gateway.")
        account.probing = True  # called although it may not have answered lately
        host, _colon, port = options["listen"].rpartition(":")
        try:
            data, money = account.as_data(), Money(options["amount"], options["currency"])
            with hearing(host, int(port), options["reached_at"]) as heard:
                play = Play(data, money, lambda: calls.calling(account), heard, self._say, options["patience"])
                faults = play.run()
        except (ProviderError, ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        if faults:
            raise CommandError(f"{faults} to mend. See docs/wallets/house.md.")
        self.stdout.write(self.style.SUCCESS("All of it is as it should be."))

    def _say(self, passed: bool | None, what: str, mend: str) -> None:
        mark = {True: "ok  ", False: "MEND", None: "    "}[passed]
        self.stdout.write(f"{mark} {what}" + (f"\n       {mend}" if mend else ""))
        self.stdout.flush()
