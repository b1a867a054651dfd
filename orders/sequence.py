"""The order of a shop's events. Ids are handed out before the commit, so a reader of "id > last" could skip one for
ever; a sequence is given after it, by one publisher of a shop at a time (advisory lock), so that nobody who reads on
misses any. No shop waits for another's publisher.
"""

from django.db import connection, transaction

from friendpay.kit import limits
from orders.models import Event

_LOCKED = """
    SELECT shop, pg_advisory_xact_lock(hashtextextended('events of shop ' || shop, 0)) FROM (
        SELECT DISTINCT merchant_id AS shop FROM
            (SELECT merchant_id FROM orders_event WHERE {} ORDER BY id LIMIT %s) AS next ORDER BY 1 OFFSET 0
    ) AS shops
"""
"""In the order of their keys, so that no two publishers wait for each other. By a name, whose number no other lock has:
a sum of two numbers once met the scheduler's.
"""
_NUMBER = """
    WITH fresh AS (
        SELECT id, merchant_id, row_number() OVER (PARTITION BY merchant_id ORDER BY id) AS place FROM (
            SELECT id, merchant_id FROM orders_event WHERE sequence IS NULL AND merchant_id = ANY(%s)
            ORDER BY id LIMIT %s
        ) AS next
    ), last AS MATERIALIZED (
        SELECT shop AS merchant_id,
            coalesce((SELECT max(sequence) FROM orders_event WHERE merchant_id = shop), 0) AS sequence
        FROM unnest(%s::bigint[]) AS shop
    )
    UPDATE orders_event SET sequence = last.sequence + fresh.place
    FROM fresh JOIN last USING (merchant_id) WHERE orders_event.id = fresh.id
"""
"""The last sequence of a shop is looked for once: looked for again for each event, it would be past all those that this
very statement has numbered.
"""


def publish(merchant_id: int | None = None) -> int:
    """Give the next sequences to the events of a shop, or of all, that are committed and have none, in the order of
    their ids. Says how many.

    A shop's sequences become visible in their order: its next publisher waits until this one has committed.
    """
    waiting = Event.objects.filter(sequence=None)
    which, whose = "sequence IS NULL", []
    if merchant_id is not None:
        waiting = waiting.filter(merchant=merchant_id)
        which, whose = f"{which} AND merchant_id = %s", [merchant_id]
    count = 0
    while waiting.exists():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_LOCKED.format(which), [*whose, limits.EVENTS_BATCH_ROWS])
            shops = [shop for shop, _locked in cursor.fetchall()]
            cursor.execute(_NUMBER, [shops, limits.EVENTS_BATCH_ROWS, shops])
            count += cursor.rowcount
    return count
