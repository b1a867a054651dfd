"""What adapters are tried with holds what it promises: a shop of ten lines, which only counts what it is told."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from friendpay.demo.bootstrap import PYTHON
from tests.browser.conftest import pay
from tests.integrations.stand import Friendpay, Shop, until

COUNTING = """
import http.server, json, pathlib, sys
class Told(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404); self.end_headers()
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with pathlib.Path(sys.argv[2]).open("a") as file:
            file.write(body["type"] + chr(10))
        self.send_response(204); self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Told).serve_forever()
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop([], tmp_path, {}, tmp_path / "log")
    shop.command += [str(PYTHON), "-c", COUNTING, str(shop.port), str(tmp_path / "told")]
    with shop:
        yield shop


def test_an_adapter_can_be_told_twice_late_and_after_the_time_of_a_request(
    friendpay: Friendpay, shop: Shop, tmp_path: Path
) -> None:
    key = friendpay.add_shop("Counting", shop.address)
    hook = {"url": f"{shop.address}/hook", "events": ["order.paid", "payment_request.expired"]}
    friendpay.call(key, "POST", "/webhook-endpoints", hook)
    told = tmp_path / "told"
    told.touch()

    with shop.down():
        pay(ask(friendpay, key, "T-1")["url"])
        until(lambda: any(made["attempts"] for made in friendpay.deliveries(key, "order.paid")), "one try failed")
    friendpay.hurry_webhooks()
    until(lambda: told.read_text() == "order.paid\n", "the shop was told after all")
    assert friendpay.order(key, "T-1")["status"] == "paid"

    friendpay.deliver_again(key, "order.paid")
    assert told.read_text() == "order.paid\n" * 2

    friendpay.expire(ask(friendpay, key, "T-2")["id"])
    until(lambda: told.read_text().endswith("payment_request.expired\n"), "the request ended")


def ask(friendpay: Friendpay, key: str, reference: str) -> dict[str, Any]:
    lines = [{"name": "Tea", "quantity": 1, "unit_amount": 900}]
    buyer = {"id": "b", "name": "Lin"}
    body = {"reference": reference, "currency": "EUR", "lines": lines, "buyer": buyer, "payment_request": {}}
    made: dict[str, Any] = friendpay.call(key, "POST", "/orders", body)["payment_request"]
    return made


def test_a_shop_has_a_database_of_its_own(make_database: Callable[[str], str]) -> None:
    with psycopg.connect(make_database("of_its_own")) as connection:
        assert connection.execute("SELECT count(*) FROM pg_stat_user_tables").fetchone() == (0,)
