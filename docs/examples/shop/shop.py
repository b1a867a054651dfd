"""A shop in one file that lets friends pay.

It places an order that may be paid for a day, sends the buyer to the checkout or shows the share sheet in its own page,
and believes that it is paid, or over, when a signed webhook says so.

    pip install httpx standardwebhooks
    FRIENDPAY_KEY=sk_test_… python shop.py        # then open http://127.0.0.1:8100

Nothing of friendpay is imported; what the shop knows of it are an address and a key. Orders live in memory: this is an
example.
"""

import os
import secrets
from collections.abc import Mapping
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import httpx
from standardwebhooks import Webhook, WebhookVerificationError

FRIENDPAY = os.environ.get("FRIENDPAY_URL", "http://127.0.0.1:8000")
PORT = int(os.environ.get("SHOP_PORT", "8100"))
HERE = f"http://127.0.0.1:{PORT}"
FILES = {"/shop.css": "text/css", "/shop.js": "text/javascript"}
POLICY = (  # all that the embed needs is named: its script, the question to friendpay, and the frame
    f"default-src 'none'; script-src 'self' {FRIENDPAY}; connect-src 'self' {FRIENDPAY}; frame-src {FRIENDPAY}; "
    "style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)

api = httpx.Client(
    base_url=f"{FRIENDPAY}/api/v1", headers={"Authorization": f"Bearer {os.environ['FRIENDPAY_KEY']}"}, timeout=10
)
orders: dict[str, dict[str, str]] = {}  # by our own reference: friendpay's order as we last heard of it
LIFE = 24 * 3600  # for how long we keep the tea for whoever ordered it
HEARD = ["order.cancelled", "order.expired", "order.paid"]
ENDED = {
    "paid": "Paid. Thank you!",
    "expired": "The time for this order is over. Please order again.",
    "cancelled": "This order is cancelled.",
}


def call(address: str, body: Mapping[str, object], key: str) -> dict[str, str]:
    """Safe to repeat with the same key: it happens once."""
    answer = api.post(address, json=body, headers={"Idempotency-Key": key})
    answer.raise_for_status()
    told: dict[str, str] = answer.json()
    return told


def place_order(quantity: int) -> str:
    """A new order, at friendpay as well; returns our reference of it."""
    reference = f"EX-{secrets.token_hex(4).upper()}"
    lines = [{"name": "Spring oolong, 100 g", "quantity": quantity, "unit_amount": 4500, "category": "tea"}]
    buyer = {"id": "customer-17", "name": "Lin"}
    body = {"reference": reference, "currency": "CNY", "lines": lines, "buyer": buyer, "expires_in": LIFE}
    orders[reference] = call("/orders", body, key=reference)
    return reference


def listen() -> Webhook:
    """Have friendpay tell us how orders end: by the endpoint of an earlier start, or by a new one.

    The secret is told once; a real shop keeps it with its passwords. This one keeps nothing, so it asks for another.
    """
    body = {"url": f"{HERE}/webhooks", "events": HEARD}
    known = api.get("/webhook-endpoints", params={"limit": 100})
    known.raise_for_status()
    for endpoint in known.json()["data"]:
        if endpoint["url"] == body["url"]:
            address = f"/webhook-endpoints/{endpoint['id']}"
            api.patch(address, json={"events": HEARD, "enabled": True}).raise_for_status()
            return Webhook(call(f"{address}/rotate-secret", {"overlap": 0}, key=secrets.token_hex(16))["secret"])
    return Webhook(call("/webhook-endpoints", body, key=secrets.token_hex(16))["secret"])


def hear(event: dict[str, str]) -> None:
    """Something happened to an order: ask how it stands. So events may come twice, late, or out of order.

    A test of the endpoint is about no order.
    """
    if not event["order"]:
        return
    answer = api.get(f"/orders/{event['order']}")
    answer.raise_for_status()
    order: dict[str, str] = answer.json()
    orders[order["reference"]] = order


def page(title: str, *body: str) -> str:
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><link rel="stylesheet" href="/shop.css">
<script type="module" src="{FRIENDPAY}/static/payments/friendpay.js"></script>
<script type="module" src="/shop.js"></script>
<h1>{title}</h1>{"".join(body)}</html>"""


def goods_page() -> str:
    form = '<label>How many <input name="quantity" value="1" size="2"></label> <button>Buy</button>'
    return page(
        "Example shop", f'<p>Spring oolong, 100 g, ¥45.00</p><form method="post" action="/orders">{form}</form>'
    )


def order_page(reference: str) -> str:
    order = orders[reference]
    if said := ENDED.get(order["status"]):
        return page(f"Order {reference}", f'<p id="status" data-status="{order["status"]}">{said}</p>')
    checkout = escape(order["checkout_url"])
    return page(
        f"Order {reference}",
        '<p id="status">Not paid yet.</p>',
        f'<friend-pay checkout="{checkout}"><a href="{checkout}">Ask a friend to pay</a></friend-pay>',
        f'<p><a href="{checkout}">To the checkout</a></p>',
    )


class Shop(BaseHTTPRequestHandler):
    webhook: Webhook

    def do_GET(self) -> None:
        reference = self.path.removeprefix("/orders/")
        if self.path == "/":
            self.answer(200, goods_page())
        elif self.path in FILES:
            self.answer(200, (Path(__file__).parent / self.path[1:]).read_text(), FILES[self.path])
        elif reference in orders:
            self.answer(200, order_page(reference))
        else:
            self.answer(404, page("Not found"))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path == "/orders":
            quantity = parse_qs(body.decode()).get("quantity", ["1"])[0]
            self.answer(303, to=f"/orders/{place_order(int(quantity) if quantity.isdecimal() else 1)}")
        elif self.path == "/webhooks":
            try:
                event = self.webhook.verify(body, {name.lower(): value for name, value in self.headers.items()})
            except WebhookVerificationError:
                self.answer(401)  # forged, or too old
            else:
                hear(event)
                self.answer(204)
        else:
            self.answer(404, page("Not found"))

    def answer(self, status: int, body: str = "", type: str = "text/html", to: str = "") -> None:
        content = body.encode()
        self.send_response(status)
        if to:
            self.send_header("Location", to)
        if status != 204:
            self.send_header("Content-Type", f"{type}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", PORT), Shop) as server:
        Shop.webhook = listen()
        print(f"The shop is open: {HERE}", flush=True)
        server.serve_forever()
