"""What a refund says of itself: why the money goes back, and whether anything is left to be done about it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import translation

from payments.models import Refund
from payments.settlement import lifecycle
from payments.settlement.rules import Split
from tests import shop

pytestmark = pytest.mark.django_db


def test_a_part_goes_back_since_its_request_was_cancelled_and_late_money_since_it_came_late() -> None:
    request = shop.make_request(split=Split(3))
    late = shop.hold(request, 2000, name="Ann")
    shop.succeed(shop.hold(request, 3000))
    lifecycle.cancel_request(request.pk, actor="buyer")
    shop.succeed(late)
    with translation.override("en"):
        why = {refund.amount: refund.why for refund in Refund.objects.all()}
    assert why == {3000: "the request was cancelled", 2000: "came too late"}


def test_a_part_of_what_expired_goes_back_since_the_full_amount_was_not_reached(
    move_time: Callable[[float], None],
) -> None:
    request = shop.make_request(split=Split(3), expires_in=timedelta(seconds=60))
    shop.succeed(shop.hold(request, 3000))
    move_time(61)
    lifecycle.expire_request(request.pk)
    refund = Refund.objects.get()
    with translation.override("en"):
        assert (refund.is_of_cancelled, refund.why) == (False, "the full amount wasn't reached")


@pytest.mark.parametrize("status", Refund.Status)
def test_nothing_is_left_to_do_about_what_is_back_or_withdrawn(status: Refund.Status) -> None:
    done = status in (Refund.Status.SUCCEEDED, Refund.Status.RETURNED_ELSEWHERE, Refund.Status.WITHDRAWN)
    assert Refund(status=status).is_final is done
