"""Locks: of what there is, in one order; and what is written is shown once it is committed."""

from collections.abc import Callable
from typing import Any

import pytest

from orders.models import Order
from payments.live import snapshot
from payments.models import Payment, PaymentRequest, Refund
from payments.settlement import locks
from tests import shop

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("lock", "kind"),
    [
        (locks.lock_order, Order),
        (locks.lock_request, PaymentRequest),
        (locks.lock_payment, Payment),
        (locks.lock_refund, Refund),
    ],
)
def test_what_there_is_not_cannot_be_locked(lock: Callable[[int], object], kind: Any) -> None:
    with pytest.raises(kind.DoesNotExist):
        lock(1)


def test_a_change_is_shown_to_whoever_is_looking_once_it_is_committed(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    shown: list[int] = []
    request = shop.make_request()
    monkeypatch.setattr(snapshot, "push", lambda request, **_known: shown.append(request.seq))
    with django_capture_on_commit_callbacks(execute=True):
        shop.hold(request)
        assert shown == []
    assert shown == [2]


def test_an_order_and_its_request_are_locked_as_one() -> None:
    """What is changed of the order is what the request's events tell of it."""
    order, request, _now = locks.lock_order(shop.make_request().order_id)
    assert request
    assert request.order is order
