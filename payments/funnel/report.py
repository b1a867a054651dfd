"""Funnel report: how far requests came, where they were left, how long people were busy or waited."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from payments.models import Step

Kind = Step.Kind
SPANS = {
    "buyer": (Kind.HELP_TAPPED, Kind.SHARE_INVOKED),
    "waiting": (Kind.SHARE_INVOKED, Kind.HUMAN_OPEN),
    "friend": (Kind.HUMAN_OPEN, Kind.PAY_STARTED),
    "lag": (Kind.PROVIDER_PAID, Kind.BUYER_SAW_PAID),
}

_ORDER = {kind: place for place, kind in enumerate(Kind.values)}
_MARKS = f"""
WITH marks AS (
    SELECT request_id,
           {", ".join(f"max(at) FILTER (WHERE kind = '{kind}') AS {kind}" for kind in _ORDER)},
           max(CASE kind {" ".join(f"WHEN '{kind}' THEN {place}" for kind, place in _ORDER.items())} END) AS furthest
    FROM payments_step
    WHERE at >= %(since)s AND (%(shops)s::bigint[] IS NULL OR merchant_id = ANY(%(shops)s))
    GROUP BY request_id
    HAVING bool_or(kind = '{Kind.REQUEST_CREATED}') AND (%(method)s = '' OR bool_or(method = %(method)s))
)
"""
_FURTHEST = f"""{_MARKS}
SELECT furthest, count(*), count(*) FILTER (WHERE request.status = 'open')
FROM marks JOIN payments_paymentrequest request ON request.id = request_id GROUP BY furthest
"""
_TIMES = f"""{_MARKS}
SELECT {
    ", ".join(
        f"count(*) FILTER (WHERE {end} >= {begin}), percentile_cont(ARRAY[0.5, 0.95]) "
        f"WITHIN GROUP (ORDER BY extract(epoch FROM {end} - {begin})) FILTER (WHERE {end} >= {begin})"
        for begin, end in SPANS.values()
    )
} FROM marks
"""


@dataclass(frozen=True)
class Stage:
    """How many requests came at least so far; of those that came no further, how many are still open, and how many
    ended there.
    """

    kind: Kind
    reached: int
    waiting: int
    left: int


@dataclass(frozen=True)
class Span:
    """How long something took, in seconds, over so many requests of which both ends are known."""

    name: str
    count: int
    median: float | None
    p95: float | None


@dataclass(frozen=True)
class Report:
    stages: list[Stage]
    spans: list[Span]

    @property
    def total(self) -> int:
        return self.stages[0].reached


def report(since: datetime, *, shops: Collection[int] | None = None, method: str = "") -> Report:
    """The requests that were ready to send since then; those of some shops, those for which one wallet was chosen."""
    asked = {"since": since, "shops": None if shops is None else list(shops), "method": method}
    with connection.cursor() as cursor:
        cursor.execute(_FURTHEST, asked)
        furthest = {place: (count, still_open) for place, count, still_open in cursor.fetchall()}
        cursor.execute(_TIMES, asked)
        times = iter(cursor.fetchone())
    stages, reached = [], sum(count for count, _open in furthest.values())
    for place, kind in enumerate(Kind):
        stopped, still_open = furthest.get(place, (0, 0))
        last = kind == Kind.BUYER_SAW_PAID
        stages.append(Stage(kind, reached, 0 if last else still_open, 0 if last else stopped - still_open))
        reached -= stopped
    return Report(stages, [Span(name, next(times), *(next(times) or (None, None))) for name in SPANS])
