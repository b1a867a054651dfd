"""What whoever taps on a link finds: all of it by one statement, and only what is hers."""

from collections.abc import Callable
from typing import Any

import pytest

from payments.models import PaymentRequest
from payments.settlement import taps
from tests import shop

pytestmark = pytest.mark.django_db


def test_a_tap_finds_all_it_needs_by_one_statement(django_assert_num_queries: Callable[[int], Any]) -> None:
    request = shop.make_request()
    payment = shop.hold(request)
    taps.read(request.token, "")  # the shop's settings are kept from now on
    with django_assert_num_queries(1):
        tap = taps.read(request.token, "Mei")
        assert (tap.request.order, tap.request.merchant) == (request.order, request.merchant)
        assert tap.request.order.merchant == request.merchant
        assert [(it, it.request, it.account.provider) for it in tap.own] == [(payment, request, "sandbox")]
    assert taps.read(request.token, "Ann").own == []


def test_a_link_that_there_is_not_is_none() -> None:
    with pytest.raises(PaymentRequest.DoesNotExist):
        taps.read("no-such-token", "Mei")
