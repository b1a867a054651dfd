"""A shop's own payment gateway for friendpay in one file: what yours has to do, and no more. Standard library alone.

    FRIENDPAY_ACCOUNT=acc_… FRIENDPAY_SECRET=whsec_… python docs/examples/house/gateway.py 8200

Where this file says `pay_now` and `pay_back`, yours asks the payment company that you have; all else stays as it is.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import sqlite3
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ACCOUNT, LIVE = os.environ.get("FRIENDPAY_ACCOUNT", ""), False
KEY = base64.b64decode(os.environ.get("FRIENDPAY_SECRET", "whsec_").removeprefix("whsec_"))
RETRIES = (1, 5, 60, 300, 1800, *[3600] * 72)  # seconds between two deliveries of an event that nobody has heard

TABLES = """
CREATE TABLE IF NOT EXISTS payment (reference TEXT PRIMARY KEY, link TEXT, status TEXT, capture TEXT);
CREATE TABLE IF NOT EXISTS refund (reference TEXT PRIMARY KEY, payment TEXT, capture TEXT, number TEXT, amount INTEGER);
CREATE TABLE IF NOT EXISTS event (id TEXT PRIMARY KEY, url TEXT, body TEXT, due REAL, tries INTEGER);
"""
Thing = dict[str, Any]


def pay_now(link: Thing) -> str:
    """Ask your payment company for the money, with link["reference"] as its idempotency key; its number of the payment.
    Here, every payer pays.
    """
    return f"cap_{secrets.token_hex(8)}"


def pay_back(capture: str, amount: int, reference: str) -> str:
    """Ask your payment company to send money back, `reference` being its idempotency key; its number of the refund."""
    return f"ref_{secrets.token_hex(8)}"


class No(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


# The secret


def signature(message_id: str, timestamp: str, body: bytes) -> str:
    mac = hmac.new(KEY, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


def check_call(headers: Any, body: bytes) -> Thing:
    """A call of friendpay's, proved over its raw bytes before any of it is read."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "0")
    fits = hmac.compare_digest(signature(message_id, timestamp, body), headers.get("webhook-signature", ""))
    if not fits or abs(time.time() - int(timestamp)) > 300:
        raise No(401, "signature")
    call: Thing = json.loads(body)
    if (call["account"], call["live"]) != (ACCOUNT, LIVE):
        raise No(422, "account")
    return call


def check_link(token: str) -> Thing:
    """What a payer's link says, proved before it is read."""
    payload, _dot, given = token.partition(".")
    if not hmac.compare_digest(hmac.new(KEY, f"link.{payload}".encode(), hashlib.sha256).hexdigest(), given):
        raise No(403, "signature")
    link: Thing = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if (link["account"], link["live"]) != (ACCOUNT, LIVE):
        raise No(403, "account")
    if link["expires"] <= time.time():
        raise No(410, "expired")
    return link


class Books:
    """Payments, refunds, and events that friendpay has to hear. One thread at a time, one transaction for each call."""

    def __init__(self, path: str) -> None:
        self.db = sqlite3.connect(path, check_same_thread=False)
        self.db.executescript(TABLES)
        self.lock = threading.Lock()

    # Payments

    def open(self, link: Thing) -> None:
        """One payment is opened by one link, which may be loaded again until it has paid."""
        said = json.dumps(link, sort_keys=True)
        self.db.execute("INSERT OR IGNORE INTO payment VALUES (?, ?, 'pending', '')", (link["reference"], said))
        known, status = self._row("SELECT link, status FROM payment WHERE reference = ?", link["reference"])
        if known != said:
            raise No(409, "other_link")
        if status != "pending":
            raise No(410, "used")

    def pay(self, reference: str) -> Thing:
        """The payer has said yes: the money is taken once, and told of."""
        row = self._row("SELECT link, status FROM payment WHERE reference = ?", reference)
        if row is None or row[1] != "pending":
            raise No(422, "not_open")
        link: Thing = json.loads(row[0])
        taken = pay_now(link), reference
        self.db.execute("UPDATE payment SET status = 'captured', capture = ? WHERE reference = ?", taken)
        self._tell("payment.updated", link, {"payment": self.payment(reference)})
        return link

    def payment(self, reference: str) -> Thing:
        row = self._row("SELECT status, capture, link FROM payment WHERE reference = ?", reference)
        if row is None:
            return {"reference": reference, "status": "unknown"}
        status, capture, link = row[0], row[1], json.loads(row[2])
        if status != "captured":
            return {"reference": reference, "status": status}
        status = "returned" if self._back(capture) == link["amount"] else "captured"
        sums = {"amount": link["amount"], "currency": link["currency"]}
        return {"reference": reference, "status": status, "capture": capture, **sums}

    def close(self, reference: str) -> Thing:
        """It can be paid no more; nor can one whose link nobody has opened yet. What is captured stays captured."""
        self.db.execute("INSERT OR IGNORE INTO payment VALUES (?, '{}', 'closed', '')", (reference,))
        self.db.execute("UPDATE payment SET status = 'closed' WHERE reference = ? AND status = 'pending'", (reference,))
        return self.payment(reference)

    # Refunds

    def refund(self, call: Thing) -> Thing:
        """Once for each reference, and never more than there is."""
        row = self._row("SELECT reference, link FROM payment WHERE capture = ?", call["capture"])
        if not call["capture"] or row is None:
            raise No(422, "unknown_capture")
        payment, link = row[0], json.loads(row[1])
        known = self._row("SELECT capture, amount FROM refund WHERE reference = ?", call["reference"])
        if call["currency"] != link["currency"] or (known and known != (call["capture"], call["amount"])):
            raise No(422, "reference_used" if known else "currency")
        if known is None:
            if not 0 < call["amount"] <= link["amount"] - self._back(call["capture"]):
                raise No(422, "amount")
            number = pay_back(call["capture"], call["amount"], call["reference"])
            made = (call["reference"], payment, call["capture"], number, call["amount"])
            self.db.execute("INSERT INTO refund VALUES (?, ?, ?, ?, ?)", made)
            self._tell("refund.updated", link, {"refund": self.find_refund(call["reference"])})
        return self.find_refund(call["reference"])

    def find_refund(self, reference: str) -> Thing:
        row = self._row("SELECT payment, capture, number, amount FROM refund WHERE reference = ?", reference)
        if row is None:
            return {"reference": reference, "status": "unknown"}
        currency = json.loads(self._row("SELECT link FROM payment WHERE reference = ?", row[0])[0])["currency"]
        told = dict(zip(("payment", "capture", "number", "amount"), row, strict=True))
        return {"reference": reference, "status": "succeeded", "currency": currency, **told}

    def _back(self, capture: str) -> int:
        return int(self._row("SELECT coalesce(sum(amount), 0) FROM refund WHERE capture = ?", capture)[0])

    # Events

    def _tell(self, kind: str, link: Thing, thing: Thing) -> None:
        """In the same transaction as what it tells of: it can neither be lost nor told of what never was."""
        body = json.dumps({"type": kind, "account": ACCOUNT, "live": LIVE, **thing})
        event = (f"evt_{secrets.token_hex(12)}", link["notify_url"], body)
        self.db.execute("INSERT INTO event VALUES (?, ?, ?, 0, 0)", event)

    def deliver(self) -> None:
        """Send what is due, again and again until it is heard: the same id and bytes, signed anew."""
        with self.lock:
            found = self.db.execute("SELECT id, url, body, tries FROM event WHERE due <= ?", (time.time(),)).fetchall()
        for event_id, url, body, tries in found:
            stamp = str(int(time.time()))
            signed = {"webhook-timestamp": stamp, "webhook-signature": signature(event_id, stamp, body.encode())}
            headers = {"Content-Type": "application/json", "webhook-id": event_id, **signed}
            with self.lock, self.db:
                due = time.time() + RETRIES[min(tries, len(RETRIES) - 1)]
                self.db.execute("UPDATE event SET due = ?, tries = tries + 1 WHERE id = ?", (due, event_id))
            with (
                suppress(OSError),
                urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=15),
                self.lock,
                self.db,
            ):
                self.db.execute("DELETE FROM event WHERE id = ?", (event_id,))

    def _row(self, sql: str, *values: object) -> Any:
        return self.db.execute(sql, values).fetchone()


def answer(books: Books, call: Thing) -> Thing:
    match call["type"]:
        case "payment.get":
            return {"payment": books.payment(call["reference"])}
        case "payment.close":
            return {"payment": books.close(call["reference"])}
        case "refund.create":
            return {"refund": books.refund(call)}
        case "refund.get":
            return {"refund": books.find_refund(call["reference"])}
        case "test.capture" if not LIVE:
            books.pay(call["reference"])
            return {"payment": books.payment(call["reference"])}
        case "ping":
            return {}
        case _:
            raise No(422, "no_such_call")


class Handler(BaseHTTPRequestHandler):
    """GET with a link is a payer, POST with one is her yes; any other POST is a call of friendpay's."""

    books: Books

    def do_GET(self) -> None:
        self._try(self._page)

    def do_POST(self) -> None:
        self._try(self._paid if self._token() else self._call)

    def _page(self) -> None:
        link = check_link(self._token())
        with self.books.lock, self.books.db:
            self.books.open(link)
        words = f"{link['amount']} {link['currency']} for {link['description']}"
        self._send(200, f"<form method=post><p>{escape(words)}</p><button>Pay</button></form>", "text/html")

    def _paid(self) -> None:
        link = check_link(self._token())
        with self.books.lock, self.books.db:
            self.books.open(link)
            self.books.pay(link["reference"])
        self._send(303, "", "text/html", Location=link["return_url"])

    def _call(self) -> None:
        call = check_call(self.headers, self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        with self.books.lock, self.books.db:
            said = answer(self.books, call)
        self._send(200, json.dumps({"account": ACCOUNT, "live": LIVE, **said}), "application/json")

    def _try(self, do: Callable[[], None]) -> None:
        try:
            do()
        except No as no:
            self._send(no.status, json.dumps({"code": no.code}), "application/json")
        except (KeyError, TypeError, ValueError):
            self._send(400, json.dumps({"code": "malformed"}), "application/json")

    def _token(self) -> str:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        return query.get("friendpay", [""])[0]

    def _send(self, status: int, body: str, kind: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body.encode())), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Links are secrets: none is logged."""


def main(port: int, path: str) -> None:
    Handler.books = Books(path)

    def deliver() -> None:
        while True:
            Handler.books.deliver()
            time.sleep(0.2)

    threading.Thread(target=deliver, daemon=True).start()
    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        print(f"http://127.0.0.1:{server.server_port}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "gateway.db")
