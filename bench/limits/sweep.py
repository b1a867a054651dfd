"""The limit of expiry: one statement ends all that is stale and writes an event for each. No rule, no lock order."""

from typing import Any

import psycopg
from psycopg import sql

from bench.speed.fill import columns

_UNLIKE = {
    "id": "nextval(pg_get_serial_sequence('orders_event', 'id'))",
    "public_id": "'evt_' || substr(md5(q.token), 1, 24)",
    "type": "'payment_request.expired'",
    "order_id": "q.order_id",
    "request": "q.public_id",
    "seq": "q.seq",
    "object_id": "q.public_id",
    "created_at": "clock_timestamp()",
    "sequence": "NULL",
}


def expire(database: "psycopg.Connection[Any]") -> int:
    """How many it ended. Everything else an event has is as in the first one there is."""
    names = columns(database, "orders_event")
    values = [sql.SQL(_UNLIKE[name]) if name in _UNLIKE else sql.Identifier("t", name) for name in names]
    statement = sql.SQL(
        "WITH q AS (UPDATE payments_paymentrequest "
        "SET status = 'expired', closed_at = clock_timestamp(), seq = seq + 1 "
        "WHERE status = 'open' AND amount_held = 0 AND expires_at <= clock_timestamp() "
        "RETURNING token, public_id, order_id, seq) "
        "INSERT INTO orders_event ({names}) SELECT {values} FROM q, "
        "(SELECT * FROM orders_event WHERE request <> '' ORDER BY id LIMIT 1) t"
    )
    listed = sql.SQL(", ").join(map(sql.Identifier, names))
    return database.execute(statement.format(names=listed, values=sql.SQL(", ").join(values))).rowcount
