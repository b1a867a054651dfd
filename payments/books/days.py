"""Days: from when to when, in a time zone of somebody's choice or by each wallet's own calendar."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from friendpay.kit import limits
from payments.models import ProviderAccount
from payments.wallets import registry

WALLETS_OWN = "wallet"
"""Instead of a zone: the day of each wallet's bill. What is of no wallet, such as an order, is counted in UTC."""

NO_WALLET = ""


@cache
def zones() -> tuple[str, ...]:
    """The names that `zone_of` knows. They lie in hundreds of files, which are looked through once."""
    return ("UTC", *sorted(available_timezones() - {"UTC"}))


def zone_of(name: str) -> tzinfo | None:
    """The zone of that name; None for the wallets' own. Raises ValueError for a name that nobody knows."""
    if name == WALLETS_OWN:
        return None
    if name not in zones():
        raise ValueError(f"{name} is not the name of a time zone")
    return UTC if name == "UTC" else ZoneInfo(name)


@dataclass(frozen=True)
class Scope:
    """What is read: the days from `since` to `until`, both included, of these shops (None: all), in one mode."""

    since: date
    until: date
    zone: tzinfo | None
    shops: Sequence[int] | None
    live: bool

    def params(self) -> dict[str, Any]:
        """For the SQL of `payments.books`. `early` and `late` are bounds that no calendar's day exceeds."""
        spans = self._spans()
        return {
            "providers": [provider for provider, _zone in spans],
            "starts": [_midnight(self.since, zone) for _provider, zone in spans],
            "ends": [_midnight(self.until + timedelta(days=1), zone) for _provider, zone in spans],
            "since": self.since,
            "until": self.until,
            "early": _midnight(self.since, UTC) - limits.CALENDARS_APART,
            "late": _midnight(self.until, UTC) + limits.CALENDARS_APART,
            "shops": None if self.shops is None else list(self.shops),
            "live": self.live,
        }

    def _spans(self) -> list[tuple[str, tzinfo]]:
        providers = ProviderAccount.objects.order_by().values_list("provider", flat=True).distinct()
        own = [(provider, self.zone or registry.get(provider).zone) for provider in providers]
        return [(NO_WALLET, self.zone or UTC), *own]


SPANS = """
    spans AS (
        SELECT * FROM unnest(%(providers)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
            AS spans (provider, starts, ends)
    )
"""
"""The days of each wallet, as a table."""


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, zone)
