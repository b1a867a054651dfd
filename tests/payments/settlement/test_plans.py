"""What PostgreSQL does for the statements of a settlement, however many payments there are."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from payments.models import Payment
from payments.settlement import effects, locks
from tests import shop

pytestmark = pytest.mark.django_db


def many(payment: Payment) -> None:
    """Thousands more of the same account, each of them over."""
    unlike = {
        "id": "DEFAULT",
        "public_id": "public_id || n",
        "token": "left(token, 19) || '-' || n",
        "reference": "left(reference, 20) || n",
        "status": "'failed'",
        "provider_ref": "CASE WHEN n % 2 = 0 THEN 'earlier' || n ELSE '' END",
        "held_until": "NULL",
        "next_attempt_at": "NULL",
    }
    columns = [str(field.column) for field in Payment._meta.concrete_fields if field.name != "id"]
    values = [unlike.get(column, column) for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO payments_payment ({', '.join(columns)}) SELECT {', '.join(values)} "
            "FROM payments_payment, generate_series(1, 3000) AS n"
        )
        # They share one request, which real ones do not: PostgreSQL is to believe that each has its own.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE payments_payment ALTER request_id SET (n_distinct = -1)")
        cursor.execute("ANALYZE payments_payment")


def plans(ask: Callable[[], object]) -> str:
    """What is done for what `ask` asks, where a plan is made for whatever value is given."""
    asked: list[tuple[str, Any]] = []

    def note(run: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return run(sql, params, many, context)

    with connection.execute_wrapper(note):
        ask()
    told = []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        for sql, params in asked:
            for place in range(1, sql.count("%s") + 1):
                sql = sql.replace("%s", f"${place}", 1)
            cursor.execute(f"PREPARE asked AS {sql}")
            cursor.execute(f"EXPLAIN EXECUTE asked({', '.join(['%s'] * len(params))})", params)
            told += [row[0] for row in cursor.fetchall()]
            cursor.execute("DEALLOCATE asked")
    return "\n".join(told)


def settled(payment: Payment) -> str:
    """What is done for the statements of a settlement that look for payments."""
    named = {"account": payment.account_id, "reference": payment.reference}
    asks: list[Callable[[], object]] = [
        lambda: locks.lock_paid(payment.pk, "T1"),
        lambda: effects._NAMED(**named),
        lambda: effects._NAMED_BY_BOTH(**named, provider_ref="T1"),
    ]
    return "\n".join(map(plans, asks))


def test_no_statement_of_a_settlement_reads_all_payments_there_are() -> None:
    payment = shop.hold(shop.make_request())
    many(payment)
    told = settled(payment)
    assert "Seq Scan on payments_payment " not in told, told
    assert "payments_payment_account_id" not in told, told


def test_nor_while_postgresql_has_not_counted_its_payments_yet() -> None:
    told = settled(shop.hold(shop.make_request()))
    assert "Seq Scan on payments_payment " not in told, told
    looked = re.findall(r"using (\w+) on payments_payment .*\n\s+Index Cond: (.*)", told)
    assert len(looked) >= 6
    assert [index for index, condition in looked if condition == "(account_id = $1)"] == [], told


def test_a_plan_made_while_a_table_is_new_goes_by_the_key() -> None:
    columns = ", ".join(f"column_{number} text" for number in range(80))  # a row as wide as a payment's
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE young (id bigint PRIMARY KEY, {columns}) ON COMMIT DROP")
        cursor.execute("EXPLAIN SELECT * FROM young WHERE id IN (SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)")
        told = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index Scan using young_pkey on young" in told, told
