"""Run a stand-in for a wallet, as `bin/up --emulators` does for three. It moves no money."""

import json
import os
import threading
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from friendpay.demo import options as addresses
from payments.management.commands.seed_demo import make_stand_in

EMULATORS = {"wechatpay": "WeChatPay", "alipay": "Alipay", "stripe": "Stripe"}


class Command(BaseCommand):
    help = "Run a simulated wallet and give the demo merchant an account there. Demo only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("wallet", choices=EMULATORS)

    def handle(self, *args: Any, wallet: str, **options: Any) -> None:
        """Serve until stopped, on the port FRIENDPAY_EMULATORS names. The account is made anew at each start: so are
        the wallet's keys.
        """
        if not settings.DEMO:
            raise CommandError("emulate runs in the demo only (FRIENDPAY_DEMO=1).")
        port: int = json.loads(os.environ["FRIENDPAY_EMULATORS"])[wallet]
        url = addresses.url(urlsplit(settings.PUBLIC_URL).hostname or "", port)
        emulator = getattr(import_module(f"payments.wallets.{wallet}.emulator.server"), EMULATORS[wallet])()
        account = make_stand_in(wallet, base_url=url, config=emulator.account())
        connection.close()
        emulator.notify_url = account.notify_url
        serve = import_module("friendpay.demo.emulation.base").running
        with serve(emulator, host=os.environ["FRIENDPAY_HOST"], port=port):
            emulator.url = url  # as browsers on other devices reach it
            threading.Event().wait()
