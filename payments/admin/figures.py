"""Today's figures for the desk's front page: each one statement over an index of time; old rows cost nothing."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import ExtractHour
from django.http import HttpRequest
from django.utils import timezone

from friendpay.admin_kit.base import mine
from friendpay.kit import clock
from orders import scope
from payments.models import Payment, PaymentRequest, ProviderAccount, Refund

_MEDIAN = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FROM (
    SELECT DISTINCT request.id, extract(epoch FROM request.paid_at - coalesce(request.shared_at, request.created_at))
        AS seconds
    FROM payments_payment payment
    JOIN payments_paymentrequest request ON request.id = payment.request_id
    JOIN payments_provideraccount account ON account.id = payment.account_id
    WHERE payment.succeeded_at >= %(begins)s AND request.paid_at >= %(begins)s AND account.live = %(live)s
        AND (%(shops)s::bigint[] IS NULL OR payment.merchant_id = ANY(%(shops)s))
) AS paid
"""


@dataclass
class Figures:
    """Of the day that began at `begins`, in real or in test money. Sums are minor units by currency."""

    begins: datetime
    live: bool
    asked: Counter[int] = field(default_factory=Counter)  # by hour
    paid: Counter[int] = field(default_factory=Counter)
    by_method: Counter[str] = field(default_factory=Counter)
    by_shop: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    refunded: Counter[str] = field(default_factory=Counter)
    expired: int = 0
    refunds: int = 0
    median: float | None = None


def today(request: HttpRequest) -> Figures:
    """What happened since midnight in the reader's time zone, at the shops they work for: real money, where any of
    these shops has an account for it, unless test money is asked for.
    """
    accounts = mine(request, ProviderAccount.objects.filter(live=True, enabled=True))
    live = request.GET.get("mode") != "test" and accounts.exists()
    midnight = timezone.localtime(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    figures = Figures(midnight, live)
    asked = mine(request, PaymentRequest.objects.filter(created_at__gte=midnight, order__live=live))
    figures.asked.update(dict(_by_hour(asked, "created_at").values_list("hour", "number")))
    paid = mine(request, Payment.objects.filter(succeeded_at__gte=midnight, account__live=live, amount_applied__gt=0))
    rows = _by_hour(paid, "succeeded_at", "method", "merchant__name", "currency").annotate(sum=Sum("amount_applied"))
    for hour, method, shop, currency, number, sum in rows.values_list(
        "hour", "method", "merchant__name", "currency", "number", "sum"
    ):
        figures.paid[hour] += number
        figures.by_method[method] += number
        figures.by_shop[shop] += number
        figures.taken[currency] += sum
    over = PaymentRequest.objects.filter(status="expired", closed_at__gte=midnight, order__live=live)
    figures.expired = mine(request, over).count()
    back = mine(request, Refund.objects.filter(succeeded_at__gte=midnight, account__live=live))
    for currency, number, sum in back.order_by("currency").values_list("currency").annotate(Count("pk"), Sum("amount")):
        figures.refunds += number
        figures.refunded[currency] += sum
    figures.median = _median(request, midnight, live)
    return figures


def _by_hour(rows: QuerySet[Any], moment: str, *more: str) -> QuerySet[Any, Any]:
    hour = ExtractHour(moment, tzinfo=timezone.get_current_timezone())
    return rows.order_by().annotate(hour=hour).values("hour", *more).annotate(number=Count("pk"))


def _median(request: HttpRequest, midnight: datetime, live: bool) -> float | None:
    shops = scope.shops_of(request.user)
    with connection.cursor() as cursor:
        cursor.execute(_MEDIAN, {"begins": midnight, "live": live, "shops": None if shops is None else list(shops)})
        found: float | None = cursor.fetchone()[0]
    return found
