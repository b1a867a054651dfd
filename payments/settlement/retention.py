"""Data retention: what is known of payers is forgotten in time; the ledger stays as it is."""

from datetime import datetime

from django.db import connection

from friendpay.kit import limits

# Each clears what of a row names or recognises a payer, and leaves a row alone whose money is not decided yet. An event
# keeps its fields, empty, for pages and shops read them.
_FORGET = (
    """
    UPDATE payments_payment SET payer_name = '', visitor = '', network = '' WHERE id IN (
        SELECT id FROM payments_payment
        WHERE created_at < %s AND status IN ('succeeded', 'failed', 'cancelled') AND next_attempt_at IS NULL
            AND (payer_name, visitor, network) <> ('', '', '')
        LIMIT %s FOR UPDATE SKIP LOCKED
    )
    """,
    """
    UPDATE payments_providerevent SET body = '' WHERE id IN (
        SELECT id FROM payments_providerevent
        WHERE received_at < %s AND applied_at IS NOT NULL AND octet_length(body) > 0
        LIMIT %s FOR UPDATE SKIP LOCKED
    )
    """,
    """
    UPDATE orders_event SET data = data || (
        SELECT jsonb_object_agg(key, '') FROM jsonb_object_keys(data) key WHERE key IN ('payer_name', 'name', 'words')
    ) WHERE id IN (
        SELECT id FROM orders_event
        WHERE created_at < %s AND concat(data->>'payer_name', data->>'name', data->>'words') <> ''
        LIMIT %s FOR UPDATE SKIP LOCKED
    )
    """,
    """
    UPDATE payments_paymentrequest SET network = '' WHERE id IN (
        SELECT id FROM payments_paymentrequest
        WHERE created_at < %s AND network <> '' AND status <> 'open'
        LIMIT %s FOR UPDATE SKIP LOCKED
    )
    """,
    """
    UPDATE payments_report SET words = '', owner = '', network = 'forgotten-' || id WHERE id IN (
        SELECT id FROM payments_report
        WHERE created_at < %s AND settled_at IS NOT NULL AND network NOT LIKE 'forgotten-%%'
        LIMIT %s FOR UPDATE SKIP LOCKED
    )
    """,
)


def forget_payers(before: datetime) -> int:
    """Clear the names, cookies, networks and words of payers, and the notifications that may hold their accounts with a
    provider, of all that is older and decided. Says how many rows; a repeat finds none. Amounts and references stay.
    """
    cleared = 0
    with connection.cursor() as cursor:
        for statement in _FORGET:
            while True:
                cursor.execute(statement, [before, limits.RETENTION_BATCH_ROWS])
                cleared += cursor.rowcount
                if cursor.rowcount < limits.RETENTION_BATCH_ROWS:
                    break
    return cleared
