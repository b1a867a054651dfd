"""Prove from the rows alone that no money is lost, taken twice or stuck."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payments.settlement import ledger


class Command(BaseCommand):
    help = "Prove from the rows alone that no money is lost, taken twice or stuck. Exits with 1 when it is not so."

    def handle(self, *args: Any, **options: Any) -> None:
        findings = ledger.check()
        for finding in findings:
            self.stderr.write(str(finding))
        if findings:
            raise CommandError(f"The ledger is wrong in {len(findings)} places.")
        self.stdout.write("The ledger is right.")
