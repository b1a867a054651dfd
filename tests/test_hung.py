"""Valkey hangs, refuses or comes back, PostgreSQL goes away: people and providers are answered in time all the same.

The web server is a real process; Valkey and PostgreSQL are real too, behind lines that swallow or cut.
"""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import connection
from django.urls import reverse
from redis import Redis

from bench.faultproxy import Fate, FaultProxy
from orders.models import ApiKey
from payments.models import PaymentRequest
from sandbox.models import Notice
from tests import shop
from tests.payments.settlement.test_inbox import headers
from tests.ports import free_port

pytestmark = [pytest.mark.proof, pytest.mark.alone, pytest.mark.django_db(transaction=True)]

SECONDS = 4.0
"""For any answer: one line to Valkey is waited for a second, and a machine does other things as well."""
ROOT = Path(__file__).resolve().parent.parent


class Line:
    """A line to one server, served on a thread of its own."""

    def __init__(self, path: str) -> None:
        self._fate = Fate.PASS
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._proxy = FaultProxy(lambda: asyncio.open_unix_connection(path), lambda: self._fate)
        self._run(self._proxy.listen)

    @property
    def port(self) -> int:
        return self._proxy.port

    def hang(self) -> None:
        """Connections are taken and kept, and nothing is ever answered."""
        self._fate = Fate.SWALLOW_REQUEST

    def refuse(self) -> None:
        """Connections are cut, and none is taken."""
        self._run(self._proxy.refuse)

    def mend(self) -> None:
        """As a server that was started again: what hung before is cut."""
        self._fate = Fate.PASS
        self._run(self._proxy.refuse)
        self._run(self._proxy.listen)

    def _run(self, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run_coroutine_threadsafe(act(), self._loop).result(60)


@dataclass
class Web:
    """A web server and the lines to its Valkey and its PostgreSQL."""

    http: httpx.Client
    valkey: Line
    postgres: Line

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Insists on an answer in time."""
        began = time.monotonic()
        response = self.http.request(method, path, **more)
        assert time.monotonic() - began < SECONDS, (method, path)
        return response

    def post(self, path: str, **fields: str) -> httpx.Response:
        """As a browser posts a form it was shown."""
        token = self.http.cookies.get("csrftoken", "")
        return self.ask("POST", path, data={"csrfmiddlewaretoken": token, **fields})


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[Web]:
    database = connection.settings_dict
    valkey = Line(settings.REDIS_URLS[0].removeprefix("unix://"))
    postgres = Line(f"{database['HOST']}/.s.PGSQL.5432")
    port = free_port()
    environment = os.environ | {
        "DATABASE_URL": f"postgresql://friendpay@127.0.0.1:{postgres.port}/{database['NAME']}",
        "REDIS_URL": f"redis://127.0.0.1:{valkey.port}",
        "CELERY_BROKER_URL": f"redis://127.0.0.1:{valkey.port}",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    command = [sys.executable, str(ROOT / "manage.py"), "serve", "--port", str(port)]
    with _running(command, environment), httpx.Client(base_url=environment["PUBLIC_URL"], timeout=60) as http:
        while not _answers(http):
            time.sleep(0.1)
        yield Web(http, valkey, postgres)


@contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _answers(http: httpx.Client) -> bool:
    try:
        return http.get("/healthz").is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def web(server: Web) -> Iterator[Web]:
    server.http.cookies.clear()
    yield server
    server.valkey.mend()
    server.postgres.mend()


def told(request: PaymentRequest) -> dict[str, Any]:
    """What the wallet sends us of the last payment."""
    body = Notice.objects.latest("id").body.encode()
    account = shop.account_of(request)
    path = reverse("notify", args=["sandbox", account.public_id])
    return {"method": "POST", "path": path, "content": body, "headers": headers(account.config["secret"], body)}


def everything(web: Web) -> PaymentRequest:
    """A friend pays, from the link to the wallet; the wallet tells us, the buyer looks, and the shop asks."""
    request = shop.make_request()
    page = f"/p/{request.token}/"
    assert web.ask("GET", page).status_code == 200
    assert web.ask("GET", f"{page}status.json").json()["status"] == "open"
    begun = web.post(f"{page}pay/", method="sandbox")
    assert begun.status_code == 303
    wallet = httpx.URL(begun.headers["location"]).path
    assert web.ask("GET", wallet).status_code == 200
    assert web.post(wallet, action="approve-untold").status_code == 303
    assert web.ask(**told(request)).status_code == 204
    assert web.ask("GET", f"/checkout/{request.order.token}/").status_code == 200
    _row, key = ApiKey.make(request.merchant)
    order = f"/api/v1/orders/{request.order.public_id}"
    assert web.ask("GET", order, headers={"Authorization": f"Bearer {key}"}).status_code == 200
    return request


def refunded(web: Web) -> None:
    """A friend has paid, and the shop sends it back: the worker is hurried."""
    request = everything(web)
    _row, key = ApiKey.make(request.merchant)
    shops, order = {"Authorization": f"Bearer {key}"}, f"/api/v1/orders/{request.order.public_id}"
    ends = time.monotonic() + 60
    while web.ask("GET", order, headers=shops).json()["status"] != "paid":
        assert time.monotonic() < ends
        time.sleep(0.05)
    assert web.ask("POST", f"{order}/refunds", headers=shops, json={}).status_code == 201


@pytest.mark.parametrize("connected", [False, True])
@pytest.mark.parametrize("fault", [Line.hang, Line.refuse])
def test_without_valkey_all_is_answered_in_time(web: Web, fault: Callable[[Line], None], connected: bool) -> None:
    if connected:
        everything(web)
    fault(web.valkey)
    for _again in range(4):
        everything(web)
    assert web.ask("GET", "/readyz").json()["valkey"] != "ok"
    assert web.ask("GET", "/healthz").status_code == 200


@pytest.mark.parametrize("fault", [Line.hang, Line.refuse])
def test_once_valkey_is_back_the_worker_is_sent_tasks_again(web: Web, fault: Callable[[Line], None]) -> None:
    valkey = Redis.from_url(settings.REDIS_URLS[0])
    fault(web.valkey)
    refunded(web)
    web.valkey.mend()
    valkey.delete("calls")
    refunded(web)
    assert valkey.blpop(["calls"], timeout=60)


def test_without_postgres_a_provider_is_told_to_come_again(web: Web) -> None:
    notification = told(everything(web))
    web.postgres.refuse()
    for _again in range(3):
        assert web.ask(**notification).status_code >= 500
    assert web.ask("GET", "/healthz").status_code == 200
    assert web.ask("GET", "/readyz").json()["database"] != "ok"
    web.postgres.mend()
    assert web.ask(**notification).status_code == 204
