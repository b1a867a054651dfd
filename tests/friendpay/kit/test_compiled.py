"""Queries compiled once."""

from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.db.transaction import TransactionManagementError

from friendpay.kit.compiled import Change, Compiled, Given, parsed
from orders.models import Event, Order
from tests import shop

NEWER = Compiled(
    lambda: (
        Event.objects.select_related("order__merchant")
        .filter(pk__gt=Given("after"), type=Given("type"))
        .annotate(reference=F("order__reference"))
    )
)
CHANGED = Change(
    lambda: Order.objects.filter(pk=Given("pk"), locale=Given("known")),
    "buyer_name",
    locale=Concat("locale", Value("fr")),
)
ORDERS = Compiled(lambda: Order.objects.all())
LOCKED = Compiled(lambda: Order.objects.select_for_update().filter(pk=Given("pk")))


@pytest.mark.django_db
def test_it_reads_what_the_query_reads_each_time_with_other_values(django_assert_num_queries: Any) -> None:
    first, second = shop.make_order(), shop.make_order()
    for _time in range(2):
        with django_assert_num_queries(1):
            found = NEWER(after=0, type="order.created")
            assert [event.order for event in found] == [first, second]
            assert found[0].order
            assert found[0].order.merchant == first.merchant
            assert found[0].data["id"] == first.public_id
            assert [vars(event)["reference"] for event in found] == [first.reference, second.reference]
    assert NEWER(after=found[0].pk, type="order.created") == [found[1]]
    assert NEWER(after=0, type="order.paid") == []
    with pytest.raises(Event.DoesNotExist):
        NEWER.one(after=found[1].pk, type="order.created")


@pytest.mark.django_db
def test_json_is_read_as_it_was_written_and_each_row_has_its_own() -> None:
    plain, other = shop.make_order(), shop.make_order()
    Order.objects.filter(pk=other.pk).update(metadata={"a": [1, None, "\u00e9"]})
    read = {order.pk: order for order in ORDERS()}
    assert read[other.pk].metadata == {"a": [1, None, "\u00e9"]}
    read[plain.pk].metadata["changed"] = True
    read[plain.pk].adjustments.append({})
    again = {order.pk: order for order in ORDERS()}
    assert (again[plain.pk].metadata, again[plain.pk].adjustments) == ({}, [])
    assert (parsed(None), parsed("null"), parsed('"[]"')) == (None, None, "[]")


@pytest.mark.django_db
def test_it_changes_what_the_update_changes_and_says_how_many(django_assert_num_queries: Any) -> None:
    order, other = shop.make_order(), shop.make_order()
    for known, name, changed in (("", "Mei", 1), ("fr", "Ada", 1), ("", "Nobody", 0)):
        with django_assert_num_queries(1):
            assert CHANGED(pk=order.pk, known=known, buyer_name=name) == changed
    order.refresh_from_db()
    other.refresh_from_db()
    assert (order.buyer_name, order.locale, other.buyer_name) == ("Ada", "frfr", "Lin")


@pytest.mark.django_db(transaction=True)
def test_a_lock_needs_a_transaction_every_time() -> None:
    order = shop.make_order()
    with connection.cursor():
        for _time in range(2):
            with pytest.raises(TransactionManagementError):
                LOCKED(pk=order.pk)
