"""A new link in the place of one that went to the wrong person."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from friendpay.kit import clock
from friendpay.kit.errors import Refused
from payments.models import PaymentRequest
from payments.settlement import lifecycle
from payments.settlement.reissue import reissue
from tests import shop

pytestmark = pytest.mark.django_db


def test_the_new_link_is_shared_and_ends_when_the_old_one_did(move_stopped_time: Callable[[float], None]) -> None:
    request = shop.make_request(expires_in=timedelta(minutes=10))
    move_stopped_time(300)
    new = reissue(request.pk, actor="support")
    request.refresh_from_db()
    assert (request.status, request.is_replaced, new.is_replaced) == ("cancelled", True, False)
    assert new.shared_at == clock.now()
    assert new.expires_at == request.expires_at


def test_there_is_a_minute_at_least_to_use_it(move_stopped_time: Callable[[float], None]) -> None:
    request = shop.make_request(expires_in=timedelta(minutes=10))
    move_stopped_time(599)
    assert reissue(request.pk, actor="support").expires_at == clock.now() + timedelta(minutes=1)


def test_a_link_whose_time_is_over_is_not_brought_to_life_again(move_stopped_time: Callable[[float], None]) -> None:
    request = shop.make_request(expires_in=timedelta(minutes=10))
    move_stopped_time(600)
    with pytest.raises(Refused, match="request_expired"):
        reissue(request.pk, actor="support")
    cancelled = shop.make_request()
    lifecycle.cancel_request(cancelled.pk, actor="buyer")
    with pytest.raises(Refused, match="request_cancelled"):
        reissue(cancelled.pk, actor="support")
    assert PaymentRequest.objects.count() == 2
    assert not PaymentRequest.objects.filter(is_replaced=True).exists()
