"""WeChat Pay's daily trade bill: a text in yuan, read into lines in fen."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from itertools import takewhile

from friendpay.kit.money import Money
from payments.wallets.base import BillLine, State

_REFUND_STATES = {"SUCCESS": State.SUCCEEDED, "PROCESSING": State.PENDING}
_MARK = "`"  # stands before every value, so that spreadsheets keep the digits of long numbers


def lines(text: str) -> Iterator[BillLine]:
    """Every charge and refund of a bill. Raises ValueError when it is not a bill, or a line of it cannot be read.

    Columns are found by their names, since WeChat Pay adds some over time. A summary follows the lines.
    """
    header, *rows = text.removeprefix("\ufeff").splitlines() or [""]
    names = header.split(",")
    if "微信订单号" not in names:
        raise ValueError("not a trade bill")
    for row in takewhile(lambda row: row.startswith(_MARK), rows):
        # A value may hold a comma (a product's name does), but only the end of a value is a comma before the mark.
        try:
            values = dict(zip(names, row.removeprefix(_MARK).split(f",{_MARK}"), strict=True))
            yield _charge(values) if values["交易状态"] == "SUCCESS" else _refund(values)
        except (KeyError, ValueError, InvalidOperation) as error:
            raise ValueError(f"a line of the bill cannot be read: {error!r}") from None


def _charge(values: dict[str, str]) -> BillLine:
    amount = Money.from_decimal(Decimal(values["订单金额"]), values["货币种类"])
    return BillLine("charge", values["商户订单号"], values["微信订单号"], amount, State.SUCCEEDED, fee=_fee(values))


def _refund(values: dict[str, str]) -> BillLine:
    amount = Money.from_decimal(Decimal(values["申请退款金额"]), values["货币种类"])
    state = _REFUND_STATES.get(values["退款状态"], State.FAILED)
    charge = values["商户订单号"], values["微信订单号"]
    return BillLine("refund", values["商户退款单号"], values["微信退款单号"], amount, state, *charge, -_fee(values))


def _fee(values: dict[str, str]) -> Money:
    """What was kept for a charge, or given back for a refund, whatever its sign: the bill counts in a thousandth of a
    fen, and its sum in fen.
    """
    return Money.from_decimal(abs(Decimal(values["手续费"])).quantize(Decimal("0.01")), values["货币种类"])
