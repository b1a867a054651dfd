"""A strict stand-in for a shop with a payment gateway of its own: its pay page, its calls, its events. No money moves.

    python -m payments.wallets.house.emulator.server --port 29003

Where its events go stands in every link, and the account too. The clock that can be moved rules deadlines and bills;
signatures are stamped with the real one.
"""

import base64
import json
import time
from datetime import timedelta
from html import escape
from typing import Any

from friendpay.demo.emulation.base import Emulator, main, token
from friendpay.demo.emulation.messages import Request, Response, as_json, redirect, route
from friendpay.demo.emulation.notifier import Outgoing
from friendpay.demo.emulation.pages import page
from payments.wallets.house.emulator.book import Book, Order, Thing
from payments.wallets.house.emulator.requests import Doorkeeper
from payments.wallets.house.emulator.signing import Wrong, key_of, signature

SECRET = "whsec_" + base64.b64encode(b"simulated: no money moves here.!").decode()
STRANGER = b"the key of somebody who is not us"

CHANGES = ("payment.close", "refund.create", "test.capture", "test.dispute")


class House(Emulator):
    name = "house"
    brand = "shop with its own gateway"
    schedule = (5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.book = Book(self.clock, tell=self._tell)
        self.door = Doorkeeper(key_of(SECRET))
        self.calls: list[str] = []  # every call, whatever came of it
        self.scripted: list[Wrong] = []  # errors to answer with, instead of doing what the next calls ask

    def account(self) -> dict[str, str]:
        return {"secret": SECRET}

    def accepted(self, status: int, body: bytes) -> bool:
        return 200 <= status < 300

    # Calls and the payer's form, at the one address

    @route("POST", "/", commits=True)
    def posted(self, request: Request) -> Response:
        if "friendpay" in request.query:
            request.commits = False
            return self._decide(request)
        request.commits = False
        try:
            said = self.door.call(request, time.time())
            request.operation = said["type"]
            self.calls.append(said["type"])
            if said["live"]:
                raise Wrong(422, "mode", "No real money is taken here.")
            if self.scripted:
                raise self.scripted.pop(0)
            answer = self._do(said)
        except Wrong as wrong:
            return as_json(wrong.body, wrong.status)
        request.commits = said["type"] in CHANGES
        return as_json({"account": said["account"], "live": False, **answer})

    def _do(self, said: Thing) -> Thing:
        match said["type"]:
            case "payment.get":
                order = self.book.find(said["account"], said["reference"])
                unknown = {"reference": said["reference"], "status": "unknown"}
                return {"payment": order.shown() if order else unknown}
            case "payment.close":
                return {"payment": self.book.close(said["account"], said["reference"]).shown()}
            case "refund.create":
                return {"refund": self.book.refund(said)}
            case "refund.get":
                return {"refund": self.book.find_refund(said)}
            case "dispute.get":
                return {"dispute": self.book.find_dispute(said["account"], said["number"])}
            case "bill.get":
                return self.book.bill(said["account"], said["day"], said["after"])
            case "test.capture":
                return self._capture(said)
            case "test.dispute":
                return self._dispute(said)
            case _:
                return {}

    def _capture(self, said: Thing) -> Thing:
        """As if the payer had paid now."""
        order = self.book.find(said["account"], said["reference"])
        if order is None or order.captures or order.status != "pending":
            raise Wrong(422, "not_open", "No such payment is open.")
        self.book.capture(order.reference)
        return {"payment": order.shown()}

    def _dispute(self, said: Thing) -> Thing:
        """As if the payer had asked her bank for the money back."""
        order = self.book.find(said["account"], said["reference"])
        if order is None or not order.captures:
            raise Wrong(422, "not_captured", "No such payment was captured.")
        dispute = self.book.open_dispute(order.reference)
        return {"dispute": order.dispute_shown(order.captures[0], dispute)}

    # The payer

    @route("GET", "/")
    def pay_page(self, request: Request) -> Response:
        try:
            order = self.book.open(self.door.link(request.query.get("friendpay", "")))
        except Wrong as wrong:
            return self._over(wrong)
        return self._page(order)

    def _page(self, order: Order) -> Response:
        """The form leads to this very address again, with the link in it."""
        link = order.link
        choices = {"approve": "Pay", "refuse": "Have it refused", "lapse": "Let it lapse"}
        drawn = "".join(f'<button name="choice" value="{name}">{label}</button>' for name, label in choices.items())
        back = f'<p><a href="{escape(link["cancel_url"])}">Back without paying</a></p>'
        return page(
            self.brand,
            f"Pay {link['amount']} {link['currency']} (minor units)",
            f'<p>{escape(link["description"])}</p><form method="post">{drawn}</form>{back}',
        )

    def _decide(self, request: Request) -> Response:
        """approve: pay. refuse: the payer's bank says no for good. lapse: its time is over at once."""
        try:
            order = self.book.open(self.door.link(request.query["friendpay"]))
        except Wrong as wrong:
            return self._over(wrong)
        match request.form.get("choice"):
            case "approve":
                short = 1 if self.faults.take("wrong_amount", "payment.updated") else 0
                self.book.capture(order.reference, short=short)
                return redirect(order.link["return_url"])
            case "refuse":
                self.book.fail(order, "declined")
            case "lapse":
                order.status = "closed"
            case _:
                return self._page(order)
        return redirect(order.link["cancel_url"])

    def _over(self, wrong: Wrong) -> Response:
        return page(self.brand, "Nothing can be paid here", f"<p>{escape(str(wrong))}</p>", status=wrong.status)

    # Events

    def _tell(self, kind: str, link: Thing, thing: Thing) -> None:
        url = self.notify_url or link["notify_url"]
        event_id = f"evt_{token()}"
        body = json.dumps({"type": kind, "account": link["account"], "live": False, **thing}).encode()

        def make() -> Outgoing:
            skew = self.faults.take("clock_skew", kind)
            at = self.clock.stamp() + timedelta(seconds=skew.seconds if skew else 0)
            key = STRANGER if self.faults.take("wrong_key", kind) else self.door.key
            stamp = str(int(at.timestamp()))
            headers = {
                "Content-Type": "application/json",
                "webhook-id": event_id,
                "webhook-timestamp": stamp,
                "webhook-signature": signature(key, event_id, stamp, body),
            }
            return Outgoing(url, body, headers)

        self.notifier.send(make, kind)


if __name__ == "__main__":
    main(House)
