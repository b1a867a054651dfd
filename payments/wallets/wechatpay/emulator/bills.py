"""WeChat Pay's daily trade bill: in yuan, every value behind a mark, a summary at its end."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from payments.wallets.wechatpay.emulator.orders import CHINA, Order, Refund
from payments.wallets.wechatpay.emulator.requests import Problem

READY_AT = timedelta(days=1, hours=10)
KEPT = timedelta(days=92)

_HEADER = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
_SUMMARY = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02}"


def kept_of(fen: int) -> int:
    """WeChat Pay's fee of a charge, which it gives back with a refund: 0.6%."""
    return round(fen * 6 / 1000)


def bill(orders: Iterable[Order], day: date, now: datetime) -> str:
    """What was paid and what was sent back on a day in China; ready at ten on the next one."""
    starts = datetime.combine(day, datetime.min.time(), CHINA)
    if now < starts + timedelta(days=1) or now > starts + KEPT:
        raise Problem(400, "INVALID_REQUEST", "账单日期超出范围")
    if now < starts + READY_AT:
        raise Problem(400, "STATEMENT_CREATING", "账单生成中，请稍后再试")

    def that_day(moment: datetime) -> bool:
        return starts <= moment < starts + timedelta(days=1)

    rows, charged, sent_back, kept = [], 0, 0, 0
    for order in orders:
        if order.paid_at and that_day(order.paid_at):
            rows.append(_row(order, order.paid_at, "SUCCESS", order.paid))
            charged += order.paid
            kept += kept_of(order.paid)
        for refund in order.refunds.values():
            if that_day(refund.created_at):
                rows.append(_row(order, refund.created_at, "REFUND", 0, refund))
                sent_back += refund.amount
                kept -= kept_of(refund.amount)
    if not rows:
        raise Problem(400, "NO_STATEMENT_EXIST", "账单文件不存在")
    sums = [yuan(charged), yuan(sent_back), "0.00", f"{kept / 100:.5f}", yuan(charged), yuan(sent_back)]
    lines = [_HEADER, *map(_marked, rows), _SUMMARY, _marked([str(len(rows)), *sums])]
    return "\ufeff" + "".join(f"{line}\r\n" for line in lines)


def _row(order: Order, at: datetime, state: str, charged: int, refund: Refund | None = None) -> list[str]:
    back = yuan(refund.amount) if refund else "0.00"
    return [
        f"{at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}",
        *(order.content["appid"], order.content["mchid"], "0", "", order.transaction_id, order.number, order.payer),
        *(order.trade_type, state, "OTHERS", "CNY", yuan(charged), "0.00"),
        *(refund.refund_id if refund else "0", refund.number if refund else "0", back, "0.00"),
        *("ORIGINAL" if refund else "", refund.status if refund else "", order.content["description"], ""),
        *(f"{'-' if refund else ''}{yuan(kept_of(refund.amount if refund else charged))}000", "0.60%"),
        *(yuan(charged), back, ""),
    ]


def _marked(values: list[str]) -> str:
    return ",".join(f"`{value}" for value in values)
