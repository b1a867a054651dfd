"""What support does by a button: each asks first, needs a right of its own, is logged, and happens once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from friendpay.kit import clock
from orders.models import Event
from payments.models import BillMismatch, Payment, PaymentRequest, ProviderEvent, Refund
from payments.settlement import inbox, lifecycle, refund_moves, refunds
from payments.wallets.base import Outcome, State
from tests import desk, shop
from tests.payments.admin.test_pages import mismatch, notification

pytestmark = pytest.mark.django_db

RIGHTS = {
    "cancel": "payments.cancel_paymentrequest",
    "refund": "payments.refund_payment",
    "send_again": "payments.resend_refund",
    "send_in_parts": "payments.resend_refund",
    "returned_elsewhere": "payments.settle_refund",
    "withdraw": "payments.withdraw_refund",
    "try_again": "payments.retry_providerevent",
    "count": "payments.assign_providerevent",
    "send_back": "payments.assign_providerevent",
    "put_away": "payments.assign_providerevent",
    "put_right": "payments.change_billmismatch",
}


def paid() -> Payment:
    return shop.succeed(shop.hold(shop.make_request()))


def failed_refund() -> Refund:
    refund = refunds.refund_payment(paid().pk, actor="merchant")
    return refund_moves.move_refund(refund.pk, "failed", outcome=Outcome(State.FAILED, refund.reference, code="NO"))


def orphan(minor: int = 0, request: PaymentRequest | None = None) -> ProviderEvent:
    """A notification that names nothing of ours; with an amount, one that tells of money."""
    said: dict[str, Any] = {"orphaned_at": clock.now()}
    if minor:
        said["outcome"] = charged("fp1", minor)
    return notification(shop.account_of(request or shop.make_request()), **said)


def charged(reference: str, minor: int) -> dict[str, Any]:
    """What a wallet says of a charge it took."""
    amount = {"minor": minor, "currency": "CNY"}
    return {
        "state": "succeeded",
        "reference": reference,
        "provider_ref": "T1",
        "amount": amount,
        "code": "",
        "message": "",
    }


THINGS: dict[str, Callable[[], Any]] = {
    "cancel": shop.make_request,
    "refund": paid,
    "send_again": failed_refund,
    "send_in_parts": failed_refund,
    "returned_elsewhere": failed_refund,
    "withdraw": failed_refund,
    "try_again": orphan,
    "count": lambda: orphan(1000),
    "send_back": lambda: orphan(1000),
    "put_away": orphan,
    "put_right": lambda: mismatch(shop.account_of(shop.make_request())),
}


def support(action: str) -> Client:
    return desk.staff(*desk.READ, RIGHTS[action])


def refund(client: Client, payment: Payment, amount: str, seen: int | None = None) -> Any:
    left = refund_moves.refundable(payment) if seen is None else seen
    return client.post(
        desk.page(payment, "refund"), {"amount": amount, "note": "broken cup", "seen": str(left), **desk.WHY}
    )


@pytest.mark.parametrize("action", RIGHTS)
def test_every_button_needs_its_own_right(action: str) -> None:
    thing = THINGS[action]()
    others = set(RIGHTS.values()) - {RIGHTS[action]}
    client = desk.staff(*desk.READ, *others)
    before = Event.objects.count()
    assert desk.page(thing, action) not in client.get(desk.page(thing)).content.decode()
    for answer in (client.get(desk.page(thing, action)), client.post(desk.page(thing, action))):
        assert answer.status_code == 403
    assert (Event.objects.count(), LogEntry.objects.count()) == (before, 0)


@pytest.mark.parametrize("action", RIGHTS)
def test_a_button_asks_before_anything_happens(action: str) -> None:
    thing, client = THINGS[action](), support(action)
    before = type(thing)._default_manager.values().get(pk=thing.pk), Event.objects.count()
    assert desk.page(thing, action) in client.get(desk.page(thing)).content.decode()
    assert client.get(desk.page(thing, action)).status_code == 200
    assert (type(thing)._default_manager.values().get(pk=thing.pk), Event.objects.count()) == before


@pytest.mark.parametrize("action", RIGHTS)
def test_what_is_not_there_is_said_kindly(action: str) -> None:
    thing, client = THINGS[action](), support(action)
    thing.pk = 10**9
    assert client.get(desk.page(thing, action)).status_code == 302


@pytest.mark.parametrize("action", RIGHTS)
def test_no_button_works_from_another_site(action: str) -> None:
    thing = THINGS[action]()
    client = Client(enforce_csrf_checks=True)
    support(action)
    client.force_login(User.objects.get())
    assert client.post(desk.page(thing, action)).status_code == 403


def test_a_request_is_cancelled() -> None:
    request, client = shop.make_request(), support("cancel")
    assert client.post(desk.page(request, "cancel"), desk.WHY).status_code == 302
    request.refresh_from_db()
    assert request.status == "cancelled"
    assert Event.objects.get(type="payment_request.cancelled").actor == "support:anna"
    assert (LogEntry.objects.get().user.username, LogEntry.objects.get().object_id) == ("anna", str(request.pk))
    assert desk.page(request, "cancel") not in client.get(desk.page(request)).content.decode()


def test_a_paid_request_is_not_cancelled_and_support_reads_why() -> None:
    request = paid().request
    response = support("cancel").post(desk.page(request, "cancel"), desk.WHY)
    assert response.status_code == 409
    assert "This was paid already" in response.content.decode()
    assert PaymentRequest.objects.get().status == "paid"
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(("amount", "minor"), [("90.00", 9000), ("10", 1000), ("0.01", 1)])
def test_a_payment_is_refunded_whole_or_in_part(amount: str, minor: int) -> None:
    payment = paid()
    assert refund(support("refund"), payment, amount).status_code == 302
    row = Refund.objects.get()
    assert (row.amount, row.reason, row.note, row.payment) == (minor, "merchant", "broken cup", payment)
    assert Event.objects.get(type="refund.requested").actor == "support:anna"
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize("amount", ["90.01", "0", "-1", "1.001", "abc", "", "1e3", "NaN", "Infinity", "9" * 40])
def test_no_other_amount_is_refunded(amount: str) -> None:
    payment = paid()
    response = refund(support("refund"), payment, amount)
    assert response.status_code in (200, 422)
    assert not Refund.objects.exists()
    assert not LogEntry.objects.exists()


def test_a_currency_without_small_coins_is_refunded_in_whole_ones() -> None:
    payment = shop.succeed(shop.hold(shop.make_request(amount=900, currency="JPY")))
    client = support("refund")
    assert refund(client, payment, "1.5").status_code == 200
    assert refund(client, payment, "100").status_code == 302
    assert Refund.objects.get().amount == 100


def test_a_double_click_refunds_once() -> None:
    payment, client = paid(), support("refund")
    seen = refund_moves.refundable(payment)
    assert refund(client, payment, "10.00", seen).status_code == 302
    assert refund(client, payment, "10.00", seen).status_code == 409
    assert Refund.objects.get().amount == 1000


def test_what_came_back_at_once_cannot_be_refunded_again() -> None:
    first, second = shop.attempts(shop.make_request(), 2)
    shop.succeed(first)
    late, client = shop.succeed(second), support("refund")
    assert desk.page(late, "refund") not in client.get(desk.page(late)).content.decode()
    assert refund(client, late, "90.00").status_code == 422
    assert Refund.objects.count() == 1


def test_a_failed_refund_is_sent_again_with_its_reference() -> None:
    row, client = failed_refund(), support("send_again")
    reference = row.reference
    assert client.post(desk.page(row, "send_again")).status_code == 302
    row.refresh_from_db()
    assert (row.status, row.reference, row.attempts) == ("requested", reference, 0)
    assert row.next_attempt_at is not None
    assert Event.objects.filter(type="refund.requested", actor="support:anna").count() == 1
    assert client.post(desk.page(row, "send_again")).status_code == 409
    assert LogEntry.objects.count() == 1


def test_a_failed_refund_is_sent_in_two_parts() -> None:
    row, client = failed_refund(), support("send_in_parts")
    assert client.post(desk.page(row, "send_in_parts"), {"amount": "90.00"}).status_code == 422
    assert client.post(desk.page(row, "send_in_parts"), {"amount": "30.00"}).status_code == 302
    assert list(Refund.objects.values_list("status", "amount")) == [
        ("withdrawn", 9000),
        ("requested", 3000),
        ("requested", 6000),
    ]


def test_what_was_returned_by_other_means_is_booked_with_a_word_how() -> None:
    row, client = failed_refund(), support("returned_elsewhere")
    page = desk.page(row, "returned_elsewhere")
    assert client.post(page, {"amount": "90.00", "how": " "} | desk.WHY).status_code == 200
    assert client.post(page, {"amount": "90.00", "how": "in cash, 100% of it"} | desk.WHY).status_code == 302
    row.refresh_from_db()
    assert (row.status, row.returned_how) == ("returned_elsewhere", "in cash, 100% of it")
    assert "in cash, 100% of it" in desk.text(client, desk.page(row))
    assert client.post(page, {"amount": "90.00", "how": "again"} | desk.WHY).status_code == 409
    assert LogEntry.objects.count() == 1


def test_a_failed_refund_is_withdrawn() -> None:
    row, client = failed_refund(), support("withdraw")
    assert client.post(desk.page(row, "withdraw"), desk.WHY).status_code == 302
    row.refresh_from_db()
    assert (row.status, row.next_attempt_at) == ("withdrawn", None)
    assert client.post(desk.page(row, "withdraw"), desk.WHY).status_code == 409


@pytest.mark.parametrize("why", ["orphaned_at", "set_aside_at"])
def test_a_notification_is_tried_again(why: str, django_capture_on_commit_callbacks: Any) -> None:
    payment = shop.hold(shop.make_request())
    said: dict[str, Any] = {"outcome": charged(payment.reference, 9000), why: clock.now()}
    event = notification(payment.account, reference=payment.reference, **said)
    client = support("try_again")
    with django_capture_on_commit_callbacks() as tasks:
        assert client.post(desk.page(event, "try_again")).status_code == 302
    assert len(tasks) == 1
    assert inbox.apply() == 1
    event.refresh_from_db()
    assert event.applied_at is not None
    assert (event.orphaned_at, event.set_aside_at) == (None, None)
    assert Payment.objects.get().status == "succeeded"
    assert client.post(desk.page(event, "try_again")).status_code == 409


def test_an_orphan_that_is_still_one_comes_back() -> None:
    event, client = orphan(), support("try_again")
    client.post(desk.page(event, "try_again"))
    assert inbox.apply() == 1
    assert ProviderEvent.objects.get().orphaned_at is not None


@pytest.mark.parametrize("key", ["public_id", "code", "order"])
def test_an_orphans_money_counts_for_the_request_it_was_meant_for(key: str) -> None:
    request = shop.make_request()
    event, client = orphan(9000, request), support("count")
    text = request.order.reference if key == "order" else getattr(request, key)
    assert "Count CN¥90.00 for a request" in desk.text(client, desk.page(event, "count"))
    assert client.post(desk.page(event, "count"), {"request": text}).status_code == 302
    assert PaymentRequest.objects.get().status == "paid"
    assert Event.objects.get(type="payment.adopted").actor == "support:anna"
    assert client.post(desk.page(event, "count"), {"request": text}).status_code == 409
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("text", ["", "pr_nobody", "A-1001"])
def test_an_orphan_counts_for_nothing_that_is_not_one_request(text: str) -> None:
    order = shop.make_order(reference="A-1001")
    for _number in range(2):
        lifecycle.cancel_request(shop.make_request(order).pk, actor="buyer")
    event = orphan(9000, PaymentRequest.objects.first())
    assert support("count").post(desk.page(event, "count"), {"request": text}).status_code == 200
    assert not Payment.objects.exists()


def test_an_orphans_money_is_sent_back() -> None:
    event, client = orphan(9000), support("send_back")
    assert client.post(desk.page(event, "send_back")).status_code == 302
    assert Refund.objects.get().amount == 9000
    assert client.post(desk.page(event, "send_back")).status_code == 409
    assert Refund.objects.count() == 1
    assert LogEntry.objects.count() == 1


def test_a_mismatch_is_put_right_once_with_a_word_how() -> None:
    row, client = mismatch(shop.account_of(shop.make_request())), support("put_right")
    assert client.post(desk.page(row, "put_right"), {"note": ""}).status_code == 200
    assert client.post(desk.page(row, "put_right"), {"note": "paid by hand"}).status_code == 302
    assert client.post(desk.page(row, "put_right"), {"note": "again"}).status_code == 409
    row = BillMismatch.objects.get()
    assert row.note == "paid by hand"
    assert row.settled_at is not None


def test_a_long_login_name_still_fits_the_log_of_events() -> None:
    request = shop.make_request()
    client = desk.staff(*desk.READ, RIGHTS["cancel"], name="a" * 150)
    assert client.post(desk.page(request, "cancel"), desk.WHY).status_code == 302
    assert len(Event.objects.get(type="payment_request.cancelled").actor) == 80
