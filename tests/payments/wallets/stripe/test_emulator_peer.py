"""The emulator, driven by Stripe's official SDK as it comes: what it takes, what it refuses, what it answers."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe as sdk
from stripe.params.checkout import SessionCreateParams

from friendpay.demo.emulation.base import Emulator, running
from friendpay.demo.emulation.messages import Request, Response, route
from payments.wallets.stripe.emulator.server import SECRET_KEY, WEBHOOK_SECRET, Stripe

pytestmark = pytest.mark.proof


@pytest.fixture
def stripe() -> Iterator[Stripe]:
    emulator = Stripe(compress=0.00001)
    with running(emulator):
        yield emulator


@pytest.fixture
def api(stripe: Stripe) -> sdk.StripeClient:
    return sdk.StripeClient(SECRET_KEY, base_addresses={"api": stripe.url}, max_network_retries=0)


class Listener(Emulator):
    """Verifies events with the SDK alone."""

    name, brand = "listener", "Listener"

    def __init__(self) -> None:
        super().__init__()
        self.events: list[sdk.Event] = []
        self.came = threading.Condition(self.lock)

    @route("POST", "/hook")
    def receive(self, request: Request) -> Response:
        header = request.headers["stripe-signature"]
        self.events.append(sdk.Webhook.construct_event(request.body, header, WEBHOOK_SECRET))
        self.came.notify_all()
        return Response(200)


def order(**changed: Any) -> SessionCreateParams:
    price = {"currency": "eur", "unit_amount": 9000, "product_data": {"name": "Tea"}}
    whole: Any = {
        "mode": "payment",
        "client_reference_id": "pay1",
        "payment_intent_data": {"metadata": {"order": "1"}},
        "line_items": [{"quantity": 1, "price_data": price | changed.pop("price", {})}],
        "success_url": "https://shop.example/paid",
    }
    params: SessionCreateParams = whole | changed
    return params


def pay(session: sdk.checkout.Session, **form: str) -> httpx.Response:
    assert session.url
    return httpx.post(session.url, data={"choice": "approve"} | form, trust_env=False)


def test_p1_from_session_to_refund(api: sdk.StripeClient) -> None:
    session = api.v1.checkout.sessions.create(order())
    assert (session.status, session.payment_status, session.livemode) == ("open", "unpaid", False)
    answer = pay(session)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://shop.example/paid")

    session = api.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    intent = session.payment_intent
    assert isinstance(intent, sdk.PaymentIntent)
    assert (session.status, session.payment_status, intent.status) == ("complete", "paid", "succeeded")
    assert (intent.amount_received, intent.metadata.to_dict()) == (9000, {"order": "1"})

    refund = api.v1.refunds.create({"payment_intent": intent.id, "amount": 4000, "metadata": {"a": "b"}})
    assert (refund.status, refund.amount, refund.currency) == ("succeeded", 4000, "eur")
    assert api.v1.refunds.retrieve(refund.id).to_dict()["metadata"] == {"a": "b"}
    assert [it.id for it in api.v1.refunds.list({"payment_intent": intent.id})] == [refund.id]
    booked = api.v1.balance_transactions.list({"expand": ["data.source"]})
    assert [(line.type, line.currency) for line in booked] == [("refund", "usd"), ("charge", "usd")]
    assert api.v1.balance.retrieve().available[0].amount == sum(line.net for line in booked)
    assert api.v1.accounts.retrieve_current().country == "US"


def test_the_payer_page_is_marked_and_lets_the_payer_try_again(api: sdk.StripeClient) -> None:
    session = api.v1.checkout.sessions.create(order(cancel_url="https://shop.example/back"))
    assert session.url
    shown = httpx.get(session.url, trust_env=False).text
    assert "no money moves" in shown
    assert "90.00 EUR" in shown
    assert "https://shop.example/back" in shown
    assert "Your card was declined." in pay(session, choice="refuse").text
    assert "insufficient funds" in pay(session, card="4000 0000 0000 9995").text
    assert "card number is invalid" in pay(session, card="1234").text
    assert pay(session, card="4242 4242 4242 4242").status_code == 302
    assert pay(session).status_code == 410
    lapsed = api.v1.checkout.sessions.create(order())
    assert pay(lapsed, choice="lapse").status_code == 410
    assert api.v1.checkout.sessions.retrieve(lapsed.id).status == "expired"


# Strictness


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"colour": "red"}, "colour"),
        ({"payment_method_types": ["card"]}, "payment_method_types"),  # gone from this version of the API
        ({"mode": "gift"}, "mode"),
        ({"line_items": []}, "line_items"),
        ({"success_url": "shop"}, "success_url"),
        ({"success_url": ""}, "success_url"),
        ({"locale": "tlh"}, "locale"),
        ({"metadata": {"k" * 41: "v"}}, ""),
        ({"client_reference_id": "x" * 201}, "client_reference_id"),
        ({"price": {"unit_amount": 90.5}}, "line_items[0][price_data][unit_amount]"),
        ({"price": {"unit_amount": 0}}, ""),
        ({"price": {"unit_amount": 10**12}}, ""),
        ({"price": {"unit_amount": 49}}, ""),
        ({"price": {"currency": "EUR"}}, "line_items[0][price_data][currency]"),
        ({"price": {"currency": "isk", "unit_amount": 550}}, ""),
        ({"price": {"currency": "ugx", "unit_amount": 12_345}}, ""),
        ({"price": {"currency": "kwd", "unit_amount": 5124}}, ""),
        ({"expires_at": int(time.time()) + 29 * 60}, ""),
        ({"expires_at": int(time.time()) + 25 * 3600}, ""),
    ],
)
def test_malformed_sessions_are_refused(
    stripe: Stripe, api: sdk.StripeClient, changed: dict[str, Any], param: str
) -> None:
    with pytest.raises(sdk.InvalidRequestError) as error:
        api.v1.checkout.sessions.create(order(**changed))
    assert error.value.http_status == 400
    assert param in (error.value.param or "")
    assert stripe.book.things == {}


def test_only_the_key_of_the_account_and_the_version_it_speaks(stripe: Stripe) -> None:
    for key in ("sk_test_of_a_stranger", "sk_test_simulated0No0money0moves0herE"):
        stranger = sdk.StripeClient(key, base_addresses={"api": stripe.url}, max_network_retries=0)
        with pytest.raises(sdk.AuthenticationError):
            stranger.v1.balance.retrieve()
    old = sdk.StripeClient(SECRET_KEY, base_addresses={"api": stripe.url}, stripe_version="2026-05-27.dahlia")
    with pytest.raises(sdk.InvalidRequestError, match="Invalid Stripe API version"):
        old.v1.balance.retrieve()
    assert httpx.get(f"{stripe.url}/v1/balance", trust_env=False).status_code == 401


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"a=%FF", "application/x-www-form-urlencoded"),
        (b"a=\xff", "application/x-www-form-urlencoded"),
        (b"mode", "application/x-www-form-urlencoded"),
        (b"mode[a]=1&mode=payment", "application/x-www-form-urlencoded"),
        (b"metadata[a=b", "application/x-www-form-urlencoded"),
        (b'{"mode": "payment"}', "application/json"),
    ],
)
def test_bodies_that_are_no_form_are_refused(stripe: Stripe, body: bytes, kind: str) -> None:
    headers = {"Authorization": f"Bearer {SECRET_KEY}", "Content-Type": kind}
    answer = httpx.post(f"{stripe.url}/v1/checkout/sessions", content=body, headers=headers, trust_env=False)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


def test_what_is_not_there_is_missing(api: sdk.StripeClient) -> None:
    for call in (api.v1.checkout.sessions.retrieve, api.v1.payment_intents.retrieve, api.v1.refunds.retrieve):
        with pytest.raises(sdk.InvalidRequestError) as error:
            call("x_1")
        assert (error.value.http_status, error.value.code) == (404, "resource_missing")
    session = api.v1.checkout.sessions.create(order())
    with pytest.raises(sdk.InvalidRequestError, match="cannot be expanded"):
        api.v1.checkout.sessions.retrieve(session.id, {"expand": ["colour"]})


def test_a_session_is_expired_once_and_only_while_it_is_open(api: sdk.StripeClient) -> None:
    session = api.v1.checkout.sessions.create(order())
    pay(session, choice="refuse")
    assert api.v1.checkout.sessions.expire(session.id).status == "expired"
    again = api.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert isinstance(again.payment_intent, sdk.PaymentIntent)
    assert (again.url, again.payment_intent.status) == (None, "canceled")
    paid = api.v1.checkout.sessions.create(order())
    pay(paid)
    for name in (session.id, paid.id):
        with pytest.raises(sdk.InvalidRequestError, match="can be expired"):
            api.v1.checkout.sessions.expire(name)


def test_refunds_never_exceed_the_charge(api: sdk.StripeClient) -> None:
    session = api.v1.checkout.sessions.create(order())
    pay(session)
    charge = str(api.v1.checkout.sessions.retrieve(session.id).payment_intent)
    api.v1.refunds.create({"payment_intent": charge, "amount": 8999})
    for amount in (2, 0, -1):
        with pytest.raises(sdk.InvalidRequestError):
            api.v1.refunds.create({"payment_intent": charge, "amount": amount})
    assert api.v1.refunds.create({"payment_intent": charge}).amount == 1
    with pytest.raises(sdk.InvalidRequestError) as error:
        api.v1.refunds.create({"payment_intent": charge})
    assert error.value.code == "charge_already_refunded"
    with pytest.raises(sdk.InvalidRequestError, match="One of the following"):
        api.v1.refunds.create({"amount": 1})


def test_what_was_not_paid_is_not_refunded(api: sdk.StripeClient) -> None:
    session = api.v1.checkout.sessions.create(order())
    pay(session, choice="refuse")
    charge = str(api.v1.checkout.sessions.retrieve(session.id).payment_intent)
    with pytest.raises(sdk.InvalidRequestError, match="does not have a successful charge"):
        api.v1.refunds.create({"payment_intent": charge})


# Idempotency


def test_a_key_keeps_its_answer_for_a_day(stripe: Stripe, api: sdk.StripeClient) -> None:
    expires_at = int(time.time()) + 3600
    first = api.v1.checkout.sessions.create(order(expires_at=expires_at), {"idempotency_key": "k1"})
    pay(first)
    again = api.v1.checkout.sessions.create(order(expires_at=expires_at), {"idempotency_key": "k1"})
    assert again.to_dict() == first.to_dict()  # as it was answered, not as it is now
    assert again.last_response
    assert again.last_response.headers["idempotent-replayed"] == "true"
    with pytest.raises(sdk.IdempotencyError, match="same parameters"):
        api.v1.checkout.sessions.create(order(expires_at=expires_at + 1), {"idempotency_key": "k1"})
    with pytest.raises(sdk.IdempotencyError):
        api.v1.refunds.create({"payment_intent": "pi_1"}, {"idempotency_key": "k1"})
    stripe.clock.advance(24 * 3600)
    assert api.v1.checkout.sessions.create(order(), {"idempotency_key": "k1"}).id != first.id


def test_a_key_keeps_errors_too_but_not_those_of_the_form(stripe: Stripe, api: sdk.StripeClient) -> None:
    with pytest.raises(sdk.InvalidRequestError, match="Missing required param: mode"):
        api.v1.checkout.sessions.create({}, {"idempotency_key": "k1"})
    assert api.v1.checkout.sessions.create(order(), {"idempotency_key": "k1"})
    stripe.faults.set("error_after_commit")
    for _ in range(2):
        with pytest.raises(sdk.APIError):
            api.v1.checkout.sessions.create(order(), {"idempotency_key": "k2"})
    assert len(api.v1.checkout.sessions.list()) == 2


# Lists and search


def test_lists_are_paged_newest_first(api: sdk.StripeClient) -> None:
    made = [api.v1.checkout.sessions.create(order()).id for _ in range(5)]
    listed = api.v1.checkout.sessions.list({"limit": 2})
    assert [it.id for it in listed] == made[:2:-1]
    assert listed.has_more
    assert [it.id for it in listed.auto_paging_iter()] == made[::-1]
    assert len(api.v1.checkout.sessions.list({"created": {"gt": int(time.time()) + 60}})) == 0
    assert len(api.v1.checkout.sessions.list({"status": "complete"})) == 0
    for limit in (0, 101):
        with pytest.raises(sdk.InvalidRequestError):
            api.v1.checkout.sessions.list({"limit": limit})


def test_the_search_knows_a_payment_a_minute_later(stripe: Stripe, api: sdk.StripeClient) -> None:
    pay(api.v1.checkout.sessions.create(order()))
    query = {"query": 'metadata["order"]:"1"'}
    assert api.v1.payment_intents.search({"query": query["query"]}).data == []
    stripe.clock.advance(60)
    [found] = api.v1.payment_intents.search({"query": query["query"]}).data
    assert found.amount == 9000
    assert api.v1.payment_intents.search({"query": "metadata['order']:'2'"}).data == []
    with pytest.raises(sdk.InvalidRequestError, match="unable to parse"):
        api.v1.payment_intents.search({"query": "amount>1"})


# Events


def test_p1_events_are_such_as_the_sdk_accepts(stripe: Stripe, api: sdk.StripeClient) -> None:
    listener = Listener()
    with running(listener) as url:
        httpx.post(f"{stripe.url}/_emulator/webhook", json={"url": f"{url}/hook"}, trust_env=False)
        session = api.v1.checkout.sessions.create(order())
        pay(session, card="4000000000005126")
        paid = api.v1.checkout.sessions.retrieve(session.id)
        api.v1.refunds.create({"payment_intent": str(paid.payment_intent)}, {"idempotency_key": "re1"})
        with listener.came:
            assert listener.came.wait_for(lambda: len(listener.events) == 5, 60)
    assert [event.type for event in listener.events] == [
        "checkout.session.completed",
        "refund.created",
        "charge.refunded",
        "refund.failed",
        "refund.updated",
    ]
    first, second = listener.events[:2]
    assert first.data.object["id"] == session.id
    assert first.api_version == sdk.api_version
    assert second.request
    assert second.request.idempotency_key == "re1"
    assert second.data.object["status"] == "succeeded"  # as it was then


def test_it_runs_as_a_process() -> None:
    command = [sys.executable, "-m", "payments.wallets.stripe.emulator.server"]
    root = Path(__file__).resolve().parents[4]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as process:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        api = sdk.StripeClient(told["config"]["secret_key"], base_addresses={"api": told["base_url"]})
        assert api.v1.balance.retrieve().livemode is False
        process.terminate()
