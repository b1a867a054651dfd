"""Ledger check: the proof from the rows alone, without any of the code that wrote them, that no money is lost or stuck.

captured = kept + owed or sent back + held or taken for disputes   for every payment
applied  = what its payments applied, at most the amount           for every request; paid exactly when equal
held     = what its live attempts ask for                          for every request
amount   = its lines + its adjustments                             for every order
"""

from dataclasses import dataclass

from django.db import connection, transaction

from friendpay.kit import clock, limits
from payments.models import LedgerAlarm

_CHECKS = {
    "payment: captured is applied plus what goes back because it did not fit, or which a dispute has": """
        SELECT p.public_id, format('captured %s, applied %s, returned %s', p.amount_captured, p.amount_applied, r.back)
        FROM payments_payment p
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount), 0) AS back FROM payments_refund
            WHERE payment_id = p.id AND reason <> 'merchant' AND status <> 'withdrawn'
        ) r
        WHERE p.amount_captured - p.amount_applied - r.back NOT BETWEEN 0 AND p.amount_disputed
    """,
    "payment: what goes back and what disputes have is at most what was captured": """
        SELECT p.public_id,
            format('captured %s, refunded %s, disputed %s', p.amount_captured, r.back, p.amount_disputed)
        FROM payments_payment p
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount), 0) AS back FROM payments_refund
            WHERE payment_id = p.id AND status <> 'withdrawn'
        ) r
        WHERE p.amount_disputed NOT BETWEEN 0 AND p.amount_captured - r.back
    """,
    "payment: disputed is the sum of what its disputes have": """
        SELECT p.public_id, format('disputed %s, its disputes %s', p.amount_disputed, d.taken)
        FROM payments_payment p
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_taken), 0) AS taken FROM payments_dispute WHERE payment_id = p.id
        ) d
        WHERE p.amount_disputed <> d.taken
    """,
    "dispute: has money while it is open or when it is lost, through the payment's account": """
        SELECT d.public_id, format('%s, has %s of %s %s', d.status, d.amount_taken, d.currency, d.amount)
        FROM payments_dispute d JOIN payments_payment p ON p.id = d.payment_id
        WHERE d.account_id <> p.account_id OR d.amount_taken < 0
            OR (d.status IN ('inquiry', 'won') AND d.amount_taken <> 0)
            OR (d.currency = p.currency AND d.amount_taken > d.amount)
    """,
    "movement: what a refund moved is what of it is with the payer": """
        SELECT r.public_id, format('%s of %s, moved %s', r.status, r.amount, m.moved)
        FROM payments_refund r
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount), 0) AS moved FROM payments_movement
            WHERE refund_id = r.id AND payment_id = r.payment_id AND currency = r.currency
                AND kind = CASE r.reason WHEN 'merchant' THEN 'refunded' ELSE 'returned' END
        ) m
        WHERE m.moved <> CASE WHEN r.status IN ('succeeded', 'returned_elsewhere') THEN r.amount ELSE 0 END
    """,
    "movement: what a dispute moved is what it has": """
        SELECT d.public_id, format('has %s, moved %s', d.amount_taken, m.moved)
        FROM payments_dispute d
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount), 0) AS moved FROM payments_movement
            WHERE dispute_id = d.id AND payment_id = d.payment_id
        ) m
        WHERE m.moved <> d.amount_taken
    """,
    "movement: what ceased to count had counted, and is in the payment's currency": """
        SELECT p.public_id, format('captured %s, applied %s, unapplied %s', p.amount_captured, p.amount_applied, m.gone)
        FROM payments_payment p
        JOIN (
            SELECT payment_id, sum(amount) FILTER (WHERE kind = 'unapplied') AS gone, array_agg(currency) AS currencies
            FROM payments_movement GROUP BY payment_id
        ) m ON m.payment_id = p.id
        WHERE p.amount_applied + m.gone > p.amount_captured OR p.currency <> ALL (m.currencies)
    """,
    "payment: the merchant sends back at most what was applied": """
        SELECT p.public_id, format('applied %s, refunded %s', p.amount_applied, sum(r.amount))
        FROM payments_payment p
        JOIN payments_refund r ON r.payment_id = p.id AND r.reason = 'merchant' AND r.status <> 'withdrawn'
        GROUP BY p.id HAVING sum(r.amount) > p.amount_applied
    """,
    "payment: refunds are in its currency, through its account, by its shop": """
        SELECT r.public_id, format('%s of a payment in %s', r.currency, p.currency)
        FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
        WHERE (r.currency, r.account_id, r.merchant_id) <> (p.currency, p.account_id, p.merchant_id)
    """,
    "payment: in the currency of its request, through an account of the same shop and mode": """
        SELECT p.public_id, format('%s for %s through %s', p.currency, q.public_id, a.public_id)
        FROM payments_payment p
        JOIN payments_paymentrequest q ON q.id = p.request_id
        JOIN orders_order o ON o.id = q.order_id
        JOIN payments_provideraccount a ON a.id = p.account_id
        WHERE (p.currency, p.merchant_id) <> (q.currency, q.merchant_id)
            OR (a.merchant_id, a.live) <> (p.merchant_id, o.live)
    """,
    "payment: undecided is asked about again": """
        SELECT public_id, status FROM payments_payment
        WHERE status IN ('created', 'pending') AND next_attempt_at IS NULL
    """,
    "refund: undecided is sent or asked about again": """
        SELECT public_id, status FROM payments_refund
        WHERE status IN ('requested', 'submitted') AND next_attempt_at IS NULL
    """,
    "dispute: undecided is asked about again": """
        SELECT public_id, status FROM payments_dispute WHERE closed_at IS NULL AND next_attempt_at IS NULL
    """,
    "payment: captured exactly when succeeded": """
        SELECT public_id, status FROM payments_payment WHERE (status = 'succeeded') <> (amount_captured > 0)
    """,
    "request: paid is the sum of what its payments applied": """
        SELECT q.public_id, format('paid %s, applied %s', q.amount_paid, a.applied)
        FROM payments_paymentrequest q
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_applied), 0) AS applied FROM payments_payment WHERE request_id = q.id
        ) a
        WHERE q.amount_paid <> a.applied
    """,
    "request: held is the sum of its live attempts": """
        SELECT q.public_id, format('held %s, attempts hold %s', q.amount_held, a.held)
        FROM payments_paymentrequest q
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount), 0) AS held FROM payments_payment
            WHERE request_id = q.id AND held_until IS NOT NULL
        ) a
        WHERE q.amount_held <> a.held
    """,
    "request: never more than its amount, and paid exactly when all of it is there": """
        SELECT public_id, format('%s, paid %s and held %s of %s', status, amount_paid, amount_held, amount)
        FROM payments_paymentrequest
        WHERE amount_paid + amount_held > amount OR (status = 'paid') <> (amount_paid = amount)
    """,
    "request: asks for its order's amount, in its currency and for its shop": """
        SELECT q.public_id, format('%s %s of %s %s', q.currency, q.amount, o.currency, o.amount)
        FROM payments_paymentrequest q JOIN orders_order o ON o.id = q.order_id
        WHERE (q.currency, q.merchant_id) <> (o.currency, o.merchant_id)
            OR (q.status IN ('open', 'paid') AND q.amount <> o.amount)
    """,
    "order: its amount is the sum of its lines and adjustments": """
        SELECT o.public_id, format('amount %s, lines %s, adjustments %s', o.amount, l.together, a.together)
        FROM orders_order o
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount), 0) AS together FROM orders_orderline WHERE order_id = o.id
        ) l
        CROSS JOIN LATERAL (
            SELECT coalesce(sum((it->>'amount')::bigint) FILTER (WHERE NOT (it->>'included')::boolean), 0) AS together
            FROM jsonb_array_elements(o.adjustments) AS it
        ) a
        WHERE o.amount <> l.together + a.together
    """,
    "order: paid is the sum of its requests": """
        SELECT o.public_id, format('paid %s, requests %s', o.amount_paid, a.paid)
        FROM orders_order o
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_paid), 0) AS paid FROM payments_paymentrequest WHERE order_id = o.id
        ) a
        WHERE o.amount_paid <> a.paid OR (o.status = 'paid' AND NOT o.paid_elsewhere) <> (o.amount_paid = o.amount)
            OR (o.paid_elsewhere AND (o.status <> 'paid' OR o.amount_paid > 0))
    """,
    "order: refunded is the sum of the merchant's confirmed refunds": """
        SELECT o.public_id, format('refunded %s, confirmed %s', o.amount_refunded, a.back)
        FROM orders_order o
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(r.amount), 0) AS back
            FROM payments_refund r
            JOIN payments_payment p ON p.id = r.payment_id
            JOIN payments_paymentrequest q ON q.id = p.request_id
            WHERE q.order_id = o.id AND r.reason = 'merchant' AND r.status IN ('succeeded', 'returned_elsewhere')
        ) a
        WHERE o.amount_refunded <> a.back
    """,
    "events: an order is told to be paid exactly when it is, and once": """
        SELECT o.public_id, format('%s, told %s times', o.status, e.told)
        FROM orders_order o
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE type = 'order.paid') - count(*) FILTER (WHERE type = 'order.reopened') AS told
            FROM orders_event WHERE order_id = o.id AND type IN ('order.paid', 'order.reopened')
        ) e
        WHERE e.told <> (o.status = 'paid')::int
    """,
    "events: an order is told to be over exactly when it is, and once": """
        SELECT o.public_id, format('%s, told %s times', o.status, e.told)
        FROM orders_order o
        CROSS JOIN LATERAL (
            SELECT count(*) AS told FROM orders_event WHERE order_id = o.id AND type = 'order.expired'
        ) e
        WHERE e.told <> (o.status = 'expired')::int
    """,
    "events: every change of a request is told once and in order": """
        SELECT q.public_id, format('seq %s, %s events up to %s', q.seq, count(e.id), max(e.seq))
        FROM payments_paymentrequest q LEFT JOIN orders_event e ON e.request = q.public_id
        GROUP BY q.id HAVING q.seq <> count(e.id) OR q.seq <> coalesce(max(e.seq), 0)
    """,
}


@dataclass(frozen=True)
class Finding:
    """A rule, and a row that breaks it."""

    rule: str
    object_id: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.object_id} ({self.detail})"


def check() -> list[Finding]:
    """Every row that breaks a rule; [] when the books are right. Reads one consistent state and writes nothing."""
    union = " UNION ALL ".join(
        f"SELECT $rule${rule}$rule$, found.* FROM ({sql}) AS found(object_id, detail)" for rule, sql in _CHECKS.items()
    )
    with connection.cursor() as cursor:
        cursor.execute(union)
        return [Finding(*row) for row in cursor.fetchall()]


@transaction.atomic
def alarm(findings: list[Finding]) -> None:
    """What the desk shows of them: each since it was first found, and none that is no more. Repeating is fine."""
    found = {(finding.rule[:200], finding.object_id[:40]): finding for finding in findings[: limits.ALARMS_KEPT]}
    over = [row.pk for row in LedgerAlarm.objects.all() if (row.rule, row.object_id) not in found]
    LedgerAlarm.objects.filter(pk__in=over).delete()
    now = clock.now()
    LedgerAlarm.objects.bulk_create(
        [
            LedgerAlarm(rule=rule, object_id=object_id, detail=finding.detail[:300], found_at=now)
            for (rule, object_id), finding in found.items()
        ],
        ignore_conflicts=True,
    )
