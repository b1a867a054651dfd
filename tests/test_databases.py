"""What a test commits is gone for the next one."""

import threading

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection, transaction

from orders.models import Merchant, Order, WebhookDelivery
from payments.models import Payment
from tests import databases, shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("soon_deleted", [0, 1 << 20])
def test_an_emptied_database_holds_what_migrations_put_in_and_no_more(
    soon_deleted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "_SOON_DELETED", soon_deleted)

    def migrated() -> list[object]:
        ties = Group.permissions.through.objects.order_by("id").values_list()
        return [*Group.objects.order_by("id").values_list(), *Permission.objects.order_by("id").values_list(), *ties]

    new = migrated()
    shop.succeed(shop.hold(shop.make_request()))
    Group.objects.create(name="Guests")
    Permission.objects.filter(codename="view_order").delete()
    assert migrated() != new
    databases.empty()
    assert migrated() == new
    for model in (Merchant, Order, Payment, WebhookDelivery):
        assert not model.objects.exists()


def test_who_still_writes_is_waited_for() -> None:
    written, emptied = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            Merchant.objects.create(name="Late", contact="late@example.com")
            written.set()
            while not emptied.wait(0.01):
                cursor.execute(
                    "SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
                )
                if cursor.rowcount:
                    break
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    assert written.wait(60)
    databases.empty()
    emptied.set()
    writer.join()
    assert not Merchant.objects.exists()
