"""Rows that are written together."""

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy

from friendpay.kit import clock
from friendpay.kit.writes import Writes
from orders.models import Event, Merchant, Order, OrderLine
from tests import shop

pytestmark = pytest.mark.django_db


def fresh(merchant: Merchant, **more: Any) -> Order:
    return Order(merchant=merchant, reference="B-1", currency="CNY", amount=5, created_at=clock.now(), **more)


def test_new_rows_and_changes_go_together_in_one_statement(django_assert_num_queries: Any) -> None:
    old = shop.make_order()
    order = fresh(old.merchant)
    lines = [OrderLine(order=order, name=name, quantity=1, amount=1) for name in ("first", "second")]
    writes = Writes()
    writes.insert(order, *lines)
    old.return_url, old.locale, old.buyer_name = "https://shop.example", "fr", "nobody"
    writes.update(old, "return_url")
    writes.update(old, "locale")
    with django_assert_num_queries(1):
        writes.run()
    assert list(order.lines.values_list("pk", "name")) == [(lines[0].pk, "first"), (lines[1].pk, "second")]
    old.refresh_from_db()
    assert (old.return_url, old.locale, old.buyer_name) == ("https://shop.example", "fr", "Lin")


def test_what_was_written_is_not_written_again(django_assert_num_queries: Any) -> None:
    writes = Writes()
    writes.insert(fresh(shop.make_merchant()))
    writes.run()
    with django_assert_num_queries(0):
        writes.run()


def test_a_row_that_is_inserted_is_written_as_it_is_then() -> None:
    order, writes = fresh(shop.make_merchant()), Writes()
    writes.insert(order)
    order.locale = "fr"
    writes.update(order, "locale")
    writes.run()
    assert Order.objects.get().locale == "fr"


def test_a_change_of_rows_that_may_not_be_there_goes_with_the_rest(django_assert_num_queries: Any) -> None:
    old, writes = shop.make_order(), Writes()
    writes.insert(fresh(old.merchant))
    for name in ("nobody", old.buyer_name):
        writes.change("UPDATE orders_order SET return_url = {} WHERE buyer_name = {}", f"https://{name}.example", name)
    with django_assert_num_queries(1):
        writes.run()
    old.refresh_from_db()
    assert old.return_url == f"https://{old.buyer_name}.example"
    with django_assert_num_queries(0):
        writes.run()


def test_all_or_nothing_is_written() -> None:
    old = shop.make_order()
    writes = Writes()
    old.locale = "fr"
    writes.update(old, "locale")
    writes.insert(fresh(old.merchant), fresh(old.merchant))
    with pytest.raises(IntegrityError, match="order_reference_once"), transaction.atomic():
        writes.run()
    assert [order.locale for order in Order.objects.all()] == [""]
    assert Event.objects.count() == 1


def test_what_is_there_already_is_not_written_and_a_transaction_goes_on() -> None:
    order, writes = fresh(shop.make_merchant()), Writes()
    writes.insert(order)
    assert writes.run_unless("order_reference_once")
    writes.insert(fresh(order.merchant))
    assert not writes.run_unless("order_reference_once")
    writes.insert(fresh(order.merchant))
    with pytest.raises(IntegrityError):
        writes.run_unless("notification_once")
    assert Order.objects.count() == 1


def test_a_row_that_is_gone_is_an_error() -> None:
    order, writes = shop.make_order(), Writes()
    OrderLine.objects.all().delete()
    Event.objects.all().delete()
    Order.objects.all().delete()
    writes.update(order, "locale")
    with pytest.raises(DatabaseError, match="not there"):
        writes.run()


class Locale(TextChoices):
    FRENCH = "fr"


@pytest.mark.parametrize("locale", [Locale.FRENCH, gettext_lazy("fr"), "fr"])
def test_what_is_no_plain_text_is_written_as_its_field_would(locale: Any) -> None:
    writes = Writes()
    writes.insert(fresh(shop.make_merchant(), locale=locale))
    writes.run()
    assert Order.objects.get().locale == "fr"


def test_whole_numbers_that_have_a_name_are_written_as_numbers() -> None:
    class Amounts(IntegerChoices):
        SMALL = 7

    writes, row = Writes(), fresh(shop.make_merchant())
    row.amount = Amounts.SMALL
    writes.insert(row)
    writes.run()
    assert Order.objects.get().amount == 7
