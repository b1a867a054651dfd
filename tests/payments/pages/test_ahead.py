"""The friend's page on the event loop: read anew each time, and by a thread where more has to be asked."""

import json

import pytest
from django.db import connection
from django.test import Client

from friendpay.kit import clock, limits
from orders.models import Merchant
from payments.models import PaymentRequest, ProviderAccount
from payments.offers import standing, weighing
from payments.pages import ahead
from payments.pages.visitors import COOKIE
from payments.settlement.lifecycle import cancel_request
from tests.payments.pages.loop import House

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_visitor_meets_her_own_attempt_and_nobody_elses(house: House, request_: PaymentRequest) -> None:
    client, page = Client(), f"/p/{request_.token}/"
    client.post(f"{page}pay/", {"method": "sandbox", "name": "Mei"})
    hers = house.get(page, headers={"cookie": f"{COOKIE}={client.cookies[COOKIE].value}"})
    others = house.get(page)
    assert (hers.by_thread, others.by_thread) == (False, False)
    assert ["<bdi>Mei</bdi> is paying" in answer.body for answer in (hers, others)] == [False, True]


def test_what_was_changed_shows_in_the_very_next_answer(house: House, request_: PaymentRequest) -> None:
    page = f"/p/{request_.token}/"
    assert "cancelled the request" not in house.get(page).body
    cancel_request(request_.pk, actor="buyer")
    after = house.get(page)
    assert "cancelled the request" in after.body
    assert not after.by_thread


def test_settings_that_have_just_changed_are_read_by_a_thread(house: House, request_: PaymentRequest) -> None:
    Merchant.objects.update(name="River Tea")
    answers = [house.get(f"/p/{request_.token}/") for _twice in range(2)]
    assert [answer.by_thread for answer in answers] == [True, False]
    assert all("River Tea" in answer.body for answer in answers)


def test_every_wallet_is_named_there(house: House, request_: PaymentRequest) -> None:
    for provider in ("house", "stripe", "wechatpay", "alipay"):
        account = ProviderAccount(merchant=request_.merchant, provider=provider, base_url="http://127.0.0.1:1")
        account.config = {}
        account.save()
    # They are known, and nothing was drawn of them.
    standing.read(request_.merchant_id, "somebody", clock.now(), live=False)
    answers = [house.get(f"/p/{request_.token}/") for _again in range(4)]
    assert not any(answer.by_thread for answer in answers)
    assert all(" checkout" in answer.body for answer in answers)


def test_a_page_that_needs_more_than_was_read_is_drawn_by_a_thread(
    house: House, request_: PaymentRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weighing, "label", lambda *_asked: f"one of {Merchant.objects.count()} shops")
    answer = house.get(f"/p/{request_.token}/")
    assert (answer.status, answer.by_thread) == (200, True)
    assert "one of 1 shops" in answer.body


@pytest.mark.parametrize(("path", "method", "status"), [("/p/nobody/", "GET", 404), ("/p/{}/", "POST", 403)])
def test_other_than_a_page_goes_to_a_thread(
    house: House, request_: PaymentRequest, path: str, method: str, status: int
) -> None:
    answer = house.get(path.format(request_.token), method=method)
    assert (answer.by_thread, answer.status) == (True, status)


def test_a_reader_that_was_cut_off_is_replaced_and_nobody_notices(house: House, request_: PaymentRequest) -> None:
    page = f"/p/{request_.token}/"
    assert not house.get(page).by_thread
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database() AND query LIKE '%clock_timestamp%'"
        )
    answers = [house.get(page) for _twice in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert not answers[1].by_thread, "there is a new reader"


def test_a_reading_that_takes_too_long_is_left_to_a_thread(
    house: House, request_: PaymentRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = f"/p/{request_.token}/"
    assert not house.get(page).by_thread
    monkeypatch.setattr(limits, "ROW_SECONDS", 0)
    answer = house.get(page)
    assert (answer.status, answer.by_thread) == (200, True)


def test_statements_of_a_page_are_planned_once(house: House) -> None:
    """PostgreSQL would plan them anew for each visitor, three times as long as it takes to answer."""
    mode = "SELECT current_setting('plan_cache_mode'), current_setting('random_page_cost')"
    assert house.loop.run(ahead.readers.one(mode, {})) == ("force_generic_plan", "1.1")
    with connection.cursor() as cursor:
        cursor.execute(mode)
        assert cursor.fetchone() == ("force_generic_plan", "1.1")


def test_its_state_as_json_is_read_anew_and_answered_there_too(house: House, request_: PaymentRequest) -> None:
    path = f"/p/{request_.token}/status.json"
    before, there = house.get(path), house.get(path, by_thread=True)
    assert (before.by_thread, there.by_thread) == (False, True)
    assert (before.status, before.headers) == (there.status, there.headers)
    assert json.loads(before.body) | {"seconds_left": 0} == json.loads(there.body) | {"seconds_left": 0}
    cancel_request(request_.pk, actor="buyer")
    after = house.get(path)
    assert (after.by_thread, json.loads(after.body)["status"]) == (False, "cancelled")
    assert house.get("/p/nobody/status.json").status == 404
