"""Run the stand-ins for wallets, as `bin/up --emulators` does. They move no money."""

import json
import os
import threading
from contextlib import ExitStack
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from friendpay.demo import options
from payments.management.commands.seed_demo import make_stand_in
from payments.wallets import registry


class Command(BaseCommand):
    help = "Run simulated wallets and give the demo merchant an account at each. Demo only."

    def handle(self, *args: Any, **_options: Any) -> None:
        """Serve until stopped, each on the port that FRIENDPAY_EMULATORS names. The accounts are made anew at each
        start: so are the wallets' keys.
        """
        if not settings.DEMO:
            raise CommandError("emulate runs in the demo only (FRIENDPAY_DEMO=1).")
        serve = import_module("friendpay.demo.emulation.base").running
        with ExitStack() as stack:
            for wallet, port in json.loads(os.environ["FRIENDPAY_EMULATORS"]).items():
                url = options.url(urlsplit(settings.PUBLIC_URL).hostname or "", port)
                emulator = registry.emulator(wallet)()
                emulator.notify_url = make_stand_in(wallet, base_url=url, config=emulator.account()).notify_url
                stack.enter_context(serve(emulator, host=os.environ["FRIENDPAY_HOST"], port=port))
                emulator.url = url  # as browsers on other devices reach it
            connection.close()
            threading.Event().wait()
