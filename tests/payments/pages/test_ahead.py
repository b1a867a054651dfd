"""The friend's page on the event loop: what a thread would answer, read anew each time; and a thread where more has to
be asked.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.test import Client

from friendpay.bridge import Bridge
from friendpay.kit import limits
from friendpay.kit.reads_ahead import Readers
from orders.models import Merchant
from payments.models import PaymentRequest
from payments.pages import ahead
from payments.pages.visitors import COOKIE
from payments.settlement.lifecycle import cancel_request
from tests import shop

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Answer:
    """What was sent, and whether a thread had to do it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: str
    by_thread: bool


class House:
    """Our pages on an event loop."""

    def __init__(self) -> None:
        pages = get_wsgi_application()
        self.loop = asyncio.Runner()
        self._threads = Bridge(pages, threads=1, max_body=1000)
        self._bridge = Bridge(pages, threads=1, max_body=1000, ahead=self._prepare)
        self._prepared = False

    async def _prepare(self, asked: dict[str, Any]) -> bool:
        self._prepared = await ahead.prepare(asked)
        return self._prepared

    def get(
        self, path: str, *, method: str = "GET", by_thread: bool = False, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """An answer; by a thread if asked."""
        sent: list[Any] = []
        fields = {"host": "127.0.0.1:8000", "user-agent": "Mozilla/5.0", **(headers or {})}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "scheme": "http",
            "http_version": "1.1",
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 5),
            "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            sent.append(message)

        self._prepared = False
        self.loop.run((self._threads if by_thread else self._bridge)(scope, receive, send))
        start, content = sent
        return Answer(start["status"], start["headers"], content["body"].decode(errors="replace"), not self._prepared)

    def close(self) -> None:
        self.loop.run(ahead.readers.close())
        self.loop.close()
        for bridge in (self._threads, self._bridge):
            bridge._pool("").submit(lambda: connection.close()).result()  # its own
            bridge.close()


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(ahead, "readers", Readers(1))
    house = House()
    yield house
    house.close()


@pytest.fixture
def request_() -> PaymentRequest:
    """One whose page was opened before: the shop's settings are known."""
    asked = shop.make_request()
    assert Client().get(f"/p/{asked.token}/").status_code == 200
    return asked


DIFFERS = re.compile(r'(csrftoken=|csrfmiddlewaretoken" value=")\w+|expires=[^;]+|\d+:\d\d(:\d\d)?|left="\d+')


def same(text: object) -> str:
    """Without what is random, and the seconds that pass."""
    return DIFFERS.sub("", str(text))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"accept-language": "zh-TW"},
        {"cookie": f"{COOKIE}=somebody; csrftoken={'b' * 32}; said=no"},
        {"host": "elsewhere.example"},
        {"user-agent": "TelegramBot (like TwitterBot)"},
    ],
    ids=["first visit", "another language", "cookies", "another host", "crawler"],
)
def test_it_answers_what_a_thread_answers(house: House, request_: PaymentRequest, headers: dict[str, str]) -> None:
    page = f"/p/{request_.token}/"
    here, there = house.get(page, headers=headers), house.get(page, by_thread=True, headers=headers)
    assert (here.by_thread, there.by_thread) == (False, True)
    assert (here.status, same(here.headers), same(here.body)) == (there.status, same(there.headers), same(there.body))


def test_a_visitor_meets_her_own_attempt_and_nobody_elses(house: House, request_: PaymentRequest) -> None:
    client, page = Client(), f"/p/{request_.token}/"
    client.post(f"{page}pay/", {"method": "sandbox", "name": "Mei"})
    hers = house.get(page, headers={"cookie": f"{COOKIE}={client.cookies[COOKIE].value}"})
    others = house.get(page)
    assert (hers.by_thread, others.by_thread) == (False, False)
    assert ["<bdi>Mei</bdi> is paying" in answer.body for answer in (hers, others)] == [False, True]


def test_what_was_changed_shows_in_the_very_next_answer(house: House, request_: PaymentRequest) -> None:
    page = f"/p/{request_.token}/"
    assert "no longer asks" not in house.get(page).body
    cancel_request(request_.pk, actor="buyer")
    after = house.get(page)
    assert "no longer asks" in after.body
    assert not after.by_thread


def test_settings_that_have_just_changed_are_read_by_a_thread(house: House, request_: PaymentRequest) -> None:
    Merchant.objects.update(name="River Tea")
    answers = [house.get(f"/p/{request_.token}/") for _twice in range(2)]
    assert [answer.by_thread for answer in answers] == [True, False]
    assert all("River Tea" in answer.body for answer in answers)


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
    assert [(answer.status, answer.by_thread) for answer in answers] == [(200, True), (200, False)]


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
    mode = "SELECT current_setting('plan_cache_mode')"
    assert house.loop.run(ahead.readers.one(mode, {})) == ("force_generic_plan",)
    with connection.cursor() as cursor:
        cursor.execute(mode)
        assert cursor.fetchone() == ("force_generic_plan",)
