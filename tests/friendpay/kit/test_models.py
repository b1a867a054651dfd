"""Rows become objects without `__init__`, and are what Django would have made of them."""

import pytest
from django.apps import apps
from django.db.models import Model
from django.db.models.base import Model as DjangoModel

from friendpay.kit.models import Row
from orders.models import Order
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
