"""Money above a set amount is moved by two people, once, or not at all."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, connection, transaction
from django.test import Client
from pytest_django import Settings

from friendpay.kit import clock, desk_limits
from orders.models import Event, Order
from payments.models import Payment, PaymentRequest, Proposal, Refund
from payments.settlement import ledger, refunds
from payments.settlement.rules import Split
from tests import desk, shop

pytestmark = pytest.mark.django_db

MAY = (*desk.READ, "payments.refund_payment", "payments.view_proposal", "payments.decide_proposal")


@pytest.fixture(autouse=True)
def _above_fifty(settings: Settings) -> None:
    settings.DESK_SECOND_PERSON_ABOVE = {"CNY": "50.00"}


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def paid() -> Payment:
    return shop.succeed(shop.hold(shop.make_request()))


def propose(client: Client, payment: Payment, amount: str = "90.00", seen: str = "9000") -> Any:
    form = {"amount": amount, "note": "", "seen": seen, **desk.WHY}
    return client.post(desk.page(payment, "refund"), form, follow=True)


def test_a_small_sum_moves_at_once_and_a_large_one_waits() -> None:
    payment, anna = paid(), desk.staff(*MAY)
    propose(anna, payment, "50.00")
    assert (Refund.objects.get().amount, Proposal.objects.count()) == (5000, 0)
    answer = propose(anna, payment, "0.01", "4000")  # many small sums are a large one
    assert "Another has to confirm it" in desk.words(answer)
    assert (Refund.objects.count(), Proposal.objects.get().amount) == (1, 1)


def test_another_person_confirms_and_both_are_on_record() -> None:
    payment, anna, bo = paid(), desk.staff(*MAY), desk.staff(*MAY, name="bo")
    propose(anna, payment)
    assert not Refund.objects.exists()
    proposal = Proposal.objects.get()
    for page in ("/admin/", desk.page(payment.request)):
        assert "Refund: CN¥90.00" in desk.text(bo, page)
    assert bo.post(desk.page(proposal, "confirm")).status_code == 302
    assert Refund.objects.get().amount == 9000
    assert Event.objects.get(type="refund.requested").actor == "support:anna+bo"
    proposal.refresh_from_db()
    assert (proposal.outcome, proposal.decided_by and proposal.decided_by.username) == ("confirmed", "bo")
    of_payment = LogEntry.objects.filter(content_type__model="payment", object_id=str(payment.pk))
    told = of_payment.latest("id").change_message
    assert "Reason: The shop asked for it. by phone Proposed by anna, confirmed by bo." in told
    assert bo.post(desk.page(proposal, "confirm")).status_code == 409
    assert Refund.objects.count() == 1
    assert ledger.check() == []


def test_nobody_confirms_what_they_proposed() -> None:
    payment, anna = paid(), desk.staff(*MAY)
    propose(anna, payment)
    proposal = Proposal.objects.get()
    assert anna.post(desk.page(proposal, "confirm")).status_code == 403
    assert not Refund.objects.exists()
    decided = {"outcome": "confirmed", "decided_at": clock.now(), "decided_by": proposal.proposed_by}
    with pytest.raises(IntegrityError), transaction.atomic():
        Proposal.objects.update(**decided)


def test_who_could_not_do_it_cannot_confirm_it() -> None:
    payment = paid()
    propose(desk.staff(*MAY), payment)
    bo = desk.staff(*desk.READ, "payments.view_proposal", "payments.decide_proposal", name="bo")
    assert bo.post(desk.page(Proposal.objects.get(), "confirm")).status_code == 403
    assert not Refund.objects.exists()


def test_a_double_click_proposes_once() -> None:
    payment, anna = paid(), desk.staff(*MAY)
    propose(anna, payment)
    assert "Somebody has proposed this already" in desk.words(propose(anna, payment))
    assert Proposal.objects.count() == 1


def test_what_changed_meanwhile_is_refused_and_nothing_moves() -> None:
    payment = paid()
    propose(desk.staff(*MAY), payment)
    refunds.refund_payment(payment.pk, 4000, actor="merchant")
    bo = desk.staff(*MAY, name="bo")
    assert bo.post(desk.page(Proposal.objects.get(), "confirm")).status_code == 409
    assert [refund.amount for refund in Refund.objects.all()] == [4000]
    assert Proposal.objects.get().outcome == ""


def test_a_proposal_ends_by_itself_and_can_be_made_again(move_time: Callable[[float], None]) -> None:
    payment, anna = paid(), desk.staff(*MAY)
    propose(anna, payment)
    proposal = Proposal.objects.get()
    move_time(desk_limits.PROPOSAL_LIVES.total_seconds() + 1)
    bo = desk.staff(*MAY, name="bo")
    assert bo.post(desk.page(proposal, "confirm")).status_code == 409
    assert not Refund.objects.exists()
    propose(desk.staff(*MAY, name="cy"), payment)
    assert list(Proposal.objects.order_by("id").values_list("outcome", flat=True)) == ["expired", ""]


def test_a_declined_one_moves_nothing_and_says_why() -> None:
    payment = paid()
    propose(desk.staff(*MAY), payment)
    bo = desk.staff(*MAY, name="bo")
    proposal = Proposal.objects.get()
    assert bo.post(desk.page(proposal, "decline"), desk.WHY).status_code == 302
    assert bo.post(desk.page(proposal, "confirm")).status_code == 409
    assert not Refund.objects.exists()


def test_an_order_refund_of_lines_counts_them_to_know_the_sum() -> None:
    payment, anna = paid(), desk.staff(*MAY)
    order = payment.request.order
    form = {"line_1": "1", "amount": "", "note": "broken", "seen": "9000", **desk.WHY}
    assert anna.post(desk.page(order, "refund"), form).status_code == 302
    assert Proposal.objects.get().amount == 9000
    assert order.lines.get().quantity_returned == 0
    bo = desk.staff(*MAY, name="bo")
    assert bo.post(desk.page(Proposal.objects.get(), "confirm")).status_code == 302
    assert order.lines.get().quantity_returned == 1
    assert Refund.objects.get().amount == 9000


def test_a_refund_from_the_case_needs_two_as_well() -> None:
    payment = paid()
    form = {"amount": "90.00", "note": "all", "seen": "9000", **desk.WHY}
    assert desk.staff(*MAY).post(desk.page(payment.request, "refund"), form).status_code == 302
    assert not Refund.objects.exists()
    bo = desk.staff(*MAY, name="bo")
    assert bo.post(desk.page(Proposal.objects.get(), "confirm")).status_code == 302
    assert Refund.objects.get().amount == 9000


def test_nothing_needs_two_where_the_setting_is_empty(settings: Settings) -> None:
    settings.DESK_SECOND_PERSON_ABOVE = {}
    propose(desk.staff(*MAY), paid())
    assert (Refund.objects.count(), Proposal.objects.count()) == (1, 0)


def test_a_currency_without_an_amount_needs_two(settings: Settings) -> None:
    settings.DESK_SECOND_PERSON_ABOVE = {"USD": "50.00"}
    propose(desk.staff(*MAY), paid(), "0.01")
    assert (Refund.objects.count(), Proposal.objects.count()) == (0, 1)


@pytest.mark.django_db(transaction=True)
def test_two_refunds_of_one_order_at_once_do_not_pass_the_sum_together() -> None:
    """Of two payers, so that neither form sees the other's. Both are under way before either can go on."""
    request = shop.make_request(split=Split(2))
    payments = [shop.succeed(shop.hold(request, 4500, name=name)) for name in ("Mei", "Jun")]
    clients = [desk.staff(*MAY), desk.staff(*MAY, name="bo")]

    def refund(number: int) -> None:
        propose(clients[number], payments[number], "30.00", "4500")
        connection.close()

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic(), connection.cursor() as cursor:
            Order.objects.select_for_update().get()
            under_way, waiting = [pool.submit(refund, number) for number in range(2)], 0
            while waiting < len(under_way):
                assert not any(it.done() for it in under_way)
                cursor.execute("SELECT pg_stat_clear_snapshot(), pg_sleep(0.01)")
                cursor.execute(WAITING)
                waiting = cursor.fetchone()[0]
        for it in under_way:
            it.result(30)
    assert [refund.amount for refund in Refund.objects.all()] == [3000]
    assert [proposal.amount for proposal in Proposal.objects.all()] == [3000]
    assert ledger.check() == []


@pytest.mark.django_db(transaction=True)
def test_two_who_confirm_at_once_do_it_once() -> None:
    payment = paid()
    propose(desk.staff(*MAY), payment)
    address = desk.page(Proposal.objects.get(), "confirm")
    clients = [desk.staff(*MAY, name=name) for name in ("bo", "cy", "di")]
    together, answers = threading.Barrier(len(clients)), list[int]()

    def confirm(client: Client) -> None:
        together.wait(60)
        answers.append(client.post(address).status_code)
        connection.close()

    threads = [threading.Thread(target=confirm, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == [302, 409, 409]
    assert Refund.objects.get().amount == 9000
    assert PaymentRequest.objects.get().status == "paid"
    assert ledger.check() == []
