"""`friendpay listen` of the Python client, on a machine that has friendpay itself (docs/testing.md)."""

import importlib
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

_TAKEN = ("forward", "key", "url", "secret", "events", "after")


class Command(BaseCommand):
    help = "Post a test shop's events to a developer's machine, signed as webhooks, by the site's API alone."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        sys.path.insert(0, str(settings.BASE_DIR / "clients" / "python"))
        self._client = importlib.import_module("friendpay_client.listen")
        self._client.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Until it is interrupted."""
        try:
            self._client.run(**{name: options[name] for name in _TAKEN}, say=self._say)
        except importlib.import_module("friendpay_client").FriendpayError as error:
            raise CommandError(str(error)) from error

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
