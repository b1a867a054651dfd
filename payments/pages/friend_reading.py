"""All that the friend's page shows, read at one moment by one statement."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, Self

import psycopg
from django.http import Http404

from friendpay.kit import clock, limits, reads
from friendpay.kit.money import Money
from friendpay.kit.reads_ahead import Readers
from friendpay.kit.templatetags.pictures import own_picture
from orders.models import Order
from orders.models.picture import path_of
from payments.mail import outbox, pushing
from payments.models import Payment, PaymentRequest, Refund
from payments.offers.rollout import Case
from payments.offers.shop_settings import REVISION, ShopSettings, settings_of
from payments.pages.attempts import Attempts
from payments.pages.frame import Basket, Line

_SHOPS = ("metadata",)  # what no friend sees need not be read
_REQUEST, _ORDER = reads.columns(PaymentRequest, "r", but=_SHOPS), reads.columns(Order, "o", but=_SHOPS)
_OWN = 8  # what stands before them
_LATER = 4
_WIDTH = len(reads.fields(PaymentRequest, _SHOPS))

_READ = f"""
    SELECT clock_timestamp(), {REVISION}, lines.them::text, tried.them::text, tried.in_vain,
        CASE WHEN r.status = 'expired' THEN (
            SELECT later.token FROM payments_paymentrequest later
            WHERE later.order_id = o.id AND later.status = 'open' AND later.shared_at IS NOT NULL) END,
        CASE WHEN r.status = 'open' AND %(visitor)s <> '' THEN (
            SELECT mail.next_attempt_at FROM payments_mail mail
            JOIN payments_mailaddress address ON address.id = mail.to_id
            WHERE mail.kind = 'reminder' AND mail.sent_at IS NULL
                AND address.request_id = r.id AND address.visitor = %(visitor)s
            ORDER BY mail.id LIMIT 1) END,
        CASE WHEN r.status = 'paid' AND %(visitor)s <> '' THEN (
            SELECT event.data FROM orders_event event
            WHERE event.order_id = o.id AND event.type = 'payment_request.thanked' ORDER BY event.id DESC LIMIT 1) END,
        CASE WHEN %(visitor)s <> '' THEN (
            SELECT json_agg(refund ORDER BY refund.id)::text FROM payments_refund refund
            JOIN payments_payment paid ON paid.id = refund.payment_id
            WHERE paid.request_id = r.id AND paid.visitor = %(visitor)s AND refund.status <> 'withdrawn') END,
        {_REQUEST}, {_ORDER}
    FROM payments_paymentrequest r
    JOIN orders_order o ON o.id = r.order_id
    JOIN orders_merchant m ON m.id = r.merchant_id
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_array(line.name, line.category, line.quantity::text, line.unit, line.amount,
            line.image_url, picture.name) ORDER BY line.id) AS them
        FROM orders_orderline line
        LEFT JOIN orders_picture picture ON picture.id = line.picture_id AND picture.status = 'ready'
        WHERE line.order_id = o.id) lines
    CROSS JOIN LATERAL (
        SELECT json_agg(payment ORDER BY payment.id) FILTER (WHERE payment.held_until IS NOT NULL
                OR payment.amount_applied > 0 OR (payment.visitor = %(visitor)s AND %(visitor)s <> '')) AS them,
            (array_agg(payment.created_at ORDER BY payment.created_at DESC) FILTER (
                WHERE payment.amount_captured = 0 AND payment.held_until IS NULL))[:{limits.FRUITLESS_TRIES}] AS in_vain
        FROM payments_payment payment WHERE payment.request_id = r.id) tried
    WHERE r.token = %(token)s AND r.shared_at IS NOT NULL
"""


class LineRow(NamedTuple):
    """A line of the order."""

    name: str
    category: str
    quantity: str
    unit: str
    amount: int
    image_url: str
    picture_name: str | None  # of the picture that is ready to be shown

    @property
    def picture(self) -> str:
        """Its address on this site, "" where there is none."""
        return own_picture(self.image_url) or (path_of(self.picture_name) if self.picture_name else "")


class Row(NamedTuple):
    """All that PostgreSQL says of a request at one moment, to this visitor. Its values can be told apart by `==`."""

    now: datetime
    visitor: str
    values: tuple[Any, ...]

    @property
    def leads_on(self) -> bool:
        """Whether the buyer has asked again since the request expired."""
        return self.values[_LATER] is not None


@dataclass(frozen=True)
class Reading:
    """A request with its order, shop and lines; who gave what; and what this visitor did."""

    now: datetime
    shop: ShopSettings
    request: PaymentRequest
    lines: tuple[LineRow, ...]
    attempts: Attempts
    given: list[Payment]
    begun: int  # how many are paying
    refunds: list[Refund]  # those that stand, of what this visitor paid
    thanked: dict[str, Any] | None
    reminder: datetime | None
    later: str  # the token of the request by which the buyer has asked again since this one expired
    share: int | None = None  # the named one that the page is for

    def of_share(self, number: str) -> Self:
        """The same for one who opens the page of a share, counted from 1: what was tried on that alone, once it is
        known which. What names none of its shares is a page for all of them.
        """
        share, known = self.request.share_numbered(number), self.attempts
        if share is None:
            return self
        own, others = ([it for it in tried if it.share == share] for tried in (known.own, known.others))
        return replace(self, share=share, attempts=replace(known, own=own, others=others))

    @property
    def case(self) -> Case:
        goods = tuple((line.name, line.category) for line in self.lines)
        return Case.known(self.request.order, goods, self.shop.rules)

    @property
    def basket(self) -> Basket:
        order = self.request.order
        lines = (
            Line.of(it.name, Decimal(it.quantity), it.unit, Money(it.amount, order.currency), it.picture)
            for it in self.lines
        )
        return Basket.of(order, lines)


def read(token: str, visitor: str) -> Reading:
    """404 where there is no such request, or nobody was asked by it: the buyer began to pay herself. `visitor` is ""
    for one who is not known.
    """
    row = reads.one(_READ, {"token": token, "visitor": visitor})
    if row is None:
        raise Http404
    return _made(row[1:], visitor, clock.told(row[0]))


async def row_ahead(token: str, visitor: str, readers: Readers) -> Row | None:
    """What PostgreSQL says, on the event loop; None where there is no such request, or the database is in trouble."""
    try:
        row = await readers.one(_READ, {"token": token, "visitor": visitor})
    except (psycopg.Error, TimeoutError):
        return None
    if row is None:
        return None
    return Row(clock.told(row[0]), visitor, tuple(tuple(it) if isinstance(it, list) else it for it in row[1:]))


def made(row: Row, now: datetime) -> Reading:
    """The reading of a row, as it is now. Asks for nothing but a shop's settings, where they have just changed."""
    return _made(row.values, row.visitor, now)


def _made(row: tuple[Any, ...], visitor: str, now: datetime) -> Reading:
    revision, lines, tried, in_vain, later, reminder, thanked, refunds = row[:_OWN]
    request = reads.made(PaymentRequest, row[_OWN : _OWN + _WIDTH], but=_SHOPS)
    shop = settings_of(request.merchant_id, revision)
    request.merchant = shop.merchant
    request.order = reads.made(Order, row[_OWN + _WIDTH :], but=_SHOPS)
    request.order.merchant = shop.merchant
    payments = _payments(request, shop, _told(tried))
    own = [payment for payment in payments if visitor and payment.visitor == visitor]
    holding = [payment for payment in payments if payment.held_until]
    others = [it for it in holding if it not in own and it.held_until and it.held_until > now]
    fruitless = sum(begun > now - limits.FRUITLESS_WITHIN for begun in in_vain or [])
    return Reading(
        now=now,
        shop=shop,
        request=request,
        lines=tuple(LineRow(*line) for line in _told(lines)),
        attempts=Attempts(request, own, others, fruitless, now),
        given=[payment for payment in payments if payment.amount_applied],
        begun=len(holding),
        refunds=_refunds(own, _told(refunds)),
        thanked=json.loads(thanked) if thanked else None,
        reminder=reminder if outbox.offered() or pushing.offered() else None,
        later=later or "",
    )


def _told(rows: str | None) -> list[Any]:
    """What came as JSON."""
    return json.loads(rows) if rows else []


def _payments(request: PaymentRequest, shop: ShopSettings, rows: list[dict[str, Any]]) -> list[Payment]:
    accounts = {account.pk: account for account in shop.accounts}
    payments = [reads.told(Payment, row) for row in rows]
    for payment in payments:
        payment.request, payment.account = request, accounts[payment.account_id]
    return payments


def _refunds(own: list[Payment], rows: list[dict[str, Any]]) -> list[Refund]:
    """Of the last payment of the visitor's that went through."""
    paid = [payment for payment in own if payment.status == Payment.Status.SUCCEEDED][-1:]
    refunds = [reads.told(Refund, row) for row in rows if paid and row["payment_id"] == paid[0].pk]
    for refund in refunds:
        refund.payment = paid[0]
    return refunds
