"""Real shops beside a real friendpay: one `bin/up` for all of them, and people with browsers.

A shop's test module makes the rest itself from `stand`: its environment (`python_environment`, `node_environment`) and
its `Shop`. `friendpay.add_shop` gives it a shop of its own at friendpay, so that nothing one adapter does is
seen by another.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.conftest import DESK, PHONE, Person, started
from tests.integrations.stand import Friendpay, database


@pytest.fixture(scope="session")
def friendpay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Friendpay]:
    """The demo with its simulated wallets, on a port and a data folder of its own."""
    with started(tmp_path_factory.mktemp("friendpay"), "--emulators") as stack:
        yield Friendpay(stack)


@pytest.fixture(scope="session")
def make_database() -> Iterator[Callable[[str], str]]:
    """Makes an empty database and gives its address; all are dropped at the end."""
    made = []

    def make(name: str) -> str:
        made.append(database(name))
        return made[-1].__enter__()

    yield make
    for each in made:
        each.__exit__(None, None, None)


@pytest.fixture
def person(friendpay: Friendpay, browser: Browser) -> Iterator[Callable[..., Person]]:
    """Makes people, each with a browser of their own; `address` is where their short paths lead."""
    contexts: list[BrowserContext] = []

    def make(device: dict[str, Any], address: str, **more: Any) -> Person:
        contexts.append(browser.new_context(**{"locale": "en-GB", **device, **more}))
        return Person(contexts[-1].new_page(), address)

    friendpay.stack.forgive()
    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def buyer(person: Callable[..., Person], friendpay: Friendpay) -> Person:
    """At a desk. `go` takes the shop's addresses whole."""
    return person(DESK, friendpay.address)


@pytest.fixture
def friend(person: Callable[..., Person], friendpay: Friendpay) -> Person:
    """With a phone. `tests.browser.conftest.pay` pays without a browser, where the page is not what is tested."""
    return person(PHONE, friendpay.address)
