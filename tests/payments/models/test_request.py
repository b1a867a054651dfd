"""What a request says of itself: whether it is over, what is left of it, and which share a number names."""

from datetime import timedelta

import pytest

from payments.models import PaymentRequest
from payments.settlement import lifecycle
from payments.settlement.rules import Split
from tests import shop

pytestmark = pytest.mark.django_db
Status = PaymentRequest.Status


@pytest.mark.parametrize(("seconds", "status"), [(-1, "open"), (0, "expired"), (1, "expired")])
def test_pages_lists_and_the_sweep_agree_on_when_a_request_is_over(seconds: int, status: str) -> None:
    request = shop.make_request()
    moment = request.expires_at + timedelta(seconds=seconds)
    found = [it for it in Status if PaymentRequest.objects.standing_as(it, moment).exists()]
    assert (request.status_at(moment), found) == (status, [status])
    assert PaymentRequest.objects.due_for_expiry(moment).exists() is (status == "expired")


def test_a_request_is_open_past_its_end_while_money_is_on_its_way() -> None:
    request = shop.hold(shop.make_request(split=Split(3)), 3000).request
    moment = request.expires_at + timedelta(days=1)
    assert request.status_at(moment) == "open"
    assert [it for it in Status if PaymentRequest.objects.standing_as(it, moment).exists()] == ["open"]
    assert not PaymentRequest.objects.due_for_expiry(moment).exists()


@pytest.mark.parametrize("end", ["paid", "cancelled"])
def test_what_ended_is_over_in_no_other_way(end: str) -> None:
    request = shop.make_request()
    if end == "paid":
        shop.succeed(shop.hold(request))
    else:
        lifecycle.cancel_request(request.pk, actor="buyer")
    request.refresh_from_db()
    moment = request.expires_at + timedelta(days=1)
    assert request.status_at(moment) == end
    assert [it for it in Status if PaymentRequest.objects.standing_as(it, moment).exists()] == [end]
    assert not PaymentRequest.objects.due_for_expiry(moment).exists()


def test_what_remains_is_neither_paid_nor_held() -> None:
    request = shop.make_request(amount=9000, split=Split(3))
    shop.succeed(shop.hold(request, 2000, name="Ann"))
    shop.hold(request, 3000)
    request.refresh_from_db()
    assert request.remaining == 4000


@pytest.mark.parametrize(
    ("number", "share"),
    [
        ("1", 0),
        ("2", 1),
        ("٢", 1),
        ("0", None),
        ("3", None),
        ("", None),
        ("-1", None),
        ("two", None),
        ("1" * 9999, None),
    ],
)
def test_a_share_is_named_by_its_number_as_people_count(number: str, share: int | None) -> None:
    request = PaymentRequest(shares=[{"name": "Mei", "amount": 4000}, {"name": "Jun", "amount": 5000}])
    assert request.share_numbered(number) == share
