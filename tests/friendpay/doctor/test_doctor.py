"""The doctor says what is wrong and what mends it, and is never fooled by what answers."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder
from pytest_django.fixtures import Settings

from friendpay import health
from friendpay.doctor import finding, inside, knock, outside
from friendpay.doctor.finding import Finding, Look, State
from friendpay.kit import limits, pooler
from friendpay.management.commands import doctor
from friendpay.proxies import Forwarded
from orders.tasks import make_months
from payments import heartbeats
from payments.models import ProviderAccount
from payments.wallets import registry, transport
from payments.wallets.base import Account
from tests.shop import account_of, make_request

pytestmark = pytest.mark.django_db


def wrongs(look: Look, about: str = "") -> list[str]:
    return [one.says for one in finding.of(about or "configuration", look) if one.state == State.WRONG]


def test_a_database_that_may_lose_what_it_acknowledged_is_wrong() -> None:
    """The tests' own gives durability up."""
    found = list(finding.of("database", inside.database))
    lost = [one for one in found if "can be lost" in one.says]
    assert [one.says.split()[0] for one in lost] == ["fsync", "full_page_writes", "synchronous_commit"]
    assert all("postgresql.conf" in one.mend for one in lost)
    assert [one.state for one in found if "answers" in one.says] == [State.OK]


@pytest.mark.parametrize(
    ("url", "direct", "state", "words"),
    [
        (False, None, State.OK, "to PostgreSQL itself"),
        (True, False, State.OK, "past it for what lasts"),
        (True, None, State.WRONG, "DATABASE_URL leads through a pooler"),
        (True, True, State.WRONG, "DIRECT_DATABASE_URL leads through a pooler"),
        (False, False, State.WARNING, "DATABASE_URL leads to PostgreSQL itself"),
    ],
)
def test_each_way_a_pooler_can_be_wrong_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, url: bool, direct: bool | None, state: State, words: str
) -> None:
    """`url`, `direct`: whether they lead through a pooler; None: there is one address for all."""
    if direct is not None:
        settings.DIRECT_DATABASE_URL = f"{settings.DATABASE_URL}&application_name=direct"

    def is_between(connection: psycopg.Connection[Any]) -> bool:
        is_direct = direct is not None and connection.info.get_parameters().get("application_name") == "direct"
        return bool(direct) if is_direct else url

    monkeypatch.setattr(pooler, "is_between", is_between)
    (found,) = finding.of("pooler", inside.pooled)
    assert (found.state, words in found.says) == (state, True), found
    assert bool(found.mend) == (state != State.OK)


def test_two_addresses_of_two_databases_are_wrong(settings: Settings) -> None:
    settings.DIRECT_DATABASE_URL = f"{settings.DATABASE_URL}&dbname=postgres"
    assert wrongs(inside.pooled) == ["DIRECT_DATABASE_URL leads to another database than DATABASE_URL"]


def test_a_month_without_tables_is_told() -> None:
    (found,) = finding.of("months", inside.monthly)
    assert (found.state, found.mend) == (State.WARNING, finding.MENDS["months"])
    make_months()
    (found,) = finding.of("months", inside.monthly)
    assert (found.state, found.says) == (State.OK, "this month and 2 to come have their tables")


def test_a_server_that_is_not_there_is_a_finding_with_what_mends_it(settings: Settings) -> None:
    settings.DATABASE_URL = "postgresql:///nothing?host=/nowhere"
    settings.REDIS_URLS = ["unix:///nowhere"]
    for about, look in (("database", inside.database), ("Valkey", inside.valkey), ("clock", inside.clock)):
        (found,) = finding.of(about, look)
        assert found.state == State.WRONG
        assert found.mend == finding.MENDS[about]


def test_servers_that_answer_and_agree_on_the_time_are_ok() -> None:
    for about, look in (("Valkey", inside.valkey), ("clock", inside.clock), ("broker", inside.broker)):
        assert {one.state for one in finding.of(about, look)} == {State.OK}


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0.9, State.OK), (-0.9, State.OK), (1.1, State.WARNING), (-29, State.WARNING), (31, State.WRONG)],
)
def test_a_clock_that_is_apart_is_told(seconds: float, state: State) -> None:
    found = inside.apart("Valkey's", seconds)
    assert found.state == state
    assert ("ahead of" if seconds > 0 else "behind") in found.says or state == State.OK


def test_a_migration_that_is_to_be_made_is_wrong_and_one_of_a_later_version_is_told() -> None:
    assert [one.says for one in inside.migrations()] == ["all made"]
    MigrationRecorder.Migration.objects.create(app="payments", name="9999_later")
    (later,) = inside.migrations()
    assert (later.state, "9999_later" in later.says) == (State.WARNING, True)
    MigrationRecorder.Migration.objects.filter(app="payments", name__startswith="00").order_by("-id")[0].delete()
    assert "manage.py migrate" in [one.mend for one in inside.migrations()][0]


def test_workers_that_are_not_seen_are_wrong() -> None:
    assert wrongs(inside.background) == ["nothing was seen for a minute of: celery, calls"]
    for queue in heartbeats.QUEUES:
        heartbeats.sign(queue)
    assert wrongs(inside.background) == []


def test_what_an_operator_should_know_of_is_a_warning(settings: Settings) -> None:
    settings.DEMO, settings.METRICS_TOKEN, settings.ADMINS, settings.EMAIL_HOST = False, "", [], ""
    settings.STATIC_ROOT = "/nowhere"
    mends = {one.mend for one in inside.configuration()}
    assert {"Set METRICS_TOKEN.", "Set OPERATOR_EMAILS.", "Set EMAIL_HOST."} <= mends
    assert wrongs(inside.configuration)[-1].startswith("no static files in /nowhere")


def test_mail_is_tried_where_there_is_a_server(settings: Settings) -> None:
    assert list(inside.post()) == []
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert len(wrongs(inside.post, "mail")) == 1


class Late(BaseHTTPRequestHandler):
    """A wallet whose clock is a minute behind."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) - 60)

    def log_message(self, *words: object) -> None:
        """Nothing."""


@pytest.fixture
def late() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Late)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def test_a_wallet_is_asked_and_its_clock_compared(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, late: str
) -> None:
    account = account_of(make_request())

    def check(_account: Account) -> str:
        transport.call("GET", late)
        return "fine"

    monkeypatch.setattr(registry.get(account.provider), "check", check)
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    found = list(outside.wallets())
    assert [one.state for one in found] == [State.OK, State.WRONG]
    assert found[0].says.endswith("fine")
    assert "60." in found[1].says or "59." in found[1].says


def test_an_account_nobody_can_open_is_wrong_and_not_asked() -> None:
    account = account_of(make_request())
    ProviderAccount.objects.filter(pk=account.pk).update(sealed="gAAAAA no")
    assert ["none of CREDENTIAL_KEYS" in words for words in wrongs(outside.wallets)] == [True]


def test_without_an_account_nobody_can_pay() -> None:
    assert ["nobody can pay" in one.says for one in outside.wallets()] == [True]


PROXIED = {"scheme": "https", "host": "pay.example", "client": "192.0.2.7", "peer": "127.0.0.1"}
PROXIED["forwarded_for"] = f"{outside.LIE}, 192.0.2.7"


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ({}, "a client arrives as 192.0.2.7, by https"),
        ({"scheme": "http"}, "https arrives as http"),
        ({"host": "127.0.0.1:8000"}, "the host pay.example arrives as 127.0.0.1:8000"),
        ({"client": "10.0.0.1", "peer": "10.0.0.1"}, "count as ONE"),
        ({"client": outside.LIE, "forwarded_for": outside.LIE}, "anybody can be anybody"),
        ({"client": outside.LIE, "forwarded_for": f"{outside.LIE}, 127.0.0.1"}, "is not seen"),
        ({"client": "10.0.0.1", "peer": "10.0.0.1", "forwarded_for": outside.LIE}, "is not believed"),
        ({"client": "10.0.0.1", "peer": "10.0.0.1", "forwarded_for": ""}, "count as ONE"),
    ],
)
def test_each_way_a_proxy_can_be_wrong_is_told(settings: Settings, seen: dict[str, str], words: str) -> None:
    settings.PUBLIC_URL = "https://pay.example"
    found = list(outside.judged(PROXIED | seen))
    assert any(words in one.says for one in found), found
    assert all(one.mend for one in found if one.state != State.OK)


def test_without_a_proxy_there_is_nothing_to_trust(settings: Settings) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    direct = {"scheme": "http", "host": "127.0.0.1:8000", "client": "127.0.0.1", "peer": "127.0.0.1"}
    found = list(outside.judged({**direct, "forwarded_for": outside.LIE}))
    assert [one.state for one in found] == [State.OK]


async def seen_by_health(headers: list[tuple[bytes, bytes]], trusted: list[str]) -> dict[str, str]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    scope = {"type": "http", "scheme": "http", "client": ("10.0.0.1", 1), "headers": headers, "path": "/healthz"}
    await Forwarded(health.alive, trusted)(scope, receive, send)
    told: dict[str, str] = json.loads(sent[1]["body"])
    return told


async def test_health_tells_the_doctor_alone_how_it_was_seen(move_word: Callable[[float], None]) -> None:
    forwarded = [(b"x-forwarded-for", b"192.0.2.7"), (b"x-forwarded-proto", b"https")]
    assert await seen_by_health(forwarded, []) == {"status": "ok"}
    assert await seen_by_health([(knock.HEADER.encode(), b"knock:forged"), *forwarded], []) == {"status": "ok"}
    word = [(knock.HEADER.encode(), knock.word().encode()), *forwarded]
    told = await seen_by_health(word, ["10.0.0.1"])
    assert (told["scheme"], told["client"], told["peer"]) == ("https", "192.0.2.7", "10.0.0.1")
    told = await seen_by_health(word, [])
    assert (told["scheme"], told["client"], told["forwarded_for"]) == ("http", "10.0.0.1", "192.0.2.7")
    move_word(limits.KNOCK_SECONDS + 2)
    assert await seen_by_health(word, ["10.0.0.1"]) == {"status": "ok"}


@pytest.fixture
def move_word(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let so many seconds pass for what was signed."""
    real = time.time

    def move(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: real() + seconds)

    return move


def test_anything_wrong_is_the_exit_code_and_json_holds_all(monkeypatch: pytest.MonkeyPatch) -> None:
    fine = Finding("clock", State.OK, "agrees")
    bad = Finding("mail", State.WRONG, "no", "mend it")
    monkeypatch.setattr(doctor, "LOOKS", {"clock": lambda: iter([fine]), "mail": lambda: iter([bad])})
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 2 things are wrong"):
        call_command("doctor", "--json", stdout=out)
    assert json.loads(out.getvalue())[1] == {"about": "mail", "state": "wrong", "says": "no", "mend": "mend it"}
    monkeypatch.setattr(doctor, "LOOKS", {"clock": lambda: iter([fine])})
    call_command("doctor", stdout=(out := StringIO()))
    assert out.getvalue().split() == ["ok", "clock:", "agrees"]


def test_what_mends_is_said_of_all_that_is_looked_at() -> None:
    assert list(finding.MENDS) == list(doctor.LOOKS)
