"""A shop with a gateway of its own: its account, its payers, the links they come by, and the events friendpay hears."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from friendpay.demo.emulation.base import running
from friendpay.kit.money import Money
from payments.wallets.base import Account, NextStep, NotificationRefused, Outcome, Rail, RefundOrder, Start
from payments.wallets.house import signing
from payments.wallets.house.emulator import server
from payments.wallets.house.provider import House
from tests.payments.wallets.shop import Shop

EUR90 = Money(9000, "EUR")
NOWHERE = "http://127.0.0.1:9/notify/"

provider = House()


@pytest.fixture
def house() -> Iterator[server.House]:
    with running(emulator := server.House(compress=0.00001)):
        yield emulator


@pytest.fixture
def account(house: server.House) -> Account:
    granted = frozenset({"bill"})
    return Account(id="acc_1", live=False, config=house.account(), base_url=house.url, granted=granted)


@pytest.fixture
def hearer(account: Account) -> Iterator[Shop]:
    with running(shop := Shop(provider, account)):
        yield shop


def order(reference: str = "pay1", notify: str = NOWHERE, **changed: Any) -> Start:
    start = Start(
        reference=reference,
        amount=EUR90,
        subject="Corner shop 42",
        method="house",
        rail=Rail.REDIRECT,
        deadline=datetime.now(UTC) + timedelta(minutes=15),
        notify_url=notify,
        return_url="http://127.0.0.1:9/r/token/",
        cancel_url="http://127.0.0.1:9/r/token/back/",
    )
    return replace(start, **changed)


def look(step: NextStep | str) -> httpx.Response:
    """The payer opens the link."""
    return httpx.get(step if isinstance(step, str) else step.url, trust_env=False)


def pay(step: NextStep, choice: str = "approve") -> httpx.Response:
    """She opens the link, and decides."""
    look(step)
    return httpx.post(step.url, data={"choice": choice}, trust_env=False)


def paid(account: Account, reference: str = "pay1", notify: str = NOWHERE) -> Outcome:
    pay(provider.start(account, order(reference, notify)))
    return provider.fetch(account, reference)


def refund(account: Account, capture: str, minor: int = 9000, reference: str = "re1", currency: str = "EUR") -> Outcome:
    asked = RefundOrder(reference, "pay1", capture, Money(minor, currency), charged=EUR90, reason="late")
    return provider.refund(account, asked)


def event(account: Account, **says: Any) -> bytes:
    thing = {"reference": "pay1", "status": "captured", "capture": "cap_1", "amount": 9000, "currency": "EUR"}
    whole = {"type": "payment.updated", "account": account.id, "live": account.live, "payment": thing}
    return json.dumps(whole | says).encode()


def signed(account: Account, body: bytes, *, event_id: str = "evt_1", at: datetime | None = None) -> dict[str, str]:
    at = at or datetime.now(UTC)
    return signing.headers(signing.key_of(account), event_id, int(at.timestamp()), body)


def refusal(account: Account, headers: dict[str, str], body: bytes) -> int:
    with pytest.raises(NotificationRefused) as refused:
        provider.read_notification(account, headers, body, datetime.now(UTC))
    return refused.value.reply.status
