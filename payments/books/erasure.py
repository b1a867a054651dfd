"""Erasure of one person's data: names, words, addresses and what recognises her go, everywhere; the ledger stays."""

from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from friendpay.kit.errors import Refused
from orders import access
from orders.models import Access
from payments.books.persons import Person

_OPEN = {
    "open_order": (
        _("An order of this person is still open. Cancel it, or wait until it is over."),
        "SELECT 1 FROM orders_order WHERE id = ANY(%(orders)s) AND status = 'awaiting_payment'",
    ),
    "open_request": (
        _("A payment request of this person is still open. Cancel it, or wait until it is over."),
        "SELECT 1 FROM payments_paymentrequest WHERE order_id = ANY(%(orders)s) AND status = 'open'",
    ),
    "open_payment": (
        _("A payment is not decided yet. Nothing is erased before its money is settled."),
        """SELECT 1 FROM payments_payment
        WHERE id = ANY(%(touched)s) AND (status IN ('created', 'pending') OR next_attempt_at IS NOT NULL)
        UNION ALL SELECT 1 FROM payments_proposal
        WHERE order_id = ANY(%(orders)s) AND decided_at IS NULL AND expires_at > now()""",
    ),
    "open_refund": (
        _("A refund is still owed or on its way. Nothing is erased before the payer has the money."),
        """SELECT 1 FROM payments_refund
        WHERE payment_id = ANY(%(touched)s) AND status IN ('requested', 'submitted', 'failed')""",
    ),
    "open_dispute": (
        _("A dispute is not decided yet, and its evidence is still needed."),
        "SELECT 1 FROM payments_dispute WHERE payment_id = ANY(%(touched)s) AND closed_at IS NULL",
    ),
    "open_report": (
        _("A report about this person is not decided yet. Decide it first."),
        """SELECT 1 FROM payments_report r JOIN payments_paymentrequest q ON q.id = r.request_id
        WHERE q.order_id = ANY(%(orders)s) AND r.settled_at IS NULL""",
    ),
    "stopped_buyer": (
        _("This buyer is stopped. What the shop needs to keep her away is kept: lift the stop first."),
        """SELECT 1 FROM payments_stoppedbuyer s JOIN orders_order o
        ON o.merchant_id = s.merchant_id AND o.buyer_id = s.buyer_id WHERE o.id = ANY(%(orders)s)""",
    ),
}
"""What stands in the way of erasing, and what to do about it."""

_OF_ORDERS = "SELECT public_id FROM payments_paymentrequest WHERE order_id = ANY(%(orders)s)"
_NAMED = """
    SELECT public_id FROM payments_payment WHERE id = ANY(%(payments)s)
    UNION ALL SELECT public_id FROM payments_refund WHERE payment_id = ANY(%(payments)s)
"""
_EVENTS = f"""
    SELECT id FROM orders_event WHERE order_id = ANY(%(orders)s) OR (object_id IN ({_NAMED}) AND request IN (
        SELECT q.public_id FROM payments_paymentrequest q JOIN payments_payment p ON p.request_id = q.id
        WHERE p.id = ANY(%(payments)s)
    ))
"""
_IDS = f"""
    SELECT public_id FROM orders_order WHERE id = ANY(%(orders)s) UNION ALL {_OF_ORDERS}
    UNION ALL SELECT public_id FROM payments_payment WHERE id = ANY(%(touched)s)
    UNION ALL SELECT public_id FROM payments_refund WHERE payment_id = ANY(%(touched)s)
"""

_LOGGED = (
    ("orders", "order", "SELECT unnest(%(orders)s::bigint[])::text"),
    (
        "payments",
        "paymentrequest",
        "SELECT id::text FROM payments_paymentrequest WHERE order_id = ANY(%(orders)s)",
    ),
    ("payments", "payment", "SELECT unnest(%(touched)s::bigint[])::text"),
    ("payments", "refund", "SELECT id::text FROM payments_refund WHERE payment_id = ANY(%(touched)s)"),
    (
        "payments",
        "report",
        """SELECT r.id::text FROM payments_report r JOIN payments_paymentrequest q ON q.id = r.request_id
        WHERE q.order_id = ANY(%(orders)s)""",
    ),
)
"""Whose entries in the desk's log may have words of staff about her: notes, reasons."""

_ERASE = (
    # The address of who wants no more mail is known by a digest alone, which keeps everybody from writing there.
    "DELETE FROM payments_mail WHERE to_id = ANY(%(addresses)s)",
    """UPDATE payments_mailaddress SET address = '', subscription = NULL, visitor = '', network = ''
        WHERE id = ANY(%(addresses)s) AND stopped_at IS NOT NULL""",
    "DELETE FROM payments_mailaddress WHERE id = ANY(%(addresses)s) AND stopped_at IS NULL",
    """UPDATE payments_rolloutrule r
        SET allowed_buyers = allowed_buyers - o.buyer_id, denied_buyers = denied_buyers - o.buyer_id
        FROM orders_order o WHERE o.id = ANY(%(orders)s) AND o.merchant_id = r.merchant_id AND o.buyer_id <> ''
        AND (r.allowed_buyers ? o.buyer_id OR r.denied_buyers ? o.buyer_id)""",
    *(
        f"""UPDATE django_admin_log SET change_message = '', object_repr = '' WHERE object_id IN ({ids})
            AND content_type_id = (
                SELECT id FROM django_content_type WHERE app_label = '{app}' AND model = '{model}')"""
        for app, model, ids in _LOGGED
    ),
    """UPDATE django_admin_log SET change_message = '', object_repr = '' WHERE object_repr IN (
            SELECT nullif(unnest(ARRAY[buyer_id, buyer_name]), '') FROM orders_order WHERE id = ANY(%(orders)s)
        ) AND content_type_id = (
            SELECT id FROM django_content_type WHERE app_label = 'payments' AND model = 'stoppedbuyer')""",
    "UPDATE payments_proposal SET form = '', what = '', why = '' WHERE order_id = ANY(%(orders)s)",
    f"""UPDATE orders_webhookattempt SET answer = '' WHERE answer <> '' AND delivery_id IN (
            SELECT id FROM orders_webhookdelivery WHERE event_id IN ({_EVENTS}))""",
    f"""UPDATE orders_apicall c SET body = '', answer = '', query = '{{}}' FROM ({_IDS}) ours
        WHERE c.merchant_id = ANY(%(shops)s)
        AND (strpos(c.path, ours.public_id) > 0 OR strpos(c.body, ours.public_id) > 0
            OR strpos(c.answer, ours.public_id) > 0 OR strpos(c.query::text, ours.public_id) > 0)""",
    f"""UPDATE orders_event SET data = data || (
            SELECT coalesce(
                jsonb_object_agg(key, CASE key WHEN 'metadata' THEN '{{}}'::jsonb ELSE '""'::jsonb END), '{{}}')
            FROM jsonb_object_keys(data) key
            WHERE key IN ('metadata', 'payer_name', 'name', 'words', 'note', 'paid_elsewhere_note', 'returned_how')
        ) WHERE id IN ({_EVENTS})""",
    """UPDATE payments_providerevent e SET body = '', outcome = NULL, note = '', error = '' FROM payments_payment p
        WHERE p.id = ANY(%(payments)s) AND e.account_id = p.account_id AND e.next_attempt_at IS NULL
        AND (e.reference = p.reference OR e.charge = p.reference
            OR (p.provider_ref <> '' AND e.charge_ref = p.provider_ref)
            OR e.reference IN (SELECT reference FROM payments_refund WHERE payment_id = p.id))""",
    """UPDATE payments_report SET words = '', owner = '', network = 'forgotten-' || id
        WHERE request_id IN (SELECT id FROM payments_paymentrequest WHERE order_id = ANY(%(orders)s))
        OR (request_id, network) IN (
            SELECT request_id, network FROM payments_payment WHERE id = ANY(%(payments)s) AND network <> '')""",
    """UPDATE payments_dispute SET words = '', error = '' WHERE payment_id = ANY(%(touched)s)""",
    """UPDATE payments_refund SET note = '', words = '', error = '',
            returned_how = CASE status WHEN 'returned_elsewhere' THEN '-' ELSE '' END
        WHERE payment_id = ANY(%(touched)s)""",
    """UPDATE payments_payment
        SET payer_name = '', visitor = '', network = '', next_step = '{}', words = '', error = ''
        WHERE id = ANY(%(payments)s)""",
    """UPDATE payments_paymentrequest SET message = '', metadata = '{}', network = '', shares = (
            SELECT coalesce(jsonb_agg(share || '{"name": ""}' ORDER BY place), '[]')
            FROM jsonb_array_elements(shares) WITH ORDINALITY AS it (share, place)
        ) WHERE order_id = ANY(%(orders)s)""",
    "DELETE FROM orders_deliverynote WHERE order_id = ANY(%(orders)s)",
    """UPDATE orders_order
        SET buyer_id = '', buyer_name = '', metadata = '{}', return_url = '', paid_elsewhere_note = ''
        WHERE id = ANY(%(orders)s)""",
)
"""Amounts, times, statuses and references stay, whatever they are of. An event keeps its fields, empty, for shops
read them.
"""


@transaction.atomic
def erase(person: Person, *, who: str, reason: str) -> int:
    """Erase all that names or recognises her; how many rows that touched. Who did it, and why, is on record; of her,
    the record says nothing. A repeat finds nobody.

    Refused, with nothing changed, while money of hers is not settled, or while what is known is still needed.
    """
    with connection.cursor() as cursor:
        params = _params(cursor, person)
        for code, (words, sql) in _OPEN.items():
            cursor.execute(f"{sql} LIMIT 1", params)
            if cursor.fetchone():
                raise Refused(code, words)
        touched = 0
        for sql in _ERASE:
            cursor.execute(sql, params)
            touched += cursor.rowcount
    access.note(who, Access.Kind.ERASED, person.said, reason=reason)
    return touched


def _params(cursor: Any, person: Person) -> dict[str, list[int]]:
    """The keys; all is locked from above, so that nothing begins meanwhile. `touched` are all payments of her orders
    and her own, whose refunds may have words about her.
    """
    params = {name: list(getattr(person, name)) for name in ("orders", "payments", "addresses")}
    cursor.execute(
        """SELECT o.id, o.merchant_id FROM orders_order o WHERE o.id = ANY(%(orders)s) OR o.id IN (
            SELECT q.order_id FROM payments_paymentrequest q JOIN payments_payment p ON p.request_id = q.id
            WHERE p.id = ANY(%(payments)s)
        ) ORDER BY o.id FOR UPDATE""",
        params,
    )
    params["shops"] = sorted({merchant_id for _order, merchant_id in cursor.fetchall()})
    cursor.execute(
        """SELECT p.id FROM payments_payment p JOIN payments_paymentrequest q ON q.id = p.request_id
        WHERE p.id = ANY(%(payments)s) OR q.order_id = ANY(%(orders)s) ORDER BY p.id FOR UPDATE OF p""",
        params,
    )
    params["touched"] = [row[0] for row in cursor.fetchall()]
    return params
