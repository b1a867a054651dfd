"""What changes about an open request without ending it: the words, who may pay parts, the price; and what its friends
and its buyer say.
"""

from collections.abc import Callable

import pytest

from friendpay.kit import limits
from friendpay.kit.errors import Refused
from orders.models import Event
from orders.services import LineDraft
from payments.models import MailAddress, PaymentRequest
from payments.pages import addresses
from payments.settlement import lifecycle, reissue, requests
from payments.settlement.chip_in import Share, Split
from tests import shop

pytestmark = pytest.mark.django_db


def told(request: PaymentRequest) -> list[str]:
    return [
        it.partition(".")[2] for it in Event.objects.filter(request=request.public_id).values_list("type", flat=True)
    ]


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.code


def test_other_words_are_told_and_the_same_are_not() -> None:
    request = shop.make_request()
    for _time in range(2):
        requests.change_message(request.pk, "It's for tea", actor="buyer")
    request.refresh_from_db()
    assert (request.message, told(request)) == ("It's for tea", ["created", "changed"])


def test_what_has_ended_is_neither_changed_nor_declined() -> None:
    request = shop.make_request()
    shop.succeed(shop.hold(request))
    before = told(request)
    for change in (
        lambda: requests.change_message(request.pk, "Please?", actor="buyer"),
        lambda: requests.allow_parts(request.pk, Split(3), actor="buyer"),
        lambda: requests.decline(request.pk),
    ):
        assert refusal(change) == "request_paid"
    assert told(request) == before


@pytest.mark.parametrize(
    ("split", "then", "agreed"),
    [
        (Split(3, 100), Split(2, 100), "begun"),
        (Split(2, 100), None, "begun"),
        (Split(3, 100), Split(3, 50), (3, 50)),
        (Split(3, 100), Split(3, 200), (3, 100)),
        (None, None, (None, None)),
        (None, Split(2, 100), (2, 100)),
        (Split(3, 100), Split(4, 100), (4, 100)),
    ],
)
def test_once_somebody_has_begun_only_more_friends_and_smaller_parts_are_let_in(
    split: Split | None, then: Split | None, agreed: str | tuple[int | None, int | None]
) -> None:
    request = shop.make_request(split=split)
    shop.hold(request, 3000 if split else None)
    if agreed == "begun":
        assert refusal(lambda: requests.allow_parts(request.pk, then, actor="buyer")) == "begun"
        agreed = (request.split_max_payers, request.split_min_amount)
    else:
        requests.allow_parts(request.pk, then, actor="buyer")
    is_new = agreed != (request.split_max_payers, request.split_min_amount)
    request.refresh_from_db()
    assert (request.split_max_payers, request.split_min_amount) == agreed
    assert told(request).count("changed") == is_new


def test_another_price_is_told_and_lets_as_many_friends_pay_parts() -> None:
    request = shop.make_request(split=Split(3, 100))
    requests.change_order(request.order_id, [LineDraft("Gaiwan", 1, 8000)])
    request.refresh_from_db()
    assert (request.amount, request.split_max_payers, request.split_min_amount) == (8000, 3, 100)
    assert told(request) == ["created", "changed"]


@pytest.mark.parametrize(("price", "agreed"), [(8000, (3, 3000)), (4000, (3, 2000)), (2, (3, 1)), (1, (None, None))])
def test_a_lower_price_leaves_room_for_a_second_part(price: int, agreed: tuple[int | None, int | None]) -> None:
    request = shop.make_request(split=Split(3, 3000))
    requests.change_order(request.order_id, [LineDraft("Gaiwan", 1, price)])
    request.refresh_from_db()
    assert (request.split_max_payers, request.split_min_amount) == agreed
    again = reissue.reissue(request.pk, actor="support")
    assert (again.amount, again.split_max_payers, again.split_min_amount) == (price, *agreed)


def test_other_goods_for_the_same_price_leave_the_shares() -> None:
    split = Split.among([Share("Mei", 5000), Share("me", 4000)])
    request = shop.make_request(split=split)
    requests.change_order(request.order_id, [LineDraft("Gaiwan", 1, 9000)])
    request.refresh_from_db()
    assert (request.named, request.split_max_payers) == (split.shares, 2)


def test_a_request_hears_no_so_often_and_no_more_and_each_is_counted_by_itself() -> None:
    request, other = shop.make_request(), shop.make_request()
    requests.change_message(request.pk, "Please?", actor="buyer")
    for _friend in range(limits.DECLINES_OF_A_REQUEST):
        requests.decline(request.pk, choice="sorry")
    assert refusal(lambda: requests.decline(request.pk, choice="sorry")) == "told_already"
    assert told(request).count("declined") == limits.DECLINES_OF_A_REQUEST
    requests.decline(other.pk, choice="sorry")
    assert told(other) == ["created", "declined"]


def test_who_said_no_is_reminded_no_more_and_others_are() -> None:
    request = shop.make_request()
    for name in ("mei", "jun"):
        giver = addresses.Giver(f"{name}@example.com", "en", visitor=name, network="")
        addresses.remind(request.pk, "hour", giver)
    requests.decline(request.pk, choice="sorry", visitor="mei")
    left = MailAddress.objects.filter(request=request).exclude(address="")
    assert list(left.values_list("visitor", flat=True)) == ["jun"]


def test_each_request_is_thanked_for_once() -> None:
    for _request in range(2):
        request = shop.make_request()
        assert refusal(lambda pk=request.pk: requests.thank(pk, choice="much")) == "request_not_paid"  # type: ignore[misc]
        shop.succeed(shop.hold(request))
        requests.thank(request.pk, choice="much")
        requests.thank(request.pk, choice="next")
        assert told(request).count("thanked") == 1


def test_who_looks_has_opened_it_and_not_considered_it() -> None:
    request = shop.make_request()
    requests.record_view(request)
    request.refresh_from_db()
    assert request.opened_at
    assert (request.choosing_at, told(request)) == (None, ["created", "opened"])
    requests.record_view(request, choosing=True)
    requests.record_view(request, choosing=True)
    assert told(request) == ["created", "opened", "considered"]


def test_after_the_end_nobodys_look_is_told() -> None:
    request = shop.make_request()
    lifecycle.cancel_request(request.pk, actor="buyer")
    requests.record_view(request, choosing=True)
    assert told(request) == ["created", "cancelled"]
