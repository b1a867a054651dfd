"""Money going back through each wallet as it really behaves."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.utils.translation import override

from friendpay.kit import clock
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from orders.models import Order
from orders.returns import LineReturn
from orders.services import LineDraft, place_order
from payments import tasks
from payments.models import Payment, PaymentRequest, ProviderAccount, Refund
from payments.offers.weighing import Surface
from payments.settlement import chip_in, ledger, lifecycle, reconcile, refunds, remedies
from payments.settlement.refund_moves import weigh_lines
from payments.settlement.rules import Payer, Split
from payments.share import phrases
from payments.wallets import registry
from payments.wallets.alipay.emulator.server import Alipay
from payments.wallets.base import Outcome, ProviderError, State
from payments.wallets.stripe.emulator.requests import Wrong
from payments.wallets.stripe.emulator.server import Stripe
from payments.wallets.wechatpay.emulator.requests import Problem
from payments.wallets.wechatpay.emulator.server import WeChatPay
from tests import shop
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


def pay_part(stage: Scene, payment_request: PaymentRequest, amount: int, move_time: MoveTime) -> None:
    payer = Payer(visitor=str(payment_request.payments.count()))
    shop.begin(payment_request, method="card", payer=payer, surface=Surface(), amount=amount)
    book = stripe(stage).book
    book.pay(book.all("checkout.session")[0])
    move_time(20)
    reconcile.ask()
    payment_request.refresh_from_db()


def parts_in_dinars(stage: Scene, amounts: list[int], move_time: MoveTime) -> PaymentRequest:
    order = shop.make_order(stage.account.merchant, amount=sum(amounts), currency="KWD")
    payment_request = shop.make_request(order, currency="KWD", split=Split(len(amounts)))
    for part in amounts:
        pay_part(stage, payment_request, part, move_time)
    assert payment_request.status == "paid"
    return payment_request


@at_stripe
def test_three_decimal_parts_go_back_in_the_wallets_steps(stage: Scene, move_time: MoveTime) -> None:
    payment_request = parts_in_dinars(stage, [33_340, 33_330, 33_330], move_time)
    made = refunds.refund_order(payment_request.order, 10_000, actor="merchant")
    assert [refund.amount for refund in made] == [3340, 3330, 3330]
    sweep(move_time)
    refunds.refund_order(payment_request.order, actor="merchant")
    sweep(move_time)
    assert set(Refund.objects.values_list("status", flat=True)) == {"succeeded"}
    assert Order.objects.get(pk=payment_request.order_id).amount_refunded == 100_000


@at_stripe
@pytest.mark.parametrize("amount", [10_005, 1, 9_999])
def test_a_refund_between_two_steps_is_refused_in_words(stage: Scene, move_time: MoveTime, amount: int) -> None:
    payment_request = parts_in_dinars(stage, [50_000, 50_000], move_time)
    for ask in (
        lambda: refunds.refund_order(payment_request.order, amount, actor="merchant"),
        lambda: refunds.refund_payment(payment_request.payments.all()[0].pk, amount, actor="merchant"),
    ):
        with pytest.raises(Refused, match="amount_step") as refused:
            ask()
        assert "0.010" in str(refused.value.message)
    assert not Refund.objects.exists()


def goods_in_dinars(stage: Scene, lines: list[LineDraft], parts: list[int], move_time: MoveTime) -> Order:
    """An order of these lines, paid by one, or in these parts."""
    order = place_order(
        stage.account.merchant, reference="dinars", currency="KWD", lines=lines, buyer_name="Lin", buyer_id="lin"
    )
    split = Split(len(parts)) if len(parts) > 1 else None
    payment_request = shop.make_request(order, currency="KWD", split=split)
    for part in parts:
        pay_part(stage, payment_request, part, move_time)
    assert payment_request.status == "paid"
    return order


NUMBERED = [(number, 1) for number in range(1, 11)]


@at_stripe
@pytest.mark.parametrize(
    ("drafts", "parts", "returned", "back"),
    [
        ([("Tea", 2, 5_005)], [10_010], [(1, 1)] * 2, [5_010, 5_000]),
        ([("Tea", 1, 5_005), ("Cup", 1, 5_005)], [10_010], [(1, 1), (2, 1)], [5_010, 5_000]),
        ([("Tea", 1, 5_003), ("Cup", 1, 5_007)], [5_000, 5_010], [(2, 1), (1, 1)], [5_010, 5_000]),
        ([("Sample", 3, 3), ("Tea", 1, 10_001)], [10_010], [(1, 1), (2, 1)], [10, 10_000]),
        ([("Tea", 10, 1_001)], [10_010], [(1, 1)] * 10, [1_010, *[1_000] * 9]),
        ([(f"Tea {number}", 1, 1_001) for number in range(10)], [10_010], NUMBERED, [1_010, *[1_000] * 9]),
    ],
)
def test_a_line_worth_between_two_steps_goes_back_in_steps_and_never_more_than_was_paid(
    stage: Scene,
    move_time: MoveTime,
    drafts: list[tuple[str, int, int]],
    parts: list[int],
    returned: list[tuple[int, int]],
    back: list[int],
) -> None:
    order = goods_in_dinars(stage, [LineDraft(*draft) for draft in drafts], parts, move_time)
    went = []
    for line, quantity in returned:
        made = refunds.refund_order(order, lines=[LineReturn(line, Decimal(quantity))], actor="merchant")
        went.append(sum(refund.amount for refund in made))
    sweep(move_time)
    assert (went, set(Refund.objects.values_list("status", flat=True))) == (back, {"succeeded"})
    assert sum(went) <= sum(parts)
    assert ledger.check() == []


@at_stripe
def test_a_payments_line_worth_between_two_steps_goes_back_as_the_orders_does(
    stage: Scene, move_time: MoveTime
) -> None:
    order = goods_in_dinars(stage, [LineDraft("Tea", 2, 5_005)], [10_010], move_time)
    [payment] = refunds.applied(order)
    one = [LineReturn(1, Decimal(1))]
    assert [refunds.refund_payment(payment.pk, lines=one, actor="merchant").amount for _ in "12"] == [5_010, 5_000]
    with pytest.raises(Refused, match="line_returned"):
        refunds.refund_payment(payment.pk, lines=one, actor="merchant")


@at_stripe
def test_where_no_more_is_left_a_line_brings_the_step_below(stage: Scene, move_time: MoveTime) -> None:
    order = goods_in_dinars(stage, [LineDraft("Tea", 2, 5_005)], [10_010], move_time)
    refunds.refund_order(order, 5_010, actor="merchant")
    [made] = refunds.refund_order(order, lines=[LineReturn(1, Decimal(1))], actor="merchant")
    assert (made.amount, refunds.left_of(order)) == (5_000, 0)


@at_stripe
def test_a_line_is_in_steps_where_nothing_is_left_at_a_wallet_that_counts_finer(
    stage: Scene, move_time: MoveTime
) -> None:
    order = goods_in_dinars(stage, [LineDraft("Tea", 2, 5_005)], [5_000, 5_010], move_time)
    finer = ProviderAccount.objects.create(merchant=order.merchant, provider="sandbox")
    first, second = refunds.applied(order)
    Payment.objects.filter(pk=first.pk).update(account=finer)
    piece = weigh_lines(order, [LineReturn(1, Decimal(1))], refunds.applied(order))
    refunds.refund_payment(first.pk, actor="merchant")
    [made] = refunds.refund_order(order, lines=[LineReturn(1, Decimal(1))], actor="merchant")
    assert (piece[1].amount, made.payment, made.amount) == (5_005, second, 5_010)


@at_stripe
def test_a_line_for_which_earlier_steps_brought_it_all_is_not_refunded(stage: Scene, move_time: MoveTime) -> None:
    drafts = [LineDraft("Sample", 2, 1), LineDraft("Cup", 1, 3), LineDraft("Tea", 1, 9_995)]
    order = goods_in_dinars(stage, drafts, [10_000], move_time)
    refunds.refund_order(order, lines=[LineReturn(1, Decimal(1))], actor="merchant")
    for more in (1, 2):  # neither of the line that was made up, nor of another
        with pytest.raises(Refused, match="nothing_paid"):
            refunds.refund_order(order, lines=[LineReturn(more, Decimal(1))], actor="merchant")
    assert Refund.objects.get().amount == 10


@at_stripe
def test_fair_shares_in_dinars_can_be_paid_and_add_up(stage: Scene, move_time: MoveTime) -> None:
    order = shop.make_order(stage.account.merchant, amount=100_000, currency="KWD")
    payment_request = shop.make_request(order, currency="KWD", split=Split(3))
    given = []
    for _friend in range(3):
        given.append(chip_in.fair_share(payment_request))
        pay_part(stage, payment_request, given[-1], move_time)
    assert payment_request.status == "paid"
    assert given == [33_340, 33_330, 33_330]


@at_stripe
def test_a_part_between_two_steps_is_refused_before_anything_is_held(stage: Scene) -> None:
    order = shop.make_order(stage.account.merchant, amount=100_000, currency="KWD")
    payment_request = shop.make_request(order, currency="KWD", split=Split(3))
    with pytest.raises(Refused, match="amount_step") as refused:
        shop.begin(payment_request, method="card", payer=Payer(visitor="A"), surface=Surface(), amount=33_334)
    assert "33.330" in str(refused.value.message)
    odd = shop.make_request(shop.make_order(stage.account.merchant, amount=100_005, currency="KWD"), currency="KWD")
    with pytest.raises(Refused, match="method_not_offered"):
        shop.begin(odd, method="card", payer=Payer(visitor="A"), surface=Surface())
    assert not Payment.objects.exists()
    assert stripe(stage).book.all("checkout.session") == []


@at_stripe
def test_no_part_leaves_what_another_wallet_of_the_shop_cannot_take(stage: Scene) -> None:
    """The sandbox wallet takes any amount of dinars; what it would leave over is for Stripe."""
    order = shop.make_order(stage.account.merchant, amount=100_000, currency="KWD")
    payment_request = shop.make_request(order, currency="KWD", split=Split(3))
    with pytest.raises(Refused, match="amount_step"):
        shop.begin(payment_request, method="sandbox", payer=Payer(visitor="A"), surface=Surface(), amount=33_333)


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
    secret = {"card": "secret_key", "house": "secret"}.get(scene.method, "private_key")
    for bad in ("sk_test_rolled" if scene.method == "card" else "no key at all", ""):
        scene.account.config = good | {secret: bad}
        scene.account.save()
        refund = refunds.refund_payment(payment.pk, 1000, actor="merchant")
        sweep(move_time)
        refund.refresh_from_db()
        assert refund.status == "requested"
    scene.account.config = good
    scene.account.save()
    for _hour in range(3):
        scene.wallet.clock.advance(3600)
        sweep(move_time, 1)
    assert set(Refund.objects.values_list("status", flat=True)) == {"succeeded"}
    assert scene.moved()[1] == [1000, 1000]


# Ended without success, or not at all


at_wechat_pay = pytest.mark.parametrize("stage", ["wechatpay"], indirect=True)
at_alipay = pytest.mark.parametrize("stage", ["alipay"], indirect=True)


def wechat_pay(scene: Scene) -> WeChatPay:
    assert isinstance(scene.wallet, WeChatPay)
    return scene.wallet


def numbers(scene: Scene) -> dict[str, str]:
    """Every number of a refund WeChat Pay knows, and what became of it."""
    orders = wechat_pay(scene).book.orders.values()
    return {number: refund.status for order in orders for number, refund in order.refunds.items()}


@at_wechat_pay
def test_a_closed_refund_is_sent_again_under_a_new_number(scene: Scene) -> None:
    book = wechat_pay(scene).book
    payment = paid(scene)
    book.refunds_wait = True
    refund = refunds.refund_payment(payment.pk, 1000, actor="merchant")
    refunds.send()
    book.end_refund(refund.reference, "CLOSED")
    scene.hear()
    refund.refresh_from_db()
    assert (refund.status, refund.code, refund.past_references) == ("failed", "CLOSED", [])
    book.refunds_wait = False
    scene.wallet.clock.advance(61)
    remedies.send_again(refund.pk, actor="support:ada")
    refunds.send()
    scene.hear()
    old, refund = refund.reference, Refund.objects.get()
    assert (refund.status, refund.past_references) == ("succeeded", [old])
    assert numbers(scene) == {old: "CLOSED", refund.reference: "SUCCESS"}
    assert Order.objects.get().amount_refunded == 1000


@at_wechat_pay
def test_part_refunds_of_one_payment_go_a_minute_apart(scene: Scene, move_time: MoveTime) -> None:
    """WeChat Pay takes no second one sooner. It is not even asked: its limit on refused calls is a low one."""
    payment = paid(scene)
    made = [refunds.refund_payment(payment.pk, amount, actor="merchant") for amount in (1000, 2000, 3000)]
    wechat_pay(scene).calls.clear()
    gone = []
    for _second in range(0, 160, 10):
        refunds.send()
        gone.append(len(numbers(scene)))
        move_time(10)
        scene.wallet.clock.advance(10)
    assert gone == [1] * 7 + [2] * 7 + [3] * 2
    assert sum(call.startswith("POST") and "refund" in call for call in wechat_pay(scene).calls) == 3
    scene.hear()
    assert set(Refund.objects.values_list("status", flat=True)) == {"succeeded"}
    assert set(numbers(scene)) == {refund.reference for refund in made}


@at_wechat_pay
def test_a_number_is_kept_until_a_query_says_that_it_is_closed(scene: Scene, move_time: MoveTime) -> None:
    """The notification said CLOSED; asked, WeChat Pay says that the refund is under way."""
    book = wechat_pay(scene).book
    payment = paid(scene)
    book.refunds_wait = True
    refund = refunds.refund_payment(payment.pk, 1000, actor="merchant")
    sweep(move_time, 1)
    refunds.apply(refund, Outcome(State.FAILED, refund.reference, code="CLOSED", dead=True))
    remedies.send_again(refund.pk, actor="support:ada")
    sweep(move_time, 1)
    assert (Refund.objects.get().status, numbers(scene)) == ("submitted", {refund.reference: "PROCESSING"})


@at_wechat_pay
def test_late_money_whose_refund_was_closed_goes_back_by_itself(scene: Scene, move_time: MoveTime) -> None:
    book = wechat_pay(scene).book
    lifecycle.cancel_request(scene.payment_request.pk, actor="buyer")
    book.refunds_wait = True
    paid(scene)
    refunds.send()
    book.end_refund(Refund.objects.get().reference, "CLOSED")
    scene.hear()
    assert Refund.objects.get().status == "failed"
    book.refunds_wait = False
    scene.wallet.clock.advance(86400)
    for _sweep in range(3):
        move_time(86400)
        tasks.sweep_refunds()
    assert Refund.objects.get().status == "succeeded"
    assert sorted(numbers(scene).values()) == ["CLOSED", "SUCCESS"]


@at_wechat_pay
def test_an_abnormal_refund_is_asked_about_daily_and_may_succeed_after_all(scene: Scene, move_time: MoveTime) -> None:
    book = wechat_pay(scene).book
    payment = paid(scene)
    book.refunds_wait = True
    refund = refunds.refund_payment(payment.pk, 1000, actor="merchant")
    refunds.send()
    book.end_refund(refund.reference, "ABNORMAL")
    scene.hear()
    refund.refresh_from_db()
    assert (refund.status, refund.code, refund.waits_for_shop) == ("submitted", "ABNORMAL", True)
    wechat_pay(scene).calls.clear()
    sweep(move_time, 3 * 24)
    assert len(wechat_pay(scene).calls) == 3
    book.end_refund(refund.reference)  # by hand, in WeChat Pay's merchant platform
    sweep(move_time, 24)
    assert Refund.objects.get().status == "succeeded"


@at_wechat_pay
@pytest.mark.parametrize("code", ["NO_AUTH", "MCH_NOT_EXISTS", "APPID_MCHID_NOT_MATCH", "NOT_ENOUGH"])
def test_a_right_that_is_missing_for_refunds_alone_is_waited_for(scene: Scene, move_time: MoveTime, code: str) -> None:
    """Questions are answered, and say that there is no such refund."""
    payment = paid(scene)
    wechat_pay(scene).scripted.append(Problem(403, code, "商户无此接口权限"))
    refunds.refund_payment(payment.pk, 1000, actor="merchant")
    refunds.send()
    refund = Refund.objects.held_up(clock.now()).get()
    assert (refund.status, refund.code, refund.waits_for_shop) == ("requested", code, True)
    sweep(move_time, 2)
    refund.refresh_from_db()
    assert (refund.status, refund.waits_for_shop) == ("succeeded", False)


@at_wechat_pay
@pytest.mark.parametrize("code", ["USER_ACCOUNT_ABNORMAL", "INVALID_REQUEST", "REQUEST_BLOCKED"])
def test_a_refusal_of_this_refund_is_final(scene: Scene, move_time: MoveTime, code: str) -> None:
    payment = paid(scene)
    wechat_pay(scene).scripted.append(Problem(403, code, "退款请求失败"))
    refunds.refund_payment(payment.pk, 1000, actor="merchant")
    sweep(move_time)
    refund = Refund.objects.get()
    assert (refund.status, refund.code, refund.words) == ("failed", code, "退款请求失败")
    assert scene.moved()[1] == []


@at_alipay
def test_a_refund_taken_but_never_made_is_work_for_somebody(scene: Scene, move_time: MoveTime) -> None:
    assert isinstance(scene.wallet, Alipay)
    payment = paid(scene)
    scene.wallet.book.refund_seconds = 10**9
    refunds.refund_payment(payment.pk, 1000, actor="merchant")
    sweep(move_time, 1)
    assert not Refund.objects.held_up(clock.now()).exists()
    sweep(move_time, 3)
    refund = Refund.objects.get()
    assert (refund.status, refund.code) == ("submitted", "fund_change=N")
    assert Refund.objects.held_up(clock.now()).get() == refund


def test_an_earlier_try_that_got_through_is_found_when_the_next_is_refused(
    scene: Scene, move_time: MoveTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wallet says that nothing is left to refund, since the try without an answer took it."""
    payment = paid(scene)
    provider = registry.get(scene.account.provider)
    real = provider.refund

    def lost(*args: Any, **kwargs: Any) -> Outcome:
        real(*args, **kwargs)
        raise ProviderError("nothing is left to refund", permanent=True, code="TOO_MUCH")

    monkeypatch.setattr(provider, "refund", lost)
    refunds.refund_payment(payment.pk, actor="merchant")
    sweep(move_time)
    assert Refund.objects.get().status == "succeeded"


@at_alipay
def test_refunds_of_one_trade_are_sent_three_seconds_apart(scene: Scene, move_time: MoveTime) -> None:
    payment = paid(scene)
    for part in (1000, 2500, 500):
        refunds.refund_payment(payment.pk, part, actor="merchant")
    for sent in (1, 2, 3):
        refunds.send()
        assert Refund.objects.filter(status="succeeded").count() == sent
        assert not Refund.objects.exclude(code="").exists()  # Alipay had nothing to refuse
        scene.wallet.clock.advance(5)
        move_time(5)


@at_wechat_pay
def test_late_money_outlives_weeks_of_a_short_balance(scene: Scene, move_time: MoveTime) -> None:
    """WeChat Pay closes the refund by itself after a week, again and again, until the shop fills its balance."""
    book = wechat_pay(scene).book
    lifecycle.cancel_request(scene.payment_request.pk, actor="buyer")
    book.balance_is_short = True
    paid(scene)
    for day in range(24):
        book.balance_is_short = day < 20
        scene.wallet.clock.advance(86400)
        move_time(86400)
        tasks.sweep_refunds()
        tasks.sweep_refunds()
    refund = Refund.objects.get()
    for number, status in numbers(scene).items():
        if status == "PROCESSING":
            book.end_refund(number)
    move_time(3601)
    tasks.sweep_refunds()
    refund.refresh_from_db()
    assert (refund.status, len(refund.past_references)) == ("succeeded", 2)
    assert [status for status in numbers(scene).values() if status != "CLOSED"] == ["SUCCESS"]
    assert ledger.check() == []


@at_stripe
def test_a_refund_waits_for_stripes_balance_and_is_shown(scene: Scene, move_time: MoveTime) -> None:
    payment = paid(scene)
    stripe(scene).book.balance_is_short = True
    refunds.refund_payment(payment.pk, 1000, actor="merchant")
    refunds.send()
    refund = Refund.objects.held_up(clock.now()).get()
    assert (refund.status, refund.code) == ("submitted", "insufficient_funds")
    stripe(scene).book.top_up()
    move_time(86401)
    tasks.sweep_refunds()
    assert Refund.objects.get().status == "succeeded"


@at_stripe
def test_a_refund_that_failed_after_it_succeeded_is_owed_again(scene: Scene) -> None:
    payment = paid(scene)
    refunds.refund_payment(payment.pk, 1000, actor="merchant")
    refunds.send()
    assert Order.objects.get().amount_refunded == 1000
    book = stripe(scene).book
    book.move_refund(book.all("refund")[0], "failed")
    scene.hear()
    refund = Refund.objects.get()
    assert (refund.status, refund.code, Order.objects.get().amount_refunded) == ("failed", "lost_or_stolen_card", 0)
    refunds.refund_payment(payment.pk, 9000, actor="merchant")
    refunds.send()
    assert list(Refund.objects.values_list("status", flat=True)) == ["withdrawn", "succeeded"]


@at_stripe
@pytest.mark.parametrize("status", [None, "a_new_word"])
def test_a_refund_without_a_status_is_undecided_and_holds_up_nobody(
    scene: Scene, move_time: MoveTime, status: str | None
) -> None:
    payment = paid(scene)
    book = stripe(scene).book
    refunds.refund_payment(payment.pk, 1000, actor="merchant")
    refunds.send()
    book.all("refund")[0]["status"] = status
    refund = Refund.objects.get()
    assert refunds.ask(refund).state is State.PENDING
    for amount in (1100, 1200, 1300):
        refunds.refund_payment(payment.pk, amount, actor="merchant")
    sweep(move_time, 1)
    assert Refund.objects.filter(status="succeeded").count() == 4


# Words for the payer


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-hans", "店铺决定退款。"),
        ("en", "The shop decided to refund it."),
        ("", "The shop decided to refund it."),
    ],
)
@at_wechat_pay
def test_the_wallet_tells_the_payer_why_in_her_language(
    scene: Scene, move_time: MoveTime, language: str, words: str
) -> None:
    payment = paid(scene)
    Payment.objects.update(language=language)
    refunds.refund_payment(payment.pk, 1000, text="SKU 17 gone", actor="merchant")
    sweep(move_time, 1)
    (refund,) = wechat_pay(scene).book.orders[payment.reference].refunds.values()
    assert refund.content["reason"] == words


def test_the_language_of_the_page_is_kept_with_the_attempt(stage: Scene) -> None:
    with override("ja"):
        assert stage.begin().language == "ja"


def test_every_reason_fits_every_wallet_in_every_language() -> None:
    refund = Refund(payment=shop.hold(shop.make_request()))
    for code, _name in settings.LANGUAGES:
        refund.payment.language = code
        for reason in Refund.Reason:
            refund.reason = reason
            assert 0 < len(phrases.to_wallet(refund).encode()) <= 80
