"""`manage.py doctor`: what is wrong here, and what mends it."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from friendpay.doctor import finding, inside, outside
from friendpay.doctor.finding import Finding, State

LOOKS: dict[str, finding.Look] = {
    "configuration": inside.configuration,
    "database": inside.database,
    "pooler": inside.pooled,
    "migrations": inside.migrations,
    "months": inside.monthly,
    "Valkey": inside.valkey,
    "broker": inside.broker,
    "clock": inside.clock,
    "background work": inside.background,
    "mail": inside.post,
    "wallets": outside.wallets,
    "public address": outside.address,
}


class Command(BaseCommand):
    """Only reads; may be run at any time, by whoever has the settings. Its exit code is 1 when anything is wrong."""

    help = "Look at configuration, servers, clocks, migrations, wallets and proxy; say what is wrong and what mends it."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="a list of findings instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        found = []
        for one in _look():
            found.append(one)
            if not options["json"]:
                self._say(one)
        if options["json"]:
            self.stdout.write(json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False))
        if wrong := sum(one.state == State.WRONG for one in found):
            raise CommandError(f"{wrong} of {len(found)} things are wrong.")

    def _say(self, one: Finding) -> None:
        style = {State.OK: self.style.SUCCESS, State.WARNING: self.style.WARNING, State.WRONG: self.style.ERROR}
        self.stdout.write(f"{style[one.state](f'{one.state:<8}')} {one.about}: {one.says}")
        if one.mend:
            self.stdout.write(f"         -> {one.mend}")
        self.stdout.flush()


def _look() -> Iterator[Finding]:
    for about, look in LOOKS.items():
        yield from finding.of(about, look)
