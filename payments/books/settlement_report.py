"""The settlement report: what a shop's wallets held before some days, what moved on them, and what they held after."""

from dataclasses import dataclass

from django.db import connection

from payments.books.days import SPANS, Scope
from payments.books.journal import BEFORE, JOURNAL, OF_SCOPE, WITHIN

_REPORT = f"""
    WITH {SPANS}, {JOURNAL}, moved AS (
        SELECT m.public_id AS shop, m.name, j.currency, p.method, j.kind,
            coalesce(sum(j.amount) FILTER (WHERE {BEFORE}), 0) AS before,
            coalesce(sum(j.amount) FILTER (WHERE {WITHIN}), 0) AS within
        FROM journal j
        JOIN payments_payment p ON p.id = j.payment_id
        JOIN payments_provideraccount a ON a.id = p.account_id
        JOIN orders_merchant m ON m.id = p.merchant_id
        JOIN spans s ON s.provider = a.provider
        WHERE {OF_SCOPE} AND j.at < %(late)s
        GROUP BY 1, 2, 3, 4, 5
    )
    SELECT shop, name, currency, method,
        coalesce(sum(CASE WHEN kind = 'captured' THEN before WHEN kind IN ('applied', 'unapplied') THEN 0
            ELSE -before END), 0),
        coalesce(sum(within) FILTER (WHERE kind = 'captured'), 0),
        coalesce(sum(CASE kind WHEN 'applied' THEN within WHEN 'unapplied' THEN -within END), 0),
        coalesce(sum(within) FILTER (WHERE kind = 'refunded'), 0),
        coalesce(sum(within) FILTER (WHERE kind = 'returned'), 0),
        coalesce(sum(within) FILTER (WHERE kind = 'disputed'), 0),
        coalesce(sum(within) FILTER (WHERE kind = 'fee'), 0)
    FROM moved GROUP BY shop, name, currency, method
    HAVING bool_or(before <> 0 OR within <> 0)
    ORDER BY name, shop, currency, method
"""  # noqa: S608  # of constants


@dataclass(frozen=True)
class Line:
    """Of one shop, currency and way to pay, in minor units. `applied` is what of the money came to count towards
    orders, less what ceased to; it moves nothing by itself. What left is positive; what of it came back is taken off.
    """

    shop: str
    shop_name: str
    currency: str
    method: str
    opening: int
    captured: int
    applied: int
    refunded: int
    returned: int
    disputed: int
    fees: int

    @property
    def closing(self) -> int:
        return self.opening + self.captured - self.refunded - self.returned - self.disputed - self.fees


def report(scope: Scope) -> list[Line]:
    """The report. That of a day that is over never changes, but for fees, which wallets tell of a day later; its
    closing is the next one's opening.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REPORT, scope.params())
        return [Line(*row[:4], *map(int, row[4:])) for row in cursor.fetchall()]
