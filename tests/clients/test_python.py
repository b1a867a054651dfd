"""How the Python client calls, repeats, reads lists and verifies webhooks; against no server."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from friendpay_client import ApiError, AsyncFriendpay, Friendpay, NoAnswer, WebhookRefused, money, policy, webhooks

from friendpay.kit.money import EXPONENT
from orders.webhooks import signing

ORDER: dict[str, Any] = {"reference": "A-1", "currency": "CNY", "lines": [], "buyer": {"id": "1", "name": "Lin"}}


class Server:
    """Answers in turn, and remembers what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def keys(self) -> list[str | None]:
        return [request.headers.get("idempotency-key") for request in self.asked]


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between tries, which take no time."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("time.sleep", pauses.append)
    monkeypatch.setattr("friendpay_client.client.asyncio.sleep", sleep)
    return pauses


def create(server: Server, kind: str, **more: Any) -> Any:
    """The same call by either client."""
    transport = httpx.MockTransport(server)
    if kind == "threads":
        with Friendpay("sk_test_1", base_url="https://pay.example/", transport=transport) as friendpay:
            return friendpay.create_order(**ORDER, **more)

    async def call() -> Any:
        async with AsyncFriendpay("sk_test_1", base_url="https://pay.example/", transport=transport) as friendpay:
            return await friendpay.create_order(**ORDER, **more)

    return asyncio.run(call())


KINDS = pytest.mark.parametrize("kind", ["threads", "event loop"])


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"status": status, "code": code, "detail": "."}, headers=headers)


@KINDS
def test_a_call_may_have_a_key_of_the_callers(kind: str, waited: list[float]) -> None:
    server = Server(httpx.ReadError("cut"), httpx.Response(201, json={"id": "ord_1"}))
    assert create(server, kind, idempotency_key="page-17") == {"id": "ord_1"}
    assert server.keys == ["page-17", "page-17"]


@KINDS
def test_all_tries_of_a_call_have_one_key_and_wait_as_they_are_told(kind: str, waited: list[float]) -> None:
    lost = httpx.ReadError("cut")
    busy = problem(409, "idempotency_key_in_use")
    slow = problem(429, "too_many_requests", **{"retry-after": "7"})
    server = Server(lost, busy, slow, httpx.Response(502, text="<html>"), httpx.Response(201, json={"id": "ord_1"}))
    assert create(server, kind) == {"id": "ord_1"}
    assert len(set(server.keys)) == 1
    assert server.keys[0]
    assert len({request.content for request in server.asked}) == 1
    assert [0.25 <= waited[0] <= 0.5, 0.5 <= waited[1] <= 1, waited[2], 2 <= waited[3] <= 4] == [True, True, 7, True]
    assert server.asked[0].headers["authorization"] == "Bearer sk_test_1"
    assert str(server.asked[0].url) == "https://pay.example/api/v1/orders"
    assert json.loads(server.asked[0].content) == ORDER  # what was not said is not sent


@KINDS
def test_two_calls_have_two_keys(kind: str) -> None:
    server = Server(httpx.Response(201, json={}), httpx.Response(201, json={}))
    create(server, kind)
    create(server, kind)
    assert len(set(server.keys)) == 2


@KINDS
def test_who_is_never_answered_is_told_the_key(kind: str, waited: list[float]) -> None:
    server = Server(*(httpx.ConnectError("down") for _try in range(1 + policy.RETRIES)))
    with pytest.raises(NoAnswer) as told:
        create(server, kind)
    assert told.value.idempotency_key == server.keys[0]
    assert len(waited) == policy.RETRIES


@KINDS
def test_a_refusal_is_not_repeated_and_says_what_is_wrong(kind: str) -> None:
    errors = [{"field": "lines", "code": "too_few", "message": "…"}]
    said = {"status": 422, "code": "invalid", "detail": "Some fields are not right.", "errors": errors}
    server = Server(httpx.Response(422, json=said, headers={"request-id": "req_1"}))
    with pytest.raises(ApiError, match=r"invalid \(422\): Some fields") as told:
        create(server, kind)
    error = told.value
    assert (error.status, error.code, error.fields, error.request_id) == (422, "invalid", {"lines": "too_few"}, "req_1")


def test_a_list_is_fetched_page_by_page_as_it_is_read() -> None:
    pages = [
        {"data": [{"id": "ord_2"}, {"id": "ord_1"}], "has_more": True},
        {"data": [{"id": "ord_0"}], "has_more": False},
    ]
    server = Server(*(httpx.Response(200, json=page) for page in pages))
    friendpay = Friendpay("sk_test_1", transport=httpx.MockTransport(server))
    orders = friendpay.list_orders(limit=2)
    assert next(orders)["id"] == "ord_2"
    assert len(server.asked) == 1
    assert [order["id"] for order in orders] == ["ord_1", "ord_0"]
    assert [dict(request.url.params) for request in server.asked] == [{"limit": "2"}, {"limit": "2", "after": "ord_1"}]


def test_a_list_is_filtered_by_metadata_as_the_api_reads_it() -> None:
    server = Server(httpx.Response(200, json={"data": [], "has_more": False}))
    friendpay = Friendpay("sk_test_1", transport=httpx.MockTransport(server))
    assert list(friendpay.list_orders(metadata={"table": "7", "till": "a b"})) == []
    assert dict(server.asked[0].url.params) == {"metadata[table]": "7", "metadata[till]": "a b"}


def test_what_a_lost_answer_had_deleted_is_deleted(waited: list[float]) -> None:
    friendpay = Friendpay(
        "sk", transport=httpx.MockTransport(Server(httpx.ReadError("cut"), problem(404, "not_found")))
    )
    friendpay.delete_webhook_endpoint("we_1")
    friendpay = Friendpay("sk", transport=httpx.MockTransport(Server(problem(404, "not_found"))))
    with pytest.raises(ApiError):
        friendpay.delete_webhook_endpoint("we_1")


# Webhooks

NOW = datetime(2026, 11, 27, tzinfo=UTC)
BODY = '{"type":"order.paid","data":{"reference":"茶-1"}}'


def verified(
    secrets: str | list[str], body: str = BODY, *, later: float = 0, changed: dict[str, str] | None = None
) -> Any:
    headers = signing.headers([SECRET, OLD], "evt_1", NOW, BODY)
    sent = {
        f"Webhook-{name.removeprefix('webhook-').title()}": value for name, value in (headers | (changed or {})).items()
    }
    return webhooks.verify(body.encode(), sent, secrets, now=NOW.timestamp() + later)


SECRET, OLD, OTHER = (signing.new_secret() for _each in range(3))


@pytest.mark.parametrize("secrets", [SECRET, OLD, [OTHER, SECRET]], ids=["new", "old", "one of several"])
def test_a_message_is_believed_that_one_of_the_secrets_signed(secrets: str | list[str]) -> None:
    assert verified(secrets)["data"]["reference"] == "茶-1"
    assert verified(secrets, later=299)


def test_no_other_message_is() -> None:
    for refused in (
        lambda: verified(OTHER),
        lambda: verified([]),
        lambda: verified(SECRET, BODY + " "),
        lambda: verified(SECRET, later=301),
        lambda: verified(SECRET, later=-301),
        lambda: verified(SECRET, changed={"webhook-id": "evt_2"}),
        lambda: verified(SECRET, changed={"webhook-timestamp": str(int(NOW.timestamp()) + 1)}),
        lambda: verified(SECRET, changed={"webhook-signature": "v1,"}),
        lambda: verified(SECRET, changed={"webhook-signature": ""}),
        lambda: webhooks.verify(BODY.encode(), {}, SECRET),
    ):
        with pytest.raises(WebhookRefused):
            refused()
    for secret in ("", "whsec_", "whsec_AAAA", "no base64"):
        with pytest.raises(ValueError, match="webhook secret"):
            verified(secret)


def test_a_currency_has_as_many_decimals_as_the_server_says() -> None:
    assert {currency: money.decimals(currency) for currency in EXPONENT} == EXPONENT
    assert money.minor(Decimal("12.5"), "EUR") == 1250
    assert money.minor(Decimal("-0.005"), "KWD") == -5
    assert str(money.major(1250, "EUR")) == "12.50"
    assert money.major(1250, "JPY") == 1250
    for amount, currency in (("12.505", "EUR"), ("0.5", "JPY")):
        with pytest.raises(ValueError, match=currency):
            money.minor(Decimal(amount), currency)
