"""Several friends pay parts."""

import pytest

from orders.errors import Refused
from payments import lifecycle, requests, rules
from payments.models import Payment, PaymentRequest
from payments.rules import Split
from tests import shop
from tests.payments.test_checkout import begin

pytestmark = pytest.mark.django_db


def again(request: PaymentRequest) -> PaymentRequest:
    return PaymentRequest.objects.get(pk=request.pk)


@pytest.mark.parametrize(
    ("amount", "currency", "friends", "shares"),
    [
        (10000, "CNY", 3, [3334, 3333, 3333]),
        (10000, "JPY", 3, [3334, 3333, 3333]),
        (100000, "KWD", 3, [33334, 33333, 33333]),
        (10, "JPY", 4, [3, 3, 2, 2]),
        (200, "CNY", 3, [100, 100]),
    ],
)
def test_fair_shares_add_up_exactly(amount: int, currency: str, friends: int, shares: list[int]) -> None:
    least = 100 if currency == "CNY" else 1
    request = shop.make_request(amount=amount, currency=currency, split=Split(friends, least))
    given = []
    while again(request).status == "open":
        given.append(rules.fair_share(again(request)))
        shop.succeed(shop.hold(again(request), given[-1]))
    assert given == shares


def test_a_friend_who_names_no_part_gives_all_that_is_free() -> None:
    request = shop.make_request(amount=10000, split=Split(3))
    shop.hold(request, 3000)
    assert begin(request, "Ann").amount == 7000


def test_the_buyer_lets_friends_chip_in_and_thinks_better_of_it() -> None:
    request = shop.make_request(amount=10000)
    requests.allow_parts(request.pk, Split(3), actor="buyer")
    assert (again(request).split_max_payers, again(request).split_min_amount) == (3, 1)
    requests.allow_parts(request.pk, None, actor="buyer")
    assert again(request).split_max_payers is None


def test_the_rules_stay_once_somebody_has_begun() -> None:
    request = shop.make_request(amount=10000, split=Split(3))
    shop.hold(request, 3000)
    with pytest.raises(Refused, match="begun"):
        requests.allow_parts(request.pk, None, actor="buyer")
    assert again(request).split_max_payers == 3


def test_the_buyer_tops_up_what_is_missing() -> None:
    request = shop.make_request(amount=10000, split=Split(3))
    shop.succeed(shop.hold(request, 3000))
    plea = lifecycle.open_request(request.order_id, actor="buyer", shared=False)
    payment = begin(plea, "Lin")
    assert (plea.pk, payment.amount) == (request.pk, 7000)
    shop.succeed(payment)
    assert again(request).status == "paid"
    assert Payment.objects.filter(amount_applied__gt=0).count() == 2


def test_a_part_that_comes_leaves_the_others_their_holds() -> None:
    request = shop.make_request(amount=10000, split=Split(3))
    begun = shop.hold(request, 3000, name="Ann")
    shop.succeed(shop.hold(request, 4000))
    begun.refresh_from_db()
    assert (begun.held_until is None, begun.closing, again(request).amount_held) == (False, False, 3000)
    shop.succeed(shop.hold(request, 3000, name="Bo"))
    assert (again(request).amount_paid, again(request).amount_held) == (7000, 3000)


def test_the_latest_hold_makes_room_for_money_that_came() -> None:
    request = shop.make_request(amount=10000, split=Split(4))
    slow = shop.hold(request, 4000, name="Slow")
    lifecycle.let_go(slow.pk)
    first, last = shop.hold(request, 5000, name="Ann"), shop.hold(request, 5000, name="Bo")
    shop.succeed(slow)
    first.refresh_from_db()
    last.refresh_from_db()
    assert (first.closing, last.closing) == (False, True)
    assert (again(request).amount_paid, again(request).amount_held) == (4000, 5000)
