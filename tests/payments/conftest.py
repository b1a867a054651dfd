"""What the tests of payments share."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from friendpay.kit import background
from payments.wallets import registry
from payments.wallets.base import ProviderError
from tests.payments.scene import scene, stage

__all__ = ["faulty", "scene", "stage"]

Fault = Callable[..., None]


@pytest.fixture(autouse=True)
def _wallets_of_this_machine(settings: Settings) -> None:
    """As in the demo: the emulators are called here."""
    settings.WEBHOOK_ALLOW_LOOPBACK = True


@pytest.fixture(autouse=True)
def _nothing_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is applied or sent by a thread in the background: a test says when."""
    monkeypatch.setattr(background, "run_later", lambda purpose, job: None)


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Fault:
    """Make a call of the sandbox provider fail, before or after it took effect there, so many times."""
    provider = registry.get("sandbox")

    def arrange(call: str, *, after: bool = False, permanent: bool = False, times: int = 1) -> None:
        real, left = getattr(provider, call), times

        def failing(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            if left == 0:
                return real(*args, **kwargs)
            left -= 1
            if after:
                real(*args, **kwargs)
            raise ProviderError("the line is dead", permanent=permanent, code="DEAD")

        monkeypatch.setattr(provider, call, failing)

    return arrange
