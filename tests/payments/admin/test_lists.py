"""The desk's lists and searches read by index, count no further than they must, and ask no more for many rows than for
few.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from friendpay.admin_kit.base import BoundedPaginator
from friendpay.kit import desk_limits
from orders.models import Order
from payments.admin import search
from payments.models import Payment
from tests import desk, shop
from tests.payments.admin.test_pages import paid_and_refunded

pytestmark = pytest.mark.django_db


def asked(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200, address
    return len(queries)


def test_no_list_asks_more_for_many_rows_than_for_few() -> None:
    """Each list of the desk, and its front page, with the rows of one story and with those of eight."""
    client = desk.staff(*desk.READ)
    User.objects.update(is_superuser=True)
    paid_and_refunded(1)
    lists = ["/admin/", "/admin/find/?q=Lin", *(desk.rows(model) for model in admin.site._registry)]
    few = {address: asked(client, address) for address in lists[2:]}
    for number in range(2, 9):
        paid_and_refunded(number)
    eight = {address: asked(client, address) for address in lists}
    for number in range(9, 17):
        paid_and_refunded(number)
    sixteen = {address: asked(client, address) for address in lists}
    assert {address for address in few if eight[address] > few[address]} == set()
    assert sixteen == eight


def test_no_list_counts_all_rows_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    merchant = shop.make_merchant()
    for number in range(5):
        shop.make_order(merchant, reference=f"A-{number}")
    monkeypatch.setattr(desk_limits, "ROWS_COUNTED", 3)
    pages = BoundedPaginator(Order.objects.all(), 2)
    assert (pages.count, pages.is_more, pages.num_pages) == (4, True, 2)
    assert "and more" in desk.text(desk.staff(*desk.READ), desk.rows(Order))


def fill(model: type[Any], row: Any, unlike: dict[str, str]) -> None:
    """Thousands more of a row, which differ. No token has a hyphen of its own."""
    unlike = {"public_id": "public_id || n", "token": "left(token, 19) || '-' || n", **unlike}
    columns = [str(field.column) for field in model._meta.concrete_fields if field.name != "id"]
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(unlike.get(it, it) for it in columns)} "
            f"FROM {table}, generate_series(1, 5000) AS n WHERE id = {row.pk}"
        )
        cursor.execute(f"ANALYZE {table}")


SPOKEN: dict[str, Callable[[], object]] = {
    "order number": lambda: search.named("Z-77"),
    "wallet's number": lambda: search.named("4200000077"),
    "link": lambda: search.named("http://x.example/p/0123456789ABCDEFGHJKMNPQ/"),
    "mail address": lambda: search.named("lin@post.example"),
    "beginning of a name": lambda: search.spoken_of("Zoe 77"),
    "sum and day": lambda: search.spoken_of("90 yesterday"),
    "name, sum and day": lambda: search.spoken_of("Zoe 77 ¥90 yesterday"),
}


@pytest.mark.parametrize("how", SPOKEN)
def test_no_search_reads_all_rows_there_are(how: str) -> None:
    request = shop.make_request()
    payment = shop.succeed(shop.hold(request), ref="4200001234")
    ago = "now() - n * interval '1 hour'"
    fill(Order, request.order, {"reference": "'Z-' || n", "buyer_name": "'Zoe ' || n", "created_at": ago})
    fill(
        Payment,
        payment,
        {
            "reference": "'fp' || n",
            "provider_ref": "'42000000' || n",
            "payer_name": "'Kim ' || n",
            "succeeded_at": ago,
        },
    )
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # a table of a few pages is read whole, whatever there is
    told: list[str] = []

    def explain(run: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("SELECT ") and "clock_timestamp" not in sql:
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {sql}", params)
                told.extend(row[0] for row in cursor.fetchall())
        return run(sql, params, many, context)

    with connection.execute_wrapper(explain):
        SPOKEN[how]()
    plan = "\n".join(told)
    assert "Index" in plan
    for table in ("orders_order", "payments_payment"):
        assert f"Seq Scan on {table} " not in plan, plan
