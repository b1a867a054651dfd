"""The friend's page on the event loop: what a thread would answer, read anew each time; and a thread where more has to
be asked.
"""

import asyncio
import gzip
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from secrets import token_hex
from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from friendpay.bridge import Bridge
from friendpay.kit import clock, frames, limits
from friendpay.kit.reads_ahead import Readers
from orders.models import Merchant
from payments.models import PaymentRequest, RolloutRule
from payments.pages import ahead, form_action, framed
from payments.pages.visitors import COOKIE
from payments.settlement.lifecycle import cancel_request
from tests import shop
from tests.payments.pages.test_never_stale import CHANGES, ENDS, Change, elsewhere

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Answer:
    """What was sent, and whether a thread had to do it, or neither a thread nor the ordinary handler."""

    status: int
    headers: list[tuple[bytes, bytes]]
    content: bytes
    by_thread: bool
    framed: bool

    @property
    def body(self) -> str:
        """As a browser reads it."""
        compressed = (b"content-encoding", b"gzip") in self.headers
        return (gzip.decompress(self.content) if compressed else self.content).decode()


class House:
    """Our pages on an event loop."""

    def __init__(self) -> None:
        pages = get_wsgi_application()
        self.loop = asyncio.Runner()
        self._threads = Bridge(pages, threads=1, max_body=1000)
        self._bridge = Bridge(pages, threads=1, max_body=1000, ahead=self._answer)
        self._by_thread = self._framed = False

    async def _answer(self, asked: dict[str, Any], ordinary: Callable[[dict[str, Any]], frames.Answer]) -> Any:
        self._framed = True

        def as_ever(asked: dict[str, Any]) -> frames.Answer:
            self._framed = False
            return ordinary(asked)

        answer = await framed.answer(asked, as_ever)
        self._by_thread = answer is None
        return answer

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

        self._by_thread, self._framed = True, False
        self.loop.run((self._threads if by_thread else self._bridge)(scope, receive, send))
        start, content = sent
        framed = self._framed and not self._by_thread
        return Answer(start["status"], start["headers"], content["body"], self._by_thread, framed)

    def close(self) -> None:
        self.loop.run(ahead.readers.close())
        self.loop.close()
        for bridge in (self._threads, self._bridge):
            bridge._pool("").submit(lambda: connection.close()).result()  # its own
            bridge.close()


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(ahead, "readers", Readers(1))
    monkeypatch.setattr(framed, "_frames", frames.Frames())
    monkeypatch.setattr(framed, "_kept", {})
    house = House()
    yield house
    house.close()


@pytest.fixture
def request_() -> PaymentRequest:
    """One whose page was opened before: the shop's settings are known."""
    asked = shop.make_request()
    assert Client().get(f"/p/{asked.token}/").status_code == 200
    return asked


DIFFERS = re.compile(
    r"""(csrftoken=|csrfmiddlewaretoken" value="|content-length', b')\w+|expires=[^;]+|\d+:\d\d(:\d\d)?|left="\d+"""
)


def same(text: object) -> str:
    """Without what is random, and the seconds that pass."""
    return DIFFERS.sub("", str(text))


SECRET = "b" * 32
ASKED: dict[str, tuple[dict[str, str], bool]] = {
    "first visit": ({}, True),
    "another language": ({"accept-language": "zh-TW"}, True),
    "chosen language": ({"cookie": "django_language=es", "accept-language": "zh-TW"}, True),
    "from right to left": ({"accept-language": "ar"}, True),
    "compressed": ({"accept-encoding": "gzip, br"}, True),
    "phone": ({"user-agent": "Mozilla/5.0 (iPhone) MicroMessenger/8.0"}, True),
    "cookies": ({"cookie": f"{COOKIE}=somebody; csrftoken={SECRET}; _ga=1"}, True),
    "what was just done": ({"cookie": f"{COOKIE}=somebody; csrftoken={SECRET}; said=no"}, False),
    "an old secret": ({"cookie": f"csrftoken={'b' * 64}"}, False),
    "a broken secret": ({"cookie": f"csrftoken={'-' * 32}"}, False),
    "another host": ({"host": "elsewhere.example"}, False),
    "crawler": ({"user-agent": "TelegramBot (like TwitterBot)"}, False),
}


@pytest.mark.parametrize(("headers", "learns"), ASKED.values(), ids=ASKED)
def test_it_answers_what_a_thread_answers(
    house: House, request_: PaymentRequest, headers: dict[str, str], learns: bool
) -> None:
    """Header by header and byte by byte, while the ordinary path answers and once its headers are learned."""
    page = f"/p/{request_.token}/"
    there = house.get(page, by_thread=True, headers=headers)
    here = [house.get(page, headers=headers) for _thrice in range(3)]
    assert [answer.framed for answer in here] == [False, False, learns]
    for answer in here:
        assert (answer.by_thread, there.by_thread) == (False, True)
        assert (answer.status, same(answer.headers), same(answer.body)) == (
            there.status,
            same(there.headers),
            same(there.body),
        )
        assert dict(answer.headers)[b"content-length"].decode() == str(len(answer.content))


def test_what_was_learned_of_one_visitor_is_given_to_nobody_who_asks_otherwise(
    house: House, request_: PaymentRequest
) -> None:
    page, several = f"/p/{request_.token}/", [headers for headers, _learns in ASKED.values()]
    for headers in several * 2:
        house.get(page, headers=headers)
    for headers in several:
        here, there = house.get(page, headers=headers), house.get(page, by_thread=True, headers=headers)
        assert (here.status, same(here.headers)) == (there.status, same(there.headers))
        assert same(here.body) == same(there.body)


def test_a_frame_is_the_same_for_every_page_of_a_shop(house: House, request_: PaymentRequest) -> None:
    for _twice in range(2):
        house.get(f"/p/{request_.token}/")
    other = shop.make_request(shop.make_order(request_.merchant))
    here, there = house.get(f"/p/{other.token}/"), house.get(f"/p/{other.token}/", by_thread=True)
    assert here.framed
    assert (same(here.headers), same(here.body)) == (same(there.headers), same(there.body))


def test_nothing_is_learned_of_headers_that_differ_each_time(
    house: House, request_: PaymentRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as the number of a request, should there be one."""
    monkeypatch.setattr(form_action, "lead_to", numbered)
    assert not any(house.get(f"/p/{request_.token}/").framed for _often in range(5))


def numbered(response: HttpResponse, accounts: object) -> HttpResponse:
    response["X-Number"] = token_hex(4)
    return response


def test_each_visitor_has_a_secret_of_her_own_and_can_send_the_form(house: House, request_: PaymentRequest) -> None:
    page = f"/p/{request_.token}/"
    answers = [house.get(page) for _often in range(4)]
    secrets = [secret for answer in answers for secret in re.findall(r"csrftoken=(\w{32});", str(answer.headers))]
    tokens = [re.findall(r'csrfmiddlewaretoken" value="(\w+)"', answer.body) for answer in answers]
    assert answers[-1].framed
    assert len({*secrets}) == len({*map(tuple, tokens)}) == len(answers)
    client = Client(enforce_csrf_checks=True)
    for secret, token, status in [(secrets[-1], tokens[-1][0], 303), (secrets[0], tokens[-1][0], 403)]:
        client.cookies["csrftoken"] = secret
        sent = client.post(f"{page}decline/", {"choice": "sorry", "csrfmiddlewaretoken": token})
        assert sent.status_code == status


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


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.what)
def test_whatever_is_changed_elsewhere_shows_in_the_very_next_answer(
    house: House, request_: PaymentRequest, end: Change
) -> None:
    address = f"/p/{request_.token}/"
    for change in [*CHANGES, end]:
        before = [house.get(address) for _often in range(4)][-1]
        assert before.framed, change.what
        elsewhere(change.change, request_)
        after, there = house.get(address), house.get(address, by_thread=True)
        assert same(before.body) != same(after.body), change.what
        assert (same(after.headers), same(after.body)) == (same(there.headers), same(there.body)), change.what


HOUR = timedelta(hours=1)


@pytest.mark.parametrize("asked", ["open", "held", "contested", "by a rule"])
def test_time_alone_changes_the_page_at_its_moment(
    house: House, request_: PaymentRequest, move_time: Callable[[float], None], asked: str
) -> None:
    """Holds that yield and end, reminders that are no longer offered, the end that is near, and the end."""
    if asked == "contested":
        shop.attempts(request_, 2)
    if asked in ("held", "contested"):
        shop.hold(request_, name="Mei")
    if asked == "by a rule":
        RolloutRule.objects.create(
            merchant=request_.merchant, method="sandbox", starts_at=clock.now() + HOUR, ends_at=clock.now() + 9 * HOUR
        )
    page, seen = f"/p/{request_.token}/", set[str]()
    for step in range(60):
        here, there = house.get(page), house.get(page, by_thread=True)
        assert (same(here.headers), same(here.body)) == (same(there.headers), same(there.body))
        seen.add(same(here.body))
        move_time(20 if step < 20 else 3600)
    assert here.framed
    assert len(seen) > 2


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
