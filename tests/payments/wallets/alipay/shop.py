"""A shop at the Alipay emulator: its account, its orders, its payer, and the notifications it hears."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx
import pytest

from friendpay.demo.emulation.base import Emulator, running
from friendpay.demo.emulation.messages import Request, Response, route
from friendpay.kit.money import Money
from payments.wallets.alipay.emulator import server
from payments.wallets.alipay.provider import Alipay
from payments.wallets.base import (
    BEIJING,
    Account,
    NextStep,
    Notification,
    NotificationRefused,
    Outcome,
    Rail,
    RefundOrder,
    Start,
)

CNY90 = Money(9000, "CNY")
NOWHERE = "http://127.0.0.1:9/notify/"

provider = Alipay()


class Shop(Emulator):
    """Receives notifications the way friendpay does: verified by the provider, answered by it."""

    name, brand = "shop", "Shop"

    def __init__(self, account: Account) -> None:
        super().__init__()
        self.alipay_account = account
        self.bodies: list[bytes] = []
        self.heard: list[Notification] = []
        self.refused: list[int] = []
        self.down = 0  # so many notifications are answered 500
        self.came = threading.Condition(self.lock)

    def until(self, reached: Callable[[], object]) -> None:
        with self.came:
            assert self.came.wait_for(reached, 60), "it never came"

    @route("POST", "/notify/")
    def receive(self, request: Request) -> Response:
        self.bodies.append(request.body)
        self.came.notify_all()
        if self.down:
            self.down -= 1
            return Response(500)
        try:
            heard = provider.read_notification(self.alipay_account, request.headers, request.body, datetime.now(UTC))
        except NotificationRefused as refused:
            self.refused.append(refused.reply.status)
            return Response(refused.reply.status, refused.reply.body)
        self.heard.append(heard)
        return Response(200, provider.acknowledge().body)


@pytest.fixture
def alipay() -> Iterator[server.Alipay]:
    emulator = server.Alipay(compress=0.00001)
    with running(emulator):
        yield emulator


@pytest.fixture
def alipay_account(alipay: server.Alipay) -> Account:
    return Account(
        id="acc_1",
        live=False,
        config=alipay.account(),
        base_url=alipay.url,
        granted=frozenset({"order_code", "h5", "page"}),
    )


@pytest.fixture
def alipay_shop(alipay_account: Account) -> Iterator[Shop]:
    shop = Shop(alipay_account)
    with running(shop):
        yield shop


def order(reference: str = "pay1", rail: Rail = Rail.NATIVE, *, notify: str = NOWHERE) -> Start:
    return Start(
        reference=reference,
        amount=CNY90,
        subject="Corner shop 42 礼物",
        method="alipay",
        rail=rail,
        deadline=datetime.now(UTC) + timedelta(minutes=10),
        notify_url=notify,
        return_url="http://127.0.0.1:9/r/token/",
        cancel_url="http://127.0.0.1:9/r/token/back/",
    )


def pay(step: NextStep, choice: str = "approve") -> httpx.Response:
    """The payer opens the code or the jump, and decides."""
    with httpx.Client(follow_redirects=True, trust_env=False) as browser:
        cashier = browser.get(step.code or step.url)
        return browser.post(str(cashier.url), data={"choice": choice}, follow_redirects=False)


def paid(account: Account, reference: str = "pay1", notify: str = NOWHERE) -> None:
    pay(provider.start(account, order(reference, notify=notify)))


def refund(account: Account, reference: str = "re1", minor: int = 9000, charge: str = "pay1") -> Outcome:
    asked = RefundOrder(reference, charge, "", Money(minor, "CNY"), charged=CNY90, reason="late")
    return provider.refund(account, asked)


def genuine(alipay: server.Alipay, **changed: str) -> dict[str, str]:
    """A notification signed by Alipay."""
    params = {
        "app_id": server.APP_ID,
        "seller_id": server.SELLER_ID,
        "charset": "utf-8",
        "notify_id": "2026112200222155624068450559358070",
        "notify_type": "trade_status_sync",
        "notify_time": datetime.now(BEIJING).strftime("%Y-%m-%d %H:%M:%S"),
        "out_trade_no": "pay1",
        "subject": "Corner shop 42",
        "total_amount": "0.01",
        "trade_no": "2026112222001468450512505578",
        "trade_status": "TRADE_SUCCESS",
    }
    return alipay.sign_params(params | changed)


def read(account: Account, params: dict[str, str] | bytes, now: datetime | None = None) -> Notification:
    body = params if isinstance(params, bytes) else urlencode(params).encode()
    return provider.read_notification(account, {}, body, now or datetime.now(UTC))


def refusal(account: Account, params: dict[str, str] | bytes, now: datetime | None = None) -> int:
    """The status a notification is refused with; never a word that Alipay takes for an acceptance."""
    with pytest.raises(NotificationRefused) as refused:
        read(account, params, now)
    assert b"success" not in refused.value.reply.body
    return refused.value.reply.status


def with_config(account: Account, **changed: str) -> Account:
    return replace(account, config={**account.config, **changed})


def split_anew(params: dict[str, str], at: str) -> dict[str, str]:
    """The attack: read the bytes of a genuine notification as other fields, swallowing those from `at` on into one."""
    text = "&".join(f"{name}={params[name]}" for name in sorted(params) if name not in ("sign", "sign_type"))
    head, tail = text.split(f"&{at}=", 1)
    fields = dict(field.split("=", 1) for field in head.split("&"))
    return fields | {at: tail, "sign": params["sign"], "sign_type": "RSA2"}
