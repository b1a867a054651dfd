"""The circuit breaker around calls to wallets, so that one that hangs harms nobody else: a call ends in time, only some
are under way at once, and an account that left several in a row without an answer is left alone for a while.

The breaker's state stands on the account's row: every process goes by it, support sees it, and it needs no Valkey. It
is read with the row that a call needs anyway, and written only when a call hung, or is the first to be answered again.
How many calls are under way is counted by each process for its own threads.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import F

from friendpay.kit import clock, limits
from payments.models import ProviderAccount
from payments.wallets import registry, transport
from payments.wallets.base import TIMEOUT, Account, Provider, ProviderError

PAUSED = "paused"
"""The code of the error of a call that was not made."""


def is_open(account: ProviderAccount) -> bool:
    """Whether the account may be called. Of all who ask once a pause is over, one gets through: the probe."""
    if account.paused_until is None or account.probing:
        return True
    now = clock.now()
    if account.paused_until <= now:
        paused = ProviderAccount.objects.filter(pk=account.pk, paused_until=account.paused_until)
        account.probing = bool(paused.update(paused_until=now + limits.CALL_PROBE_LEASE))
    return account.probing


@contextmanager
def calling(account: ProviderAccount, seconds: float = limits.CALL_SECONDS) -> Iterator[tuple[Provider, Account]]:
    """The wallet and the account as it knows it, for one call that ends in `seconds`. Raises ProviderError when the
    call does not go well, and with code PAUSED, without calling, while the gateway is known to hang.
    """
    data = account.as_data()
    if not is_open(account):
        raise ProviderError("the gateway has not answered lately and is left alone", permanent=False, code=PAUSED)
    try:
        with transport.within(seconds), transport.guarded(loopback=_may_loop_back(data.base_url)):
            yield registry.get(account.provider), data
    except Exception as error:
        if isinstance(error, ProviderError) and error.code == TIMEOUT:
            _hung(account)
        else:
            _answered(account)
        raise
    else:
        _answered(account)


def _may_loop_back(base_url: str) -> bool | None:
    """For `transport.guarded`: None for the wallet's own gateway, and for a demo's own host, which other devices know
    by its address in their network.
    """
    demo: bool = settings.WEBHOOK_ALLOW_LOOPBACK
    own = demo and urlsplit(base_url).hostname == urlsplit(settings.PUBLIC_URL).hostname
    return None if own or not base_url else demo


def _hung(account: ProviderAccount) -> None:
    row = ProviderAccount.objects.filter(pk=account.pk)
    row.update(hangs=F("hangs") + 1)
    hangs = row.values_list("hangs", flat=True).get()
    account.hangs, account.probing = hangs, False
    if hangs >= limits.CALL_HANGS:
        longest = len(limits.CALL_PAUSES) - 1
        account.paused_until = clock.now() + limits.CALL_PAUSES[min(hangs - limits.CALL_HANGS, longest)]
        row.update(paused_until=account.paused_until)


def _answered(account: ProviderAccount) -> None:
    if account.hangs or account.paused_until:
        account.hangs, account.paused_until = 0, None
        ProviderAccount.objects.filter(pk=account.pk).update(hangs=0, paused_until=None)


_lock = threading.Lock()
_under_way: list[tuple[int, str, float]] = []  # account, gateway, and since when


@contextmanager
def slot(account: ProviderAccount) -> Iterator[bool]:
    """Room for the calls of one sweep to this account; False, at once, when it has enough under way."""
    mine = (account.pk, account.gateway, time.monotonic())
    with _lock:
        began = [since for pk, _gateway, since in _under_way if pk == account.pk]
        to_gateway = sum(gateway == account.gateway for _pk, gateway, _since in _under_way)
        slow = any(mine[2] - since > limits.CALL_SLOW_SECONDS for since in began)
        free = len(began) < limits.CALLS_TO_ACCOUNT and to_gateway < limits.CALLS_TO_GATEWAY and not slow
        if free:
            _under_way.append(mine)
    try:
        yield free
    finally:
        if free:
            with _lock:
                _under_way.remove(mine)


def under_way(account_id: int) -> int:
    """How many slots of an account are taken in this process."""
    with _lock:
        return sum(pk == account_id for pk, _gateway, _since in _under_way)
