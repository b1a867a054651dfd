"""Alipay's daily bill: a zip of CSV files in GBK, of which one lists every charge and refund."""

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from zipfile import BadZipFile, ZipFile

from friendpay.kit.money import Money
from payments.wallets.base import BillLine, State

_MAX_BYTES = 512 << 20

_TRADE_NO = "支付宝交易号"
_REFERENCE = "商户订单号"
_KIND = "业务类型"
_AMOUNT = "订单金额（元）"
_REFUND_REFERENCE = "退款批次号/请求号"
_FEE = "服务费（元）"


def read(archive: bytes) -> list[BillLine]:
    """The lines of a bill. Raises ValueError when it is not one: a line is never left out in silence."""
    try:
        with ZipFile(io.BytesIO(archive)) as files:
            if sum(file.file_size for file in files.infolist()) > _MAX_BYTES:
                raise ValueError("the bill is too long")
            tables = [files.read(file).decode("gb18030") for file in files.infolist()]
        details = [table for table in tables if _TRADE_NO in table]
        if len(details) != 1:
            raise ValueError("the bill has no list of trades")
        return [_line(row) for row in _rows(details[0].splitlines())]
    except (BadZipFile, KeyError, InvalidOperation) as error:
        raise ValueError(f"the bill cannot be read: {error!r}") from error


def _rows(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """The table between the comments; Alipay ends long numbers with a tab so that spreadsheets leave them alone."""
    table = csv.reader(line for line in lines if line.strip() and not line.startswith("#"))
    header = [name.strip() for name in next(table, [])]
    for cells in table:
        yield dict(zip(header, (cell.strip() for cell in cells), strict=False))


def _line(row: dict[str, str]) -> BillLine:
    """All refunds of a trade have its number; their own is the request's, which is the order's where none was given."""
    amount = Money.from_decimal(abs(Decimal(row[_AMOUNT])), "CNY")  # a refund is written as a negative amount
    order, trade = row[_REFERENCE], row[_TRADE_NO]
    fee = Money.from_decimal(abs(Decimal(row[_FEE])), "CNY")  # kept for a charge, given back for a refund
    if "退款" in row[_KIND]:
        return BillLine("refund", row[_REFUND_REFERENCE] or order, "", amount, State.SUCCEEDED, order, trade, -fee)
    return BillLine("charge", order, trade, amount, State.SUCCEEDED, fee=fee)
