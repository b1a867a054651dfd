"""Alipay's rules of orders, trades, refunds and bills, without HTTP and without signatures."""

import csv
import io
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from zipfile import ZipFile

from friendpay.demo.emulation.moved import Charge, Moved, Return
from friendpay.demo.emulation.notifier import Clock
from payments.wallets.alipay.emulator.requests import CHINA, TIME_FORMAT, Call, Wrong

BUYER = {"buyer_logon_id": "mei***@example.com", "buyer_user_id": "2088000000000777"}

CODE_LIVES = timedelta(hours=2)
REFUNDS_APART = timedelta(seconds=3)
SHORTEST = timedelta(minutes=1)

_BILL_HEADER = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,"
    "商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,"
    "商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注\r\n"
)


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02}"


def china(moment: datetime) -> str:
    return moment.astimezone(CHINA).strftime(TIME_FORMAT)


@dataclass
class Refund:
    amount: int
    done_at: datetime
    asked_at: datetime | None = None  # by the API; one made by hand was not


@dataclass
class Trade:
    """An order, and the trade it becomes once the payer opens it."""

    call: Call
    code: str  # names the cashier's page
    created_at: datetime
    expires_at: datetime
    trade_no: str = ""
    status: str = ""  # "" until opened
    paid: int = 0
    paid_at: datetime | None = None
    refunds: dict[str, Refund] = field(default_factory=dict)

    @property
    def number(self) -> str:
        return self.call.content["out_trade_no"]

    @property
    def asked(self) -> int:
        return int(Decimal(self.call.content["total_amount"]) * 100)

    @property
    def refunded(self) -> int:
        return sum(refund.amount for refund in self.refunds.values())


class Book:
    """Every order of the shop. Methods named for Alipay's give the node of the answer, or raise Wrong."""

    def __init__(self, clock: Clock, refunded: Callable[[Trade, str], None]) -> None:
        """`refunded` hears of each new refund and its out_request_no."""
        self.clock = clock
        self.refunded = refunded
        self.trades: dict[str, Trade] = {}
        self.empty_bills = False  # a day without trades has an empty file, rather than none
        self.refund_seconds = 0.0  # above 0 a refund answers fund_change=N and is done that much later

    def order(self, call: Call) -> Trade:
        """The same order again is the same order; what was paid, closed or is different is refused."""
        now = self.clock.now()
        if (trade := self.trades.get(call.content["out_trade_no"])) is None:
            expires_at = now + CODE_LIVES
            if time := call.content.get("time_expire"):
                expires_at = min(expires_at, datetime.strptime(time, TIME_FORMAT).replace(tzinfo=CHINA))
            if expires_at < now + SHORTEST:
                raise Wrong("40004", "ACQ.INVALID_PARAMETER", "time_expire参数有误")
            trade = Trade(call, secrets.token_hex(12), now, expires_at)
            self.trades[trade.number] = trade
        if trade.paid:
            raise Wrong("40004", "ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
        if not self.payable(trade):
            raise Wrong("40004", "ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
        if trade.call != call:
            raise Wrong("40004", "ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
        return trade

    def payable(self, trade: Trade) -> bool:
        if trade.expires_at <= self.clock.now() and trade.status == "WAIT_BUYER_PAY":
            trade.status = "TRADE_CLOSED"
        return trade.status in ("", "WAIT_BUYER_PAY") and trade.expires_at > self.clock.now()

    def open(self, trade: Trade) -> None:
        """The payer scans the code or reaches the cashier: only now it is a trade."""
        if self.payable(trade) and not trade.status:
            trade.status = "WAIT_BUYER_PAY"
            trade.trade_no = f"{self.clock.now().astimezone(CHINA):%Y%m%d}22001{secrets.randbelow(10**15):015}"

    def pay(self, trade: Trade, amount: int) -> None:
        trade.status, trade.paid, trade.paid_at = "TRADE_SUCCESS", amount, self.clock.now()

    def charge_again(self, number: str) -> str:
        """The payer is charged a second time for one order, which the real one should never do; the trade."""
        now = self.clock.now()
        again = self.trades[f"{number} again"] = Trade(self.trades[number].call, "", now, now + CODE_LIVES)
        self.open(again)
        self.pay(again, again.asked)
        return again.trade_no

    def moved(self) -> Moved:
        paid = [trade for trade in self.trades.values() if trade.paid]
        return (
            [Charge(trade.number, trade.trade_no, trade.paid, "CNY") for trade in paid],
            [Return(name, trade.number, it.amount) for trade in paid for name, it in trade.refunds.items()],
        )

    def find(self, call: Call) -> Trade:
        number, trade_no = call.content.get("out_trade_no"), call.content.get("trade_no")
        for trade in self.trades.values():
            if trade.status and (trade.trade_no == trade_no if trade_no else trade.number == number):
                self.payable(trade)
                return trade
        raise Wrong("40004", "ACQ.TRADE_NOT_EXIST", "交易不存在")

    def query(self, call: Call) -> dict[str, str]:
        trade = self.find(call)
        node = BUYER | {
            "out_trade_no": trade.number,
            "total_amount": yuan(trade.paid or trade.asked),
            "trade_no": trade.trade_no,
            "trade_status": trade.status,
        }
        if trade.paid_at:
            node |= {"send_pay_date": china(trade.paid_at), "receipt_amount": yuan(trade.paid)}
        return node

    def close(self, call: Call) -> dict[str, str]:
        trade = self.find(call)
        if trade.status != "WAIT_BUYER_PAY":
            raise Wrong("40004", "ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
        trade.status = "TRADE_CLOSED"
        return {"out_trade_no": trade.number, "trade_no": trade.trade_no}

    def refund(self, call: Call) -> dict[str, str]:
        trade = self.find(call)
        amount = int(Decimal(call.content["refund_amount"]) * 100)
        number = call.content.get("out_request_no", trade.number)
        if not trade.paid:
            raise Wrong("40004", "ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
        if "out_request_no" not in call.content and amount != trade.paid:
            raise Wrong("40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额与订单金额不一致")
        changed = False
        if known := trade.refunds.get(number):
            if known.amount != amount:
                raise Wrong("40004", "ACQ.DISCORDANT_REPEAT_REQUEST", "请求信息不一致")
        elif trade.status == "TRADE_FINISHED":
            raise Wrong("40004", "ACQ.TRADE_HAS_FINISHED", "交易已完结")
        elif trade.refunded + amount > trade.paid:
            raise Wrong("40004", "ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效")
        else:
            now = self.clock.now()
            if any(it.asked_at and now - it.asked_at < REFUNDS_APART for it in trade.refunds.values()):
                raise Wrong("20000", "ACQ.SYSTEM_ERROR", "同一笔交易的退款需间隔3秒以上")
            trade.refunds[number] = Refund(amount, now + timedelta(seconds=self.refund_seconds), now)
            if trade.refunded == trade.paid:
                trade.status = "TRADE_CLOSED"
            changed = not self.refund_seconds
            self.refunded(trade, number)
        return {
            "buyer_user_id": BUYER["buyer_user_id"],
            "fund_change": "Y" if changed else "N",
            "out_trade_no": trade.number,
            "refund_fee": yuan(trade.refunded),
            "trade_no": trade.trade_no,
        }

    def refund_query(self, call: Call) -> dict[str, str]:
        trade = self.find(call)
        number = call.content["out_request_no"]
        refund = trade.refunds.get(number)
        if refund is None or refund.done_at > self.clock.now():
            return {}
        return {
            "out_request_no": number,
            "out_trade_no": trade.number,
            "refund_amount": yuan(refund.amount),
            "refund_status": "REFUND_SUCCESS",
            "total_amount": yuan(trade.paid),
            "trade_no": trade.trade_no,
        }

    def bill(self, day: str) -> bytes:
        """The zip of one past day in GMT+8."""
        over = day < china(self.clock.now())[:10]
        rows = list(self._bill_rows(day)) if over else []
        if not rows and not (over and self.empty_bills):
            raise Wrong("40004", "isp.bill_not_exist", "账单不存在")
        if not rows:
            return b"PK\5\6" + bytes(18)  # a zip of nothing
        table = io.StringIO(newline="")
        table.write(f"#支付宝业务明细查询\r\n#起始日期：[{day}]\r\n#-----业务明细列表-----\r\n")
        table.write(_BILL_HEADER)
        csv.writer(table).writerows(rows)
        table.write(f"#-----业务明细列表结束-----\r\n#合计：{len(rows)}笔\r\n")
        archive = io.BytesIO()
        with ZipFile(archive, "w") as files:
            files.writestr(f"{day}_业务明细.csv", table.getvalue().encode("gbk"))
            files.writestr(f"{day}_业务明细(汇总).csv", "#支付宝业务汇总查询\r\n门店编号,门店名称\r\n".encode("gbk"))
        return archive.getvalue()

    def _bill_rows(self, day: str) -> Iterator[list[str]]:
        for trade in self.trades.values():
            if trade.paid_at and china(trade.paid_at).startswith(day):
                fee = f"-{yuan(kept_of(trade.paid))}"
                yield _bill_row(trade, "交易", trade.paid_at, yuan(trade.paid), "", fee)
            for number, refund in trade.refunds.items():
                if china(refund.done_at).startswith(day):
                    yield _bill_row(
                        trade, "退款", refund.done_at, f"-{yuan(refund.amount)}", number, yuan(kept_of(refund.amount))
                    )


def kept_of(fen: int) -> int:
    """Alipay's fee of a charge, which it gives back with a refund: 0.6%."""
    return round(fen * 6 / 1000)


def _bill_row(trade: Trade, kind: str, done_at: datetime, amount: str, request: str, fee: str) -> list[str]:
    names = f"{trade.trade_no}\t", f"{trade.number}\t", kind, trade.call.content["subject"]
    who = china(trade.created_at), china(done_at), "", "", "", "\t", BUYER["buyer_logon_id"]
    money = amount, amount, *("0.00",) * 5, "", "0.00", "0.00"
    return [*names, *who, *money, f"{request}\t", fee, "0.00", ""]
