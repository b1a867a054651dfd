"""WeChat Pay, Alipay, Stripe and a shop's own gateway as their emulators play them, in this process: companies that no
kill of ours reaches.

What fails is the line to them and what they tell us (every fault an emulator has); their time is that of the town.
"""

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from html import unescape
from typing import Any
from unittest import mock

import httpx
import psycopg

from bench.deployment import Deployment
from bench.faultproxy import Fate, FaultProxy
from bench.wallets import Books, Charge, Contested, Payer, Return
from friendpay.demo.emulation.base import running
from friendpay.demo.emulation.notifier import Clock
from payments.wallets.alipay.emulator.server import Alipay
from payments.wallets.alipay.emulator.trades import Refund as TradeRefund
from payments.wallets.house.emulator.book import Dispute
from payments.wallets.house.emulator.server import House
from payments.wallets.stripe.emulator.book import REFERENCE
from payments.wallets.stripe.emulator.server import Stripe
from payments.wallets.stripe.emulator.things import Thing
from payments.wallets.wechatpay.emulator.server import WeChatPay
from tests import agents

FAULTS: dict[str, tuple[float, float]] = {  # how often at a payment, and how many seconds where that matters
    "duplicate_notification": (0.06, 0),
    "reorder_notification": (0.03, 0),
    "delay_notification": (0.06, 60),
    "drop_notification": (0.03, 0),
    "hang_after_commit": (0.01, 7),
    "error_after_commit": (0.02, 0),
    "wrong_amount": (0.005, 0),
    "wrong_key": (0.02, 0),
    "clock_skew": (0.02, 200_000),
}

LOOKS_EVERY = 0.2  # seconds between two looks of an emulator at the town's clock
_FROM = {"Referer": "https://shop.example/"}  # WeChat's jump is refused where it comes from a page nobody registered


class _TownClock(Clock):
    """The time of the town, by which friendpay's database goes too."""

    def __init__(self, stack: Deployment) -> None:
        super().__init__()
        self._stack = stack

    def now(self) -> datetime:
        return self._stack.now()

    stamp = now

    def monotonic(self) -> float:
        return self._stack.now().timestamp()

    def rest(self, seconds: float | None) -> None:
        """The town's time runs faster than ours, and jumps, and nobody says so."""
        super().rest(min(seconds or LOOKS_EVERY, LOOKS_EVERY))


class Emulated:
    """An emulator at work. `tells` is in the name of every notification of a payment."""

    method: str
    currencies: tuple[str, ...] = ("CNY",)
    least: int = 1
    devices: tuple[str, ...] = (agents.CHROME_DESKTOP, agents.SAFARI_IPHONE)
    company: type[WeChatPay] | type[Alipay] | type[Stripe] | type[House]
    tells: str
    tells_of_refunds: str
    by_hand: bool = True
    disputes: bool = False

    def __init__(self) -> None:
        self.faults: Counter[str] = Counter()

    @asynccontextmanager
    async def at_work(self, stack: Deployment, fate: Callable[[], Fate]) -> AsyncIterator[None]:
        """Serve; our calls pass over a bad line, their notifications go to the web process straight away."""
        self.emulator = self.company(clock=_TownClock(stack))
        self.failing = True
        with running(self.emulator) as url:
            self.direct, port = url, httpx.URL(url).port
            line = FaultProxy(lambda: asyncio.open_connection("127.0.0.1", port), fate)
            await line.listen()
            self.emulator.url = f"http://127.0.0.1:{line.port}"  # its pages are where its account says it is
            self.account = await asyncio.to_thread(
                stack.open_account, self.emulator.name, self.emulator.url, self.emulator.account()
            )
            self.emulator.notify_url = f"{stack.address}/notify/{self.emulator.name}/{self.account}/"
            yield
            await line.refuse()

    def calm(self) -> None:
        self.failing = False
        self.emulator.faults.clear()

    async def approve(self, payer: Payer, address: str, how: str) -> tuple[httpx.Response | None, str]:
        """Scan our code or take the jump, and confirm on the wallet's own page, which is always there."""
        if how == "tell-again":
            self.emulator.faults.set("duplicate_notification")
        if how == "approve-untold":
            self.emulator.faults.set("drop_notification", only=self.tells)
        self._strike()
        receipt = ""
        if "/pay/" in address and address.startswith("/"):
            receipt = address
            page = await payer.ask("scan", "GET", address)
            code = re.search(r'href="([^"]+)" target="_blank"', page.text) if page and page.status_code == 200 else None
            if not code:
                return page, ""  # no answer, or it is decided already
            address = unescape(code[1])
        address = f"{self.direct}{httpx.URL(address).raw_path.decode()}"
        sheet = await payer.ask("sheet", "GET", address, follow_redirects=True, headers=_FROM)
        assert sheet is None or sheet.status_code != 404, f"a friend was sent to {address}, where there is nothing"
        if sheet is None or sheet.status_code != 200:
            return sheet, ""
        yes = {"choice": "approve", "card": "4242 4242 4242 4242"}
        answer = await payer.ask(how, "POST", str(sheet.url), data=yes)
        if answer is None or (answer.status_code, "<h1>Paid" in answer.text) not in ((302, False), (200, True)):
            return answer, ""
        return answer, answer.headers.get("location", receipt).partition("?")[0]

    def _strike(self) -> None:
        """Let something go wrong at the next opportunity, now and then."""
        for name, (often, seconds) in FAULTS.items():
            if self.failing and random.random() < often:
                told = name.endswith("notification") or name in ("wrong_key", "clock_skew")
                self.emulator.faults.set(name, seconds=seconds, only=self.tells if told else "")
                self.faults[name] += 1

    def books(self, database: "psycopg.Connection[tuple[Any, ...]]") -> Books:
        with self.emulator.lock:
            charges, returns = self.emulator.book.moved()
        return (
            [Charge(self.account, it.reference, it.transaction, it.amount, it.currency) for it in charges],
            [Return(self.account, it.reference, it.charge, it.amount) for it in returns],
            self._contested(),
        )

    def _contested(self) -> list[Contested]:
        return []

    def refund_by_hand(self, reference: str, amount: int, *, told: bool) -> None:
        with self.emulator.lock:
            if not told:
                self.emulator.faults.set("drop_notification", only=self.tells_of_refunds)
                self.faults["refund by hand that is not told of"] += 1
            self._refund(reference, amount)

    def _refund(self, reference: str, amount: int) -> None:
        raise NotImplementedError

    def dispute(self, reference: str, ends: str, *, told: bool = True) -> None:
        with self.emulator.lock:
            dispute = self._open_dispute(reference)
            if ends == "open":
                return
            if told:
                self._end_dispute(dispute, ends)
                return
            self.faults["dispute whose end is not told of"] += 1
            with mock.patch.object(self.emulator.notifier, "send"):  # nobody else's news: the emulator is locked
                self._end_dispute(dispute, ends)

    def _open_dispute(self, reference: str) -> Any:
        raise NotImplementedError("it tells us of none")

    def _end_dispute(self, dispute: Any, ends: str) -> None:
        raise NotImplementedError("it tells us of none")


class EmulatedWeChatPay(Emulated):
    method, company, tells, tells_of_refunds = "wechatpay", WeChatPay, "TRANSACTION", "REFUND"
    emulator: WeChatPay

    def _refund(self, reference: str, amount: int) -> None:
        book = self.emulator.book
        total = {"refund": amount, "total": book.orders[reference].paid, "currency": "CNY"}
        book.refund({"out_trade_no": reference, "out_refund_no": f"byhand{reference}"[:64], "amount": total})


class EmulatedAlipay(Emulated):
    method, company, tells, tells_of_refunds = "alipay", Alipay, "trade_status_sync", "trade_status_sync"
    emulator: Alipay

    def _refund(self, reference: str, amount: int) -> None:
        trade, number = self.emulator.book.trades[reference], f"byhand{reference}"
        trade.refunds[number] = TradeRefund(amount, self.emulator.clock.now())
        trade.status = "TRADE_CLOSED" if trade.refunded == trade.paid else trade.status
        self.emulator.book.refunded(trade, number)


class EmulatedStripe(Emulated):
    method, company, tells, tells_of_refunds = "card", Stripe, "checkout.session", "refund"
    currencies: tuple[str, ...] = ("EUR", "CNY", "JPY")
    least: int = 50
    disputes: bool = True
    emulator: Stripe

    def _intent(self, reference: str) -> Thing:
        return next(it for it in self.emulator.book.all("payment_intent") if it["metadata"].get(REFERENCE) == reference)

    def _refund(self, reference: str, amount: int) -> None:
        self.emulator.book.refund({"payment_intent": self._intent(reference)["id"], "amount": str(amount)})

    def _open_dispute(self, reference: str) -> Thing:
        return self.emulator.book.open_dispute(self._intent(reference))

    def _end_dispute(self, dispute: Thing, ends: str) -> None:
        self.emulator.book.close_dispute(dispute, won=ends == "won")

    def _contested(self) -> list[Contested]:
        with self.emulator.lock:
            book = self.emulator.book
            marks = [(it, book.things[it["payment_intent"]]["metadata"][REFERENCE]) for it in book.contested()]
        return [
            Contested(self.account, it["id"], reference, it["amount"], it["status"] == "lost")
            for it, reference in marks
        ]


class EmulatedHouse(Emulated):
    method, company, tells, tells_of_refunds = "house", House, "payment.updated", "refund.updated"
    currencies: tuple[str, ...] = ("EUR", "JPY", "KWD")
    disputes: bool = True
    emulator: House

    async def approve(self, payer: Payer, address: str, how: str) -> tuple[httpx.Response | None, str]:
        """A shop may have a bank behind it that is slow: money comes although the payment was closed meanwhile."""
        answer, receipt = await super().approve(payer, address, how)
        if answer is not None and how == "approve-late" and not receipt and random.random() < 0.7:
            link = self.emulator.door.link(httpx.URL(address).params["friendpay"])
            with self.emulator.lock:
                order = self.emulator.book.orders.get(link["reference"])
                if order is not None and not order.captures:
                    order.link = link
                    self.emulator.book.capture(order.reference)
                    self.faults["captured after it was closed"] += 1
                    receipt = link["return_url"]
        return answer, receipt

    def _refund(self, reference: str, amount: int) -> None:
        self.emulator.book.by_hand(reference, amount)

    def _open_dispute(self, reference: str) -> Dispute:
        return self.emulator.book.open_dispute(reference)

    def _end_dispute(self, dispute: Dispute, ends: str) -> None:
        self.emulator.book.move_dispute(dispute.number, ends)

    def _contested(self) -> list[Contested]:
        with self.emulator.lock:
            held = [it for it in self.emulator.book.disputes() if it[2].holds]
        return [
            Contested(self.account, it.number, order.reference, it.amount, it.status == "lost")
            for order, _capture, it in held
        ]
