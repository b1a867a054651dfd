"""Real servers for the whole session, a database rolled back after every test, and time that can be moved."""

import atexit
import fcntl
import gc
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

import django
import httpx
import pytest
from django.utils import translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker

from friendpay.demo import embedded
from friendpay.kit import clock, counters
from tests import chromium, run

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parent.parent
_session = ExitStack()

hypothesis_settings.register_profile(
    "friendpay", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
hypothesis_settings.load_profile("friendpay")


def _free_folder() -> Path:
    """A data folder no other test run uses now. It is kept, so that the next run need not make a database."""
    for number in range(1, 100):
        folder = ROOT / ".friendpay" / f"test-{number}"
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        lock: IO[str] = _session.enter_context((folder / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return folder
    raise RuntimeError("ninety-nine test runs at once")


def _start() -> None:
    """Start PostgreSQL and Valkey and say where they are, before any other conftest imports a model."""
    if "PYTEST_XDIST_WORKER" not in os.environ:  # workers share what their controller started
        servers = _session.enter_context(embedded.running(_free_folder(), durable=False))
        atexit.register(_session.close)
        os.environ.update(servers.environment)
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()


_start()
from django.test import TransactionTestCase  # noqa: E402  # it asks the settings, as does

from tests import databases  # noqa: E402

# Each client made would read all authorities anew, for 20 ms; hundreds are made, and none goes outside.
vars(httpx._transports.default)["create_ssl_context"] = cache(httpx._config.create_ssl_context)
TransactionTestCase._fixture_teardown = lambda self: databases.empty()  # type: ignore[attr-defined]
if "PYTEST_XDIST_WORKER" not in os.environ:
    databases.drop_outdated()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where time is short, what moves money comes first."""
    if run.UNTIL in os.environ:
        items.sort(key=lambda item: "/settlement/" not in item.nodeid)


def pytest_collection_finish() -> None:
    """Modules and tests stay until the end: no collection of garbage looks through them again."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup() -> None:
    """Every test and its fixtures begin without a language, whichever the page spoke that the test before asked for.

    `bin/test --fast` has to answer in time; what it no longer begins is counted as skipped.
    """
    translation.deactivate()
    if time.time() > float(os.environ.get(run.UNTIL, "inf")):
        pytest.skip("no time left")


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Instead of pytest-django's, which has each process of each run carry out all migrations."""
    with django_db_blocker.unblock():
        databases.take()


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """An installed Chromium, else the one Playwright brought."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.installed(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def move_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let so many seconds pass, as the database's clock tells it; called again, so many more."""
    return moving(clock.told, monkeypatch)


@pytest.fixture
def move_stopped_time(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """As `move_time`, and no other time passes: on a slow machine, too, a second before the end is before the end."""
    moment = clock.now()
    return moving(lambda _told: moment, monkeypatch)


def moving(real: Callable[[datetime], datetime], monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Put our time where the real one is, plus what the function given back lets pass."""
    passed = timedelta()

    def told(moment: datetime) -> datetime:
        return real(moment) + passed

    def move(seconds: float) -> None:
        nonlocal passed
        passed += timedelta(seconds=seconds)

    monkeypatch.setattr(clock, "told", told)
    return move


@pytest.fixture(autouse=True)
def _no_request_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test calls is written down by no thread: it could not see the test's rows. A test writes when it likes."""
    from orders import request_log

    request_log._waiting.clear()
    monkeypatch.setattr(request_log, "_write_soon", request_log._is_sent_for.clear)


@pytest.fixture(autouse=True)
def _counts_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test counted in Valkey is nothing to the next."""
    monkeypatch.setattr(counters, "PREFIX", f"{secrets.token_hex(8)}:")
