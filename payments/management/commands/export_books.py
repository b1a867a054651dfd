from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from friendpay.kit import clock, limits
from orders.models import Merchant
from payments.books import days, exports


class Command(BaseCommand):
    help = "Write an export of the books, or the settlement report, as CSV."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=exports.names())
        parser.add_argument("--since", type=date.fromisoformat, help="the first day; yesterday, where none is named")
        parser.add_argument("--until", type=date.fromisoformat, help="the last day; the first, where none is named")
        parser.add_argument("--zone", default="UTC", help='such as Asia/Shanghai; "wallet": each wallet\'s own days')
        parser.add_argument("--shop", action="append", help="a shop's id, mer_...; may be repeated. All, without one")
        parser.add_argument("--test", action="store_true", help="play money instead of real money")

    def handle(self, *args: Any, **options: Any) -> None:
        since = options["since"] or clock.now().date() - timedelta(days=1)
        until = options["until"] or since
        if not timedelta() <= until - since < timedelta(days=limits.EXPORT_DAYS):
            raise CommandError(f"From the first day to the last are 1 to {limits.EXPORT_DAYS} days.")
        try:
            zone = days.zone_of(options["zone"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        shops = self._shops(options["shop"])
        scope = days.Scope(since, until, zone, shops, live=not options["test"])
        for piece in exports.text(options["name"], scope):
            self.stdout.write(piece, ending="")

    def _shops(self, named: list[str] | None) -> list[int] | None:
        if named is None:
            return None
        found = dict(Merchant.objects.filter(public_id__in=named).values_list("public_id", "pk"))
        if unknown := sorted(set(named) - set(found)):
            raise CommandError(f"There is no shop {', '.join(unknown)}.")
        return list(found.values())
