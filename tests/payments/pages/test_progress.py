"""What the buyer is told of how far it is, and what nobody else is told."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.test import Client

from orders.models import Event
from payments.live import snapshot as live
from payments.models import PaymentRequest
from payments.settlement import ledger, lifecycle, requests
from tests import shop
from tests.pages import words

Queries = Callable[[int], AbstractContextManager[object]]

pytestmark = pytest.mark.django_db


def told(plea: PaymentRequest) -> list[str]:
    """What happened to the request, in its order."""
    return list(Event.objects.filter(request=plea.public_id).order_by("seq").values_list("type", flat=True))


def steps(plea: PaymentRequest) -> str:
    """The list on the buyer's page."""
    return words(Client().get(f"/checkout/{plea.order.token}/")).split("Where it stands")[1].split("Total")[0]


def tab(plea: PaymentRequest) -> str:
    """What a tab in the background shows: its title, and which icon."""
    head = Client().get(f"/checkout/{plea.order.token}/").content.decode().split("</head>")[0]
    title = head.split("<title>")[1].split(" · ")[0]
    return f"{title}, {head.split('/icon')[1].split('.svg')[0] or 'plain'}"


def look(plea: PaymentRequest, client: Client | None = None, **said: str) -> int:
    return (client or Client()).post(f"/p/{plea.token}/opened/", said).status_code


def test_every_step_is_told_to_who_asked() -> None:
    plea = shop.make_request()
    assert "Waiting for a friend to open it" in steps(plea)
    assert tab(plea) == "Waiting for a friend, plain"
    assert look(plea) == 204
    assert "Opened by somebody" in steps(plea)
    assert "Waiting for a friend to pay" in steps(plea)
    assert tab(plea) == "Opened, -news"
    assert look(plea, choosing="1") == 204
    assert "Somebody is choosing how to pay" in steps(plea)
    assert tab(plea) == "Somebody is choosing, -news"
    payment = shop.hold(plea)
    assert "Mei is paying" in steps(plea)
    assert tab(plea) == "A friend is paying, -news"
    lifecycle.end_payment(payment.pk, cancelled=False, code="CARD_DECLINED", words="no money on it")
    assert "Mei tried, but the wallet did not take the payment. No money has moved." in steps(plea)
    assert "no money on it" not in steps(plea)
    assert tab(plea) == "Not paid yet, -news"
    again = shop.hold(plea, name="")
    assert "tried" not in steps(plea)
    shop.succeed(again)
    assert tab(plea) == "Paid, -paid"


def test_an_attempt_that_was_left_or_ran_out_of_time_is_told_kindly() -> None:
    plea = shop.make_request()
    lifecycle.end_payment(shop.hold(plea, name="").pk, cancelled=True)
    assert "A friend tried and left the wallet without paying. No money has moved." in steps(plea)
    lifecycle.let_go(shop.hold(plea).pk)
    assert "Mei tried and did not finish in time." in steps(plea)


def test_nobody_is_said_to_choose_for_ever(move_time: Callable[[float], None]) -> None:
    plea = shop.make_request()
    look(plea, choosing="1")
    assert told(plea)[-2:] == ["payment_request.opened", "payment_request.considered"]
    move_time(181)
    assert "Waiting for a friend to pay" in steps(plea)


def test_who_says_no_does_not_choose_any_more() -> None:
    plea = shop.make_request()
    look(plea, choosing="1")
    requests.decline(plea.pk)
    assert "choosing" not in steps(plea)


def test_opening_is_written_once_however_many_look(django_assert_num_queries: Queries) -> None:
    plea = shop.make_request()
    for _friend in range(3):
        look(plea)
        look(plea, choosing="1")
    assert told(plea).count("payment_request.opened") == told(plea).count("payment_request.considered") == 1
    assert ledger.check() == []
    with django_assert_num_queries(1):
        look(plea)


def test_two_friends_who_look_at_once_are_one_opening() -> None:
    plea = shop.make_request()
    other = PaymentRequest.objects.get()
    for choosing in (False, True):
        requests.look(plea, choosing=choosing)
        requests.look(other, choosing=choosing)
    assert told(plea) == ["payment_request.created", "payment_request.opened", "payment_request.considered"]


def test_loading_the_page_opens_nothing_and_says_that_opening_is_seen() -> None:
    plea = shop.make_request()
    page = Client().get(f"/p/{plea.token}/")
    assert "Lin sees that somebody opened this, not who." in words(page)
    assert f'data-opened="/p/{plea.token}/opened/"' in page.content.decode()
    assert Client().get(f"/p/{plea.token}/opened/").status_code == 405
    plea.refresh_from_db()
    assert plea.opened_at is None


def test_another_site_cannot_say_that_somebody_looks() -> None:
    plea = shop.make_request()
    strict = Client(enforce_csrf_checks=True)
    assert look(plea, Client(headers={"Sec-Fetch-Site": "cross-site"})) == 403
    assert told(plea) == ["payment_request.created"]
    assert look(plea, strict) == 204  # a frame has no cookie to prove anything with
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
    plea = shop.make_request()
    before = live.snapshot(plea)
    look(plea, choosing="1")
    plea.refresh_from_db()
    after = live.snapshot(plea)
    assert {key for key in after if after[key] != before[key]} <= {"seq", "seconds_left"}
    assert after["seq"] == before["seq"] + 2
    page = words(Client().get(f"/p/{plea.token}/"))
    assert "Opened by" not in page
    assert "choosing" not in page


def test_opening_is_shown_to_whoever_watches(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]]
) -> None:
    shown: list[int] = []
    monkeypatch.setattr(live, "push", shown.append)
    plea = shop.make_request()
    with django_capture_on_commit_callbacks(execute=True):
        look(plea)
    assert plea.pk in shown
