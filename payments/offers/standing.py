"""How everybody stands whom an ask concerns, read by one statement with the shop's settings."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from friendpay.kit import reads, trust_limits
from orders.models import Merchant
from payments.offers import trust
from payments.offers.shop_settings import REVISION, ShopSettings, settings_of
from payments.offers.trust import Standing, Subject, Use

_NOT_DOUBTED = """
    NOT EXISTS (SELECT FROM payments_report report WHERE report.request_id = r.id AND report.outcome <> 'nothing')
    AND NOT EXISTS (SELECT FROM payments_payment paid WHERE paid.request_id = r.id AND paid.amount_disputed > 0)
"""


def _used(asked: str) -> str:
    """What was asked for, in each currency, as JSON; `asked` yields the requests `r`."""
    spans = {
        "open": "r.status = 'open' AND (r.expires_at > %(now)s OR r.amount_held > 0)",
        "hour": "r.shared_at > %(hour)s",
        "day": "r.shared_at > %(day)s",
        "kept": "r.status = 'paid' OR r.status = 'open' AND (r.expires_at > %(now)s OR r.amount_held > 0)",
    }
    parts = [f"sum(r.amount) FILTER (WHERE {when}) AS {span}" for span, when in spans.items()]
    parts += [f"count(*) FILTER (WHERE {spans[span]}) AS {span}_count" for span in trust.SPANS]
    return f"""(
        SELECT json_agg(each)::text FROM (
            SELECT r.currency, count(*) AS asked, sum(r.amount) AS "all", {", ".join(parts)}
            FROM ({asked}) r GROUP BY r.currency) each)
    """


_COLUMNS = "r.id, r.currency, r.amount, r.amount_held, r.status, r.expires_at, r.shared_at, r.paid_at"
_OF_BUYER = f"""
    SELECT {_COLUMNS} FROM (
        SELECT o.id, o.live FROM orders_order o
        WHERE o.merchant_id = m.id AND o.buyer_id = %(buyer)s AND o.buyer_id <> '' AND o.live
        ORDER BY o.id DESC LIMIT {trust_limits.ORDERS_LOOKED_AT}) o
    JOIN payments_paymentrequest r ON r.order_id = o.id AND r.shared_at IS NOT NULL
"""
_OF_NETWORK = f"""
    SELECT {_COLUMNS} FROM payments_paymentrequest r
    WHERE r.network = %(network)s AND r.network <> '' AND r.shared_at IS NOT NULL
    ORDER BY r.id DESC LIMIT {trust_limits.ASKS_LOOKED_AT}
"""
_OF_SHOP = f"""
    SELECT {_COLUMNS} FROM payments_paymentrequest r JOIN orders_order o ON o.id = r.order_id AND o.live
    WHERE r.merchant_id = m.id AND r.shared_at IS NOT NULL
    ORDER BY r.id DESC LIMIT {trust_limits.ASKS_LOOKED_AT}
"""
_PROVEN = f"r.status = 'paid' AND {_NOT_DOUBTED}"

_SHOP = f"""
    {REVISION}, EXISTS (
        SELECT FROM payments_stoppedbuyer stopped WHERE stopped.merchant_id = m.id AND stopped.buyer_id = %(buyer)s)
"""
_PLAIN = f"SELECT {_SHOP} FROM orders_merchant m WHERE m.id = %(merchant)s"
_READ = f"""
    SELECT {_SHOP},
        CASE WHEN %(live)s AND %(buyer)s <> '' THEN {_used(_OF_BUYER)} END,
        CASE WHEN %(live)s AND %(buyer)s <> '' THEN (
            SELECT min(r.paid_at) FROM ({_OF_BUYER}) r WHERE {_PROVEN}) END,
        CASE WHEN %(network)s <> '' THEN {_used(_OF_NETWORK)} END,
        CASE WHEN %(live)s AND NOT m.is_verified THEN {_used(_OF_SHOP)} END,
        CASE WHEN %(live)s AND NOT m.is_verified THEN (
            SELECT r.paid_at FROM payments_paymentrequest r JOIN orders_order o ON o.id = r.order_id AND o.live
            WHERE r.merchant_id = m.id AND r.shared_at IS NOT NULL AND {_PROVEN} ORDER BY r.id LIMIT 1) END,
        CASE WHEN %(live)s AND NOT m.is_verified THEN (
            SELECT count(DISTINCT report.owner) FROM payments_report report
            WHERE report.merchant_id = m.id AND report.settled_at IS NULL AND report.owner <> '') END
    FROM orders_merchant m WHERE m.id = %(merchant)s
"""


@dataclass(frozen=True)
class Known:
    """A shop's settings as they are now, whether a buyer of it is stopped, and how everybody stands."""

    shop: ShopSettings
    stopped: bool
    standing: Standing


def read(merchant_id: int, buyer: str, now: datetime, *, live: bool, network: str = "") -> Known:
    """As it is now, of a buyer ("" where the shop did not say) and the network she asks from ("" where a shop asks)."""
    asked: dict[str, Any] = {"merchant": merchant_id, "buyer": buyer}
    if not live and not network:
        row = reads.one(_PLAIN, asked)
        return Known(settings_of(merchant_id, _there(row)[0]), _there(row)[1], Standing())
    spans = {"now": now, "hour": now - trust_limits.HOUR, "day": now - trust_limits.DAY}
    row = _there(reads.one(_READ, asked | spans | {"live": live, "network": network}))
    revision, stopped, of_buyer, buyer_paid, of_network, of_shop, shop_paid, reporters = row
    shop = settings_of(merchant_id, revision)
    checked = shop.merchant.is_verified or not live

    def proven(subject: Subject, paid_at: datetime | None, since: datetime | None = None) -> bool:
        cooled = now - trust.caps(subject, shop.trust).cooling
        return paid_at is not None and paid_at <= cooled and (since or paid_at) <= cooled

    since = shop.merchant.created_at
    return Known(
        shop,
        stopped,
        Standing(
            buyer=Use.of(_told(of_buyer), proven=proven(Subject.NEW_BUYER, buyer_paid)) if live and buyer else None,
            network=Use.of(_told(of_network)) if network else None,
            shop=None if checked else Use.of(_told(of_shop), proven=proven(Subject.NEW_SHOP, shop_paid, since)),
            reporters=reporters or 0,
        ),
    )


def lock(merchant_id: int, buyer: str, network: str, subjects: Sequence[Subject]) -> None:
    """Let asks of these come one after another until the transaction ends. Of several, always in the same order."""
    of_shop = {Subject.SHOP, Subject.NEW_SHOP} & {*subjects}
    of_buyer = {Subject.BUYER, Subject.NEW_BUYER} & {*subjects}
    names = [f"shop {merchant_id}"] if of_shop else []
    names += [f"buyer {merchant_id} {buyer}"] if of_buyer else []
    names += [f"network {network}"] if Subject.NETWORK in subjects else []
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"trust {name}"])


def _there(row: tuple[Any, ...] | None) -> tuple[Any, ...]:
    if row is None:
        raise Merchant.DoesNotExist
    return row


def _told(rows: str | None) -> list[dict[str, Any]]:
    """What came as JSON."""
    return json.loads(rows) if rows else []
