"""Rounds over what is due at wallets, account by account: nothing of one account waits behind another's.

A row is taken just before its call. None is taken of an account that is paused or has enough calls under way, so that
its rows neither wait in anybody's hands nor lose their turn; they are due still once it answers.
"""

import random
import time
from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet

from friendpay.kit import clock, leases, limits
from payments.models import ProviderAccount
from payments.settlement import calls
from payments.wallets import transport
from payments.wallets.base import ProviderError


def work_through(
    due: QuerySet[Any], work: Callable[[Any], object], *, wait: leases.Wait | None = None, limit: int | None = None
) -> int:
    """Do `work` on every row of `due`, which have an account; says on how many. Errors stay with their row."""
    ends, done, busy = time.monotonic() + limits.SWEEP_SECONDS, 0, True
    while busy:
        busy = False
        for account_id in _turns(due):
            account = ProviderAccount.objects.get(pk=account_id)
            turn_ends = min(ends, time.monotonic() + limits.SWEEP_TURN_SECONDS)
            with calls.slot(account) as free:
                while free and calls.is_open(account) and (rows := leases.take(due.filter(account=account), 1, wait)):
                    rows[0].account = account
                    with transport.within(limits.CALL_SECONDS):
                        leases.attempt(rows[0], work, foreseen=(ProviderError,))
                    done, busy = done + 1, True
                    if time.monotonic() > turn_ends:
                        break
                    if done == limit:
                        return done
            if time.monotonic() > ends:
                return done
    return done


def _turns(due: QuerySet[Any]) -> list[int]:
    """The accounts that have something due and may be called, those with the fewest calls under way first."""
    answers = Q(paused_until=None) | Q(paused_until__lte=clock.now())
    accounts = ProviderAccount.objects.filter(answers, pk__in=due.order_by().values("account"))
    turns = list(accounts.values_list("pk", flat=True))
    random.shuffle(turns)
    return sorted(turns, key=calls.under_way)
