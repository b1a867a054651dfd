"""WeChat Pay's rules of orders and refunds, without HTTP and without signatures."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from friendpay.demo.emulation.moved import Charge, Moved, Return
from friendpay.demo.emulation.notifier import Clock
from payments.wallets.wechatpay.emulator.requests import Problem, Thing, malformed

CHINA = timezone(timedelta(hours=8))
LIVES = {"native": timedelta(hours=2), "jsapi": timedelta(hours=2), "h5": timedelta(minutes=5)}
SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=7)
REFUND_WITHIN = timedelta(days=365)
WAITS_FOR_BALANCE = timedelta(days=7)
MOST_REFUNDS = 50
BETWEEN_REFUNDS = timedelta(minutes=1)  # of one order

_DESCRIPTIONS = {"SUCCESS": "支付成功", "REFUND": "转入退款", "NOTPAY": "订单未支付", "CLOSED": "订单已关闭"}


def china(moment: datetime) -> str:
    return moment.astimezone(CHINA).isoformat(timespec="seconds")


@dataclass
class Refund:
    content: Thing
    refund_id: str
    created_at: datetime
    status: str = "PROCESSING"
    done_at: datetime | None = None

    @property
    def number(self) -> str:
        return str(self.content["out_refund_no"])

    @property
    def amount(self) -> int:
        return int(self.content["amount"]["refund"])


@dataclass
class Order:
    kind: str  # native, h5, jsapi
    content: Thing
    payable_until: datetime
    state: str = "NOTPAY"
    transaction_id: str = ""
    paid: int = 0
    paid_at: datetime | None = None
    payer: str = ""
    refunds: dict[str, Refund] = field(default_factory=dict)

    @property
    def number(self) -> str:
        return str(self.content["out_trade_no"])

    @property
    def trade_type(self) -> str:
        return "MWEB" if self.kind == "h5" else self.kind.upper()

    @property
    def asked(self) -> int:
        return int(self.content["amount"]["total"])

    @property
    def refunded(self) -> int:
        """What has gone back or is on its way; a refund that was closed gave its part free again."""
        return sum(refund.amount for refund in self.refunds.values() if refund.status != "CLOSED")


@dataclass(frozen=True)
class Prepay:
    """One opening of an order: a code, a link or a prepay_id that lives for a while."""

    order: Order
    expires_at: datetime


class Book:
    """Every order of the shop. Raises Problem where WeChat Pay refuses."""

    def __init__(self, clock: Clock, mchid: str, appid: str, refund_ended: Callable[[Order, Refund], None]) -> None:
        self.clock = clock
        self.mchid = mchid
        self.appid = appid
        self.refund_ended = refund_ended
        self.refunds_wait = False  # True: a refund stays PROCESSING until end_refund
        self.balance_is_short = False  # True: a refund stays PROCESSING, and is closed by itself a week later
        self.orders: dict[str, Order] = {}
        self.prepays: dict[str, Prepay] = {}

    # Orders

    def open(self, kind: str, content: Thing) -> str:
        """A new prepay_id for a new order, or for the same one again."""
        now = self.clock.now()
        self.check_merchant(content["mchid"])
        if content["appid"] != self.appid:
            raise Problem(400, "APPID_MCHID_NOT_MATCH", "AppID和mch_id不匹配")
        if (order := self.orders.get(content["out_trade_no"])) is None:
            until = datetime.fromisoformat(content["time_expire"]) if "time_expire" in content else now + LONGEST
            if not now + SHORTEST < until <= now + LONGEST:
                raise malformed("/time_expire", "time_expire时间过短或过长")
            order = self.orders[content["out_trade_no"]] = Order(kind, content, until)
        if order.state in ("SUCCESS", "REFUND"):
            raise Problem(400, "ORDERPAID", "该订单已支付")
        if order.state == "CLOSED":
            raise Problem(400, "ORDER_CLOSED", "该订单已关闭")
        if (order.kind, order.content) != (kind, content):
            raise Problem(403, "OUT_TRADE_NO_USED", "商户订单号重复")
        prepay_id = f"wx{now.astimezone(CHINA):%d%H%M%S}{secrets.token_hex(13)}"
        self.prepays[prepay_id] = Prepay(order, now + LIVES[kind])
        return prepay_id

    def payable(self, prepay_id: str) -> Order | None:
        """The order behind a code, a link or a prepay_id, if it can be paid now."""
        now = self.clock.now()
        prepay = self.prepays.get(prepay_id)
        if (
            prepay is None
            or prepay.order.state != "NOTPAY"
            or now >= min(prepay.expires_at, prepay.order.payable_until)
        ):
            return None
        return prepay.order

    def pay(self, order: Order, amount: int, payer: str) -> None:
        now = self.clock.now()
        order.state, order.paid, order.paid_at, order.payer = "SUCCESS", amount, now, payer
        order.transaction_id = f"42000{now.astimezone(CHINA):%Y%m%d}{secrets.randbelow(10**15):015}"

    def charge_again(self, number: str) -> str:
        """The payer is charged a second time for one order, which the real one should never do; the transaction."""
        order = self.find(number)
        again = self.orders[f"{number} again"] = Order(order.kind, order.content, order.payable_until)
        self.pay(again, order.asked, order.payer)
        return again.transaction_id

    def find(self, number: str, *, transaction_id: str = "") -> Order:
        if order := self.orders.get(number):
            return order
        for order in self.orders.values():
            if transaction_id and order.transaction_id == transaction_id:
                return order
        raise Problem(404, "ORDER_NOT_EXIST", "订单不存在")

    def check_merchant(self, mchid: str) -> None:
        if mchid != self.mchid:
            raise Problem(400, "MCH_NOT_EXISTS", "商户号不存在")

    def close(self, number: str) -> None:
        order = self.find(number)
        if order.state in ("SUCCESS", "REFUND"):
            raise Problem(400, "ORDERPAID", "该订单已支付，不能关闭")
        order.state = "CLOSED"

    def moved(self) -> Moved:
        paid = [order for order in self.orders.values() if order.paid]
        sent = [(order, it) for order in paid for it in order.refunds.values() if it.status != "CLOSED"]
        return (
            [Charge(order.number, order.transaction_id, order.paid, "CNY") for order in paid],
            [Return(it.number, order.number, it.amount) for order, it in sent],
        )

    def told(self, order: Order) -> Thing:
        """As a query and a notification tell it."""
        thing: Thing = {
            "appid": order.content["appid"],
            "mchid": order.content["mchid"],
            "out_trade_no": order.number,
            "trade_state": order.state,
            "trade_state_desc": _DESCRIPTIONS[order.state],
            "attach": order.content.get("attach", ""),
            "amount": {"total": order.asked, "currency": "CNY"},
        }
        if order.paid_at is None:
            return thing
        paid = {"total": order.paid, "payer_total": order.paid, "currency": "CNY", "payer_currency": "CNY"}
        return thing | {
            "transaction_id": order.transaction_id,
            "trade_type": order.trade_type,
            "bank_type": "OTHERS",
            "success_time": china(order.paid_at),
            "payer": {"openid": order.payer},
            "amount": paid,
        }

    # Refunds

    def refund(self, content: Thing) -> Thing:
        """Accepted, which is not refunded. The same number with the same content is the same refund (W8)."""
        number, transaction_id = content.get("out_trade_no", ""), content.get("transaction_id", "")
        if bool(number) == bool(transaction_id):
            raise malformed("/out_trade_no", "transaction_id与out_trade_no二选一")
        try:
            order = self.find(number, transaction_id=transaction_id)
        except Problem:
            raise Problem(404, "RESOURCE_NOT_EXISTS", "订单不存在") from None
        now = self.clock.now()
        if earlier := self._refund(content["out_refund_no"]):
            if earlier[1].content["amount"] != content["amount"] or earlier[0] is not order:
                raise Problem(400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试")
            return self.refund_told(*earlier)
        if order.paid_at is None:
            raise Problem(400, "INVALID_REQUEST", "订单未支付，无法退款")
        if content["amount"]["total"] != order.paid:
            raise Problem(400, "PARAM_ERROR", "订单金额不一致")
        if order.refunded + content["amount"]["refund"] > order.paid:
            raise Problem(400, "INVALID_REQUEST", "申请退款金额大于订单可退金额")
        if len(order.refunds) >= MOST_REFUNDS:
            raise Problem(400, "INVALID_REQUEST", "部分退款次数已超过50次")
        if now - order.paid_at > REFUND_WITHIN:
            raise Problem(400, "INVALID_REQUEST", "订单已超过可退款的最大期限")
        if any(now - other.created_at < BETWEEN_REFUNDS for other in order.refunds.values()):
            raise Problem(429, "FREQUENCY_LIMITED", "单笔订单请求频率过高，请于1分钟后重试")
        refund_id = f"50300{now.astimezone(CHINA):%Y%m%d}{secrets.randbelow(10**16):016}"
        refund = order.refunds[content["out_refund_no"]] = Refund(content, refund_id, now)
        order.state = "REFUND"
        accepted = self.refund_told(order, refund)
        if not self.refunds_wait and not self.balance_is_short:
            self.end_refund(refund.number)
        return accepted

    def _close_stale(self) -> None:
        """What waited too long for the shop's balance is closed; everybody who looks at refunds does this first."""
        if self.balance_is_short:
            oldest = self.clock.now() - WAITS_FOR_BALANCE
            for order in self.orders.values():
                for refund in order.refunds.values():
                    if refund.status == "PROCESSING" and refund.created_at <= oldest:
                        self.end_refund(refund.number, "CLOSED")

    def end_refund(self, number: str, status: str = "SUCCESS") -> None:
        """SUCCESS, CLOSED or ABNORMAL: the end of a refund, of which the shop is told."""
        if (found := self._known(number)) is None:
            raise KeyError(number)
        order, refund = found
        refund.status, refund.done_at = status, self.clock.now()
        self.refund_ended(order, refund)

    def find_refund(self, number: str) -> Thing:
        if found := self._refund(number):
            return self.refund_told(*found)
        raise Problem(404, "RESOURCE_NOT_EXISTS", "退款单不存在")

    def _refund(self, number: str) -> tuple[Order, Refund] | None:
        self._close_stale()
        return self._known(number)

    def _known(self, number: str) -> tuple[Order, Refund] | None:
        for order in self.orders.values():
            if number in order.refunds:
                return order, order.refunds[number]
        return None

    def refund_told(self, order: Order, refund: Refund) -> Thing:
        sums = {"total": order.paid, "refund": refund.amount, "payer_total": order.paid, "payer_refund": refund.amount}
        settled = {"settlement_total": order.paid, "settlement_refund": refund.amount, "discount_refund": 0}
        thing: Thing = {
            "refund_id": refund.refund_id,
            "out_refund_no": refund.number,
            "transaction_id": order.transaction_id,
            "out_trade_no": order.number,
            "channel": "ORIGINAL",
            "user_received_account": "支付用户零钱",
            "create_time": china(refund.created_at),
            "status": refund.status,
            "funds_account": "AVAILABLE",
            "amount": sums | settled | {"currency": "CNY"},
            "promotion_detail": [],
        }
        if refund.status == "SUCCESS" and refund.done_at:
            thing["success_time"] = china(refund.done_at)
        return thing
