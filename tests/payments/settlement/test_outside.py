"""What is done at the wallet by others than us - in its own site, by the payer's bank - and what we make of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

import pytest

from friendpay.kit import clock
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from orders.models import Event, Order
from payments.admin.kinds import KINDS
from payments.models import BillMismatch, Dispute, Payment, PaymentRequest, ProviderEvent, Refund
from payments.settlement import bills, holds, inbox, ledger, lifecycle, outside, reconcile, refund_moves, refunds
from payments.settlement.locks import save
from payments.settlement.rules import Split
from payments.wallets import registry
from payments.wallets.alipay.emulator.server import Alipay
from payments.wallets.alipay.emulator.trades import Refund as TradeRefund
from payments.wallets.base import Outcome, State
from payments.wallets.house.emulator.server import House
from payments.wallets.stripe.emulator.server import Stripe
from payments.wallets.wechatpay.emulator.server import WeChatPay
from tests import desk, shop
from tests.payments.scene import RawNotification, Scene
from tests.payments.wallets.alipay.shop import genuine
from tests.payments.wallets.stripe.shop import event as stripe_event
from tests.payments.wallets.stripe.shop import signature

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]
stripe_only = pytest.mark.parametrize("stage", ["card"], indirect=True)
alipay_only = pytest.mark.parametrize("stage", ["alipay"], indirect=True)


def work() -> set[str]:
    return {str(kind.title) for kind in KINDS if replace(kind).count}  # read anew each time


def today(scene: Scene) -> date:
    return scene.wallet.clock.now().astimezone(registry.get(scene.account.provider).zone).date()


def the_order(scene: Scene) -> Order:
    return Order.objects.get(pk=scene.payment_request.order_id)


def external() -> Refund:
    return Refund.objects.get(external=True)


def by_hand(scene: Scene, fen: int, number: str = "byhand1") -> None:
    """Somebody of the shop refunds in the wallet's own site."""
    match scene.wallet:
        case WeChatPay():
            amount = {"refund": fen, "total": 9000, "currency": "CNY"}
            order: dict[str, Any] = {"out_trade_no": scene.payment.reference, "out_refund_no": number, "amount": amount}
            scene.wallet.book.refund(order)
        case Alipay():
            trade = scene.wallet.book.trades[scene.payment.reference]
            trade.refunds[number] = TradeRefund(fen, scene.wallet.clock.now())
            trade.status = "TRADE_CLOSED" if trade.refunded == trade.paid else trade.status
            scene.wallet.book.refunded(trade, number)
        case Stripe():
            intent = scene.wallet.book.all("payment_intent")[0]
            scene.wallet.book.refund({"payment_intent": intent["id"], "amount": str(fen)})
        case House():
            scene.wallet.book.by_hand(scene.payment.reference, fen)


# Money that had gone back before we heard of it


def test_money_that_is_gone_again_pays_nothing(scene: Scene, move_time: MoveTime) -> None:
    scene.pay()
    by_hand(scene, 9000)
    move_time(20)
    reconcile.ask()
    assert scene.stands() == ("open", "failed", 0)
    move_time(7200)
    reconcile.ask()
    assert (scene.stands(), scene.moved()) == (("open", "failed", 0), ([9000], [9000]))


def test_old_news_of_money_that_is_gone_again_pays_nothing(scene: Scene, move_time: MoveTime) -> None:
    """The notification of the payment was late, and comes after we asked."""
    scene.pay()
    scene.wallet.notifier.settle()
    notification = scene.postbox.notifications[0]
    by_hand(scene, 9000)
    move_time(20)
    reconcile.ask()
    scene.deliver(notification)
    scene.hear()
    assert scene.stands() == ("open", "failed", 0)
    assert ledger.check() == []
    assert Payment.objects.count() == 1


# Refunds by hand


def test_a_refund_by_hand_is_one_of_the_shops_and_the_rest_can_be_refunded_here(
    scene: Scene, move_time: MoveTime
) -> None:
    scene.pay()
    scene.hear()
    by_hand(scene, 3000)
    scene.hear()
    order, refund = the_order(scene), external()
    assert (refund.status, refund.amount, refund.reason, order.amount_refunded) == ("succeeded", 3000, "merchant", 3000)
    assert list(Event.objects.filter(type__startswith="refund.").values_list("type", "actor")) == [
        ("refund.external", "provider")
    ]
    assert Event.objects.filter(type="order.refunded").count() == 1
    assert refund_moves.refundable(scene.payment) == 6000
    refunds.refund_order(order, actor="merchant")
    for _ in range(3):
        move_time(3600)
        refunds.send()  # WeChat Pay takes the first for too soon: it knows of the refund by hand, we heard of it later
        scene.hear()
        scene.wallet.clock.advance(61)
    assert sum(scene.moved()[1]) == 9000
    assert (the_order(scene).amount_refunded, ledger.check(), work()) == (9000, [], set())


def test_a_refund_by_hand_is_booked_once_however_often_it_is_told(scene: Scene) -> None:
    scene.pay()
    scene.hear()
    by_hand(scene, 3000)
    for _time in range(3):
        scene.hear()
        ProviderEvent.objects.filter(about="refund").delete()
    assert (external().amount, the_order(scene).amount_refunded) == (3000, 3000)


def test_two_refunds_by_hand_are_two(scene: Scene) -> None:
    scene.pay()
    scene.hear()
    for number, fen in (("one", 1000), ("two", 1000)):
        by_hand(scene, fen, number)
        scene.hear()
        scene.wallet.clock.advance(61)
    assert (Refund.objects.filter(external=True).count(), the_order(scene).amount_refunded) == (2, 2000)


def test_a_refund_by_hand_whose_payment_was_never_told_of_is_booked_by_the_bill_at_the_latest(scene: Scene) -> None:
    """The news of the payment was lost. That of the refund asks about it, where it names a payment that we know."""
    scene.pay()
    scene.wallet.notifier.settle()
    scene.postbox.notifications.clear()
    by_hand(scene, 3000)
    scene.hear()
    reconcile.ask(scene.payment.pk)
    told, day = scene.stands(), today(scene)
    scene.wallet.clock.advance(36 * 3600)
    bills.compare(scene.account, day)
    if scene.method == "wechatpay":  # it does not say how much of the money is gone: that is for a person
        assert told == ("open", "failed", 0)
        assert BillMismatch.objects.filter(kind="status").exists()
    else:
        assert told == ("paid", "succeeded", 9000)
        assert (external().amount, the_order(scene).amount_refunded) == (3000, 3000)
    assert ledger.check() == []


def test_what_does_not_fit_is_work_that_can_be_booked_later_or_put_away(scene: Scene) -> None:
    """A refund of ours is on its way when somebody refunds by hand as well."""
    scene.pay()
    scene.hear()
    by_hand(scene, 3000)
    ours = refunds.refund_payment(scene.payment.pk, 9000, actor="merchant")
    scene.hear()
    event = ProviderEvent.objects.get(orphaned_at__isnull=False)
    assert "Orphans" in work()
    refunds.send()
    ours.refresh_from_db()
    assert ours.status == "failed"
    if scene.method == "card":
        inbox.put_away(event.pk, "seen")
        assert work() == {"Failed refunds"}
    else:
        inbox.try_again(event.pk)
        inbox.apply()
        ours.refresh_from_db()
        assert (ours.status, external().amount, work()) == ("withdrawn", 3000, set())
    assert ledger.check() == []


@stripe_only
def test_a_refund_by_hand_that_the_bank_sends_back_is_owed_to_nobody(scene: Scene) -> None:
    scene.pay()
    scene.hear()
    by_hand(scene, 3000)
    scene.hear()
    assert isinstance(scene.wallet, Stripe)
    scene.wallet.book.move_refund(scene.wallet.book.all("refund")[0], "failed")
    for _time in range(2):
        scene.hear()
    assert (external().status, the_order(scene).amount_refunded, work()) == ("withdrawn", 0, set())
    assert (refund_moves.refundable(scene.payment), ledger.check()) == (9000, [])


def test_a_chip_ins_part_that_was_refunded_by_hand_waits_for_support() -> None:
    """While the request is open its parts may go back whole: nothing is booked by itself."""
    request = shop.make_request(split=Split(3))
    payment = shop.succeed(shop.hold(request, 3000))
    with pytest.raises(Refused, match="refund_does_not_fit"):
        outside.book_refund(payment.pk, "by-hand", Money(3000, "CNY"))
    assert (Refund.objects.count(), ledger.check()) == (0, [])


@pytest.mark.parametrize("money", [Money(9001, "CNY"), Money(3000, "USD"), Money(0, "CNY")])
def test_only_a_refund_that_can_be_is_booked(money: Money) -> None:
    payment = shop.succeed(shop.hold(shop.make_request()))
    with pytest.raises(Refused, match="refund_does_not_fit"):
        outside.book_refund(payment.pk, "by-hand", money)
    assert not Refund.objects.exists()


@alipay_only
def test_a_refund_alipay_tells_of_and_does_not_know_is_asked_about_then_set_aside(
    scene: Scene, move_time: MoveTime
) -> None:
    scene.pay()
    scene.hear()
    assert isinstance(scene.wallet, Alipay)
    word = genuine(
        scene.wallet,
        out_trade_no=scene.payment.reference,
        trade_no=scene.payment.provider_ref,
        total_amount="90.00",
        refund_fee="10.00",
        out_biz_no="hand-1",
        notify_id="2026112200222155624068450559358099",
    )
    notification = RawNotification({"content-type": "application/x-www-form-urlencoded"}, urlencode(word).encode())
    assert scene.deliver(notification) == 200
    for _hour in range(12):
        inbox.apply()
        move_time(3601)
    event = ProviderEvent.objects.get(about="refund")
    assert (event.set_aside_at is not None, work(), Refund.objects.count()) == (True, {"Set aside"}, 0)
    inbox.put_away(event.pk, "nothing was refunded")
    assert (work(), ledger.check()) == (set(), [])


def test_a_refund_by_hand_that_nobody_told_of_is_booked_from_the_bill(scene: Scene) -> None:
    scene.pay()
    scene.hear()
    by_hand(scene, 3000)
    scene.wallet.notifier.settle()
    scene.postbox.notifications.clear()
    day = today(scene)
    scene.wallet.clock.advance(36 * 3600)
    for _time in range(2):
        bills.compare(scene.account, day)
    refund, mismatch = external(), BillMismatch.objects.get()
    assert (mismatch.kind, mismatch.about, mismatch.ours) == ("missing_here", "refund", f"{refund} booked")
    assert (refund.amount, refund.billed_on, the_order(scene).amount_refunded) == (3000, day, 3000)
    assert (work(), ledger.check(), ProviderEvent.objects.filter(kind__startswith="bill.").count()) == (
        {"Bill mismatches"},
        [],
        0,
    )


@stripe_only
def test_refunds_of_a_shops_other_business_are_nothing_to_us(scene: Scene) -> None:
    scene.pay()
    scene.hear()
    assert isinstance(scene.wallet, Stripe)
    price = {"0": {"quantity": "1", "price_data": {"currency": "usd", "unit_amount": "100"}}}
    session = scene.wallet.book.open_session({"line_items": price, "success_url": "https://other.example/"})
    scene.wallet.book.pay(session)
    scene.wallet.book.refund({"payment_intent": session["payment_intent"]})
    scene.hear()
    assert (work(), Refund.objects.count(), ProviderEvent.objects.filter(applied_at=None).count()) == (set(), 0, 0)


# Money only the bill knows of


def test_a_charge_only_the_bill_knows_of_is_an_orphan_that_can_be_sent_back(scene: Scene) -> None:
    scene.pay()
    scene.wallet.notifier.settle()
    scene.postbox.notifications.clear()
    lifecycle.end_payment(scene.payment.pk, cancelled=True)
    Payment.objects.update(reference="fp-other", provider_session="")
    day = today(scene)
    scene.wallet.clock.advance(36 * 3600)
    bills.compare(scene.account, day)
    event = ProviderEvent.objects.get(kind="bill.charge")
    assert {"Orphans", "Bill mismatches"} <= work()
    client = desk.staff(*desk.READ, "payments.assign_providerevent")
    assert client.post(desk.page(event, "send_back")).status_code == 302
    refunds.send()
    scene.hear()
    assert (Refund.objects.get().status, scene.moved()[1], ledger.check(), work()) == ("succeeded", [9000], [], set())
    assert BillMismatch.objects.get().settled_at


# Disputes


def dispute(scene: Scene, kind: str, status: str, event_id: str, **more: Any) -> None:
    thing = {
        "id": "dp_1",
        "object": "dispute",
        "amount": 9000,
        "currency": "cny",
        "payment_intent": scene.payment.provider_ref,
        "status": status,
        "reason": "fraudulent",
        "evidence_details": {"due_by": 1796000000},
        "metadata": {},
    } | more
    body = stripe_event(thing, f"charge.dispute.{kind}", event_id)
    notification = RawNotification({"stripe-signature": signature(body), "content-type": "application/json"}, body)
    assert scene.deliver(notification) == 200
    inbox.apply()


def told() -> list[str]:
    return list(Event.objects.filter(type__contains="dispute").order_by("id").values_list("type", flat=True))


@stripe_only
@pytest.mark.parametrize(("end", "status"), [("won", "won"), ("lost", "lost"), ("warning_closed", "won")])
def test_a_dispute_is_work_until_it_is_won_or_lost(scene: Scene, end: str, status: str) -> None:
    scene.pay()
    scene.hear()
    dispute(scene, "created", "needs_response", "evt_1", currency="eur")
    row = Dispute.objects.get()
    assert (row.payment, row.status, row.currency, row.amount, row.code) == (
        scene.payment,
        "open",
        "EUR",
        9000,
        "fraudulent",
    )
    assert "2026-11" in row.words
    assert (told(), work()) == (["payment.disputed"], {"Disputes"})
    event = Event.objects.get(type="payment.disputed")
    assert (event.data["disputed"], event.data["amount_disputed"], event.data["dispute_status"]) == (9000, 9000, "open")
    assert event.data["dispute_reason"] == "fraudulent"
    dispute(scene, "updated", "under_review", "evt_2")
    dispute(scene, "closed", end, "evt_3")
    dispute(scene, "updated", "under_review", "evt_4")  # old news
    assert (told(), work()) == (["payment.disputed", f"payment.dispute_{status}"], set())
    assert (Dispute.objects.get().status, ledger.check()) == (status, [])


@stripe_only
def test_a_disputes_end_that_comes_first_opens_and_closes_it(scene: Scene) -> None:
    scene.pay()
    scene.hear()
    dispute(scene, "closed", "lost", "evt_1")
    dispute(scene, "created", "needs_response", "evt_2")
    assert (told(), work()) == (["payment.disputed", "payment.dispute_lost"], set())


@stripe_only
def test_a_dispute_of_somebody_elses_payment_is_nothing_to_us(scene: Scene) -> None:
    scene.pay()
    scene.hear()
    dispute(scene, "created", "needs_response", "evt_1", payment_intent=None)
    assert (Dispute.objects.count(), work()) == (0, set())


def paid(request: PaymentRequest | None = None, amount: int | None = None) -> Payment:
    return shop.succeed(shop.hold(request or shop.make_request(), amount))


def hear(payment: Payment, state: State, minor: int, number: str = "dp_1", *, inquiry: bool = False) -> None:
    said = Outcome(state, "", number, Money(minor, payment.currency), inquiry=inquiry)
    outside.hear_dispute(payment.pk, said)
    payment.refresh_from_db()
    assert ledger.check() == []


def returned(payment: Payment) -> list[tuple[str, str, int]]:
    return list(payment.refunds.order_by("id").values_list("reason", "status", "amount"))


def test_what_a_dispute_holds_cannot_be_refunded_and_what_is_won_can() -> None:
    payment = paid()
    hear(payment, State.PENDING, 3000)
    assert (payment.amount_disputed, refund_moves.refundable(payment)) == (3000, 6000)
    with pytest.raises(Refused, match="refund_beyond_payment"):
        refunds.refund_payment(payment.pk, 6001, actor="merchant")
    with pytest.raises(Refused, match="refund_does_not_fit"):
        outside.book_refund(payment.pk, "by-hand", Money(6001, "CNY"))
    assert not payment.refunds.exists()
    hear(payment, State.SUCCEEDED, 3000)
    assert (payment.amount_disputed, refund_moves.refundable(payment)) == (0, 9000)


def test_what_a_lost_dispute_took_is_gone() -> None:
    payment = paid()
    hear(payment, State.PENDING, 3000)
    hear(payment, State.FAILED, 3000)
    order = payment.request.order
    assert [refund.amount for refund in refunds.refund_order(order, actor="merchant")] == [6000]
    assert (payment.amount_disputed, refund_moves.refundable(payment), ledger.check()) == (3000, 0, [])
    with pytest.raises(Refused, match="refund_beyond_payment"):
        refunds.refund_order(order, actor="merchant")


def test_an_inquiry_holds_nothing_until_it_is_a_dispute() -> None:
    payment = paid()
    hear(payment, State.PENDING, 9000, inquiry=True)
    assert (Dispute.objects.get().status, refund_moves.refundable(payment), work()) == ("inquiry", 9000, {"Disputes"})
    hear(payment, State.PENDING, 9000)
    hear(payment, State.PENDING, 9000, inquiry=True)  # old news
    assert (Dispute.objects.get().status, refund_moves.refundable(payment)) == ("open", 0)
    assert told() == ["payment.disputed"] * 2


def test_a_dispute_takes_no_more_than_refunds_have_left() -> None:
    """The payer has 4,000 back, 1,000 are on their way, and then she asks her bank for all of it."""
    payment = paid()
    refund_moves.move_refund(refunds.refund_payment(payment.pk, 4000, actor="merchant").pk, "succeeded")
    on_its_way = refunds.refund_payment(payment.pk, 1000, actor="merchant")
    hear(payment, State.PENDING, 9000)
    assert (payment.amount_disputed, refund_moves.refundable(payment)) == (4000, 0)
    refund_moves.move_refund(on_its_way.pk, "failed")  # as Stripe says of a charge that is disputed
    payment.refresh_from_db()
    assert payment.amount_disputed == 5000
    assert returned(payment) == [("merchant", "succeeded", 4000), ("merchant", "withdrawn", 1000)]
    assert ledger.check() == []
    refund_moves.move_refund(on_its_way.pk, "succeeded")  # it went through after all
    payment.refresh_from_db()
    assert (payment.amount_disputed, ledger.check()) == (4000, [])


def test_a_dispute_in_another_currency_holds_all_of_it() -> None:
    payment = paid()
    outside.hear_dispute(payment.pk, Outcome(State.PENDING, "", "dp_1", Money(10, "EUR")))
    payment.refresh_from_db()
    assert (payment.amount_disputed, refund_moves.refundable(payment), ledger.check()) == (9000, 0, [])


def test_two_disputes_hold_no_more_than_there_is() -> None:
    payment = paid()
    hear(payment, State.PENDING, 6000)
    hear(payment, State.PENDING, 6000, "dp_2")
    assert list(Dispute.objects.order_by("id").values_list("amount_taken", flat=True)) == [6000, 3000]
    hear(payment, State.SUCCEEDED, 6000)
    assert list(Dispute.objects.order_by("id").values_list("amount_taken", flat=True)) == [0, 6000]


def test_money_that_was_to_go_back_goes_by_the_bank_or_by_us_and_never_by_both() -> None:
    """A second friend's money, of no use to anybody: its refund fails because she disputes it."""
    first, second = shop.attempts(shop.make_request(), 2)
    shop.succeed(first)
    second = shop.succeed(second)
    refund = second.refunds.get()
    hear(second, State.PENDING, 9000)
    assert second.amount_disputed == 0
    refund_moves.move_refund(refund.pk, "failed")
    second.refresh_from_db()
    assert (second.amount_disputed, returned(second)) == (9000, [("duplicate", "withdrawn", 9000)])
    hear(second, State.SUCCEEDED, 9000)
    assert returned(second) == [("duplicate", "withdrawn", 9000), ("duplicate", "requested", 9000)]
    refund_moves.move_refund(second.refunds.get(status="requested").pk, "succeeded")
    assert ledger.check() == []


def test_of_what_was_to_go_back_the_rest_goes_when_a_smaller_dispute_is_lost() -> None:
    first, second = shop.attempts(shop.make_request(), 2)
    shop.succeed(first)
    second = shop.succeed(second)
    refund_moves.move_refund(second.refunds.get().pk, "failed")
    hear(second, State.PENDING, 2000)
    hear(second, State.FAILED, 2000)
    assert second.amount_disputed == 2000
    assert returned(second) == [("duplicate", "withdrawn", 9000), ("duplicate", "requested", 7000)]


def test_a_refund_nobody_asked_for_that_a_dispute_was_in_the_way_of_is_sent_again_once_it_is_won() -> None:
    payment = paid(amount=9000)
    Payment.objects.filter(pk=payment.pk).update(amount_captured=9500)  # the wallet took 500 too much
    payment.refresh_from_db()
    refund = holds.send_back(payment.request, payment, 500, "surplus", clock.now(), "system")
    save(payment.request)
    hear(payment, State.PENDING, 3000)
    refund_moves.move_refund(refund.pk, "failed")
    payment.refresh_from_db()
    assert (payment.amount_disputed, returned(payment)) == (3000, [("surplus", "failed", 500)])
    hear(payment, State.SUCCEEDED, 3000)
    assert returned(payment) == [("surplus", "requested", 500)]


def test_a_disputed_part_of_a_request_that_ends_goes_back_once() -> None:
    request = shop.make_request(split=Split(3))
    payment, other = paid(request, 4000), paid(request, 3000)
    hear(payment, State.PENDING, 3000)
    lifecycle.cancel_request(request.pk, actor="buyer")
    assert (returned(payment), returned(other)) == (
        [("underfunded", "requested", 1000)],
        [("underfunded", "requested", 3000)],
    )
    assert ledger.check() == []
    hear(payment, State.SUCCEEDED, 3000)
    assert returned(payment) == [("underfunded", "requested", 1000), ("underfunded", "requested", 3000)]


@stripe_only
def test_a_refund_of_a_disputed_charge_is_refused_by_stripe_and_gives_way(scene: Scene, move_time: MoveTime) -> None:
    scene.pay()
    scene.hear()
    assert isinstance(scene.wallet, Stripe)
    disputed = scene.wallet.book.open_dispute(scene.wallet.book.all("payment_intent")[0])
    refunds.refund_payment(scene.payment.pk, 9000, actor="merchant")  # before we hear of the dispute
    refunds.send()
    scene.hear()
    payment = Payment.objects.get()
    assert (payment.amount_disputed, returned(payment)) == (9000, [("merchant", "withdrawn", 9000)])
    assert (work(), scene.moved()[1], ledger.check()) == ({"Disputes"}, [], [])
    scene.wallet.book.close_dispute(disputed, won=True)
    scene.hear()
    refunds.refund_payment(scene.payment.pk, actor="merchant")
    for _time in range(2):
        refunds.send()
        scene.hear()
        move_time(3600)
    assert (work(), scene.moved()[1], the_order(scene).amount_refunded) == (set(), [9000], 9000)


@stripe_only
def test_an_inquiry_of_stripes_that_is_escalated_and_lost(scene: Scene) -> None:
    scene.pay()
    scene.hear()
    assert isinstance(scene.wallet, Stripe)
    book = scene.wallet.book
    disputed = book.open_dispute(book.all("payment_intent")[0], inquiry=True)
    scene.hear()
    assert refund_moves.refundable(Payment.objects.get()) == 9000
    book.escalate(disputed)
    scene.hear()
    assert refund_moves.refundable(Payment.objects.get()) == 0
    book.close_dispute(disputed, won=False)
    scene.hear()
    assert (Payment.objects.get().amount_disputed, work(), ledger.check()) == (9000, set(), [])
    assert told() == ["payment.disputed", "payment.disputed", "payment.dispute_lost"]


def test_a_lost_dispute_that_is_said_to_be_won_is_for_a_person() -> None:
    payment = shop.succeed(shop.hold(shop.make_request()))
    said = Outcome(State.FAILED, "", "dp_1", payment.captured)
    outside.hear_dispute(payment.pk, said)
    with pytest.raises(ValueError, match="lost"):
        outside.hear_dispute(payment.pk, Outcome(State.SUCCEEDED, "", "dp_1", payment.captured))
    assert Dispute.objects.get().status == "lost"


@stripe_only
def test_the_desk_shows_a_dispute_to_who_may_see_it(scene: Scene) -> None:
    scene.pay()
    scene.hear()
    dispute(scene, "created", "needs_response", "evt_1")
    row = Dispute.objects.get()
    client = desk.staff(*desk.READ, "payments.view_dispute")
    assert "fraudulent" in desk.text(client, desk.page(row))
    assert desk.found(client, Dispute, "dp_1") == [row.pk]
    assert desk.staff(*desk.READ, name="carl").get(desk.rows(Dispute)).status_code == 403


# The same told by a shop's own gateway

house_only = pytest.mark.parametrize("stage", ["house"], indirect=True)


@house_only
@pytest.mark.parametrize("end", ["won", "lost"])
def test_a_dispute_at_the_shops_own_gateway_is_counted(scene: Scene, end: str) -> None:
    scene.pay()
    scene.hear()
    book: Any = scene.wallet.book
    opened = book.open_dispute(scene.payment.reference, inquiry=True)
    scene.hear()
    assert (Dispute.objects.get().status, refund_moves.refundable(scene.payment)) == ("inquiry", 9000)
    book.move_dispute(opened.number, "open")
    scene.hear()
    assert (Dispute.objects.get().status, refund_moves.refundable(scene.payment)) == ("open", 0)
    book.move_dispute(opened.number, end)
    scene.hear()
    assert (Dispute.objects.get().status, told()[-1], ledger.check()) == (end, f"payment.dispute_{end}", [])
    assert refund_moves.refundable(scene.payment) == (9000 if end == "won" else 0)


@house_only
def test_a_refund_that_meets_a_dispute_of_the_gateways_is_not_lost(scene: Scene) -> None:
    """We refund before we hear of it; the gateway refuses, for the bank has the money. Won, it goes after all."""
    scene.pay()
    scene.hear()
    book: Any = scene.wallet.book
    opened = book.open_dispute(scene.payment.reference)
    refund = refunds.refund_payment(scene.payment.pk, 3000, actor="merchant")
    refunds.send(refund.pk)
    scene.hear()
    assert (Payment.objects.get().amount_disputed, scene.moved()[1], ledger.check()) == (9000, [], [])
    book.move_dispute(opened.number, "won")
    scene.hear()
    assert refund_moves.refundable(scene.payment) == 9000
    assert ledger.check() == []


def test_a_charge_is_known_by_our_number_or_the_wallets_and_only_at_its_account() -> None:
    payment = shop.succeed(shop.hold(shop.make_request()), ref="txn-1")
    account, other = payment.account, shop.account_of(shop.make_request(shop.make_order(shop.make_merchant("Other"))))
    assert outside.charged(account, payment.reference, "") == payment
    assert outside.charged(account, "", "txn-1") == payment
    assert outside.charged(account, "", "") is None
    assert outside.charged(other, payment.reference, "txn-1") is None
    second = shop.succeed(shop.hold(shop.make_request(shop.make_order(account.merchant))), ref="txn-2")
    assert outside.charged(account, payment.reference, "txn-2") == second
    assert outside.charged(account, second.reference, "txn-1") == payment
    assert outside.charged(account, payment.reference, "txn-of-a-second-charge") is None
    undecided = shop.hold(shop.make_request(shop.make_order(account.merchant)))
    assert outside.charged(account, undecided.reference, "txn-3") == undecided


def test_what_others_did_is_booked_to_the_smallest_unit_and_in_as_many_words_as_there_is_room() -> None:
    payment = paid()
    refund = outside.book_refund(payment.pk, "by-hand", Money(1, "CNY"), provider_ref="r" * 101)
    refund.refresh_from_db()
    assert (refund.amount, refund.provider_ref) == (1, "r" * 100)
    said = Outcome(State.PENDING, "", "dp_1", Money(1, "CNY"), code="c" * 81, message="w" * 301)
    dispute = outside.hear_dispute(payment.pk, said)
    dispute.refresh_from_db()
    assert (dispute.code, dispute.words) == ("c" * 80, "w" * 300)


def test_a_dispute_that_a_bill_told_of_takes_the_first_words_the_wallet_has_for_it() -> None:
    payment = paid()
    for message in ("", "w" * 301, "other words", ""):
        outside.hear_dispute(payment.pk, Outcome(State.PENDING, "", "dp_1", Money(1, "CNY"), message=message))
    assert Dispute.objects.get().words == "w" * 300
