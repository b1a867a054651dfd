"""A strict stand-in for Stripe: the API as far as we use it, the payer's Checkout page, signed events. No money moves.

    python -m payments.wallets.stripe.emulator.server --port 29002 --notify http://127.0.0.1:8000/notify/stripe/acc_…/

It speaks one version of the API, in test mode. The clock that can be moved rules deadlines, idempotency keys and
bookings; signatures are stamped with the real one. The cards are Stripe's own test cards (`book.CARDS`).
"""

import hmac
import json
import re
from collections.abc import Callable
from functools import partial, wraps
from typing import Any
from urllib.parse import urlsplit

from friendpay.demo.emulation.base import Emulator, main, receives, token
from friendpay.demo.emulation.messages import Request, Response, as_json, redirect, route
from friendpay.demo.emulation.notifier import Outgoing
from payments.wallets.stripe.emulator import idempotency, requests
from payments.wallets.stripe.emulator.book import CARDS, DECLINED, Book
from payments.wallets.stripe.emulator.events import API_VERSION, new_event, signed_headers
from payments.wallets.stripe.emulator.idempotency import Answers
from payments.wallets.stripe.emulator.pages import checkout_page, stale_page
from payments.wallets.stripe.emulator.requests import Params, Wrong
from payments.wallets.stripe.emulator.things import Thing

SECRET_KEY = "sk_test_simulated0No0money0moves0here"
WEBHOOK_SECRET = "whsec_simulated0No0money0moves0here"

Do = Callable[..., Thing]


def endpoint(method: str, pattern: str, shape: Params = requests.NOTHING) -> Callable[[Do], Callable[..., Response]]:
    """A call of the API: authenticated, its parameters checked, its answer kept under its idempotency key."""

    def mark(do: Do) -> Callable[..., Response]:
        @route(method, pattern, commits=method == "POST")
        @wraps(do)
        def handler(self: "Stripe", request: Request, **names: str) -> Response:
            return self._call(request, shape, partial(do, self, **names))

        return handler

    return mark


class Stripe(Emulator):
    name = "stripe"
    brand = "Stripe"
    schedule = (300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, *(4 * [12 * 3600]))

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.book = self.new_book()
        self.accounts = {SECRET_KEY: self.book}  # by key: an account may have several, and knows nothing of another's
        self.secrets = [WEBHOOK_SECRET]  # two of them while the shop rolls its secret
        self.calls: list[str] = []  # every call of the API, whatever came of it
        self.scripted: list[Wrong] = []  # errors to answer with, instead of doing what the next calls ask
        self._kept = Answers(self.clock)
        self._request: Request | None = None  # the call that is being done

    def new_book(self) -> Book:
        """What one account knows."""
        return Book(self.clock, tell=self._tell, page=lambda session: f"{self.url}/c/pay/{session}")

    def account(self) -> dict[str, str]:
        return {"secret_key": SECRET_KEY, "webhook_secret": WEBHOOK_SECRET}

    def accepted(self, status: int, body: bytes) -> bool:
        return 200 <= status < 300

    def failure(self, request: Request) -> Response:
        """A 500 is kept under the key like any other answer, although the call took effect."""
        words = "An unknown error occurred"
        error = {"error": {"message": words, "type": "api_error"}}
        self._kept.keep(request, 500, json.dumps(error).encode())
        return self._answer(request, 500, json.dumps(error).encode())

    # A call

    def _call(self, request: Request, shape: Params, do: Callable[[Params], Thing]) -> Response:
        self.calls.append(request.operation)
        request.commits = False
        try:
            book = self._book_of(request)
            params = requests.read(self._text(request), shape)
            if kept := self._kept_answer(request):
                return kept
        except Wrong as wrong:
            return self._answer(request, wrong.status, json.dumps(wrong.body).encode())
        self._request = request
        own, self.book = self.book, book
        book.sweep()
        try:
            if self.scripted:
                raise self.scripted.pop(0)
            answer = self.book.expand(do(params), params.get("expand", {}).values())
            status, body, request.commits = 200, json.dumps(answer, indent=2).encode(), request.method == "POST"
        except Wrong as wrong:
            status, body = wrong.status, json.dumps(wrong.body).encode()
        finally:
            self._request, self.book = None, own
        self._kept.keep(request, status, body)
        return self._answer(request, status, body)

    def _book_of(self, request: Request) -> Book:
        """What the caller's account knows, if the call may be made."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not key:
            raise Wrong("You did not provide an API key.", status=401)
        book = next((book for known, book in self.accounts.items() if hmac.compare_digest(key, known)), None)
        if book is None:
            masked = f"{key[:8]}{'*' * (len(key) - 12)}{key[-4:]}"
            raise Wrong(f"Invalid API Key provided: {masked}", status=401)
        version = request.headers.get("stripe-version", API_VERSION)
        if version != API_VERSION:
            raise Wrong(f"Invalid Stripe API version: {version}")
        idempotency.check(request)
        return book

    def _text(self, request: Request) -> str:
        if request.method == "GET":
            return urlsplit(request.target).query
        kind = request.headers.get("content-type", "").partition(";")[0]
        if request.body and kind != "application/x-www-form-urlencoded":
            raise Wrong(f"Invalid request (check that your POST content type is form encoded, not {kind}).")
        try:
            return request.body.decode("ascii")
        except UnicodeDecodeError as error:
            raise Wrong("Invalid request body") from error

    def _kept_answer(self, request: Request) -> Response | None:
        if (kept := self._kept.given(request)) is None:
            return None
        response = self._answer(request, *kept)
        response.headers["Idempotent-Replayed"] = "true"
        return response

    def _answer(self, request: Request, status: int, body: bytes) -> Response:
        response = Response(status, body, "application/json", Stripe_Version=API_VERSION, Request_Id=f"req_{token(14)}")
        if key := request.headers.get("idempotency-key"):
            response.headers["Idempotency-Key"] = key
        return response

    # The API

    @endpoint("POST", "/v1/checkout/sessions", requests.SESSION)
    def create_session(self, params: Params) -> Thing:
        return self.book.open_session(params)

    @endpoint("GET", "/v1/checkout/sessions", requests.SESSIONS)
    def list_sessions(self, params: Params) -> Thing:
        return self._list("checkout.session", params, "payment_intent", "status")

    @endpoint("GET", "/v1/checkout/sessions/{session}")
    def get_session(self, params: Params, session: str) -> Thing:
        return self.book.get("checkout.session", session, "session")

    @endpoint("POST", "/v1/checkout/sessions/{session}/expire")
    def expire_session(self, params: Params, session: str) -> Thing:
        return self.book.expire(self.book.get("checkout.session", session, "session"))

    @endpoint("GET", "/v1/payment_intents/search", requests.SEARCH)
    def search_intents(self, params: Params) -> Thing:
        found = self.book.search(params["query"])[: int(params.get("limit", 10))]
        return {
            "object": "search_result",
            "data": found,
            "has_more": False,
            "next_page": None,
            "url": "/v1/payment_intents/search",
        }

    @endpoint("GET", r"/v1/payment_intents/(?!search\Z){intent}")
    def get_intent(self, params: Params, intent: str) -> Thing:
        return self.book.get("payment_intent", intent, "intent")

    @endpoint("POST", "/v1/refunds", requests.REFUND)
    def create_refund(self, params: Params) -> Thing:
        return self.book.refund(params)

    @endpoint("GET", "/v1/refunds", requests.REFUNDS)
    def list_refunds(self, params: Params) -> Thing:
        return self._list("refund", params, "payment_intent", "charge")

    @endpoint("GET", "/v1/refunds/{refund}")
    def get_refund(self, params: Params, refund: str) -> Thing:
        return self.book.get("refund", refund, "refund")

    @endpoint("GET", "/v1/disputes/{dispute}")
    def get_dispute(self, params: Params, dispute: str) -> Thing:
        return self.book.get("dispute", dispute, "dispute")

    @endpoint("GET", "/v1/balance_transactions", requests.TRANSACTIONS)
    def list_transactions(self, params: Params) -> Thing:
        return self._list("balance_transaction", params, "type", "source")

    @endpoint("GET", "/v1/balance")
    def get_balance(self, params: Params) -> Thing:
        return self.book.balance()

    @endpoint("GET", "/v1/account")
    def get_account(self, params: Params) -> Thing:
        return {"id": "acct_simulated", "object": "account", "country": "US", "default_currency": "usd"}

    def _list(self, kind: str, params: Params, *filters: str) -> Thing:
        limit = int(params.get("limit", 10))
        if not 1 <= limit <= 100:
            raise Wrong("Limit must be between 1 and 100", code="parameter_invalid_integer", param="limit")
        things = self.book.all(kind)
        if after := params.get("starting_after"):
            things = things[things.index(self.book.get(kind, after, "starting_after")) + 1 :]
        compare: dict[str, Callable[[int, int], bool]] = {
            "gt": int.__gt__,
            "gte": int.__ge__,
            "lt": int.__lt__,
            "lte": int.__le__,
        }
        for name, bound in params.get("created", {}).items():
            things = [thing for thing in things if compare[name](thing["created"], int(bound))]
        for name in filters:
            if name in params:
                things = [thing for thing in things if thing[name] == params[name]]
        url = {"checkout.session": "/v1/checkout/sessions"}.get(kind, f"/v1/{kind}s")
        return {"object": "list", "data": things[:limit], "has_more": len(things) > limit, "url": url}

    # The payer

    @route("GET", "/c/pay/{session}")
    def checkout(self, request: Request, session: str) -> Response:
        self.book.sweep()
        return checkout_page(self.book.things.get(session))

    @route("POST", "/c/pay/{session}")
    def decide(self, request: Request, session: str) -> Response:
        """A page that was opened before its session expired does not change: it takes the card, and then says that all
        went well, although nothing did (S9).

        approve: pay with `card`. refuse: it is declined, and the payer may try again. lapse: the time is over."""
        self.book.sweep()
        it = self.book.things.get(session)
        choice = request.form.get("choice")
        if it is not None and it["status"] == "expired" and choice == "approve":
            return stale_page()
        if it is None or it["status"] != "open":
            return checkout_page(it)
        card = re.sub(r"\s", "", request.form.get("card", "")) or "4242424242424242"
        if choice == "lapse":
            self.book.expire(it)
        elif choice == "debit" and "sepa_debit" in it["payment_method_types"]:
            self.book.debit(it)
            return redirect(it["success_url"])
        elif choice in ("approve", "refuse"):
            if choice == "refuse":
                card = next(iter(DECLINED))
            if "card" not in it["payment_method_types"] and choice == "approve":
                card = ""  # another way to pay has no card
            elif card not in CARDS:
                return checkout_page(it, "Your card number is invalid.")
            short = card not in DECLINED and self.faults.take("wrong_amount", "checkout.session")
            if self.book.pay(it, card, short=1 if short else 0):
                return redirect(it["success_url"])
            return checkout_page(it, DECLINED[card][1])
        return checkout_page(it)

    # Events

    @route("POST", "/_emulator/webhook")
    def set_webhook(self, request: Request) -> Response:
        """Where events go from now on, as the Dashboard's page of webhooks would say."""
        url = str(json.loads(request.body)["url"])
        if not receives(url, private=self.private):
            return as_json({"error": "Invalid URL: URL must be publicly accessible, by https"}, 400)
        self.notify_url = url
        return as_json({"url": self.notify_url})

    def _tell(self, kind: str, thing: Thing) -> None:
        self.send(new_event(kind, thing, self.book.now, self._request))

    def send(self, event: Thing) -> None:
        """Deliver an event, signed anew for every try. Nothing goes out while nobody said where to."""
        if not (url := self.notify_url):
            return
        kind, body = event["type"], json.dumps(event, indent=2).encode()

        def make() -> Outgoing:
            skew = self.faults.take("clock_skew", kind)
            secrets = ["whsec_of_a_stranger"] if self.faults.take("wrong_key", kind) else self.secrets
            stamp = self.clock.stamp().timestamp() + (skew.seconds if skew else 0)
            return Outgoing(url, body, signed_headers(body, secrets, int(stamp)))

        self.notifier.send(make, kind)


if __name__ == "__main__":
    main(Stripe)
