"""A wallet, a payer, and everything between them and our books; for every wallet there is."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from django.test import Client

from friendpay.demo.emulation.base import Emulator, running
from friendpay.demo.emulation.messages import Request, Response, route
from payments.models import Payment, PaymentRequest, ProviderAccount, ProviderEvent, Refund
from payments.offers.weighing import Surface
from payments.settlement import inbox, ledger
from payments.settlement.rules import Payer
from payments.wallets.alipay.emulator.server import Alipay
from payments.wallets.house.emulator.server import House
from payments.wallets.stripe.emulator.server import Stripe
from payments.wallets.wechatpay.emulator.server import WeChatPay
from tests import shop

Wallet = WeChatPay | Alipay | Stripe | House

WALLETS: dict[str, type[WeChatPay] | type[Alipay] | type[Stripe] | type[House]] = {
    "wechatpay": WeChatPay,
    "alipay": Alipay,
    "card": Stripe,
    "house": House,
}
CALLED = [method for method in WALLETS if method != "house"]
"""Those that are called to open an attempt. A shop's own gateway hears of it by the payer's link."""

GRANTED: dict[str, list[str]] = {"wechatpay": [], "alipay": ["order_code"], "stripe": ["card"], "house": ["bill"]}
TELLS = {
    "wechatpay": "TRANSACTION",
    "alipay": "trade_status_sync",
    "card": "checkout.session",
    "house": "payment.updated",
}
"""A part of the name of every notification of a payment."""


@dataclass(frozen=True)
class RawNotification:
    """A notification, as it came."""

    headers: dict[str, str]
    body: bytes


class Postbox(Emulator):
    """Keeps what the wallet sends, so that a test delivers it when and how it likes."""

    name, brand = "postbox", "Postbox"

    def __init__(self) -> None:
        super().__init__()
        self.notifications: list[RawNotification] = []

    @route("POST", "/notify/")
    def receive(self, request: Request) -> Response:
        signed = {name for name in request.headers if name.startswith(("wechatpay", "stripe", "webhook"))}
        names = signed | {"content-type"}
        self.notifications.append(RawNotification({name: request.headers[name] for name in names}, request.body))
        return Response(200, b"success")


@dataclass
class Scene:
    """Mei is asked for 90.00. Her wallet writes to the postbox alone."""

    method: str
    wallet: Wallet
    postbox: Postbox
    account: ProviderAccount
    payment_request: PaymentRequest
    calls: list[str] = field(default_factory=list)  # whatever is asked of the wallet once `notification` has come

    def begin(self) -> Payment:
        """Mei taps: her attempt, opened at the wallet."""
        return shop.begin(self.payment_request, method=self.method, payer=Payer(visitor="Mei"), surface=Surface())

    @property
    def payment(self) -> Payment:
        return Payment.objects.get()

    def page(self) -> str:
        """Where the wallet asks Mei, whether we know that or not."""
        match self.wallet:
            case WeChatPay():
                (prepay,) = self.wallet.book.prepays
                return f"{self.wallet.url}/pay/{prepay}"
            case Alipay():
                (trade,) = self.wallet.book.trades.values()
                return f"{self.wallet.url}/cashier/{trade.code}"
            case Stripe():
                (session,) = self.wallet.book.all("checkout.session")
                return f"{self.wallet.url}/c/pay/{session['id']}"
            case House():
                return str(self.payment.next_step["url"])

    def look(self) -> None:
        """Mei opens the wallet, and decides nothing yet."""
        assert httpx.get(self.page(), trust_env=False).status_code == 200

    def pay(self, card: str = "4242424242424242") -> None:
        """Mei opens the wallet and says yes."""
        self.look()
        httpx.post(self.page(), data={"choice": "approve", "card": card}, trust_env=False)

    def notification(self) -> RawNotification:
        """Mei pays; what the wallet writes about it."""
        self.pay()
        self.wallet.notifier.settle()
        answer = self.wallet.answer

        def counted(request: Request) -> Response | None:
            self.calls.append(request.operation)
            return answer(request)

        self.wallet.answer = counted  # type: ignore[method-assign]
        return self.postbox.notifications[0]

    def deliver(self, notification: RawNotification, account: ProviderAccount | None = None) -> int:
        to = account or self.account
        headers = {name: value for name, value in notification.headers.items() if name != "content-type"}
        address, kind = f"/notify/{to.provider}/{to.public_id}/", notification.headers.get("content-type", "")
        return Client().post(address, notification.body, content_type=kind, headers=headers).status_code

    def hear(self) -> list[int]:
        """All the wallet has written by now reaches us, and is applied; our answers."""
        self.wallet.notifier.settle()
        answers = [self.deliver(notification) for notification in self.postbox.notifications]
        inbox.apply()
        return answers

    def stands(self) -> tuple[str, str, int]:
        """The request, the payment, and what was captured; the ledger is clean."""
        assert ledger.check() == []
        payment = self.payment
        return PaymentRequest.objects.get(pk=self.payment_request.pk).status, payment.status, payment.amount_captured

    def moved(self) -> tuple[list[int], list[int]]:
        """What the wallet took and what it sent back."""
        charges, returns = self.wallet.book.moved()
        return [charge.amount for charge in charges], [back.amount for back in returns]

    def refuses(self, notification: RawNotification, account: ProviderAccount | None = None) -> None:
        status = self.deliver(notification, account)
        assert 400 <= status < 500, status
        inbox.apply()
        assert self.stands() == ("open", "pending", 0)
        assert not ProviderEvent.objects.exists()
        assert not Refund.objects.exists()
        assert self.calls == []


@pytest.fixture(params=list(WALLETS))
def stage(request: pytest.FixtureRequest) -> Iterator[Scene]:
    """Before Mei does anything."""
    method: str = request.param
    with running(postbox := Postbox()), running(wallet := WALLETS[method](notify_url=f"{postbox.url}/notify/")):
        account = ProviderAccount(merchant=shop.make_merchant(), provider=wallet.name, base_url=wallet.url)
        account.config, account.granted = wallet.account(), GRANTED[wallet.name]
        account.save()
        payment_request = shop.make_request(shop.make_order(account.merchant))
        yield Scene(method, wallet, postbox, account, payment_request)


@pytest.fixture
def scene(stage: Scene) -> Scene:
    """Mei has tapped."""
    stage.begin()
    return stage
