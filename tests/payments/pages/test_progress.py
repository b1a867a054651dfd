"""What the buyer is told of how far it is, and what nobody else is told."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.test import Client

from orders.models import Event
from payments.live import snapshot
from payments.models import PaymentRequest
from payments.settlement import ledger, lifecycle, requests
from tests import shop
from tests.pages import words

Queries = Callable[[int], AbstractContextManager[object]]

pytestmark = pytest.mark.django_db


def told(payment_request: PaymentRequest) -> list[str]:
    """What happened to the request, in its order."""
    return list(Event.objects.filter(request=payment_request.public_id).order_by("seq").values_list("type", flat=True))


def steps(payment_request: PaymentRequest) -> str:
    """The list on the buyer's page."""
    return (
        words(Client().get(f"/checkout/{payment_request.order.token}/")).split("Where it stands")[1].split("Total")[0]
    )


def tab(payment_request: PaymentRequest) -> str:
    """What a tab in the background shows: its title, and which icon."""
    head = Client().get(f"/checkout/{payment_request.order.token}/").content.decode().split("</head>")[0]
    title = head.split("<title>")[1].split(" · ")[0]
    return f"{title}, {head.split('/icon')[1].split('.svg')[0] or 'plain'}"


def look(payment_request: PaymentRequest, client: Client | None = None, **said: str) -> int:
    return (client or Client()).post(f"/p/{payment_request.token}/opened/", said).status_code


def test_every_step_is_told_to_who_asked() -> None:
    payment_request = shop.make_request()
    assert "Waiting for your friend to open it" in steps(payment_request)
    assert tab(payment_request) == "Send this to a friend, plain"
    assert look(payment_request) == 204
    assert "Link opened" in steps(payment_request)
    assert "Waiting for your friend to pay" in steps(payment_request)
    assert tab(payment_request) == "Link opened, -news"
    assert look(payment_request, choosing="1") == 204
    assert "Someone is choosing how to pay" in steps(payment_request)
    assert tab(payment_request) == "Someone is choosing how to pay, -news"
    payment = shop.hold(payment_request)
    assert "Mei is paying" in steps(payment_request)
    assert tab(payment_request) == "A friend is paying, -paying"
    lifecycle.end_payment(payment.pk, cancelled=False, code="CARD_DECLINED", words="no money on it")
    assert "Mei tried, but the payment was refused. No money has moved." in steps(payment_request)
    assert "no money on it" not in steps(payment_request)
    assert tab(payment_request) == "Not paid yet, -missed"
    again = shop.hold(payment_request, name="")
    assert "tried" not in steps(payment_request)
    shop.succeed(again)
    assert tab(payment_request) == "Paid, -paid"


def test_an_attempt_that_was_left_or_ran_out_of_time_is_told_kindly() -> None:
    payment_request = shop.make_request()
    lifecycle.end_payment(shop.hold(payment_request, name="").pk, cancelled=True)
    assert "A friend started but didn't pay. No money has moved." in steps(payment_request)
    lifecycle.let_go(shop.hold(payment_request).pk)
    assert "Mei didn't finish in time." in steps(payment_request)


def test_nobody_is_said_to_choose_for_ever(move_time: Callable[[float], None]) -> None:
    payment_request = shop.make_request()
    look(payment_request, choosing="1")
    assert told(payment_request)[-2:] == ["payment_request.opened", "payment_request.considered"]
    move_time(181)
    assert "Waiting for your friend to pay" in steps(payment_request)


def test_who_says_no_does_not_choose_any_more() -> None:
    payment_request = shop.make_request()
    assert look(payment_request, choosing="1") == 204
    assert "Someone is choosing how to pay" in steps(payment_request)
    requests.decline(payment_request.pk)
    assert "choosing" not in steps(payment_request)
    assert "Waiting for your friend to pay" in steps(payment_request)


def test_opening_is_written_once_however_many_look(django_assert_num_queries: Queries) -> None:
    payment_request = shop.make_request()
    for _friend in range(3):
        look(payment_request)
        look(payment_request, choosing="1")
    assert (
        told(payment_request).count("payment_request.opened")
        == told(payment_request).count("payment_request.considered")
        == 1
    )
    assert ledger.check() == []
    with django_assert_num_queries(1):
        look(payment_request)


def test_two_friends_who_look_at_once_are_one_opening() -> None:
    payment_request = shop.make_request()
    other = PaymentRequest.objects.get()
    for choosing in (False, True):
        requests.record_view(payment_request, choosing=choosing)
        requests.record_view(other, choosing=choosing)
    assert told(payment_request) == ["payment_request.created", "payment_request.opened", "payment_request.considered"]


def test_loading_the_page_opens_nothing_and_says_that_opening_is_seen() -> None:
    payment_request = shop.make_request()
    page = Client().get(f"/p/{payment_request.token}/")
    assert "Lin can see that the link was opened, not by whom." in words(page)
    assert f'data-opened="/p/{payment_request.token}/opened/"' in page.content.decode()
    assert Client().get(f"/p/{payment_request.token}/opened/").status_code == 405
    payment_request.refresh_from_db()
    assert payment_request.opened_at is None


def test_another_site_cannot_say_that_somebody_looks() -> None:
    payment_request = shop.make_request()
    strict = Client(enforce_csrf_checks=True)
    assert look(payment_request, Client(headers={"Sec-Fetch-Site": "cross-site"})) == 403
    assert told(payment_request) == ["payment_request.created"]
    assert look(payment_request, strict) == 204  # a frame has no cookie to prove anything with
    assert strict.post("/p/AAAAAAAAAAAAAAAAAAAAAAAA/opened/").status_code == 404


def test_after_the_end_nothing_is_told(move_time: Callable[[float], None]) -> None:
    cancelled, stale = shop.make_request(), shop.make_request()
    lifecycle.cancel_request(cancelled.pk, actor="buyer")
    assert look(cancelled) == 204
    move_time(25 * 3600)
    assert look(stale) == 204
    assert told(cancelled)[-1] == "payment_request.cancelled"
    assert told(stale) == ["payment_request.created"]


def test_friends_do_not_learn_who_looked() -> None:
    payment_request = shop.make_request()
    before = snapshot.snapshot(payment_request)
    look(payment_request, choosing="1")
    payment_request.refresh_from_db()
    after = snapshot.snapshot(payment_request)
    assert {key for key in after if after[key] != before[key]} <= {"seq", "seconds_left"}
    assert after["seq"] == before["seq"] + 2
    page = words(Client().get(f"/p/{payment_request.token}/"))
    assert "Opened by" not in page
    assert "choosing" not in page


def test_opening_is_shown_to_whoever_watches(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]]
) -> None:
    shown: list[PaymentRequest] = []
    monkeypatch.setattr(snapshot, "push", lambda request, **_now: shown.append(request))
    payment_request = shop.make_request()
    with django_capture_on_commit_callbacks(execute=True):
        look(payment_request)
    assert payment_request in shown
