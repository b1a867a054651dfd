"""Reads what people were told and what the books say when all is over, and names everything that does not fit.

It shares no code with what it checks: it reads tables, the wallet's own books, and the record of what people did.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psycopg

from bench import ends, linear
from bench.ends import Rows, Told
from bench.wallets import Books, Wallet

LOSSES = (
    "acknowledged payments lost",
    "acknowledged requests lost",
    "double-settled",
    "refunds beyond captures",
    "refunds asked for twice",
    "wallet and books differ",
    "seq went back",
    "answers older than the question",
    "two states of one seq",
    "stories that ended otherwise",
    "money booked for another",
    "webhooks lost or false",
    "events out of order or false",
)


def check(
    history: Iterable[Told], database: "psycopg.Connection[tuple[Any, ...]]", wallet: Wallet
) -> dict[str, list[str]]:
    """Everything that is wrong, by kind of loss; every kind is there, empty when all is well."""

    def rows(sql: str) -> list[tuple[Any, ...]]:
        return database.execute(sql).fetchall()

    told, books = list(history), wallet.books(database)
    finders: tuple[Iterator[str], ...] = (
        _payments_lost(told, rows),
        _requests_lost(told, rows),
        _double_settled(rows),
        _refunds_beyond(rows),
        _refunds_twice(told, rows),
        _books_differ(books, rows),
        _seq_back(told),
        linear.stale(told),
        linear.differing(told),
        (wrong for affair in ends.affairs(told, rows, books) for wrong in affair.wrongs()),
        ends.crossed(told, rows, books),
        _webhooks_lost(told, rows),
        _events_false(rows),
    )
    return {loss: list(found) for loss, found in zip(LOSSES, finders, strict=True)}


def read(path: Path) -> Iterator[Told]:
    """A history, line by line. A last line that was broken off is left out: nobody was told it."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield json.loads(line)


def counts(rows: Rows) -> dict[str, int]:
    """What there was, so that nobody mistakes a run in which nothing happened for a good one."""
    tables = {
        "requests": "paymentrequest",
        "payments": "payment",
        "refunds": "refund",
        "disputes": "dispute",
        "told": "providerevent",
    }
    by = {"requests": "status", "payments": "status", "refunds": "reason", "disputes": "status", "told": "kind"}
    return {
        f"{what} {word}": number
        for what, table in tables.items()
        for word, number in rows(f"SELECT {by[what]}, count(*) FROM payments_{table} GROUP BY 1 ORDER BY 1")
    }


def _payments_lost(told: list[Told], rows: Rows) -> Iterator[str]:
    """A wallet said "paid", or we did, and the books know nothing of it."""
    settled = {token for (token,) in rows("SELECT token FROM payments_payment WHERE status = 'succeeded'")}
    for fact in told:
        if receipt := fact.get("approved"):
            token = ends.receipt_token(receipt)
            if token not in settled:
                yield f"{fact['who']} paid, receipt {token}"
    paid = {token for (token,) in rows("SELECT token FROM payments_paymentrequest WHERE status = 'paid'")}
    for request in {fact["request"] for fact in told if fact.get("state") == "paid"} - paid:
        yield f"request {request} was shown as paid"


def _requests_lost(told: list[Told], rows: Rows) -> Iterator[str]:
    """What the shop asked for and was told that it is done."""
    done = {
        "order": {*rows("SELECT public_id FROM orders_order")},
        "asked": {*rows("SELECT public_id FROM payments_paymentrequest")},
        "cancelled": {*rows("SELECT public_id FROM payments_paymentrequest WHERE status = 'cancelled'")},
        "paid_order": {*rows("SELECT public_id FROM orders_order WHERE status = 'paid'")},
    }
    refunds = {*rows("SELECT public_id FROM payments_refund WHERE status = 'succeeded'")}
    for fact in told:
        for what, known in done.items():
            if what in fact and (fact[what],) not in known:
                yield f"{fact['did']}: {what} {fact[what]}"
        for refund in fact.get("refunds", ()):
            if (refund,) not in refunds:
                yield f"refund {refund}"


def _double_settled(rows: Rows) -> Iterator[str]:
    """One movement of money that counts twice, or an order that took more than it asked for."""
    yield from _said(
        rows,
        """
        SELECT 'transaction', provider_ref FROM payments_payment WHERE status = 'succeeded'
        GROUP BY account_id, provider_ref HAVING count(*) > 1
        UNION ALL
        SELECT 'request', q.public_id FROM payments_paymentrequest q JOIN payments_payment p ON p.request_id = q.id
        GROUP BY q.id HAVING sum(p.amount_applied) > q.amount
        UNION ALL
        SELECT 'order', o.public_id FROM orders_order o
        JOIN payments_paymentrequest q ON q.order_id = o.id JOIN payments_payment p ON p.request_id = q.id
        GROUP BY o.id HAVING sum(p.amount_applied) > o.amount OR (o.paid_elsewhere AND sum(p.amount_applied) > 0)
        """,
    )


def _refunds_beyond(rows: Rows) -> Iterator[str]:
    """More went back, or to the payer's bank, than was there."""
    yield from _said(
        rows,
        """
        SELECT 'payment', p.public_id FROM payments_payment p LEFT JOIN payments_refund r
            ON r.payment_id = p.id AND r.status <> 'withdrawn'
        GROUP BY p.id HAVING coalesce(sum(r.amount), 0) + p.amount_disputed > p.amount_captured
        """,
    )


def _refunds_twice(told: list[Told], rows: Rows) -> Iterator[str]:
    """The shop's program asks with one key until it is answered: once for each key, whatever happened in between."""
    asked = Counter(refund for fact in told for refund in fact.get("refunds", ()))
    unsure = {fact["for_order"] for fact in told if "unsure" in fact}
    known = rows(
        "SELECT r.public_id, o.public_id FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id "
        "JOIN payments_paymentrequest q ON q.id = p.request_id JOIN orders_order o ON o.id = q.order_id "
        "WHERE r.reason = 'merchant' AND NOT r.external"
    )
    for refund, order in known:
        if refund not in asked and order not in unsure:
            yield f"refund {refund} was never acknowledged"
    yield from (f"refund {refund} answers {times} keys" for refund, times in asked.items() if times > 1)


def behind(database: "psycopg.Connection[tuple[Any, ...]]", wallet: Wallet) -> list[str]:
    """What the wallet knows and our books do not, or not yet."""
    return list(_books_differ(wallet.books(database), lambda sql: database.execute(sql).fetchall()))


def _books_differ(books: Books, rows: Rows) -> Iterator[str]:
    """To the unit: every movement the wallet knows is one of ours, and every one of ours is known there."""
    charges, returns, contested = books
    theirs = Counter((c.account, c.transaction, c.amount, c.currency) for c in charges)
    ours = Counter(
        rows(
            "SELECT a.public_id, p.provider_ref, p.amount_captured, p.currency::text FROM payments_payment p "
            "JOIN payments_provideraccount a ON a.id = p.account_id WHERE p.status = 'succeeded'"
        )
    )
    yield from (f"charge {charge} is not in our books" for charge in theirs - ours)
    yield from (f"charge {charge} is in our books alone" for charge in ours - theirs)
    theirs_back = Counter((r.account, r.reference, r.charge, r.amount) for r in returns)
    ours_back = Counter(
        rows(
            "SELECT a.public_id, r.reference, p.reference, r.amount FROM payments_refund r "
            "JOIN payments_payment p ON p.id = r.payment_id "
            "JOIN payments_provideraccount a ON a.id = r.account_id WHERE r.status = 'succeeded'"
        )
    )
    yield from (f"refund {back} is not in our books" for back in theirs_back - ours_back)
    yield from (f"refund {back} is in our books alone" for back in ours_back - theirs_back)
    held = Counter((d.account, d.number, d.charge, d.amount, d.lost) for d in contested)
    booked_held = Counter(
        rows(
            "SELECT a.public_id, d.provider_ref, p.reference, d.amount_taken, d.status = 'lost' "
            "FROM payments_dispute d JOIN payments_payment p ON p.id = d.payment_id "
            "JOIN payments_provideraccount a ON a.id = d.account_id WHERE d.amount_taken > 0"
        )
    )
    yield from (f"dispute {dispute} is not in our books" for dispute in held - booked_held)
    yield from (f"dispute {dispute} is in our books alone" for dispute in booked_held - held)
    kept = sum(c.amount for c in charges) - sum(r.amount for r in returns) - sum(d.amount for d in contested)
    [(booked,)] = rows(
        "SELECT (SELECT coalesce(sum(amount_paid - amount_refunded), 0) FROM orders_order) "
        "- (SELECT coalesce(sum(amount_disputed), 0) FROM payments_payment)"
    )
    if kept != booked:
        yield f"the wallet keeps {kept} for the shop, our orders say {booked}"


def _seq_back(told: list[Told]) -> Iterator[str]:
    """Nobody who looks at a request sees it go back, whatever was restarted in between."""
    last: dict[tuple[str, str], int] = defaultdict(int)
    for fact in told:
        if "seq" in fact:
            key = (fact["who"], fact["request"])
            if fact["seq"] < last[key]:
                yield f"{fact['who']} saw {fact['request']} at {last[key]}, then at {fact['seq']}"
            last[key] = max(last[key], fact["seq"])


def _webhooks_lost(told: list[Told], rows: Rows) -> Iterator[str]:
    """Every event the shop's server wanted came at least once, signed, always with the same id and the same body."""
    wanted = {type for fact in told for type in fact.get("listens", ())}
    heard: dict[str, Told] = {}
    for fact in told:
        if "webhook" not in fact:
            continue
        said, known = fact["said"], heard.setdefault(fact["webhook"], fact["said"])
        if not fact["signed"] or said["id"] != fact["webhook"]:
            yield f"{fact['webhook']} was not ours"
        elif said != known:
            yield f"{fact['webhook']} came with two bodies"
    for id, type, sequence, data in rows("SELECT public_id, type, sequence, data FROM orders_event"):
        if type in wanted and id not in heard:
            yield f"{type} {id} never came"
        elif id in heard and (heard[id]["type"], heard[id]["sequence"], heard[id]["data"]) != (type, sequence, data):
            yield f"{type} {id} came otherwise than it is recorded"
    known_ids = {id for (id,) in rows("SELECT public_id FROM orders_event")}
    yield from (f"{id} tells of nothing that happened" for id in heard.keys() - known_ids)


def _events_false(rows: Rows) -> Iterator[str]:
    """Published in the order in which things happened to a request, and each with the amount of what it tells of."""
    yield from _said(
        rows,
        """
        SELECT request, 'told at', sequence, 'after', latest FROM (
            SELECT request, sequence, max(sequence) OVER (
                PARTITION BY request ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS latest FROM orders_event WHERE request <> ''
        ) published WHERE sequence < latest
        UNION ALL
        SELECT e.public_id, e.type, NULL, e.data->>'amount', p.amount FROM orders_event e
        JOIN payments_payment p ON p.public_id = e.object_id
        WHERE e.type LIKE 'payment.%' AND (e.data->>'amount')::bigint <> p.amount
        UNION ALL
        SELECT e.public_id, e.type, NULL, e.data->>'amount', r.amount FROM orders_event e
        JOIN payments_refund r ON r.public_id = e.object_id
        WHERE e.type LIKE 'refund.%' AND (e.data->>'amount')::bigint <> r.amount
        UNION ALL
        SELECT o.public_id, o.status, NULL, count(e.id)::text, NULL FROM orders_order o
        LEFT JOIN orders_event e ON e.order_id = o.id AND e.type = 'order.paid'
        GROUP BY o.id HAVING count(e.id) <> (o.status = 'paid')::int
        """,
    )


def settled(history: Iterable[Told], database: "psycopg.Connection[tuple[Any, ...]]", wallet: Wallet) -> int:
    """How many orders money came for and that ended as their stories expect."""
    everything = ends.affairs(list(history), lambda sql: database.execute(sql).fetchall(), wallet.books(database))
    return ends.settled(everything)


def _said(rows: Rows, sql: str) -> Iterator[str]:
    return (" ".join(map(str, row)) for row in rows(sql))
