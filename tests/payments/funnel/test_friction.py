"""The friction meter: what is counted, that it is in nobody's way, and what it says."""

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from friendpay.kit import background, clock
from friendpay.kit.money import Money
from orders.models import Merchant, Order
from payments import tasks
from payments.funnel import report, steps
from payments.models import Payment, PaymentRequest, Step
from payments.settlement import reconcile, requests
from payments.wallets.base import Outcome, State
from tests import shop
from tests.desk import staff, text
from tests.payments.conftest import Fault
from tests.trips import Trips

pytestmark = pytest.mark.django_db

Kind = Step.Kind
METER = "/admin/payments/step/"


def gone(payment_request: PaymentRequest) -> list[str]:
    """The steps of a request in the order in which they were gone."""
    return list(payment_request.steps.order_by("at", "id").values_list("kind", flat=True))


def pay(payment_request: PaymentRequest) -> Payment:
    """A friend pays, through pages and wallet."""
    Client().post(f"/p/{payment_request.token}/pay/", {"method": "sandbox"})
    payment = Payment.objects.select_related("account").latest("pk")
    return taken(payment)


def taken(payment: Payment) -> Payment:
    """The wallet says that it took the money."""
    amount = Money(payment.amount, payment.currency)
    return reconcile.apply(payment, Outcome(State.SUCCEEDED, payment.reference, provider_ref="T1", amount=amount))


def say(payment_request: PaymentRequest, client: Client | None = None, **said: str) -> int:
    """What the buyer's page says for the meter; the status of the answer."""
    return (client or Client()).post(f"/p/{payment_request.token}/step/", said).status_code


def went(payment_request: PaymentRequest, **seconds: float) -> None:
    """The steps of a request, so many seconds after its beginning."""
    for kind, after in seconds.items():
        at = payment_request.created_at + timedelta(seconds=after)
        method = "sandbox" if kind in ("method_chosen", "pay_started", "provider_paid") else ""
        steps.record(Kind(kind), payment_request, method=method, at=at)


@pytest.mark.django_db(transaction=True)
def test_steps_that_are_taken_within_a_moment_are_stored_by_one_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[Callable[[], object]] = []
    monkeypatch.setattr(background, "run_later", lambda _purpose, job: jobs.append(job))
    first, second, gone_since = (shop.make_request(), shop.make_request(), shop.make_request())
    for request in (first, second):
        steps.record(Kind.METHOD_CHOSEN, request, method="sandbox", at=clock.now())
    steps.record(Kind.PAY_STARTED, gone_since, method="sandbox")
    steps.record(Kind.PAY_STARTED, first, method="sandbox")
    gone_since.delete()
    before = clock.now()
    jobs.pop(0)()
    trips = Trips()
    with connection.execute_wrapper(trips):
        for job in jobs:
            job()
    assert trips.count == 0, "the first job stored them all"
    assert (gone(first), gone(second)) == (["method_chosen", "pay_started"], ["method_chosen"])
    assert first.steps.get(kind="pay_started").at < before, "when it was taken, not when it was stored"


def test_the_whole_way_leaves_its_eight_steps_and_nothing_about_people() -> None:
    order = shop.make_order()
    buyer, friend = Client(), Client(headers={"User-Agent": "Mozilla/5.0 (iPhone) Mobile"})
    buyer.post(f"/checkout/{order.token}/ask/")
    payment_request = PaymentRequest.objects.get()
    assert say(payment_request, buyer, shared="1") == 204
    assert friend.post(f"/p/{payment_request.token}/opened/", {"open": "1"}).status_code == 204
    payment = pay(payment_request)
    assert say(payment_request, buyer, saw="1") == 204
    assert gone(payment_request) == Kind.values
    assert set(payment_request.steps.values_list("merchant", flat=True)) == {payment_request.merchant_id}
    assert payment_request.steps.get(kind="human_open").surface == "phone"
    assert set(payment_request.steps.exclude(method="").values_list("kind", "method")) == {
        ("method_chosen", "sandbox"),
        ("pay_started", "sandbox"),
        ("provider_paid", "sandbox"),
    }
    assert {field.name for field in Step._meta.fields} == {
        "id", "merchant", "request", "kind", "method", "surface", "at",
    }  # fmt: skip
    payment_request.refresh_from_db()
    assert payment_request.steps.get(kind="provider_paid").at == payment_request.paid_at == payment.request.paid_at


def test_only_the_first_time_counts() -> None:
    payment_request = shop.make_request()
    went(payment_request, human_open=5)
    requests.record_view(payment_request, surface="phone")
    assert say(payment_request, shared="1") == 204
    first = payment_request.steps.get(kind="share_invoked").at
    assert say(payment_request, shared="1") == 204
    assert payment_request.steps.get(kind="share_invoked").at == first
    assert payment_request.steps.get(kind="human_open").at == payment_request.created_at + timedelta(seconds=5)


def test_a_buyer_who_pays_herself_is_not_counted(client: Client) -> None:
    order = shop.make_order()
    assert client.post(f"/checkout/{order.token}/pay/", {"method": "sandbox"}).status_code == 303
    payment = taken(Payment.objects.select_related("account").get())
    payment.request.refresh_from_db()
    assert payment.request.paid_at
    assert say(payment.request, client, shared="1", saw="1") == 204
    assert not Step.objects.exists()


def test_a_buyer_who_pays_after_all_leaves_no_step_of_a_friend(client: Client) -> None:
    payment_request = shop.make_request()
    client.post(f"/checkout/{payment_request.order.token}/pay/", {"method": "sandbox"})
    taken(Payment.objects.select_related("account").get())
    payment_request.refresh_from_db()
    assert payment_request.paid_at
    assert gone(payment_request) == []


def test_nobody_sees_paid_before_it_is_and_no_other_site_says_anything() -> None:
    payment_request = shop.make_request()
    assert say(payment_request, saw="1") == 204
    assert say(payment_request, Client(headers={"Sec-Fetch-Site": "cross-site"}), shared="1") == 403
    assert Client().get(f"/p/{payment_request.token}/step/").status_code == 405
    assert gone(payment_request) == []
    before = payment_request.seq
    payment_request.refresh_from_db()
    assert payment_request.seq == before


def test_a_meter_that_cannot_store_stops_no_payment(caplog: pytest.LogCaptureFixture) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE payments_step RENAME TO lost")
    order = shop.make_order()
    with caplog.at_level(logging.WARNING):
        Client().post(f"/checkout/{order.token}/ask/")
        payment = pay(PaymentRequest.objects.get())
    order.refresh_from_db()
    assert (payment.status, order.status) == ("succeeded", Order.Status.PAID)
    assert "was not stored" in caplog.text


def test_a_wallet_that_says_no_was_chosen_but_not_opened(client: Client, faulty: Fault) -> None:
    payment_request = shop.make_request()
    faulty("start", permanent=True)
    client.post(f"/p/{payment_request.token}/pay/", {"method": "sandbox"})
    client.post(f"/p/{payment_request.token}/pay/", {"method": "gold"})
    assert list(payment_request.steps.values_list("kind", "method")) == [("method_chosen", "sandbox")]


def test_storing_a_step_is_one_statement() -> None:
    payment_request = shop.make_request()
    trips = Trips()
    with connection.execute_wrapper(trips):
        steps.record(Kind.HUMAN_OPEN, payment_request)
        steps.record_all(payment_request, (Kind.HUMAN_OPEN, "", "", None), (Kind.METHOD_CHOSEN, "sandbox", "", None))
    assert len(trips.statements) == 2
    assert gone(payment_request) == ["human_open", "method_chosen"]


def test_what_the_meter_does_not_look_back_to_is_forgotten() -> None:
    payment_request = shop.make_request()
    went(payment_request, request_created=0, share_invoked=-91 * 86400)
    tasks.purge_steps()
    assert gone(payment_request) == ["request_created"]


def three_requests() -> list[PaymentRequest]:
    """One that is paid, one whose friend opened it and left, one that nobody opened yet."""
    paid, left, fresh = (shop.make_request() for _one in range(3))
    start = {"help_tapped": 0, "request_created": 0}
    went(paid, **start, share_invoked=4, human_open=64, method_chosen=70, pay_started=72, provider_paid=90)
    went(paid, buyer_saw_paid=90.5)
    went(left, **start, share_invoked=8, human_open=308)
    went(fresh, **start)
    PaymentRequest.objects.filter(pk=left.pk).update(status="cancelled", closed_at=clock.now())
    return [paid, left, fresh]


def test_the_report_says_how_far_where_left_and_how_long() -> None:
    three_requests()
    found = report.report(clock.now() - timedelta(days=7))
    assert [stage.reached for stage in found.stages] == [3, 3, 2, 2, 1, 1, 1, 1]
    assert [(stage.kind, stage.left) for stage in found.stages if stage.left] == [("human_open", 1)]
    assert [(stage.kind, stage.waiting) for stage in found.stages if stage.waiting] == [("request_created", 1)]
    spans = {span.name: (span.count, span.median, round(span.p95 or 0, 1)) for span in found.spans}
    assert spans == {"buyer": (2, 6, 7.8), "waiting": (2, 180, 288), "friend": (1, 8, 8), "lag": (1, 0.5, 0.5)}


def test_the_report_is_narrowed_by_shop_wallet_and_time() -> None:
    paid, _left, _fresh = three_requests()
    since = clock.now() - timedelta(days=7)
    assert report.report(since, shops=[paid.merchant_id]).total == 1
    assert report.report(since, method="sandbox").total == 1
    assert report.report(since, method="alipay").stages[0].reached == 0
    assert report.report(clock.now() + timedelta(minutes=1)).total == 0


def test_the_page_draws_and_says_the_same_in_tables() -> None:
    three_requests()
    desk = staff("payments.view_step")
    page = desk.get(METER).content.decode()
    assert page.count('class="desk-plot"') == 2
    assert 'width="33.33%"' in page
    shown = text(desk, METER)
    for words in ("How far", "Reached", "Left here", "opened by a person", "Median", "3 min", "4.8 min", "0.5 s"):
        assert words in shown
    assert "http://" not in page.split("<main")[-1]


def test_the_page_says_when_there_is_nothing_and_refuses_nonsense() -> None:
    three_requests()
    desk = staff("payments.view_step")
    empty = Merchant.objects.create(name="Quiet Books")
    assert "Nothing to show yet" in text(desk, f"{METER}?shop={empty.pk}")
    for nonsense in ("days=1000", "shop=x", "method=gold"):
        shown = text(desk, f"{METER}?{nonsense}")
        assert "Nothing to show yet" not in shown
        assert "Left here" not in shown


def test_the_page_takes_its_right() -> None:
    assert staff("payments.view_payment").get(METER).status_code == 403
    assert "Friction meter" in text(staff("payments.view_step", name="ben"), "/admin/")
