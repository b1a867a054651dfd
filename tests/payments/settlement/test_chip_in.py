"""Several friends pay parts."""

from dataclasses import replace

import pytest

from friendpay.kit.errors import Refused
from payments.models import Payment, PaymentRequest, ProviderAccount, Refund
from payments.settlement import chip_in, holds, ledger, lifecycle, requests
from payments.settlement.chip_in import Split
from payments.wallets import registry
from tests import shop
from tests.payments.settlement.test_checkout import begin

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
        given.append(chip_in.fair_share(again(request)))
        shop.succeed(shop.hold(again(request), given[-1]))
    assert given == shares


def test_the_next_is_asked_for_a_share_beside_those_who_are_paying() -> None:
    request = shop.make_request(amount=10000, split=Split(3, 100))
    shop.hold(request, 4000)
    assert chip_in.fair_share(again(request)) == 3000


def test_nobody_is_asked_for_a_share_that_leaves_too_little() -> None:
    request = shop.make_request(amount=10000, split=Split(3, 2000))
    shop.succeed(shop.hold(request, 7000))
    assert chip_in.fair_share(again(request)) == 3000  # of 2000 a crumb of 1000 would be left


def test_a_friend_may_tap_parts_that_fit() -> None:
    """Of what is missing, for so many friends, when so many have given; no part below the least; in steps."""
    for missing, friends, given, least, step, parts in (
        (9000, 3, 0, 1500, 1, [3000, 4500, 9000]),
        (9000, 3, 0, 3000, 1, [3000, 4500, 9000]),
        (9000, 3, 0, 3001, 1, [4500, 9000]),
        (9000, 3, 0, 4500, 1, [4500, 9000]),
        (9001, 3, 0, 4501, 1, [9001]),  # what is left of a half of it would be a crumb
        (10000, 3, 0, 100, 1, [3334, 5000, 10000]),  # as in the field
        (10000, 3, 0, 100, 10, [3340, 5000, 10000]),
        (10000, 3, 1, 100, 1, [3334, 5000, 10000]),
        (9001, 3, 0, 4500, 1, [4501, 9001]),
        (30, 3, 0, 10, 10, [10, 20, 30]),
        (20, 3, 0, 10, 10, [10, 20]),
        (10000, 3, 2, 100, 1, [10000]),  # the last gives all
        (2, 3, 0, 1, 1, [1, 2]),
        (2, 3, 0, None, 1, [1, 2]),
        (1, 3, 0, 1, 1, [1]),
        (0, 3, 0, 100, 1, []),
        (9000, None, 0, None, 1, []),
    ):
        request = PaymentRequest(
            amount=20000, amount_paid=20000 - missing, split_max_payers=friends, split_min_amount=least
        )
        assert chip_in.fitting(request, given=given, step=step) == parts, (missing, friends, given, least, step)


def test_a_share_is_the_same_in_the_field_and_beside_it() -> None:
    """Of three friends a third, once one has given a half: rounded alike, whatever the amount and the step."""
    for missing in (26000, 10000, 9010, 7, 300):
        for step, given in ((1, 0), (1, 1), (10, 0), (10, 1)):
            request = PaymentRequest(amount=missing, amount_paid=0, split_max_payers=3, split_min_amount=1)
            parts = chip_in.fitting(request, given=given, step=step)
            assert chip_in.share_of_next(request, joined=given, step=step) in parts, (missing, step, given)
            assert all(1 <= part <= missing - 1 or part == missing for part in parts)


def test_accounts_that_are_known_already_are_weighed_as_the_database_would() -> None:
    order = shop.make_order()
    [good] = ProviderAccount.objects.all()
    fields = {"merchant": order.merchant, "base_url": "http://127.0.0.1:8000"}
    accounts = [
        good,
        ProviderAccount.objects.create(**fields, provider="sandbox", enabled=False),
        ProviderAccount.objects.create(**fields, provider="alipay", live=True),
        ProviderAccount.objects.create(**fields, provider="gone"),
    ]
    assert chip_in.taking(order, accounts) == list(ProviderAccount.objects.taking(order)) == [good]


def test_a_shop_without_a_wallet_counts_in_single_units() -> None:
    order = shop.make_order(amount=98)
    ProviderAccount.objects.all().delete()
    assert chip_in.step_of_parts(order, 98) == 1
    assert shop.make_request(order, split=Split(50)).split_min_amount == 1


def test_an_amount_between_two_steps_has_parts_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(registry.get("sandbox")), "steps", {"KWD": 10})
    order = shop.make_order(amount=10010, currency="KWD")
    assert [chip_in.step_of_parts(order, missing) for missing in (10010, 6667, 6670)] == [10, 1, 10]


def test_what_is_left_between_two_steps_is_paid_in_parts_and_whole_by_who_counts_finer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wallet that counts in steps came after the first part, or the price changed to a multiple of them."""
    request = shop.make_request(amount=10000, currency="KWD", split=Split(4, 100))
    shop.succeed(shop.hold(request, 3333))
    house = registry.get("house")
    monkeypatch.setattr(type(house), "steps", {"KWD": 10})
    coarse = ProviderAccount.objects.get()
    ProviderAccount.objects.create(merchant=coarse.merchant, provider="house", live=coarse.live, enabled=True)
    share = chip_in.fair_share(again(request))
    assert share == 2223
    shop.succeed(begin(again(request), "Mei", amount=share))
    shop.succeed(begin(again(request), "Ada", amount=4444))
    assert again(request).status == "paid"


@pytest.mark.parametrize(("taken", "counts"), [(3990, 3990), (4000, 4000), (4010, 4000), (15, 15), (4015, 3995)])
def test_what_counts_of_a_part_leaves_what_its_wallet_can_send(
    taken: int, counts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = shop.make_request(amount=10000, currency="KWD", split=Split(4, 1))
    shop.succeed(shop.hold(request, 6000, name="Eve"))
    part = Payment(request=request, account=shop.account_of(request), currency="KWD", amount=taken)
    monkeypatch.setattr(type(registry.get("sandbox")), "steps", {"KWD": 10})
    assert holds.fitting(again(request), part, taken) == counts


def test_nothing_counts_where_not_even_all_of_it_is_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    request = shop.make_request(amount=10000, currency="KWD", split=Split(4, 1))
    shop.succeed(shop.hold(request, 9996, name="Eve"))
    part = Payment(request=request, account=shop.account_of(request), currency="KWD", amount=15)
    monkeypatch.setattr(type(registry.get("sandbox")), "steps", {"KWD": 10})
    assert holds.fitting(again(request), part, 15) == 0


def test_what_is_too_much_goes_back_in_the_wallets_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the wallet could never send it."""
    request = shop.make_request(amount=10000, currency="KWD", split=Split(4, 100))
    last, late = shop.hold(request, 6000), shop.hold(again(request), 4000, name="Ada")
    lifecycle.let_go(late.pk)
    shop.succeed(shop.hold(again(request), 3333, name="Eve"))
    monkeypatch.setattr(type(registry.get("sandbox")), "steps", {"KWD": 10})
    shop.succeed(late)
    shop.succeed(last)
    counts = list(request.payments.order_by("id").values_list("amount_captured", "amount_applied"))
    assert counts == [(6000, 2660), (4000, 4000), (3333, 3333)]
    assert (Refund.objects.get().amount, Refund.objects.get().reason) == (3340, "surplus")
    assert (again(request).status, again(request).amount_paid, ledger.check()) == ("open", 9993, [])


def test_a_part_of_one_unit_is_a_part() -> None:
    request = shop.make_request(amount=100, split=Split(3, 1))
    shop.succeed(shop.hold(request, 1))
    assert chip_in.parts_given(request) == 1


def test_the_last_place_may_be_given_what_is_left_in_two_halves() -> None:
    order = shop.make_order(amount=10000)
    assert chip_in.agreed(order, Split(3), given=2) == (3, 5000, [])
    assert chip_in.agreed(order, Split(3), given=1) == (3, 2500, [])


def test_a_friend_who_names_no_part_gives_all_that_is_free() -> None:
    request = shop.make_request(amount=10000, split=Split(3))
    shop.hold(request, 3000)
    assert begin(request, "Ann").amount == 7000


def test_the_buyer_lets_friends_chip_in_and_thinks_better_of_it() -> None:
    request = shop.make_request(amount=10000)
    requests.allow_parts(request.pk, Split(3), actor="buyer")
    assert (again(request).split_max_payers, again(request).split_min_amount) == (3, 1666)
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
    payment_request = lifecycle.open_request(request.order_id, actor="buyer", shared=False)
    payment = begin(payment_request, "Lin")
    assert (payment_request.pk, payment.amount) == (request.pk, 7000)
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


@pytest.mark.parametrize(
    ("amount", "currency", "friends", "least"),
    [(9000, "CNY", 3, 1500), (10000, "JPY", 2, 2500), (100, "USD", 50, 1), (3, "CNY", 50, 1), (99999, "KWD", 7, 7142)],
)
def test_where_nothing_is_said_a_part_is_half_of_an_equal_share(
    amount: int, currency: str, friends: int, least: int
) -> None:
    request = shop.make_request(amount=amount, currency=currency, split=Split(friends))
    assert request.split_min_amount == least


def test_the_smallest_part_is_one_that_the_shops_wallets_take(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = registry.get("sandbox")
    monkeypatch.setattr(sandbox, "methods", (replace(sandbox.methods[0], smallest={"USD": 50}),))
    monkeypatch.setattr(type(sandbox), "steps", {"KWD": 10})
    assert shop.make_request(amount=1000, currency="USD", split=Split(50)).split_min_amount == 50
    by_choice = replace(sandbox.methods[0], name="other", smallest={"USD": 20}, by_choice=True)
    monkeypatch.setattr(sandbox, "methods", (*sandbox.methods, by_choice))
    assert shop.make_request(amount=1000, currency="USD", split=Split(50)).split_min_amount == 50  # is not granted
    assert shop.make_request(amount=60, currency="USD", split=Split(50)).split_min_amount == 30
    assert shop.make_request(amount=100000, currency="KWD", split=Split(7)).split_min_amount == 7140


def test_cents_leave_no_friend_with_all_the_rest() -> None:
    request = shop.make_request(amount=9000)
    requests.allow_parts(request.pk, Split(3), actor="buyer")
    for name in ("Eve", "Mallory"):
        with pytest.raises(Refused) as refused:
            begin(again(request), name, amount=1)
        assert (refused.value.code, refused.value.field) == ("amount_out_of_range", "amount")
        assert "15.00" in str(refused.value.message)
        shop.succeed(shop.hold(again(request), 1500, name=name))
    with pytest.raises(Refused, match="last_part"):
        begin(again(request), "Mei", amount=2000)
    requests.allow_parts(request.pk, Split(5), actor="buyer")
    assert (again(request).split_max_payers, again(request).split_min_amount) == (5, 1000)
    shop.succeed(begin(again(request), "Mei", amount=2000))
    assert chip_in.fair_share(again(request)) == 2000


def test_more_friends_are_let_in_while_somebody_pays_and_nothing_is_taken_back() -> None:
    request = shop.make_request(amount=9000)
    all_of_it = shop.hold(request)
    requests.allow_parts(request.pk, Split(2), actor="buyer")
    requests.allow_parts(request.pk, Split(4, 4000), actor="buyer")
    assert (again(request).split_max_payers, again(request).split_min_amount) == (4, 2250)
    for fewer in (Split(3), None):
        with pytest.raises(Refused, match="begun"):
            requests.allow_parts(request.pk, fewer, actor="buyer")
    shop.succeed(all_of_it)
    assert (again(request).status, again(request).amount_paid) == ("paid", 9000)
