"""Exports: what of the books can be had as CSV. It is read by a cursor at the server, in one consistent state."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.db import connection, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from friendpay.kit import limits
from friendpay.kit.money import Money
from payments.books import safe_csv, settlement_report
from payments.books.days import SPANS, Scope
from payments.books.journal import JOURNAL, OF_SCOPE, WITHIN

_OF_ORDERS = "o.live = %(live)s AND (%(shops)s::bigint[] IS NULL OR o.merchant_id = ANY(%(shops)s::bigint[]))"
_OF_ACCOUNTS = "a.live = %(live)s AND (%(shops)s::bigint[] IS NULL OR a.merchant_id = ANY(%(shops)s::bigint[]))"
_PAYMENT = """
    JOIN payments_paymentrequest q ON q.id = p.request_id
    JOIN orders_order o ON o.id = q.order_id
    JOIN payments_provideraccount a ON a.id = p.account_id
    JOIN orders_merchant m ON m.id = p.merchant_id
    JOIN spans s ON s.provider = a.provider
"""
_SHOP = "shop, shop_name, mode"
_IS_SHOP = "m.public_id, m.name, CASE WHEN %(live)s THEN 'live' ELSE 'test' END"


def _on(*columns: str) -> str:
    """That the first of these times there is lies within the days."""
    parts, missing = [], ""
    for column in columns:
        within = f"{column} >= s.starts AND {column} < s.ends AND {column} >= %(early)s AND {column} < %(late)s"
        parts.append(f"({missing}{within})")
        missing += f"{column} IS NULL AND "
    return f"({' OR '.join(parts)})"


@dataclass(frozen=True)
class Export:
    """A table: the names of its columns, and the SQL that gives them in this order. A column of minor units, whose name
    ends in `_minor`, is followed by the same in major units, of the row's `currency`.
    """

    title: Promise
    about: Promise
    columns: str
    sql: str

    def header(self) -> list[str]:
        return [name for column in self._named() for name in _both(column)]

    def rows(self, scope: Scope) -> Iterator[list[Any]]:
        """A cursor at the server gives so many rows at a time; memory stays as it is, however many there are."""
        columns = self._named()
        currency = columns.index("currency") if "currency" in columns else 0
        amounts = [column.endswith("_minor") for column in columns]
        with transaction.atomic(), connection.chunked_cursor() as cursor:
            cursor.execute(f"WITH {SPANS}, {JOURNAL} {self.sql}", scope.params())
            while found := cursor.fetchmany(limits.EXPORT_ROWS_AT_ONCE):
                for row in found:
                    yield _written(row, amounts, row[currency])

    def _named(self) -> list[str]:
        return self.columns.replace(",", " ").split()


def _both(column: str) -> list[str]:
    return [column, column.removesuffix("_minor")] if column.endswith("_minor") else [column]


def _written(row: Sequence[Any], amounts: list[bool], currency: Any) -> list[Any]:
    written = []
    for value, is_amount in zip(row, amounts, strict=True):
        written.append(int(value) if is_amount and value is not None else value)
        if is_amount:
            written.append(None if value is None else Money(int(value), currency).decimal)
    return written


EXPORTS: dict[str, Export] = {
    "orders": Export(
        _("Orders"),
        _("by the day they were placed; those of no wallet's calendar are counted in UTC"),
        f"id, reference, {_SHOP}, status, currency, amount_minor, paid_minor, refunded_minor, paid_elsewhere, "
        "buyer_id, buyer_name, created_at, expires_at, paid_at, cancelled_at, expired_at",
        f"""
        SELECT o.public_id, o.reference, {_IS_SHOP}, o.status, o.currency, o.amount, o.amount_paid, o.amount_refunded,
            o.paid_elsewhere, o.buyer_id, o.buyer_name, o.created_at, o.expires_at, o.paid_at, o.cancelled_at,
            o.expired_at
        FROM orders_order o JOIN orders_merchant m ON m.id = o.merchant_id JOIN spans s ON s.provider = ''
        WHERE {_OF_ORDERS} AND {_on("o.created_at")} ORDER BY o.id
        """,
    ),
    "payments": Export(
        _("Payments"),
        _("every attempt, by the day its money came, or else by the day it was begun"),
        f"id, order_id, order_reference, payment_request, {_SHOP}, status, wallet, account, method, currency, "
        "amount_minor, captured_minor, applied_minor, disputed_minor, our_reference, wallet_reference, payer_name, "
        "by_buyer, failure_code, created_at, succeeded_at",
        f"""
        SELECT p.public_id, o.public_id, o.reference, q.public_id, {_IS_SHOP}, p.status, a.provider, a.public_id,
            p.method, p.currency, p.amount, p.amount_captured, p.amount_applied, p.amount_disputed, p.reference,
            p.provider_ref, p.payer_name, p.by_buyer, p.code, p.created_at, p.succeeded_at
        FROM payments_payment p {_PAYMENT}
        WHERE {OF_SCOPE} AND {_on("p.succeeded_at", "p.created_at")} ORDER BY p.id
        """,
    ),
    "refunds": Export(
        _("Refunds"),
        _("by the day the payer had the money again, or else by the day it was asked for"),
        f"id, payment, order_id, order_reference, {_SHOP}, status, reason, made_at_wallet, wallet, method, currency, "
        "amount_minor, returned_minor, our_reference, wallet_reference, merchant_reference, note, failure_code, "
        "created_at, succeeded_at, closed_at",
        f"""
        SELECT r.public_id, p.public_id, o.public_id, o.reference, {_IS_SHOP}, r.status, r.reason, r.external,
            a.provider, p.method, r.currency, r.amount,
            CASE WHEN r.status IN ('succeeded', 'returned_elsewhere') THEN r.amount ELSE 0 END, r.reference,
            r.provider_ref, r.merchant_reference, r.note, r.code, r.created_at, r.succeeded_at, r.closed_at
        FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id {_PAYMENT}
        WHERE {OF_SCOPE} AND {_on("r.succeeded_at", "r.closed_at", "r.created_at")} ORDER BY r.id
        """,
    ),
    "disputes": Export(
        _("Disputes"),
        _("by the day they were opened"),
        f"id, payment, order_id, order_reference, {_SHOP}, status, wallet, method, dispute_currency, disputed_units, "
        "currency, taken_minor, wallet_reference, reason, opened_at, closed_at",
        f"""
        SELECT d.public_id, p.public_id, o.public_id, o.reference, {_IS_SHOP}, d.status, a.provider, p.method,
            d.currency, d.amount, p.currency, d.amount_taken, d.provider_ref, d.code, d.opened_at, d.closed_at
        FROM payments_dispute d JOIN payments_payment p ON p.id = d.payment_id {_PAYMENT}
        WHERE {OF_SCOPE} AND {_on("d.opened_at")} ORDER BY d.id
        """,
    ),
    "journal": Export(
        _("Journal"),
        _("every movement of money, at its time; the settlement report is its sums"),
        f"at, day_of_bill, kind, {_SHOP}, wallet, method, currency, amount_minor, payment, order_reference, refund, "
        "dispute",
        f"""
        SELECT j.at, j.day, j.kind, {_IS_SHOP}, a.provider, p.method, j.currency, j.amount, p.public_id, o.reference,
            r.public_id, d.public_id
        FROM journal j JOIN payments_payment p ON p.id = j.payment_id {_PAYMENT}
        LEFT JOIN payments_refund r ON r.id = j.refund_id
        LEFT JOIN payments_dispute d ON d.id = j.dispute_id
        WHERE {OF_SCOPE} AND j.at >= %(early)s AND j.at < %(late)s AND {WITHIN} ORDER BY j.at, p.id, j.kind
        """,
    ),
    "fees": Export(
        _("Fees"),
        _("what wallets kept, by the day of their own bill"),
        f"day, {_SHOP}, wallet, account, method, about, reference, payment, order_reference, currency, fee_minor",
        f"""
        SELECT f.day, {_IS_SHOP}, a.provider, a.public_id, p.method, f.about, f.reference, p.public_id, o.reference,
            f.currency, f.amount
        FROM payments_fee f JOIN payments_payment p ON p.id = f.payment_id {_PAYMENT}
        WHERE {OF_SCOPE} AND f.day BETWEEN %(since)s AND %(until)s ORDER BY f.day, f.id
        """,
    ),
    "bills": Export(
        _("Bills"),
        _("by the wallet's own day: which were compared, and what did not agree"),
        f"day, {_SHOP}, wallet, account, compared_at, mismatches, not_put_right, error",
        f"""
        SELECT b.day, {_IS_SHOP}, a.provider, a.public_id, b.compared_at, count(x.id),
            count(x.id) FILTER (WHERE x.settled_at IS NULL), b.error
        FROM payments_billday b
        JOIN payments_provideraccount a ON a.id = b.account_id
        JOIN orders_merchant m ON m.id = a.merchant_id
        LEFT JOIN payments_billmismatch x ON x.account_id = b.account_id AND x.day = b.day
        WHERE {_OF_ACCOUNTS} AND b.day BETWEEN %(since)s AND %(until)s
        GROUP BY b.id, m.id, a.id ORDER BY b.day, b.id
        """,
    ),
    "mismatches": Export(
        _("Bill mismatches"),
        _("by the wallet's own day"),
        f"day, {_SHOP}, wallet, account, kind, about, our_reference, wallet_reference, in_our_books, on_the_bill, "
        "found_at, put_right_at, note",
        f"""
        SELECT x.day, {_IS_SHOP}, a.provider, a.public_id, x.kind, x.about, x.reference, x.provider_ref, x.ours,
            x.theirs, x.found_at, x.settled_at, x.note
        FROM payments_billmismatch x
        JOIN payments_provideraccount a ON a.id = x.account_id
        JOIN orders_merchant m ON m.id = a.merchant_id
        WHERE {_OF_ACCOUNTS} AND x.day BETWEEN %(since)s AND %(until)s ORDER BY x.day, x.id
        """,
    ),
}
"""By the names that the desk and the command use. Each is of the days, shops and mode of a scope."""

SETTLEMENT = "settlement"
_SUMS = [it.name for it in fields(settlement_report.Line)][4:] + ["closing"]


def names() -> list[str]:
    return [SETTLEMENT, *EXPORTS]


def text(name: str, scope: Scope) -> Iterator[str]:
    """The CSV of an export, or of the settlement report, in pieces."""
    if name == SETTLEMENT:
        header = ["shop", "shop_name", "currency", "method"]
        header += [name for column in _SUMS for name in _both(f"{column}_minor")]
        return safe_csv.lines(header, map(_settled, settlement_report.report(scope)))
    export = EXPORTS[name]
    return safe_csv.lines(export.header(), export.rows(scope))


def _settled(line: settlement_report.Line) -> list[Any]:
    sums = [both for name in _SUMS for both in (getattr(line, name), Money(getattr(line, name), line.currency).decimal)]
    return [line.shop, line.shop_name, line.currency, line.method, *sums]
