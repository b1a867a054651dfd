"""Rows become objects, and new ones are made, without Django's ways, and are what Django would have made of them."""

from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from django.db.models.base import Model as DjangoModel

from friendpay.kit.models import Row
from orders.models import Order, OrderLine
from payments.models import PaymentRequest
from tests import shop

OURS = [model for name in ("orders", "payments", "sandbox") for model in apps.get_app_config(name).get_models()]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_model_of_ours_is_read_so(model: type[Model]) -> None:
    assert issubclass(model, Row)


@pytest.mark.django_db
def test_what_was_read_is_what_django_makes_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    order = shop.make_order()
    read = Order.objects.get()
    monkeypatch.setattr(Order, "from_db", classmethod(DjangoModel.from_db.__func__))  # type: ignore[attr-defined]
    django = Order.objects.get()
    states = [vars(row).pop("_state") for row in (read, django)]
    told = [(state.adding, state.db) for state in states]
    assert (vars(read), told[0]) == (vars(django), told[1])
    assert read == order


@pytest.mark.django_db
def test_a_field_that_was_left_out_is_read_when_it_is_asked_for() -> None:
    made = shop.make_order()
    order = Order.objects.defer("reference").get()
    assert order.get_deferred_fields() == {"reference"}
    assert (order.reference, order.amount) == (made.reference, made.amount)
    order.locale = "fr"
    order.save()
    assert Order.objects.get().locale == "fr"


@pytest.mark.django_db
def test_a_new_row_knows_what_it_belongs_to_as_django_has_it(django_assert_num_queries: Any) -> None:
    order, unsaved = shop.make_order(), Order(public_id="ord_new")
    for parent in (order, unsaved, None):
        line, django = OrderLine(order=parent), OrderLine.__new__(OrderLine)
        DjangoModel.__init__(django, order=parent)
        assert line.order_id == django.order_id
        assert line._state.fields_cache == django._state.fields_cache
        with django_assert_num_queries(0):
            assert parent is None or line.order is parent


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_a_new_row_is_what_django_makes_of_it(model: type[Model]) -> None:
    made, django = model(), model.__new__(model)
    DjangoModel.__init__(django)
    kept, known = dict(vars(made)), dict(vars(django))
    states = [(row.pop("_state").adding, row.pop("_state", None)) for row in (kept, known)]
    assert states[0] == states[1] == (True, None)
    assert kept.keys() == known.keys()
    own = [field.attname for field in model._meta.concrete_fields if callable(field.default)]
    assert {name: repr(kept[name]) for name in kept if name not in own} == {
        name: repr(known[name]) for name in known if name not in own
    }
    assert all(type(kept[name]) is type(known[name]) for name in own)


@pytest.mark.django_db
def test_a_new_row_knows_what_it_belongs_to() -> None:
    order = shop.make_order()
    row = PaymentRequest(order=order, merchant_id=order.merchant_id, amount=5)
    assert (row.order, row.order_id, row.merchant_id, row.amount) == (order, order.pk, order.merchant_id, 5)
    assert row.merchant == order.merchant  # read when it is asked for


def test_no_two_new_rows_share_what_they_may_change() -> None:
    first, second = Order(), Order()
    first.metadata["size"] = "small"
    assert second.metadata == {}
    assert first.public_id != second.public_id


@pytest.mark.parametrize("said", [{"colour": "red"}, {"save": 1}])
def test_a_new_row_has_no_other_fields(said: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Order(**said)
