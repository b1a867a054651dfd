"""A shop at the Stripe emulator: its account, its orders, its payer, and the events it hears."""

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from friendpay.demo.emulation.base import Emulator, running
from friendpay.demo.emulation.messages import Request, Response, route
from friendpay.kit.money import Money
from payments.wallets.base import (
    Account,
    NextStep,
    Notification,
    NotificationRefused,
    Outcome,
    ProviderError,
    Rail,
    RefundOrder,
    Start,
)
from payments.wallets.stripe.emulator import server
from payments.wallets.stripe.provider import Stripe

EUR90 = Money(9000, "EUR")

provider = Stripe()


class Shop(Emulator):
    """Receives events the way friendpay does: verified by the provider, answered by it."""

    name, brand = "shop", "Shop"

    def __init__(self, account: Account) -> None:
        super().__init__()
        self.stripe_account = account
        self.heard: list[Notification] = []
        self.refused: list[int] = []
        self.down = 0  # so many events are answered 500
        self.came = threading.Condition(self.lock)

    def until(self, reached: Callable[[], object]) -> None:
        with self.came:
            assert self.came.wait_for(reached, 60), "it never came"

    @route("POST", "/notify/")
    def receive(self, request: Request) -> Response:
        self.came.notify_all()
        if self.down:
            self.down -= 1
            return Response(500)
        try:
            heard = provider.read_notification(self.stripe_account, request.headers, request.body, datetime.now(UTC))
        except NotificationRefused as refused:
            self.refused.append(refused.reply.status)
            return Response(refused.reply.status, refused.reply.body)
        self.heard.append(heard)
        return Response(provider.acknowledge().status)


@pytest.fixture
def stripe() -> Iterator[server.Stripe]:
    emulator = server.Stripe(compress=0.00001)
    with running(emulator):
        yield emulator


@pytest.fixture
def stripe_account(stripe: server.Stripe) -> Account:
    return Account(id="acc_1", live=False, config=stripe.account(), base_url=stripe.url)


@pytest.fixture
def stripe_shop(stripe: server.Stripe, stripe_account: Account) -> Iterator[Shop]:
    shop = Shop(stripe_account)
    with running(shop):
        stripe.notify_url = f"{shop.url}/notify/"
        yield shop


def order(reference: str = "pay1", amount: Money = EUR90) -> Start:
    return Start(
        reference=reference,
        amount=amount,
        subject="Corner shop 42 礼物",
        method="card",
        rail=Rail.REDIRECT,
        deadline=datetime.now(UTC) + timedelta(seconds=provider.min_hold),
        notify_url="http://127.0.0.1:9/notify/",
        return_url="http://127.0.0.1:9/r/token/",
        cancel_url="http://127.0.0.1:9/r/token/back/",
    )


def pay(step: NextStep, choice: str = "approve", card: str = "4242 4242 4242 4242") -> httpx.Response:
    """The payer opens the page and decides."""
    with httpx.Client(trust_env=False) as browser:
        assert browser.get(step.url).status_code == 200
        return browser.post(step.url, data={"choice": choice, "card": card})


def paid(account: Account, reference: str = "pay1", amount: Money = EUR90, card: str = "4242424242424242") -> Outcome:
    step = provider.start(account, order(reference, amount))
    pay(step, card=card)
    return provider.fetch(account, reference, step.session)


def refund(account: Account, charge: Outcome, reference: str = "re1", minor: int | None = None) -> Outcome:
    assert charge.amount
    amount = charge.amount if minor is None else Money(minor, charge.amount.currency)
    asked = RefundOrder(reference, charge.reference, charge.provider_ref, amount, charged=charge.amount, reason="late")
    return provider.refund(account, asked)


def refusal(call: Callable[[], object]) -> ProviderError:
    with pytest.raises(ProviderError) as error:
        call()
    return error.value


def with_config(account: Account, **changed: str) -> Account:
    return replace(account, config={**account.config, **changed})


def session_event(kind: str = "checkout.session.completed", event_id: str = "evt_1", **changed: Any) -> bytes:
    """An event about a session of ours that was paid."""
    session = {
        "id": "cs_test_1",
        "object": "checkout.session",
        "amount_total": 9000,
        "client_reference_id": "pay1",
        "currency": "eur",
        "livemode": False,
        "metadata": {"friendpay_reference": "pay1"},
        "payment_intent": "pi_1",
        "payment_status": "paid",
        "status": "complete",
    }
    return event(session | changed, kind, event_id)


def event(thing: dict[str, Any], kind: str, event_id: str = "evt_1", **changed: Any) -> bytes:
    whole = {"id": event_id, "object": "event", "type": kind, "livemode": False, "data": {"object": thing}}
    return json.dumps(whole | changed, ensure_ascii=False).encode()


def signature(body: bytes, secret: str = server.WEBHOOK_SECRET, stamp: int | None = None) -> str:
    """As Stripe makes it: HMAC-SHA256 of time, dot and body, keyed with the whole secret."""
    stamp = int(datetime.now(UTC).timestamp()) if stamp is None else stamp
    return f"t={stamp},v1={hmac.new(secret.encode(), f'{stamp}.'.encode() + body, hashlib.sha256).hexdigest()}"


def read(account: Account, body: bytes, header: str | None = None, now: datetime | None = None) -> Notification:
    headers = {"stripe-signature": signature(body) if header is None else header}
    return provider.read_notification(account, headers, body, now or datetime.now(UTC))


def refused(account: Account, body: bytes, header: str | None = None, now: datetime | None = None) -> int:
    with pytest.raises(NotificationRefused) as error:
        read(account, body, header, now)
    return error.value.reply.status
