"""A row that is written goes into no index that no query needs, and those from before go while everybody works on."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from pytest_django import DjangoDbBlocker

from friendpay.kit import clock, months
from friendpay.kit.postgresql.indexes import needless
from orders.tasks import make_months
from orders.webhooks import outbox
from payments.models import PaymentRequest
from tests import databases

APPS = ("orders", "payments", "sandbox")


@pytest.fixture
def own_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock(), databases.another("indexes"):
        yield


def asked(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def found() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        return [one for app in APPS for one in needless(cursor, app)]


def valid() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE indisvalid")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db
def test_no_index_is_for_like_or_what_another_begins_with() -> None:
    make_months()
    assert months.ahead(outbox.BY_MONTH, clock.now())
    assert found() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("of", "columns", "is_needless"),
    [
        ("orders_order", "(merchant_id)", True),
        ("orders_order", "(merchant_id, live)", True),
        ("orders_order", "(merchant_id, live, id DESC)", True),  # the same once more
        ("orders_order", "(public_id)", True),  # which is unique
        ("orders_order", "(public_id varchar_pattern_ops)", True),
        ("orders_webhookdelivery", "(endpoint_id)", True),
        ("sandbox_notice", "(charge_id)", True),
        ("orders_order", "(merchant_id, id)", False),
        ("orders_order", "(merchant_id, live, id)", False),  # in another order
        ("orders_order", "(live)", False),
        ("orders_order", "(buyer_name)", False),  # by the name as it is written
        ("orders_order", "(merchant_id) WHERE live", False),
        ("orders_order", "(merchant_id) INCLUDE (live)", False),
        ("orders_order", "USING hash (merchant_id)", False),
        ("payments_payment", "(request_id)", True),  # as there is
        ("auth_user", "(username varchar_pattern_ops)", False),  # not ours
    ],
)
def test_a_needless_index_is_found(of: str, columns: str, is_needless: bool) -> None:
    asked(f"CREATE INDEX one_more ON {of} {columns}")
    names = {name for name, _of in found()}
    assert ("one_more" in names) == is_needless
    assert len(names) <= 1 or of == "orders_webhookdelivery"  # never both of two that are the same


@pytest.mark.django_db
def test_django_makes_none_for_like() -> None:
    with connection.schema_editor(collect_sql=True) as editor:
        editor.create_model(PaymentRequest)
    made = [sql for sql in editor.collected_sql if sql.startswith("CREATE INDEX")]
    assert made
    assert not [sql for sql in made if "varchar_pattern_ops" in sql]


def test_those_from_before_go_and_what_was_made_by_hand_stays(own_database: None) -> None:
    make_months()
    wanted = valid()
    asked("CREATE INDEX orders_order_merchant_id_4aeb5b3f ON orders_order (merchant_id)")
    asked("CREATE INDEX orders_order_token_0123abcd_like ON orders_order (token varchar_pattern_ops)")
    asked("CREATE INDEX orders_webhookdelivery_endpoint_id_89abcdef ON orders_webhookdelivery (endpoint_id)")
    asked("CREATE INDEX by_hand ON orders_order (reference varchar_pattern_ops)")
    loader = MigrationLoader(None)
    with connection.schema_editor(atomic=False) as editor:
        loader.get_migration("orders", "0029_needless_indexes").apply(loader.project_state(), editor)
    assert valid() == wanted | {"by_hand"}
