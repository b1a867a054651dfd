"""Time is the database's."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from friendpay.kit.errors import Refused
from payments import tasks
from payments.models import Payment
from tests import shop
from tests.payments.settlement.test_checkout import begin


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", [-600, 600])
def test_R11_a_worker_whose_clock_is_off_changes_nothing(
    seconds: int, monkeypatch: pytest.MonkeyPatch, move_stopped_time: Callable[[float], None]
) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + seconds)
    request = shop.make_request(expires_in=timedelta(minutes=5))
    payment = begin(request, "Mei")
    with pytest.raises(Refused):
        begin(request, "Bo")
    tasks.sweep_requests()
    tasks.sweep_payments()
    request.refresh_from_db()
    assert (request.status, Payment.objects.get().status) == ("open", "pending")
    move_stopped_time(299)
    assert shop.succeed(payment).amount_applied == request.amount
    other = shop.make_request(shop.make_order(request.merchant, reference="B"), expires_in=timedelta(minutes=5))
    move_stopped_time(301)
    tasks.sweep_requests()
    other.refresh_from_db()
    assert other.status == "expired"
