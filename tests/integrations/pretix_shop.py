"""A real pretix for tests: what its buyers and its organiser do by forms, and what its database says of it."""

import json
import re
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.integrations import environments
from tests.integrations.stand import INTEGRATIONS, Shop, clean

PLUGIN = INTEGRATIONS / "pretix"
DEMO = PLUGIN / "demo"
EXPIRE, CATCH_UP = "pretix.base.services.orders.expire_orders", "pretix_friendpay.signals.catch_up"
"""pretix's own task, and the plugin's; pretix runs its own first."""
CRON = """
import sys
from manage import settle_in
settle_in()
import django
django.setup()
from django.core.management import call_command
for line in sys.stdin:
    call_command("runperiodic", tasks=line.strip())
    print("DONE", flush=True)
"""


@dataclass
class Placed:
    """An order of pretix's, as its buyer knows it."""

    code: str
    url: str
    waiting: str
    """Where the buyer was led to pay."""


@dataclass
class Pretix:
    shop: Shop
    python: Path
    data: Path
    slug: str = "concert"
    _cron: "subprocess.Popen[str] | None" = None

    @classmethod
    def set_up(cls, data: Path) -> "Pretix":
        python = environments.pretix()
        shop = Shop([str(python), str(DEMO / "serve.py")], DEMO, {"PRETIX_PRETIX_DATADIR": str(data)}, data / "log")
        shop.command.append(str(shop.port))
        shop.health = "/harbour/concert/"
        return cls(shop, python, data)

    @property
    def event(self) -> str:
        return f"{self.shop.address}/harbour/{self.slug}"

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.data / "db.sqlite3", timeout=20)) as database, database:
            return database.execute(sql, values).fetchall()

    def status(self, code: str) -> str:
        """n: pending, p: paid, e: expired, c: cancelled."""
        return str(self.rows("SELECT status FROM pretixbase_order WHERE code = ?", code)[0][0])

    def payments(self, code: str) -> list[str]:
        listed = self.rows(
            "SELECT p.state FROM pretixbase_orderpayment p JOIN pretixbase_order o ON o.id = p.order_id"
            " WHERE o.code = ? ORDER BY p.local_id",
            code,
        )
        return [row[0] for row in listed]

    def refunds(self, code: str) -> list[tuple[str, str, str]]:
        """Amount, state and source of each."""
        listed = self.rows(
            "SELECT r.amount, r.state, r.source FROM pretixbase_orderrefund r"
            " JOIN pretixbase_order o ON o.id = r.order_id WHERE o.code = ? ORDER BY r.local_id",
            code,
        )
        return [(f"{amount:.2f}", state, source) for amount, state, source in listed]

    def in_carts(self) -> int:
        """Tickets that somebody has chosen and not ordered yet."""
        return int(self.rows("SELECT count(*) FROM pretixbase_cartposition")[0][0])

    def log(self, code: str) -> list[str]:
        """What happened to the order, by pretix's own log."""
        listed = self.rows(
            "SELECT l.action_type FROM pretixbase_logentry l JOIN pretixbase_order o ON o.id = l.object_id"
            " JOIN django_content_type t ON t.id = l.content_type_id AND t.model = 'order'"
            " WHERE o.code = ? ORDER BY l.id",
            code,
        )
        return [row[0].removeprefix("pretix.event.order.") for row in listed]

    def expires(self, code: str) -> datetime:
        text = self.rows("SELECT expires FROM pretixbase_order WHERE code = ?", code)[0][0]
        return datetime.fromisoformat(f"{text}+00:00")

    def grow_older(self, code: str, days: float) -> None:
        """All moments of the order are as if it had been placed so many days earlier."""
        moved = self.expires(code) - timedelta(days=days)
        with closing(sqlite3.connect(self.data / "db.sqlite3", timeout=20)) as database, database:
            end = moved.replace(tzinfo=None).isoformat(sep=" ")
            database.execute("UPDATE pretixbase_order SET expires = ? WHERE code = ?", [end, code])
            for number, info in database.execute(
                "SELECT p.id, p.info FROM pretixbase_orderpayment p JOIN pretixbase_order o ON o.id = p.order_id"
                " WHERE o.code = ? AND p.info IS NOT NULL",
                [code],
            ).fetchall():
                kept = json.loads(info)
                for name in {"until", "own", "held"} & set(kept):
                    kept[name] = (datetime.fromisoformat(kept[name]) - timedelta(days=days)).isoformat()
                database.execute("UPDATE pretixbase_orderpayment SET info = ? WHERE id = ?", [json.dumps(kept), number])

    def run(self, *tasks: str) -> str:
        """pretix's periodic tasks, as its cron job runs them; what was logged. One process for all the times."""
        if self._cron is None:
            self._cron = subprocess.Popen(
                [str(self.python), "-c", CRON],
                cwd=DEMO,
                env={**clean(), "PRETIX_PRETIX_DATADIR": str(self.data), "PRETIX_PRETIX_URL": self.shop.address},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        assert self._cron.stdin
        assert self._cron.stdout
        self._cron.stdin.write(",".join(tasks or (EXPIRE, CATCH_UP)) + "\n")
        self._cron.stdin.flush()
        told = "".join(iter(self._cron.stdout.readline, "DONE\n"))
        assert "Traceback" not in told, told
        return told

    def python_says(self, program: str) -> None:
        """Something that takes an organiser many forms."""
        begin = "from manage import settle_in; settle_in(); import django; django.setup()"
        done = subprocess.run(
            [str(self.python), "-c", f"{begin}\n{program}"],
            cwd=DEMO,
            env={**clean(), "PRETIX_PRETIX_DATADIR": str(self.data), "PRETIX_PRETIX_URL": self.shop.address},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    def end(self) -> None:
        if self._cron is not None:
            self._cron.kill()
            self._cron.communicate()


class Visitor:
    """Fills in pretix's forms without a browser."""

    def __init__(self, pretix: Pretix, language: str = "en") -> None:
        self.pretix = pretix
        self.http = httpx.Client(timeout=60, follow_redirects=True, headers={"Accept-Language": language})
        self.http.cookies.set("pretix_language", language)

    def post(self, url: str, data: dict[str, Any], **how: Any) -> httpx.Response:
        page = self.http.get(url)
        token = re.search(r'name="?csrfmiddlewaretoken"? value="?([\w-]+)', page.text)
        assert token, page.text[:2000]
        sent = {"csrfmiddlewaretoken": token.group(1), **data}
        return self.http.post(url, data=sent, headers={"Referer": url}, **how)

    def fill_cart(self, *tickets: str, voucher: str = "") -> None:
        for ticket in tickets:
            number = self.pretix.rows("SELECT id FROM pretixbase_item WHERE name LIKE ?", f"%{ticket}%")[0][0]
            page = self.http.get(f"{self.pretix.event}/")
            token = re.search(r'name="?csrfmiddlewaretoken"? value="?([\w-]+)', page.text)
            assert token
            sent = {"csrfmiddlewaretoken": token.group(1), f"item_{number}": "1", "_voucher_code": voucher}
            before = self.pretix.in_carts()
            answer = self.http.post(f"{self.pretix.event}/cart/add", data=sent, headers={"Referer": str(page.url)})
            assert self.pretix.in_carts() == before + 1, f"{ticket} is not in the cart: {answer.text}"

    def reach_payment(self, email: str = "lin@example.org") -> str:
        """The payment step, as it is shown."""
        return self.post(f"{self.pretix.event}/checkout/questions/", {"email": email}).text

    def choose_friend(self, name: str = "Lin") -> httpx.Response:
        return self.post(
            f"{self.pretix.event}/checkout/payment/",
            {"payment": "friendpay", "payment_friendpay-name": name, "payment_friendpay-message": "For Saturday"},
        )

    def use_gift_card(self, code: str) -> httpx.Response:
        sent = {"payment": "giftcard", "payment_giftcard-code": code}
        return self.post(f"{self.pretix.event}/checkout/payment/", sent)

    def confirm(self) -> Placed:
        """Orders, and stops where pretix leads to friendpay."""
        answer = self.post(f"{self.pretix.event}/checkout/confirm/", {}, follow_redirects=False)
        while answer.is_redirect and answer.headers["location"].startswith(("/", self.pretix.shop.address)):
            answer = self.http.get(str(answer.url.join(answer.headers["location"])), follow_redirects=False)
            found = re.search(r"/order/([A-Z0-9]+)/(\w+)/", str(answer.url))
            if found:
                code, secret = found.groups()
        assert answer.is_redirect, answer.text[:4000]
        return Placed(code, f"{self.pretix.event}/order/{code}/{secret}/", answer.headers["location"])

    def order(self, *tickets: str, voucher: str = "", email: str = "lin@example.org") -> Placed:
        self.fill_cart(*(tickets or ("Standing",)), voucher=voucher)
        self.reach_payment(email)
        self.choose_friend()
        return self.confirm()

    def log_in(self) -> None:
        self.post(f"{self.pretix.shop.address}/control/login", {"email": "admin@localhost", "password": "admin"})

    def control(self, path: str) -> str:
        return f"{self.pretix.shop.address}/control/event/harbour/concert/{path}"

    def refund(self, code: str, amount: str) -> httpx.Response:
        """From pretix's control panel, to the payment that it came by."""
        payment = self.pretix.rows(
            "SELECT p.id FROM pretixbase_orderpayment p JOIN pretixbase_order o ON o.id = p.order_id WHERE o.code = ?",
            code,
        )[-1][0]
        refunds = "SELECT ifnull(max(id), 0) FROM pretixbase_orderrefund WHERE payment_id = ?"
        last = self.pretix.rows(refunds, payment)[0][0]
        sent = {
            "start-action": "do_nothing",
            "start-mode": "partial",
            "start-partial_amount": amount,
            "last_known_refund_id": last,
            "perform": "on",
            f"refund-{payment}": amount,
            "comment": "A seat less",
        }
        return self.post(self.control(f"orders/{code}/refund"), sent)
