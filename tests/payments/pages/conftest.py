"""A web server's event loop with our pages, and a request whose page was opened before."""

from collections.abc import Iterator

import pytest
from django.test import Client

from friendpay.kit import frames
from friendpay.kit.reads_ahead import Readers
from payments.models import PaymentRequest
from payments.pages import ahead, framed
from tests import shop
from tests.payments.pages.loop import House


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(ahead, "readers", Readers(1))
    monkeypatch.setattr(framed, "_frames", frames.Frames())
    monkeypatch.setattr(framed, "_states", frames.Frames())
    monkeypatch.setattr(framed, "_kept", {})
    house = House()
    yield house
    house.close()


@pytest.fixture
def request_() -> PaymentRequest:
    """One whose page was opened before: the shop's settings are known."""
    asked = shop.make_request()
    assert Client().get(f"/p/{asked.token}/").status_code == 200
    return asked
