"""Machines are answered as everybody is, with less of what only pages need."""

from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from pytest_django.fixtures import Settings

from friendpay import handler
from friendpay.bridge import Answer, Bridge, environ
from friendpay.handler import Handler
from payments.models import ProviderAccount, ProviderEvent
from payments.settlement import inbox
from tests import shop
from tests.payments.pages.loop import same

pytestmark = pytest.mark.django_db

NOTIFY = "/notify/house/"
FOR_PEOPLE = (b"content-language", b"vary", b"set-cookie")
WRONG = b'{"a":1}'


@pytest.fixture(autouse=True)
def _one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on after a request, which would end the connection."""
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)


@pytest.fixture
def account() -> ProviderAccount:
    account = ProviderAccount(merchant=shop.make_merchant(), provider="house", base_url="http://127.0.0.1:1")
    account.config = {"secret": "whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3I="}
    account.save()
    return account


def asked(pages: WSGIHandler, path: str, body: bytes = WRONG, *, method: str = "POST", **fields: str) -> Answer:
    """What such a handler answers, behind the bridge, in a thread whose last page was Arabic."""
    headers = {"host": "127.0.0.1:8000", "content-type": "application/json", "cookie": f"csrftoken={'c' * 32}"} | fields
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "scheme": "https",
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 5),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    translation.activate("ar")
    return Bridge(pages, threads=1, max_body=1000)._page(environ(scope, body, len(body)))


def test_an_answer_to_a_machine_is_the_one_that_all_the_middleware_gives(
    account: ProviderAccount, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SECURE_HSTS_SECONDS = 3600
    own = f"{NOTIFY}{account.public_id}/"
    statuses = []

    def compare(path: str, body: bytes = WRONG, **fields: str) -> None:
        short, long = (asked(make(), path, body, **fields) for make in (Handler, WSGIHandler))
        assert of_all(short) == of_all(long)
        statuses.append(short[0])

    compare(own)
    compare(f"{NOTIFY}acc_nobody/")
    compare(f"{NOTIFY}acc_nobody")  # Django leads to the slash
    compare("/notify/nothing/")
    compare(own, host="elsewhere.example")
    compare(own, b"x" * 300_000)
    monkeypatch.setattr(inbox, "receive", fails)
    compare(own)
    assert statuses == [401, 404, 301, 404, 400, 413, 500]
    assert not ProviderEvent.objects.exists()


def of_all(answer: Answer) -> tuple[int, str, str]:
    status, headers, content = answer
    return status, same([field for field in headers if field[0] not in FOR_PEOPLE]), same(content)


def fails(*_any: object) -> NoReturn:
    raise RuntimeError


def test_who_comes_by_get_is_answered_as_everywhere(account: ProviderAccount) -> None:
    path = f"{NOTIFY}{account.public_id}/"
    short, long = (asked(make(), path, b"", method="GET") for make in (Handler, WSGIHandler))
    assert short == long
    assert short[0] == 405


def test_every_notification_is_posted_to_such_an_address() -> None:
    assert reverse("notify", args=["house", "acc_1"]).startswith(handler.POSTED_BY_MACHINES)


passed: list[tuple[str, str]] = []


def _noting(name: str, get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def answer(request: HttpRequest) -> HttpResponse:
        passed.append((name, request.path_info))
        return get_response(request)

    return answer


def others(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """As OpenTelemetry puts one of its own in front of ours."""
    return _noting("others", get_response)


def of_pages(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    return _noting("of pages", get_response)


def test_machines_pass_all_but_what_is_of_pages(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MIDDLEWARE = [f"{__name__}.others", f"{__name__}.of_pages", *settings.MIDDLEWARE]
    monkeypatch.setattr(handler, "OF_PAGES", {*handler.OF_PAGES, f"{__name__}.of_pages"})
    pages = Handler()
    passed.clear()
    asked(pages, f"{NOTIFY}acc_nobody/")
    assert passed == [("others", f"{NOTIFY}acc_nobody/")]
    passed.clear()
    asked(pages, "/open/", b"", method="GET")
    assert passed == [("others", "/open/"), ("of pages", "/open/")]


def test_what_is_of_pages_is_in_the_middleware(settings: Settings) -> None:
    assert set(settings.MIDDLEWARE) > handler.OF_PAGES


def test_a_form_posted_among_machines_needs_its_token_still(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "POSTED_BY_MACHINES", "/p/")
    pages, path = Handler(), f"/p/{shop.make_request().token}/decline/"
    form = {"content-type": "application/x-www-form-urlencoded", "origin": settings.PUBLIC_URL}
    statuses = [asked(pages, path, f"csrfmiddlewaretoken={sign * 32}".encode(), **form)[0] for sign in "dc"]
    assert statuses == [403, 303]
