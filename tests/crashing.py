"""Processes killed (kill -9) at a chosen moment, to see what they leave behind.

What a process does becomes known outside of it by two kinds of deed only: a commit, and a call to a provider. Dying on
any line is the same as dying just before the next deed, which is also just after the last one. Every process is forked
from one that has Django loaded, which takes milliseconds.
"""

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.db import connection  # noqa: E402

from friendpay.kit import background, clock  # noqa: E402
from friendpay.kit.postgresql.base import DatabaseWrapper  # noqa: E402
from payments.live import snapshot  # noqa: E402
from payments.wallets import registry  # noqa: E402

DIED = -signal.SIGKILL
CALLS = ("start", "fetch", "close", "refund", "fetch_refund")

_nursery = get_context("forkserver")


def dies(work: Callable[..., object], *args: Any, before: int) -> bool:
    """Do `work`, a module's function, in a process that dies before its deed of that number; False: it had fewer to do.

    It dies with all it wanted to do later: no task leaves it. Its time is the test's, moved as that was.
    """
    _nursery.set_forkserver_preload([__name__, work.__module__])
    name, ahead = connection.settings_dict["NAME"], clock.now() - datetime.now(UTC)
    process = _nursery.Process(target=_live_and_die, args=(name, ahead, before, work, args))
    process.start()
    process.join(300)
    if process.exitcode not in (0, DIED):
        process.kill()
        raise AssertionError(f"{work.__name__} ended with {process.exitcode}")
    return process.exitcode == DIED


def _live_and_die(
    database: str, ahead: timedelta, before: int, work: Callable[..., object], args: tuple[Any, ...]
) -> None:
    connection.settings_dict["NAME"] = database
    told = clock.told
    clock.told = lambda moment: told(moment) + ahead
    background.run_later = snapshot.run_later = lambda *_: None  # type: ignore[attr-defined]
    _Life(before).watch()
    work(*args)
    connection.close()


class _Life:
    """Counts deeds, and ends the process before one of them."""

    def __init__(self, before: int) -> None:
        self.left = before
        self.calling = False  # what the sandbox wallet commits meanwhile is its own

    def begin(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        commit = DatabaseWrapper._commit
        DatabaseWrapper._commit = lambda wrapper: self.commit(commit, wrapper)  # type: ignore[assignment, method-assign]
        connection.execute_wrappers.append(self.execute)
        sandbox = registry.get("sandbox")
        for name in CALLS:
            setattr(sandbox, name, self.calls(getattr(sandbox, name)))

    def commit(self, commit: Callable[..., Any], *args: Any) -> Any:
        if not self.calling:
            self.begin()
        return commit(*args)

    def execute(self, run: Callable[..., Any], sql: str, *more: Any) -> Any:
        """A statement that writes outside of any transaction commits, too."""
        if connection.in_atomic_block or sql.lstrip().startswith("SELECT"):
            return run(sql, *more)
        return self.commit(run, sql, *more)

    def calls(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.begin()
            self.calling = True
            try:
                return act(*args, **kwargs)
            finally:
                self.calling = False

        return call
