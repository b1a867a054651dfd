"""A strict wallet in this process, without a socket: what friends, banks, the shop's own hands and bad lines can do."""

from collections.abc import Callable, Mapping
from datetime import datetime
from unittest import mock
from urllib.parse import urlencode

import httpx

from friendpay.demo.emulation.messages import Request
from friendpay.demo.emulation.moved import Charge, Return
from friendpay.demo.emulation.notifier import Clock, Outgoing
from payments.models import Payment, ProviderAccount
from payments.settlement import inbox
from payments.wallets.alipay.emulator.server import Alipay
from payments.wallets.alipay.emulator.trades import Refund as TradeRefund
from payments.wallets.base import TIMEOUT, ProviderError
from payments.wallets.house.emulator.server import House
from payments.wallets.house.emulator.signing import Wrong as No
from payments.wallets.stripe.emulator.requests import Wrong
from payments.wallets.stripe.emulator.server import Stripe
from payments.wallets.transport import Answer
from payments.wallets.wechatpay.emulator.requests import Problem
from payments.wallets.wechatpay.emulator.server import WeChatPay
from tests.payments.scene import GRANTED, WALLETS

URL = "http://127.0.0.1:1"
OTHER_KEYS = {
    "wechatpay": {"serial_no": "0" * 40, "api_v3_key": "x" * 32},
    "alipay": {"app_id": "2021000000000002"},
    "stripe": {"secret_key": "sk_test_rolled", "webhook_secret": "whsec_rolled"},
    "house": {"secret": "whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3I="},
}
_STATUS = {
    "warning_needs_response": "inquiry",
    "needs_response": "open",
    "warning_closed": "won",
    "won": "won",
    "lost": "lost",
}
_FREE = ("inquiry", "won")
MakeNotification = Callable[[], Outgoing]


class _Moved(Clock):
    """Time is moved for both sides, so what is signed is stamped with the moved one."""

    def stamp(self) -> datetime:
        return self.now()


class Beside:
    """A wallet of the method's. A call to it may die before it arrives or after it took effect; while it hangs, none is
    answered in time. `refuses`: what it says to orders of refunds: "for good", "for now" or nothing.
    """

    def __init__(self, method: str) -> None:
        self.method = method
        self.wallet = WALLETS[method](notify_url=f"{URL}/notify/", clock=_Moved())
        self.wallet.url = URL
        self.notifications: list[MakeNotification] = []
        self.wallet.notifier.send = lambda make, kind="": self.notifications.append(make)  # type: ignore[method-assign]
        self.dies = self.refuses = ""
        self.hangs = False
        self.by_hand = 0  # refunds made in the wallet's own site
        modules = ("transport", "wechatpay.provider", "wechatpay.client")
        self.patches = [mock.patch(f"payments.wallets.{name}.call", self._call) for name in modules]

    def open_account(self, merchant_id: int) -> None:
        account = ProviderAccount(merchant_id=merchant_id, provider=self.wallet.name, base_url=URL)
        account.config, account.granted = self.wallet.account(), GRANTED[self.wallet.name]
        account.save()
        self.account_id = account.pk

    @property
    def account(self) -> ProviderAccount:
        return ProviderAccount.objects.get(pk=self.account_id)

    def set_keys(self, *, right: bool) -> None:
        """With other keys than the wallet has, it refuses us and we refuse its notifications."""
        account = self.account
        account.config = self.wallet.account() | ({} if right else OTHER_KEYS[self.wallet.name])
        account.save(update_fields=["sealed"])

    @property
    def has_keys(self) -> bool:
        return self.account.config == self.wallet.account()

    def _call(
        self, method: str, url: str, *, content: bytes = b"", headers: Mapping[str, str] | None = None, **_limits: float
    ) -> Answer:
        dies, self.dies = self.dies, ""
        if self.hangs:
            raise ProviderError("no answer", permanent=False, code=TIMEOUT)
        if dies == "before":
            raise ProviderError("dead", permanent=False, code="transport")
        sent = {"user-agent": "friendpay", "accept": "*/*"} | {name.lower(): it for name, it in (headers or {}).items()}
        request = Request(method, httpx.URL(url).raw_path.decode(), sent, content)
        if self.refuses and self._is_refund(request):
            self._refuse(for_good=self.refuses == "for good")
        response = self.wallet.answer(request)
        if dies == "after" or response is None:
            raise ProviderError("dead", permanent=False, code="transport")
        return Answer(response.status, httpx.Headers(response.headers), response.body)

    def _is_refund(self, request: Request) -> bool:
        named = request.path.endswith("/refunds") or request.query.get("method") == "alipay.trade.refund"
        named = named or b'"type": "refund.create"' in request.body
        return request.method == "POST" and named

    def _refuse(self, *, for_good: bool) -> None:
        words = "This refund is refused."
        match self.wallet:
            case WeChatPay():
                no, wait = Problem(403, "USER_ACCOUNT_ABNORMAL", words), Problem(429, "FREQUENCY_LIMITED", words)
                self.wallet.scripted = [no if for_good else wait]
            case Alipay():
                code = "ACQ.REASON_TRADE_STATUS_INVALID" if for_good else "ACQ.SYSTEM_ERROR"
                self.wallet.scripted = [{"code": "40004", "sub_code": code, "sub_msg": words}]
            case Stripe():
                failed, busy = Wrong(words, code="charge_disputed"), Wrong(words, status=429, code="rate_limit")
                self.wallet.scripted = [failed if for_good else busy]
            case House():
                self.wallet.scripted = [No(422, "refused", words) if for_good else No(429, "busy", words)]

    # What its people do

    def choose(self, reference: str, choice: str, *, card: str = "", short: bool = False, told: bool = True) -> None:
        """The payer opens the wallet's page of an order, if there is one, and decides; `short`: she is charged a unit
        less. Without `told` the wallet's notification about it is lost.
        """
        if not (page := self._page(reference)):
            return
        before = len(self.notifications)
        if short:
            self.wallet.faults.set("wrong_amount")
        self.wallet.answer(Request("GET", page, {}, b""))
        self.wallet.answer(Request("POST", page, {}, urlencode({"choice": choice, "card": card}).encode()))
        self.wallet.faults.clear()
        if not told:
            del self.notifications[before:]

    def _page(self, reference: str) -> str:
        match self.wallet:
            case WeChatPay():
                codes = [code for code, it in self.wallet.book.prepays.items() if it.order.number == reference]
                return f"/pay/{codes[-1]}" if codes else ""
            case Alipay():
                trade = self.wallet.book.trades.get(reference)
                return f"/cashier/{trade.code}" if trade else ""
            case Stripe():
                sessions = self.wallet.book.all("checkout.session")
                mine = [it["id"] for it in sessions if it["client_reference_id"] == reference]
                return f"/c/pay/{mine[0]}" if mine else ""
            case House():
                payment = Payment.objects.filter(reference=reference).exclude(next_step={}).first()
                return httpx.URL(payment.next_step["url"]).raw_path.decode() if payment else ""

    def refund_by_hand(self, charge: Charge, amount: int) -> None:
        """Somebody of the shop sends money back in the wallet's own site."""
        self.by_hand += amount
        number = f"byhand{self.by_hand}"
        match self.wallet:
            case WeChatPay():
                sums = {"refund": amount, "total": charge.amount, "currency": "CNY"}
                order = {"transaction_id": charge.transaction, "out_refund_no": number, "amount": sums}
                self.wallet.book.refund(order)
            case Alipay():
                trade = self.wallet.book.trades[charge.reference]
                trade.refunds[number] = TradeRefund(amount, self.wallet.clock.now())
                self.wallet.book.refunded(trade, number)
            case Stripe():
                self.wallet.book.refund({"payment_intent": charge.transaction, "amount": str(amount)})
            case House():
                self.wallet.book.by_hand(charge.reference, amount, charge.transaction)

    def empty_balance(self) -> None:
        """From now on refunds are taken, and wait."""
        match self.wallet:
            case Alipay():
                self.wallet.book.refund_seconds = 7200.0
            case WeChatPay() | Stripe() | House():
                self.wallet.book.balance_is_short = True

    def fill_balance(self) -> None:
        match self.wallet:
            case Alipay():
                self.wallet.book.refund_seconds = 0.0
            case WeChatPay():
                self.wallet.book.balance_is_short = False
                self._end_refunds("PROCESSING", "SUCCESS")
            case Stripe() | House():
                self.wallet.book.top_up()

    def bounce_refunds(self) -> None:
        """The payer's bank will not have what WeChat Pay is sending back."""
        self._end_refunds("PROCESSING", "ABNORMAL")

    def settle_bounced_refunds(self) -> None:
        """Somebody of the shop settles them in WeChat Pay's merchant platform."""
        self._end_refunds("ABNORMAL", "SUCCESS")

    def _end_refunds(self, status: str, becomes: str) -> None:
        if isinstance(self.wallet, WeChatPay):
            orders = self.wallet.book.orders.values()
            for refund in [it for order in orders for it in order.refunds.values() if it.status == status]:
                self.wallet.book.end_refund(refund.number, becomes)

    def contest(self, charge: Charge, *, inquiry: bool, told: bool) -> None:
        """The payer's bank contests what is left of a payment, once. Where it only asks, it has no money yet."""
        before = len(self.notifications)
        match self.wallet:
            case Stripe():
                intent = self.wallet.book.things[charge.transaction]
                charged = self.wallet.book.things[intent["latest_charge"]]
                if not charged["disputed"] and not charged["refunded"]:
                    self.wallet.book.open_dispute(intent, inquiry=inquiry)
            case House():
                capture = self.wallet.book.orders[charge.reference].captures[0]
                if not capture.disputes and capture.back < capture.amount:
                    self.wallet.book.open_dispute(charge.reference, inquiry=inquiry)
        if not told:
            del self.notifications[before:]

    def decide(self, *, won: bool, told: bool) -> None:
        """The bank decides whatever it has not."""
        before = len(self.notifications)
        match self.wallet:
            case Stripe():
                for dispute in self.wallet.book.all("dispute"):
                    if _STATUS[dispute["status"]] in ("inquiry", "open"):
                        self.wallet.book.close_dispute(dispute, won=won)
            case House():
                for _order, _capture, one in self.wallet.book.disputes():
                    if one.status in ("inquiry", "open"):
                        self.wallet.book.move_dispute(one.number, "won" if won else "lost")
        if not told:
            del self.notifications[before:]

    def disputes(self) -> dict[str, tuple[str, int]]:
        """By the wallet's number of each: how it stands, in our words, and what the bank has for it."""
        match self.wallet:
            case Stripe():
                ours = {it["id"]: (_STATUS[it["status"]], it) for it in self.wallet.book.all("dispute")}
                return {name: (word, 0 if word in _FREE else it["amount"]) for name, (word, it) in ours.items()}
            case House():
                return {it.number: (it.status, it.holds) for _order, _capture, it in self.wallet.book.disputes()}
        return {}

    def capture_late(self, *, told: bool) -> None:
        """A slow bank behind a shop's own gateway: money comes for a payment that was closed meanwhile."""
        assert isinstance(self.wallet, House)
        before = len(self.notifications)
        for order in self.wallet.book.orders.values():
            if order.status == "closed" and order.link and not order.captures:
                self.wallet.book.capture(order.reference)
                break
        if not told:
            del self.notifications[before:]

    def has_taken_back(self, charge: Charge) -> bool:
        """Whether the payer's bank has: of such a charge the wallet refunds nothing more, known to us or not."""
        if isinstance(self.wallet, House):
            captures = self.wallet.book.orders[charge.reference].captures
            return any(dispute.holds for capture in captures for dispute in capture.disputes)
        if not isinstance(self.wallet, Stripe):
            return False
        disputes = self.wallet.book.all("dispute")
        of_charge = self.wallet.book.things[charge.transaction]["latest_charge"]
        return any(it["charge"] == of_charge and not it["is_charge_refundable"] for it in disputes)

    def deliver(self, notification: MakeNotification) -> None:
        """A notification of the wallet's arrives, for the first time or once more."""
        sent = notification()
        headers = {name.lower(): value for name, value in sent.headers.items()}
        inbox.receive(self.wallet.name, self.account.public_id, headers, sent.body)
        inbox.apply()

    # Its own books

    def charges(self) -> list[Charge]:
        return self.wallet.book.moved()[0]

    def returns(self) -> list[Return]:
        return self.wallet.book.moved()[1]
