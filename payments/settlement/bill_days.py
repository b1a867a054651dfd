"""Which days' bills are to be compared, and when: a row for each, so that a bill that was late is fetched later."""

import logging
from datetime import timedelta

from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet

from friendpay.kit import clock, leases, limits
from payments.models import BillDay, BillMismatch, Payment, ProviderAccount
from payments.settlement import bills
from payments.settlement.calls import PAUSED
from payments.wallets import registry
from payments.wallets.base import TIMEOUT, NeverBilled, ProviderError

logger = logging.getLogger(__name__)


def compare_due() -> None:
    """Compare every bill that is due, of every account that is switched on or has payments. None that fails stops
    another: it is tried again for as long as it takes, and shown to support after two days.
    """
    for account in _accounts():
        try:
            _schedule(account)
        except Exception:
            logger.exception("the bills of %s cannot be planned", account.public_id)
    now = clock.now()
    due = BillDay.objects.select_related("account").due(now)
    silent: set[int] = set()  # accounts whose wallet did not answer: each further day would only be waited for as well
    while days := leases.take(due.exclude(account__in=silent), 1, _wait):
        if not _compare(days[0]):
            silent.add(days[0].account_id)


def _wait(day: BillDay) -> timedelta:
    return limits.BILL_DELAYS[min(day.attempts, len(limits.BILL_DELAYS)) - 1]


def _accounts() -> list[ProviderAccount]:
    now = clock.now()
    alive = Payment.objects.filter(account=OuterRef("pk"), created_at__gt=now - limits.REFUNDS_REACH)
    return list(ProviderAccount.objects.filter(Q(enabled=True) | Exists(alive)))


def _schedule(account: ProviderAccount) -> None:
    """A row for every day that is over, from where the rows end: the day of its first payment for an account that has
    none, or yesterday.
    """
    now, zone = clock.now(), registry.get(account.provider).zone
    yesterday = now.astimezone(zone).date() - timedelta(days=1)
    if last := account.bill_days.aggregate(last=Max("day"))["last"]:
        first = last + timedelta(days=1)
    else:
        began = account.payments.aggregate(began=Min("created_at"))["began"] or now
        first = min(began.astimezone(zone).date(), yesterday)
    first = max(first, yesterday - timedelta(days=limits.BILL_DAYS_CAUGHT_UP - 1))
    days = [first + timedelta(days=n) for n in range((yesterday - first).days + 1)]
    BillDay.objects.bulk_create(
        [BillDay(account=account, day=day, next_attempt_at=now) for day in days], ignore_conflicts=True
    )


def _compare(day: BillDay) -> bool:
    """Try a day; False where its wallet did not answer, or is left alone."""
    try:
        bills.compare(day.account, day.day)
    except NeverBilled:
        BillDay.objects.filter(pk=day.pk).update(next_attempt_at=None)
    except Exception as error:  # no bill, locked credentials, a bill in a new form: all are tried again
        logger.warning("the bill of %s for %s could not be compared: %r", day.account.public_id, day.day, error)
        BillDay.objects.filter(pk=day.pk).update(error=str(error)[:300])
        _tell_support(day, str(error))
        return not (isinstance(error, ProviderError) and error.code in (TIMEOUT, PAUSED))
    else:
        # It was there in the end.
        _missed(day).filter(settled_at=None).update(settled_at=clock.now(), note="The bill was compared.")
    return True


def _missed(day: BillDay) -> QuerySet[BillMismatch]:
    return BillMismatch.objects.filter(account=day.account, day=day.day, kind=BillMismatch.Kind.NO_BILL)


def _tell_support(day: BillDay, error: str) -> None:
    now = clock.now()
    if bills.span(day.account, day.day)[1] + limits.BILL_MISSED_AFTER > now:
        return
    mismatch = BillMismatch(
        account=day.account,
        day=day.day,
        kind=BillMismatch.Kind.NO_BILL,
        about="bill",
        theirs=error[:200],
        found_at=now,
    )
    BillMismatch.objects.bulk_create([mismatch], ignore_conflicts=True)
