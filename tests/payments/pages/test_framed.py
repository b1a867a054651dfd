"""The friend's page in a learned frame: byte by byte what the ordinary path answers, and never what has changed."""

import re
from collections.abc import Callable
from datetime import timedelta
from secrets import token_hex

import pytest
from django.http import HttpResponse
from django.test import Client

from friendpay.kit import clock
from payments.models import PaymentRequest, RolloutRule
from payments.pages import form_action
from payments.pages.visitors import COOKIE
from payments.settlement import lifecycle
from tests import shop
from tests.payments.pages.loop import House, same
from tests.payments.pages.test_never_stale import CHANGES, ENDS, Change, elsewhere

pytestmark = pytest.mark.django_db(transaction=True)


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
    "endless headers": ({"user-agent": "Mozilla/5.0 " * 100}, False),
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


@pytest.mark.parametrize(
    ("headers", "learns"),
    [
        ({}, True),
        ({"accept-language": "zh-TW"}, True),
        ({"cookie": f"{COOKIE}=somebody; csrftoken={SECRET}", "accept-encoding": "gzip"}, True),
        ({"if-none-match": '"another"'}, False),
        ({"host": "elsewhere.example"}, False),
    ],
)
def test_a_state_is_answered_as_by_a_thread(
    house: House, request_: PaymentRequest, headers: dict[str, str], learns: bool
) -> None:
    """Header by header and byte by byte; a long one, too, but where chance says whether it is compressed."""
    state = f"/p/{request_.token}/status.json"
    for held in (False, True)[: 1 if "accept-encoding" in headers else 2]:
        if held:
            shop.hold(request_)
        answers = [house.get(state, headers=headers) for _thrice in range(3)]
        there = house.get(state, by_thread=True, headers=headers)
        assert [answer.framed for answer in answers] == [False, False, learns]
        for answer in answers:
            assert (answer.status, still(answer.headers), still(answer.body)) == (
                there.status,
                still(there.headers),
                still(there.body),
            )


SECONDS = re.compile(r'seconds_(left|held)": \d+')


def still(text: object) -> str:
    return SECONDS.sub("", same(text))


def test_a_state_is_new_in_the_very_next_answer(house: House, request_: PaymentRequest) -> None:
    state = f"/p/{request_.token}/status.json"
    before = [house.get(state) for _often in range(3)][-1]
    assert before.framed
    lifecycle.cancel_request(request_.pk, actor="buyer")
    after, there = house.get(state), house.get(state, by_thread=True)
    assert after.framed
    assert '"cancelled"' in after.body
    assert (same(after.headers), same(after.body)) == (same(there.headers), same(there.body))
    had = house.get(state, headers={"if-none-match": dict(after.headers)[b"etag"].decode()})
    assert (had.status, had.body) == (304, "")


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
    page, seen, framed = f"/p/{request_.token}/", set[str](), list[bool]()
    for step in range(60):
        here, there = house.get(page), house.get(page, by_thread=True)
        assert (same(here.headers), same(here.body)) == (same(there.headers), same(there.body))
        seen.add(same(here.body))
        framed.append(here.framed)
        move_time(20 if step < 20 else 3600)
    assert any(framed[-3:])  # the first two of a day are drawn whole, at whatever hour the tests run
    assert len(seen) > 2
