"""The order of events. Ids are handed out before the commit, so a reader of "id > last" could skip one for ever; a
sequence is given after it, by one publisher at a time (advisory lock), so that nobody who reads on misses any.
"""

from django.db import connection, transaction

from friendpay.kit import limits
from orders.models import Event

_LOCK = 0x66726965_6E647061  # "friendpa": any number nobody else locks

_NUMBER = """
    WITH fresh AS (
        SELECT id, row_number() OVER (ORDER BY id) AS place FROM
            (SELECT id FROM orders_event WHERE sequence IS NULL ORDER BY id LIMIT %s) AS next
    ), last AS (SELECT coalesce(max(sequence), 0) AS sequence FROM orders_event)
    UPDATE orders_event SET sequence = last.sequence + fresh.place
    FROM fresh, last WHERE orders_event.id = fresh.id
"""


def publish() -> int:
    """Give the next sequences to the events that are committed and have none, in the order of their ids. Says how many.

    Sequences become visible in their order: the next publisher waits until this one has committed.
    """
    count = 0
    while Event.objects.filter(sequence=None).exists():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            cursor.execute(_NUMBER, [limits.EVENTS_BATCH_ROWS])
            count += cursor.rowcount
    return count
