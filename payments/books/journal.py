"""The journal: every movement of money at a wallet, from the rows that say so, as one table."""

JOURNAL = """
    journal AS (
        SELECT p.id AS payment_id, NULL::bigint AS refund_id, NULL::bigint AS dispute_id, 'captured' AS kind,
            p.currency, p.amount_captured AS amount, p.succeeded_at AS at, NULL::date AS day
        FROM payments_payment p WHERE p.succeeded_at IS NOT NULL
        UNION ALL
        SELECT p.id, NULL, NULL, 'applied', p.currency, p.amount_applied + coalesce(u.amount, 0), p.succeeded_at, NULL
        FROM payments_payment p
        LEFT JOIN LATERAL (
            SELECT sum(amount) AS amount FROM payments_movement WHERE payment_id = p.id AND kind = 'unapplied'
        ) u ON true
        WHERE p.succeeded_at IS NOT NULL AND p.amount_applied + coalesce(u.amount, 0) > 0
        UNION ALL
        SELECT payment_id, refund_id, dispute_id, kind, currency, amount, at, NULL FROM payments_movement
        UNION ALL
        SELECT payment_id, NULL, NULL, 'fee', currency, amount, day::timestamp AT TIME ZONE 'UTC', day
        FROM payments_fee
    )
"""
"""Amounts are as their kind says: what was captured, what of it counted, what was refunded ... Fees are of the day of
the wallet's bill, whose `at` is near enough to find it by.
"""

BEFORE = "CASE WHEN j.day IS NULL THEN j.at < s.starts ELSE j.day < %(since)s END"
WITHIN = """
    CASE WHEN j.day IS NULL THEN j.at >= s.starts AND j.at < s.ends ELSE j.day BETWEEN %(since)s AND %(until)s END
"""
OF_SCOPE = "a.live = %(live)s AND (%(shops)s::bigint[] IS NULL OR p.merchant_id = ANY(%(shops)s::bigint[]))"
