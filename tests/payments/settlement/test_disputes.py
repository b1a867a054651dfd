"""Open disputes are asked about: of one whose end is never told, and of one whose beginning never was, we hear all the
same, and late news changes nothing.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from friendpay.kit import clock, limits
from friendpay.kit.money import Money
from orders.models import Event
from payments import tasks
from payments.models import Dispute, Fee, Movement, Payment, ProviderEvent
from payments.settlement import bills, disputes, inbox, ledger, lifecycle, outside, refund_moves
from payments.settlement.outcomes import pack
from payments.wallets import registry
from payments.wallets.base import BillLine, Outcome, ProviderError, State
from payments.wallets.house.emulator import requests
from payments.wallets.house.emulator.server import House
from payments.wallets.stripe.emulator.requests import Wrong
from payments.wallets.stripe.emulator.server import Stripe
from tests import desk, shop
from tests.payments.scene import Scene

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]
HOUR, DAY = 3600, 86_400

known = pytest.mark.parametrize("stage", ["card", "house"], indirect=True)
stripe_only = pytest.mark.parametrize("stage", ["card"], indirect=True)
house_only = pytest.mark.parametrize("stage", ["house"], indirect=True)


class Bank:
    """The payer's bank, as Stripe and a shop's own gateway know it."""

    def __init__(self, scene: Scene, *, inquiry: bool = False) -> None:
        self.scene, self.book = scene, _book(scene)
        match scene.wallet:
            case Stripe():
                intent = self.book.all("payment_intent")[0]
                self.dispute = self.book.open_dispute(intent, inquiry=inquiry)
                self.number = str(self.dispute["id"])
            case House():
                self.dispute = self.book.open_dispute(scene.payment.reference, inquiry=inquiry)
                self.number = self.dispute.number

    def escalates(self) -> None:
        if isinstance(self.scene.wallet, Stripe):
            self.book.escalate(self.dispute)
        else:
            self.book.move_dispute(self.number, "open")

    def decides(self, end: str) -> None:
        if isinstance(self.scene.wallet, Stripe):
            self.book.close_dispute(self.dispute, won=end == "won")
        else:
            self.book.move_dispute(self.number, end)


def _book(scene: Scene) -> Any:
    return scene.wallet.book


def nothing_comes(scene: Scene) -> None:
    """What the wallet has written by now is lost."""
    scene.wallet.notifier.settle()
    scene.postbox.notifications.clear()


def asked(scene: Scene) -> int:
    return sum("dispute" in call for call in getattr(scene.wallet, "calls", ()))


def waits() -> timedelta:
    """How long until the next question."""
    row = Dispute.objects.get()
    assert row.next_attempt_at
    return row.next_attempt_at - clock.now()


def time_comes() -> None:
    """For the next question; what is signed would be too old if the clock were moved."""
    Dispute.objects.filter(closed_at=None).update(next_attempt_at=clock.now())


def told() -> list[str]:
    return list(Event.objects.filter(type__contains="dispute").order_by("id").values_list("type", flat=True))


def stands() -> tuple[str, int, list[int]]:
    """The dispute, what the bank has of the payment, and what moved; the ledger is clean."""
    assert ledger.check() == []
    moved = list(Movement.objects.filter(kind="disputed").order_by("id").values_list("amount", flat=True))
    return Dispute.objects.get().status, Payment.objects.get().amount_disputed, moved


def disputed(scene: Scene, **more: Any) -> Bank:
    scene.pay()
    scene.hear()
    bank = Bank(scene, **more)
    scene.hear()
    return bank


@known
@pytest.mark.parametrize(("end", "stood"), [("won", ("won", 0, [9000, -9000])), ("lost", ("lost", 9000, [9000]))])
def test_a_disputes_end_that_is_never_told_is_asked_for(
    scene: Scene, move_time: MoveTime, end: str, stood: tuple[str, int, list[int]]
) -> None:
    bank = disputed(scene)
    old = list(scene.postbox.notifications)
    bank.decides(end)
    nothing_comes(scene)
    assert stands() == ("open", 9000, [9000])
    time_comes()
    tasks.sweep_disputes()
    assert stands() == stood
    assert told() == ["payment.disputed", f"payment.dispute_{end}"]
    assert Dispute.objects.get().next_attempt_at is None
    ProviderEvent.objects.all().delete()  # so that it counts as new
    assert {scene.deliver(notification) for notification in old} <= {200, 204}
    inbox.apply()
    move_time(2 * DAY)
    tasks.sweep_disputes()
    assert (stands(), told()) == (stood, ["payment.disputed", f"payment.dispute_{end}"])
    assert refund_moves.refundable(scene.payment) == (9000 if end == "won" else 0)
    assert asked(scene) == 1


@known
@pytest.mark.parametrize("ended", [False, True])
def test_a_dispute_that_overtakes_the_news_of_its_payment_holds_its_money(scene: Scene, ended: bool) -> None:
    scene.pay()
    scene.wallet.notifier.settle()
    late = list(scene.postbox.notifications)
    nothing_comes(scene)
    if ended:
        lifecycle.end_payment(scene.payment.pk, cancelled=True)
    Bank(scene)
    scene.hear()
    assert (stands(), scene.payment.status) == (("open", 9000, [9000]), "succeeded")
    assert refund_moves.refundable(scene.payment) == 0
    assert {scene.deliver(notification) for notification in late} <= {200, 204}
    inbox.apply()
    assert (stands(), told()) == (("open", 9000, [9000]), ["payment.disputed"])


@stripe_only
def test_a_dispute_that_overtakes_its_payment_waits_for_a_wallet_that_does_not_answer(scene: Scene) -> None:
    """Whose it is only Stripe can tell, which has not told us its number of the payment yet."""
    scene.pay()
    nothing_comes(scene)
    Bank(scene)
    assert isinstance(scene.wallet, Stripe)
    scene.wallet.scripted = [Wrong("Busy", status=500, kind="api_error")] * 2
    scene.hear()
    assert not Dispute.objects.exists()
    tried_again()
    assert (stands(), told()) == (("open", 9000, [9000]), ["payment.disputed"])
    assert not ProviderEvent.objects.filter(applied_at=None).exists()


def tried_again() -> ProviderEvent:
    """The one notification, whose turn comes."""
    ProviderEvent.objects.filter(applied_at=None).update(next_attempt_at=clock.now())
    inbox.apply()
    return ProviderEvent.objects.latest("id")


@stripe_only
def test_a_dispute_of_an_attempts_second_charge_waits_for_that_and_holds_none_of_the_first(scene: Scene) -> None:
    scene.pay()
    scene.hear()
    first = scene.payment
    second = _book(scene).things[_book(scene).charge_again(first.reference)]
    nothing_comes(scene)
    _book(scene).open_dispute(second)
    scene.hear()
    assert (Dispute.objects.count(), tried_again().applied_at, ledger.check()) == (0, None, [])
    again = lifecycle.settle(first.pk, provider_ref=second["id"], amount=first.captured)
    assert tried_again().applied_at
    assert (Dispute.objects.get().payment, ledger.check()) == (again, [])


def test_a_dispute_of_a_second_charge_that_names_the_attempt_is_none_of_the_first_either() -> None:
    first = paid()
    news = Outcome(State.PENDING, "", "dp_1", first.captured)
    ProviderEvent.objects.create(
        account=first.account,
        event_id="evt-1",
        kind="dispute.open",
        about="dispute",
        charge=first.reference,
        charge_ref="txn-again",
        outcome=pack(news),
        body=b"",
        received_at=clock.now(),
    )
    assert (tried_again().applied_at, Dispute.objects.count()) == (None, 0)
    again = lifecycle.settle(first.pk, provider_ref="txn-again", amount=first.captured)
    assert tried_again().applied_at
    assert (Dispute.objects.get().payment, ledger.check()) == (again, [])


def test_a_dispute_heard_of_before_there_was_money_holds_it_once_it_is_told_again() -> None:
    """As from a bill, whose wallet has told us nothing of the payment."""
    payment = shop.hold(shop.make_request())
    for told_again in (Money(9000, "CNY"), Money(9000, "CNY")):
        outside.hear_dispute(payment.pk, Outcome(State.PENDING, "", "dp_1", told_again))
        assert stands() == ("open", 0, [])
    shop.succeed(payment)
    for _again in range(2):
        outside.hear_dispute(payment.pk, Outcome(State.PENDING, "", "dp_1", Money(9000, "CNY")))
        assert (stands(), told()) == (("open", 9000, [9000]), ["payment.disputed"])


@known
def test_the_end_is_booked_once_whether_told_or_asked_for(scene: Scene) -> None:
    bank = disputed(scene)
    bank.decides("won")
    time_comes()
    tasks.sweep_disputes()
    assert set(scene.hear()) <= {200, 204}
    assert (stands(), told()) == (("won", 0, [9000, -9000]), ["payment.disputed", "payment.dispute_won"])


@known
def test_an_answer_that_comes_after_the_news_changes_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wallet says that it is open still, and before we have its answer it tells that it was decided."""
    bank, real = disputed(scene), disputes._fetch
    time_comes()

    def slow(dispute: Dispute) -> Outcome:
        outcome = real(dispute)
        bank.decides("lost")
        scene.hear()
        return outcome

    monkeypatch.setattr(disputes, "_fetch", slow)
    tasks.sweep_disputes()
    assert (stands(), told()) == (("lost", 9000, [9000]), ["payment.disputed", "payment.dispute_lost"])
    assert Dispute.objects.get().next_attempt_at is None


@known
def test_an_open_dispute_is_asked_about_after_an_hour_and_daily(scene: Scene, move_time: MoveTime) -> None:
    disputed(scene)
    assert timedelta(minutes=59) < waits() <= limits.DISPUTE_FIRST_QUESTION_AFTER
    tasks.sweep_disputes()
    assert asked(scene) == 0
    for day in range(1, 4):
        move_time(HOUR + 1 if day == 1 else DAY + 1)
        tasks.sweep_disputes()
        assert asked(scene) == day
        assert timedelta(hours=23) < waits() <= limits.DISPUTE_AGAIN_AFTER
        tasks.sweep_disputes()
        assert asked(scene) == day
    assert (stands(), told(), Dispute.objects.get().error) == (("open", 9000, [9000]), ["payment.disputed"], "")


@known
def test_an_inquiry_that_became_a_dispute_unheard_takes_the_money_when_it_is_asked_about(
    scene: Scene, move_time: MoveTime
) -> None:
    bank = disputed(scene, inquiry=True)
    assert stands() == ("inquiry", 0, [])
    bank.escalates()
    nothing_comes(scene)
    move_time(HOUR + 1)
    tasks.sweep_disputes()
    assert (stands(), told()) == (("open", 9000, [9000]), ["payment.disputed"] * 2)
    assert timedelta(hours=23) < waits()


@stripe_only
def test_a_wallet_that_does_not_answer_is_asked_again_soon_and_then_ever_later(
    scene: Scene, move_time: MoveTime
) -> None:
    bank = disputed(scene)
    bank.decides("won")
    nothing_comes(scene)
    assert isinstance(scene.wallet, Stripe)
    move_time(HOUR + 1)
    delays = []
    for _time in range(3):
        scene.wallet.scripted = [Wrong("Busy", status=500, kind="api_error")]
        tasks.sweep_disputes()
        delays.append(round(waits().total_seconds()))
        assert "Busy" in Dispute.objects.get().error
        move_time(delays[-1] + 1)
    assert delays == [round(limits.RETRY_DELAYS[number].total_seconds()) for number in range(3)]
    tasks.sweep_disputes()
    assert (stands()[0], Dispute.objects.get().error) == ("won", "")


@stripe_only
def test_an_answer_begins_the_count_of_failures_anew(scene: Scene) -> None:
    disputed(scene)
    assert isinstance(scene.wallet, Stripe)
    for _time in range(2):
        scene.wallet.scripted = [Wrong("Busy", status=500, kind="api_error")]
        time_comes()
        tasks.sweep_disputes()
    assert Dispute.objects.get().attempts == 2
    time_comes()
    tasks.sweep_disputes()
    assert Dispute.objects.get().attempts == 0


@stripe_only
def test_a_dispute_the_wallet_does_not_know_stays_open_and_is_asked_about_daily(
    scene: Scene, move_time: MoveTime
) -> None:
    disputed(scene)
    Dispute.objects.update(provider_ref="du_unknown")
    move_time(HOUR + 1)
    tasks.sweep_disputes()
    assert (stands(), told()) == (("open", 9000, [9000]), ["payment.disputed"])
    assert "does not know" in Dispute.objects.get().error
    assert timedelta(hours=23) < waits()


@house_only
def test_a_gateway_without_the_call_is_asked_daily_and_its_dispute_stays_work(
    scene: Scene, move_time: MoveTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gateways that were made before the call was there."""
    disputed(scene)
    monkeypatch.delitem(requests.CALLS, "dispute.get")
    move_time(HOUR + 1)
    tasks.sweep_disputes()
    assert stands() == ("open", 9000, [9000])
    assert "There is no such call." in Dispute.objects.get().error
    assert timedelta(hours=23) < waits()


def open_one(payment: Payment, number: str = "dp_1") -> Dispute:
    return outside.hear_dispute(payment.pk, Outcome(State.PENDING, "", number, payment.captured))


def paid() -> Payment:
    return shop.succeed(shop.hold(shop.make_request()))


def test_a_wallet_that_cannot_be_asked_leaves_it_open_and_says_so(
    move_time: MoveTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_one(paid())
    alipay = registry.get("alipay")
    monkeypatch.setattr(registry, "get", lambda _name: alipay)
    move_time(HOUR + 1)
    tasks.sweep_disputes()
    assert stands()[0] == "open"
    assert "cannot be asked" in Dispute.objects.get().error
    assert timedelta(hours=23) < waits()


def test_one_that_cannot_be_asked_about_keeps_no_other_waiting(
    move_time: MoveTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, good = paid(), paid()
    open_one(poison, "poison")
    open_one(good, "good")

    def answer(_account: Any, number: str) -> Outcome:
        if number == "poison":
            raise ZeroDivisionError
        return Outcome(State.FAILED, "", number, Money(9000, "CNY"))

    monkeypatch.setattr(registry.get("sandbox"), "fetch_dispute", answer)
    move_time(HOUR + 1)
    tasks.sweep_disputes()
    assert dict(Dispute.objects.values_list("provider_ref", "status")) == {"poison": "open", "good": "lost"}
    assert Dispute.objects.get(provider_ref="poison").error == "ZeroDivisionError: "


def test_an_account_that_is_left_alone_is_not_asked(move_time: MoveTime, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = paid()
    open_one(payment)
    calls: list[str] = []

    def answer(_account: Any, number: str) -> Outcome:
        calls.append(number)
        raise ProviderError("no answer", permanent=False, code="timeout")

    monkeypatch.setattr(registry.get("sandbox"), "fetch_dispute", answer)
    move_time(HOUR + 1)
    for _time in range(limits.CALL_HANGS + 2):
        tasks.sweep_disputes()
        Dispute.objects.update(next_attempt_at=F("opened_at"))
    assert len(calls) == limits.CALL_HANGS


def test_an_open_dispute_without_a_next_question_cannot_be_and_would_be_an_alarm() -> None:
    dispute = open_one(paid())
    with pytest.raises(IntegrityError, match="undecided_disputes_are_asked_about"), transaction.atomic():
        Dispute.objects.update(next_attempt_at=None)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE payments_dispute DROP CONSTRAINT undecided_disputes_are_asked_about")
    Dispute.objects.update(next_attempt_at=None)
    assert [(it.rule, it.object_id) for it in ledger.check()] == [
        ("dispute: undecided is asked about again", dispute.public_id)
    ]


def test_one_that_the_version_before_opens_is_asked_about_too_and_what_it_closes_is_not(move_time: MoveTime) -> None:
    """It writes no time, and the table has one of its own; when it closes one it leaves the time as it is."""
    dispute = open_one(paid())
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO payments_dispute (public_id, account_id, payment_id, status, currency, amount, amount_taken,
                code, words, opened_at, provider_ref)
            SELECT 'dp_old', account_id, payment_id, status, currency, amount, 0, code, words, opened_at, 'dp_2'
            FROM payments_dispute"""
        )
    assert Dispute.objects.due(clock.now()).get().public_id == "dp_old"
    Dispute.objects.filter(public_id="dp_old").update(status="won", closed_at=clock.now())
    Dispute.objects.filter(pk=dispute.pk).update(status="lost", closed_at=clock.now())
    move_time(DAY)
    assert not Dispute.objects.due(clock.now()).exists()


def test_the_desk_says_when_the_wallet_is_asked_again_and_what_went_wrong() -> None:
    row = open_one(paid())
    assert row.next_attempt_at
    Dispute.objects.update(error="ProviderError: out of order")
    client = desk.staff(*desk.READ, "payments.view_dispute")
    page = desk.text(client, desk.page(row))
    assert "out of order" in page
    assert "To be asked again" in page
    hour = f"{timezone.localtime(row.next_attempt_at):%H:%M}"
    assert hour in page.partition("To be asked again")[2][:300]


# Disputes whose beginning was never told


def a_day_later(scene: Scene, today: Any) -> None:
    scene.wallet.clock.advance(36 * HOUR)
    bills.compare(scene.account, today)


def today(scene: Scene) -> Any:
    return scene.wallet.clock.now().astimezone(registry.get(scene.account.provider).zone).date()


@known
@pytest.mark.parametrize(("end", "stood"), [("won", ("won", 0, [9000, -9000])), ("", ("open", 9000, [9000]))])
def test_a_dispute_that_was_never_told_of_is_known_from_the_bill(
    scene: Scene, end: str, stood: tuple[str, int, list[int]]
) -> None:
    scene.pay()
    scene.hear()
    day, bank = today(scene), Bank(scene)
    if end:
        bank.decides(end)
    nothing_comes(scene)
    for _time in range(2):
        a_day_later(scene, day)
        tasks.sweep_disputes()
    row = Dispute.objects.get()
    assert (row.provider_ref, row.payment, row.code, row.amount) == (bank.number, scene.payment, "fraudulent", 9000)
    assert (stands(), told()) == (stood, ["payment.disputed", *(["payment.dispute_won"] if end else [])])
    assert ("respond by" in row.words) is (scene.method == "card")
    scene.hear()
    assert stands() == stood


@known
def test_a_bill_with_a_dispute_that_is_open_here_has_it_asked_about_at_once(scene: Scene) -> None:
    """Money came back, says the bill, and the next question is a day away."""
    bank = disputed(scene)
    disputes._put_off(Dispute.objects.get())
    day = today(scene)
    bank.decides("won")
    nothing_comes(scene)
    a_day_later(scene, day)
    tasks.sweep_disputes()
    assert stands() == ("won", 0, [9000, -9000])
    a_day_later(scene, day)
    assert Dispute.objects.get().next_attempt_at is None


def test_an_answer_about_one_dispute_puts_off_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    payment = paid()
    asked_first, later = open_one(payment), open_one(payment, "dp_2")
    stands = Outcome(State.PENDING, "", "dp_1", payment.captured)
    monkeypatch.setattr(registry.get("sandbox"), "fetch_dispute", lambda *_asked: stands)
    Dispute.objects.filter(pk=asked_first.pk).update(next_attempt_at=clock.now())
    tasks.sweep_disputes()
    later_now = Dispute.objects.get(pk=later.pk)
    assert later_now.next_attempt_at == later.next_attempt_at
    assert Dispute.objects.get(pk=asked_first.pk).next_attempt_at != later.next_attempt_at


def test_whose_a_dispute_is_is_looked_for_at_its_own_account_alone() -> None:
    payment = paid()
    other = shop.make_merchant("Other").provider_accounts.get()
    for names in ((payment.reference, ""), ("", payment.provider_ref), (payment.reference, payment.provider_ref)):
        assert outside.charged(payment.account, *names) == payment
        assert outside.charged(other, *names) is None


@stripe_only
def test_what_stripe_keeps_for_a_dispute_is_a_fee_of_its_payment(scene: Scene) -> None:
    scene.pay()
    scene.hear()
    day, bank = today(scene), Bank(scene)
    bank.decides("won")
    nothing_comes(scene)
    for _time in range(2):
        a_day_later(scene, day)
    kept = Fee.objects.filter(about="dispute").values_list("payment", "reference", "day", "currency", "amount")
    assert list(kept) == [(scene.payment.pk, bank.number, day, "USD", 1500)]


@stripe_only
@pytest.mark.parametrize("is_told", [False, True])
def test_a_dispute_of_the_shops_other_business_is_nothing_to_us_told_or_on_the_bill(
    scene: Scene, is_told: bool
) -> None:
    scene.pay()
    scene.hear()
    book, day = _book(scene), today(scene)
    price = {"0": {"quantity": "1", "price_data": {"currency": "usd", "unit_amount": "100"}}}
    session = book.open_session({"line_items": price, "success_url": "https://other.example/"})
    book.pay(session)
    book.open_dispute(book.things[session["payment_intent"]])
    if is_told:
        scene.hear()
        assert not ProviderEvent.objects.filter(applied_at=None).exists()
    nothing_comes(scene)
    a_day_later(scene, day)
    inbox.apply()
    assert (Dispute.objects.count(), told(), ledger.check()) == (0, [], [])
    assert set(Fee.objects.values_list("payment", "about")) == {(scene.payment.pk, "charge")}


@known
def test_an_inquiry_is_on_no_bill(scene: Scene) -> None:
    scene.pay()
    scene.hear()
    day = today(scene)
    Bank(scene, inquiry=True)
    nothing_comes(scene)
    a_day_later(scene, day)
    assert not Dispute.objects.exists()


@pytest.mark.parametrize("state", [State.PENDING, State.FAILED])
def test_one_number_for_two_payments_is_no_word_on_the_second(state: State) -> None:
    merchant = shop.make_merchant()
    first, second = (shop.succeed(shop.hold(shop.make_request(shop.make_order(merchant)))) for _ in range(2))
    open_one(first)
    with pytest.raises(ValueError, match="is said to be of"):
        outside.hear_dispute(second.pk, Outcome(state, "", "dp_1", second.captured))
    row = Dispute.objects.get()
    assert (row.status, row.payment, told()) == ("open", first, ["payment.disputed"])
    assert ledger.check() == []


def test_a_line_of_a_bill_is_about_its_own_dispute_alone() -> None:
    merchant = shop.make_merchant()
    paid = [*(shop.make_request(shop.make_order(merchant)) for _number in range(2)), shop.make_request()]
    payments = [shop.succeed(shop.hold(request)) for request in paid]
    for payment, number in reversed([*zip(payments, ("dp_2", "dp_1", "dp_2"), strict=True)]):
        outside.hear_dispute(payment.pk, Outcome(State.PENDING, "", number, payment.captured))
    Dispute.objects.update(next_attempt_at=clock.now() + timedelta(days=1))
    mine = payments[0]
    disputes.hear_from_bill(mine.account, [BillLine("dispute", "", "dp_2", mine.captured, State.SUCCEEDED)])
    assert list(Dispute.objects.due(clock.now()).values_list("payment", flat=True)) == [mine.pk]


def test_disputes_of_a_bill_are_looked_up_together(django_assert_num_queries: Any) -> None:
    payment = paid()
    for number in ("dp_1", "dp_2", "dp_3"):
        open_one(payment, number)
    lines = [BillLine("dispute", "", f"dp_{n}", payment.captured, State.PENDING) for n in (1, 2, 3, 1)]
    with django_assert_num_queries(3):  # one of them asks for the time
        assert disputes.hear_from_bill(payment.account, lines).keys() == {"dp_1", "dp_2", "dp_3"}
