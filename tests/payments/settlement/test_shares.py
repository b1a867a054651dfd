"""Named shares: each is paid whole and once, by whom it takes, and all or nothing."""

from collections.abc import Callable

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from friendpay.kit.errors import Refused
from orders.services import LineDraft
from payments.models import Payment, PaymentRequest, Refund
from payments.offers.weighing import Surface
from payments.settlement import lifecycle, requests, rules
from payments.settlement.chip_in import Share, Split
from payments.settlement.rules import Attempt, Payer
from tests import shop

pytestmark = pytest.mark.django_db

THREE = Split.among([Share("Mei", 4000), Share("Jun", 4000), Share("me", 1000)])


def asked() -> PaymentRequest:
    return shop.make_request(amount=9000, split=THREE)


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.code


def test_the_last_share_pays_the_order_and_not_one_before() -> None:
    request = asked()
    for share, name in enumerate(["Mei", "Jun", "me"]):
        request.refresh_from_db()
        assert request.status == "open"
        shop.succeed(shop.hold_share(request, share, name=name))
    request.refresh_from_db()
    assert (request.status, request.amount_paid) == ("paid", 9000)
    assert not Refund.objects.exists()


def test_what_is_not_paid_by_all_goes_back_whole(move_time: Callable[[float], None]) -> None:
    request = asked()
    paid = [shop.succeed(shop.hold_share(request, share, name=name)) for share, name in ((0, "Mei"), (2, "me"))]
    move_time(request.merchant.request_life.total_seconds() + 1)
    lifecycle.expire_request(request.pk)
    request.refresh_from_db()
    assert (request.status, request.amount_paid) == ("expired", 0)
    back = {refund.payment_id: (refund.amount, refund.reason) for refund in Refund.objects.all()}
    assert back == {paid[0].pk: (4000, "underfunded"), paid[1].pk: (1000, "underfunded")}


def test_a_share_is_held_once_while_the_others_stay_free() -> None:
    request = asked()
    shop.hold_share(request, 0, name="Mei")
    assert refusal(lambda: shop.hold_share(request, 0, name="Ann")) == "held"
    assert shop.hold_share(request, 1, name="Jun").amount == 4000
    assert Payment.objects.count() == 2


def test_a_share_that_is_paid_takes_no_second_payer() -> None:
    request = asked()
    shop.succeed(shop.hold_share(request, 0, name="Mei"))
    assert refusal(lambda: shop.hold_share(request, 0, name="Ann")) == "share_paid"


def test_the_second_of_two_who_paid_the_same_share_has_it_back() -> None:
    request = asked()
    first = shop.hold_share(request, 0, name="Mei")
    lifecycle.let_go(first.pk)
    second = shop.hold_share(request, 0, name="Ann")
    assert shop.succeed(second).amount_applied == 4000
    assert shop.succeed(first).amount_applied == 0
    refund = Refund.objects.get()
    assert (refund.payment_id, refund.amount, refund.reason) == (first.pk, 4000, "duplicate")
    request.refresh_from_db()
    assert request.amount_paid == 4000


def test_who_still_pays_a_share_that_came_by_another_way_is_closed_at_the_wallet() -> None:
    request = asked()
    first = shop.hold_share(request, 0, name="Mei")
    lifecycle.let_go(first.pk)
    second, jun = shop.hold_share(request, 0, name="Ann"), shop.hold_share(request, 1, name="Jun")
    shop.succeed(first)
    second.refresh_from_db()
    jun.refresh_from_db()
    assert (second.closing, second.held_until) == (True, None)
    assert not jun.closing
    assert jun.held_until


@pytest.mark.parametrize("share", [None, 3, 99])
def test_money_is_for_one_of_the_shares(share: int | None) -> None:
    request = asked()
    begin = {"method": "sandbox", "surface": Surface(), "payer": Payer(visitor="x")}
    assert refusal(lambda: shop.begin(request, **begin, share=share)) == "share_required"  # type: ignore[arg-type]
    assert not Payment.objects.exists()


def test_after_a_minute_another_may_take_a_share_over(move_time: Callable[[float], None]) -> None:
    request = asked()
    first = shop.begin(request, method="sandbox", surface=Surface(), payer=Payer("Mei", "mei"), share=0)
    jun = shop.begin(request, method="sandbox", surface=Surface(), payer=Payer("Jun", "jun"), share=1)
    begin = {"method": "sandbox", "surface": Surface(), "payer": Payer("Ann", "ann"), "share": 0, "take_over": True}
    assert refusal(lambda: shop.begin(request, **begin)) == "held"  # type: ignore[arg-type]
    move_time(61)
    second = shop.begin(request, **begin)  # type: ignore[arg-type]
    first.refresh_from_db()
    jun.refresh_from_db()
    assert first.held_until is None
    assert jun.held_until
    assert (second.amount, second.share) == (4000, 0)


def test_money_for_a_share_that_was_changed_goes_back() -> None:
    request = asked()
    late = shop.hold_share(request, 0, name="Mei")
    lifecycle.let_go(late.pk)
    requests.allow_parts(request.pk, Split.among([Share("Mei", 5000), Share("Jun", 4000)]), actor="buyer")
    assert shop.succeed(late).amount_applied == 0
    assert (Refund.objects.get().amount, Refund.objects.get().reason) == (4000, "mismatch")


def test_money_begun_before_shares_were_named_is_for_none_of_them() -> None:
    request = shop.make_request(amount=9000, split=Split(3))
    late = shop.hold(request, 4000)
    lifecycle.let_go(late.pk)
    requests.allow_parts(request.pk, THREE, actor="buyer")
    assert shop.succeed(late).amount_applied == 0
    assert Refund.objects.get().amount == 4000


def test_a_share_is_begun_with_what_it_is_now() -> None:
    request = asked()
    attempt = Attempt(shop.account_of(request), "sandbox", "redirect", 3999, shop.HOLD, share=0)
    assert refusal(lambda: lifecycle.hold(request.pk, attempt, Payer("Mei", "Mei"))) == "amount_changed"
    assert not Payment.objects.exists()
    assert rules.is_to_be_paid(request, 2, 1000)
    for share, amount in ((None, 4000), (0, 3999), (3, 1000)):
        assert not rules.is_to_be_paid(request, share, amount)


def test_shares_stay_as_they_are_once_somebody_pays() -> None:
    request = asked()
    shop.hold_share(request, 0, name="Mei")
    other = Split.among([Share("Mei", 4500), Share("Jun", 4500)])
    for change in (other, Split(3), None):
        assert refusal(lambda change=change: requests.allow_parts(request.pk, change, actor="buyer")) == "begun"  # type: ignore[misc]
    request.refresh_from_db()
    assert request.named == THREE.shares


def test_another_price_drops_the_shares() -> None:
    request = asked()
    requests.change_order(request.order_id, [LineDraft("Gaiwan", 1, 8000)])
    request.refresh_from_db()
    assert (request.amount, request.shares, request.split_max_payers) == (8000, [], None)


@pytest.mark.parametrize(
    ("shares", "code"),
    [
        ([("Mei", 4000), ("Jun", 4000)], "shares_do_not_add_up"),
        ([("Mei", 4000), ("Jun", 5001)], "shares_do_not_add_up"),
        ([("Mei", 9000)], "max_payers_out_of_range"),
        ([("Mei", 9000), ("Jun", 0)], "share_amount"),
        ([("Mei", 9001), ("Jun", -1)], "share_amount"),
        ([("Mei", 4000), ("mei", 5000)], "share_names"),
        ([("Mei", 4000), (" ", 5000)], "share_names"),
        ([("Mei", 4000), ("Support ✅", 5000)], "looks_like_a_seal"),
    ],
)
def test_shares_that_make_no_sense_are_refused(shares: list[tuple[str, int]], code: str) -> None:
    order = shop.make_order(amount=9000)
    split = Split.among(Share(*share) for share in shares)
    with pytest.raises(Refused) as refused:
        shop.make_request(order, split=split)
    assert (refused.value.code, refused.value.status) == (code, 422)
    assert str(refused.value.field).startswith("split.")
    assert not PaymentRequest.objects.exists()


def test_a_share_may_be_as_small_as_money_is() -> None:
    request = shop.make_request(amount=9000, split=Split.among([Share("Mei", 8999), Share("Jun", 1)]))
    assert request.named == (Share("Mei", 8999), Share("Jun", 1))
    early = shop.hold_share(request, 1, name="Early")
    lifecycle.let_go(early.pk)
    shop.succeed(shop.hold_share(request, 1, name="Jun"))
    assert refusal(lambda: shop.hold_share(request, 1, name="Ann")) == "share_paid"
    shop.succeed(early)
    assert Refund.objects.get().reason == "duplicate"


def test_what_the_shares_must_be_is_said_in_the_buyers_language() -> None:
    split = Split.among([Share("Mei", 100000), Share("Jun", 1)])
    with translation.override("de"), pytest.raises(Refused) as refused:
        shop.make_request(amount=123456, currency="EUR", split=split)
    assert "1.234,56" in str(refused.value.message)


@pytest.mark.proof
@pytest.mark.django_db(transaction=False)
@given(st.lists(st.integers(1, 50_000), min_size=2, max_size=6), st.randoms())
def test_every_order_of_paying_ends_exact(parts: list[int], random: object) -> None:
    """Whoever pays first: all shares together are the order's amount, to the minor unit, and nothing goes back."""
    split = Split.among(Share(f"Friend {number}", part) for number, part in enumerate(parts))
    request = shop.make_request(shop.make_order(shop.make_merchant(), amount=sum(parts)), split=split)
    places = list(range(len(parts)))
    random.shuffle(places)  # type: ignore[attr-defined]
    for place in places:
        shop.succeed(shop.hold_share(request, place, name=str(place)), ref=f"{request.pk}-{place}")
    request.refresh_from_db()
    assert (request.status, request.amount_paid, request.amount_held) == ("paid", sum(parts), 0)
    assert not Refund.objects.filter(payment__request=request).exists()
