"""Limits while Valkey hangs, is down, or answers nonsense: they hold, and nobody waits for it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from statistics import median
from unittest.mock import Mock

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from redis.client import Pipeline

from friendpay.kit import counters, limits, trust_limits
from tests import shop
from tests.caller import ORDER, Caller, ledger
from tests.payments.share.test_codes import guesses

pytestmark = pytest.mark.django_db


def _listens(folder: Path, answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server in Valkey's place that does just this with whoever comes."""
    address = f"{folder}/valkey"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()

        def serve() -> None:
            with suppress(OSError):
                while True:
                    answer(server.accept()[0])

        threading.Thread(target=serve, daemon=True).start()
        yield f"unix://{address}"
        server.shutdown(socket.SHUT_RDWR)


_held: list[socket.socket] = []


def _hung(folder: Path) -> Iterator[str]:
    """It takes the call and says nothing."""
    yield from _listens(folder, _held.append)
    while _held:
        _held.pop().close()


def _down(folder: Path) -> Iterator[str]:
    """Nobody is there."""
    yield f"unix://{folder}/nobody"


def _mad(folder: Path) -> Iterator[str]:
    """It says what Valkey never says."""
    yield from _listens(folder, lambda caller: caller.sendall(b"HTTP/1.1 200 OK\r\n\r\n"))


def _loading(folder: Path) -> Iterator[str]:
    """It is starting, and refuses whatever it is asked."""
    yield from _listens(folder, lambda caller: caller.sendall(b"-LOADING dataset in memory\r\n" * 50))


@pytest.fixture(params=[_hung, _down, _mad, _loading], ids=lambda make: make.__name__.strip("_"))
def silent(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Iterator[None]:
    """Valkey, ill."""
    counters.valkey.cache_clear()
    counters._pause_ends = 0.0
    for address in request.param(tmp_path):
        settings.REDIS_URLS = [address]
        yield
    counters.valkey.cache_clear()
    counters._pause_ends = 0.0


@pytest.mark.usefixtures("silent")
def test_a_silent_valkey_delays_nobody_for_long() -> None:
    took = []
    for _time in range(10):
        began = time.monotonic()
        counters.counted("one", "two")
        counters.count("one", "two", window=60)
        took.append(time.monotonic() - began)
    assert median(took) < limits.COUNTERS_TIMEOUT_SECONDS / 2, "whoever comes after the first does not wait"
    assert max(took) < 20, "nor does the first for long, on a machine that does other things as well"
    assert [tries for tries, _ends in counters.counted("one", "two", "three")] == [10, 10, 0]


def test_it_is_asked_once_in_a_while_and_not_by_every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Mock(side_effect=TimeoutError)
    monkeypatch.setattr(Pipeline, "execute", asked)
    monkeypatch.setattr(counters, "_pause_ends", 0.0)
    for _time in range(20):
        counters.count("x", window=60)
    assert asked.call_count == 1


@pytest.mark.usefixtures("silent")
def test_wrong_passwords_are_limited() -> None:
    User.objects.create_superuser("anna", password="a long password")
    told = [
        Client().post("/admin/login/", {"username": "anna", "password": word}).status_code
        for word in ["wrong"] * 10 + ["a long password"]
    ]
    assert told == [200] * 10 + [429]
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert elsewhere.post("/admin/login/", {"username": "anna", "password": "a long password"}).status_code == 302


@pytest.mark.usefixtures("silent")
def test_wrong_codes_are_limited_and_right_ones_open() -> None:
    payment_request = shop.make_request()
    for text in guesses(limits.GUESSES_CALM[0]):
        assert Client().post("/open/", {"text": text}).status_code == 422
    assert Client().post("/open/", {"text": payment_request.code}).status_code == 429
    assert Client(REMOTE_ADDR="192.0.2.7").post("/open/", {"text": payment_request.code}).status_code == 303


@pytest.mark.usefixtures("silent")
def test_declines_of_a_network_are_limited() -> None:
    payment_request = shop.make_request()
    told = [Client().post(f"/p/{payment_request.token}/decline/", {"note": ""}).status_code for _time in range(5)]
    assert told == [303] * limits.DECLINES_OF_A_NETWORK + [429] * 2


@pytest.mark.usefixtures("silent")
def test_asks_of_a_network_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust_limits, "ASKS_OF_A_NETWORK", (3, 3, 3))
    merchant = shop.make_merchant()
    orders = [shop.make_order(merchant, reference=f"A-{number}") for number in range(5)]
    told = [Client().post(f"/checkout/{order.token}/ask/").status_code for order in orders]
    assert told == [303] * 3 + [429] * 2


@pytest.mark.usefixtures("silent")
def test_posters_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "POSTERS_OF_A_NETWORK", 0)
    assert Client().get(f"/p/{shop.make_request().token}/poster.png").status_code == 429


@pytest.mark.usefixtures("silent")
def test_calls_of_a_key_are_limited_and_told_what_is_left(settings: Settings) -> None:
    settings.API_CALLS_PER_SECOND = 1
    caller, patient = Caller(), Caller()
    before = ledger()
    answers = [caller.get("/orders") for _ in range(10)]
    assert [answer.status for answer in answers] == [200] * 10
    assert answers[0].headers["RateLimit"].startswith('"key";r=9;t=')
    assert caller.post("/orders", ORDER, key="k").status == 429
    assert ledger() == before
    assert patient.get("/orders").status == 200


def test_a_valkey_that_dies_under_a_call_turns_nobody_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """What redis-py raises when another thread has just closed the connection is no error of its own."""
    monkeypatch.setattr(Pipeline, "execute", Mock(side_effect=ValueError("I/O operation on closed file.")))
    monkeypatch.setattr(counters, "_pause_ends", 0.0)
    assert Caller().get("/orders").status == 200


def test_ones_own_count_begins_anew_after_its_window(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    own = counters._Own()
    assert [own.ask(["a"], 60) for _time in range(3)] == [[(1, 60)], [(2, 60)], [(3, 60)]]
    now += 59.5
    assert own.ask(["a"], None) == [(3, 1)]
    now += 1
    assert own.ask(["a", "b"], None) == [(0, 1), (0, 1)]
    assert own.ask(["a"], 60) == [(1, 60)]


def test_ones_own_counts_are_bounded_and_who_is_at_it_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COUNTERS_KEPT", 100)
    own = counters._Own()
    names = (f"stranger-{number}" for number in cycle(range(10_000)))
    for _time in range(50):
        own.ask(["guesser"], 3600)
        own.ask([next(names) for _stranger in range(90)], 3600)
    assert own.ask(["guesser"], None)[0][0] == 50
    assert len(own._counts) == 100


def test_two_threads_are_both_counted() -> None:
    own = counters._Own()
    threads = [threading.Thread(target=lambda: [own.ask(["x"], 60) for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert own.ask(["x"], None)[0][0] == 2000


def test_when_valkey_is_back_it_counts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "_pause_ends", float("inf"))
    counters.count("x", window=60)
    monkeypatch.setattr(counters, "_pause_ends", 0.0)
    assert counters.count("x", window=60)[0][0] == 1
    assert counters.counted("x")[0][0] == 1
