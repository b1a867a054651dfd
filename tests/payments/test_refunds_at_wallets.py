"""Money going back through each wallet as it really behaves."""

from collections.abc import Callable

import pytest

from orders.errors import Refused
from orders.models import Order
from orders.money import Money
from payments import checkout, ledger, lifecycle, reconcile, refunds, rules, tasks
from payments.models import Payment, PaymentRequest, Refund
from payments.offers import Surface
from payments.rules import Payer, Split
from tests import shop
from tests.emulators.stripe import Stripe
from tests.emulators.stripe_requests import Wrong
from tests.payments.scene import Scene

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]

at_stripe = pytest.mark.parametrize("stage", ["card"], indirect=True)


def paid(scene: Scene) -> Payment:
    scene.pay()
    scene.hear()
    return scene.payment


def stripe(scene: Scene) -> Stripe:
    assert isinstance(scene.wallet, Stripe)
    return scene.wallet


def sweep(move_time: MoveTime, times: int = 3) -> None:
    for _hour in range(times):
        move_time(3600)
        tasks.sweep_refunds()


# Two charges of one attempt


def test_the_refund_of_a_second_charge_names_the_wallets_own_transaction(scene: Scene, move_time: MoveTime) -> None:
    first = paid(scene)
    again = scene.wallet.book.charge_again(first.reference)
    lifecycle.settle(first.pk, provider_ref=again, amount=Money(9000, "CNY"))
    sweep(move_time)
    refund = Refund.objects.get()
    assert (refund.status, refund.code, refund.payment.provider_ref) == ("succeeded", "", again)
    refunds.refund_payment(first.pk, actor="merchant")  # the first charge was not touched: all of it can go back
    sweep(move_time)
    assert list(Refund.objects.values_list("status", "reason")) == [
        ("succeeded", "duplicate"),
        ("succeeded", "merchant"),
    ]
    assert ledger.check() == []


# Three decimals, the last of them always 0


def pay_part(stage: Scene, plea: PaymentRequest, amount: int, move_time: MoveTime) -> None:
    payer = Payer(visitor=str(plea.payments.count()))
    checkout.begin(plea, method="card", payer=payer, surface=Surface(), amount=amount)
    book = stripe(stage).book
    book.pay(book.all("checkout.session")[0])
    move_time(20)
    reconcile.ask()
    plea.refresh_from_db()


def parts_in_dinars(stage: Scene, amounts: list[int], move_time: MoveTime) -> PaymentRequest:
    order = shop.make_order(stage.account.merchant, amount=sum(amounts), currency="KWD")
    plea = shop.make_request(order, currency="KWD", split=Split(len(amounts)))
    for part in amounts:
        pay_part(stage, plea, part, move_time)
    assert plea.status == "paid"
    return plea


@at_stripe
def test_three_decimal_parts_go_back_in_the_wallets_steps(stage: Scene, move_time: MoveTime) -> None:
    plea = parts_in_dinars(stage, [33_340, 33_330, 33_330], move_time)
    made = refunds.refund_order(plea.order, 10_000, actor="merchant")
    assert [refund.amount for refund in made] == [3340, 3330, 3330]
    sweep(move_time)
    refunds.refund_order(plea.order, actor="merchant")
    sweep(move_time)
    assert set(Refund.objects.values_list("status", flat=True)) == {"succeeded"}
    assert Order.objects.get(pk=plea.order_id).amount_refunded == 100_000


@at_stripe
@pytest.mark.parametrize("amount", [10_005, 1, 9_999])
def test_a_refund_between_two_steps_is_refused_in_words(stage: Scene, move_time: MoveTime, amount: int) -> None:
    plea = parts_in_dinars(stage, [50_000, 50_000], move_time)
    for ask in (
        lambda: refunds.refund_order(plea.order, amount, actor="merchant"),
        lambda: refunds.refund_payment(plea.payments.all()[0].pk, amount, actor="merchant"),
    ):
        with pytest.raises(Refused, match="amount_step") as refused:
            ask()
        assert "0.010" in str(refused.value.message)
    assert not Refund.objects.exists()


@at_stripe
def test_fair_shares_in_dinars_can_be_paid_and_add_up(stage: Scene, move_time: MoveTime) -> None:
    order = shop.make_order(stage.account.merchant, amount=100_000, currency="KWD")
    plea = shop.make_request(order, currency="KWD", split=Split(3))
    given = []
    for _friend in range(3):
        given.append(rules.fair_share(plea))
        pay_part(stage, plea, given[-1], move_time)
    assert plea.status == "paid"
    assert given == [33_340, 33_330, 33_330]


@at_stripe
def test_a_part_between_two_steps_is_refused_before_anything_is_held(stage: Scene) -> None:
    order = shop.make_order(stage.account.merchant, amount=100_000, currency="KWD")
    plea = shop.make_request(order, currency="KWD", split=Split(3))
    with pytest.raises(Refused, match="amount_step"):
        checkout.begin(plea, method="card", payer=Payer(visitor="A"), surface=Surface(), amount=33_334)
    odd = shop.make_request(shop.make_order(stage.account.merchant, amount=100_005, currency="KWD"), currency="KWD")
    with pytest.raises(Refused, match="amount_step"):
        checkout.begin(odd, method="card", payer=Payer(visitor="A"), surface=Surface())
    assert not Payment.objects.exists()
    assert stripe(stage).book.all("checkout.session") == []


@at_stripe
def test_no_part_leaves_what_another_wallet_of_the_shop_cannot_take(stage: Scene) -> None:
    """The sandbox wallet takes any amount of dinars; what it would leave over is for Stripe."""
    order = shop.make_order(stage.account.merchant, amount=100_000, currency="KWD")
    plea = shop.make_request(order, currency="KWD", split=Split(3))
    with pytest.raises(Refused, match="amount_step"):
        checkout.begin(plea, method="sandbox", payer=Payer(visitor="A"), surface=Surface(), amount=33_333)


# Refused for a reason that lies with the shop


@at_stripe
@pytest.mark.parametrize(
    "wrong",
    [
        Wrong("Expired API Key provided: sk_test_…", status=401, code="api_key_expired"),
        Wrong("The provided key does not have the required permissions.", status=403),
        Wrong("Insufficient funds in your Stripe account.", code="balance_insufficient"),
    ],
)
def test_no_refund_fails_for_what_the_shop_can_put_right(scene: Scene, move_time: MoveTime, wrong: Wrong) -> None:
    payment = paid(scene)
    stripe(scene).scripted += [wrong] * 4
    refunds.refund_payment(payment.pk, 1000, actor="merchant")
    sweep(move_time)
    assert Refund.objects.get().status == "requested"
    sweep(move_time)
    assert Refund.objects.get().status == "succeeded"
    assert scene.moved()[1] == [1000]


def test_wrong_credentials_fail_no_refund(scene: Scene, move_time: MoveTime) -> None:
    payment = paid(scene)
    good = scene.account.config
    secret = "secret_key" if scene.method == "card" else "private_key"
    for bad in ("sk_test_rolled" if scene.method == "card" else "no key at all", ""):
        scene.account.config = good | {secret: bad}
        scene.account.save()
        refund = refunds.refund_payment(payment.pk, 1000, actor="merchant")
        sweep(move_time)
        refund.refresh_from_db()
        assert refund.status == "requested"
    scene.account.config = good
    scene.account.save()
    sweep(move_time)
    assert set(Refund.objects.values_list("status", flat=True)) <= {"succeeded", "submitted"}
    scene.hear()
    assert set(Refund.objects.values_list("status", flat=True)) == {"succeeded"}
    assert scene.moved()[1] == [1000, 1000]
