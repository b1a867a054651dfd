"""A shop's program that calls the API: plain functions, no magic."""

import json
from typing import Any

from django.test import Client

from orders.models import ApiKey, Event, Merchant, Order, OrderLine, StoredAnswer
from payments.models import Payment, PaymentRequest, Refund
from tests import shop

ORDER: dict[str, Any] = {
    "reference": "A-1001",
    "currency": "CNY",
    "lines": [{"name": "Spring oolong, 100 g", "quantity": 2, "unit_amount": 4500, "category": "tea"}],
    "buyer": {"id": "customer-17", "name": "Lin"},
}


class Answer:
    """What came back."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers: dict[str, str] = response.headers
        self.type: str = response.headers.get("Content-Type", "")
        self.body: bytes = response.content

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> Any:
        """What was refused, but for which call it was."""
        return {name: value for name, value in self.json.items() if name != "instance"}

    def __getitem__(self, name: str) -> Any:
        return self.json[name]


class Caller:
    """Calls with one key; every answer is as long as it says, and those of 400 and above are problem documents
    that tell no secrets.
    """

    def __init__(self, merchant: Merchant | None = None, *, live: bool = False, key: str | None = None, **rights: bool):
        self.merchant = merchant or shop.make_merchant()
        if key is None:
            self.row, key = ApiKey.make(self.merchant, live=live, **rights)  # type: ignore[arg-type]
        self.key = key
        self.client = Client(raise_request_exception=False)

    def get(self, address: str, **query: object) -> Answer:
        return self.send("GET", address, query=query)

    def post(self, address: str, body: object = None, *, key: str | None = None) -> Answer:
        """`key` is the Idempotency-Key."""
        headers = {"Idempotency-Key": key} if key is not None else {}
        return self.send("POST", address, b"" if body is None else json.dumps(body).encode(), headers=headers)

    def patch(self, address: str, body: object) -> Answer:
        return self.send("PATCH", address, json.dumps(body).encode())

    def send(
        self,
        method: str,
        address: str,
        body: bytes = b"",
        *,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
        query: dict[str, Any] | None = None,
    ) -> Answer:
        given = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        answer = Answer(
            self.client.generic(
                method,
                f"/api/v1{address}",
                body,
                content_type=content_type,
                headers=given | (headers or {}),
                query_params=query or {},
            )
        )
        assert int(answer.headers.get("Content-Length", len(answer.body))) == len(answer.body)
        if answer.status >= 400:
            assert answer.type == "application/problem+json"
            assert answer["status"] == answer.status
            assert answer["code"]
            assert answer["detail"]
            assert b"Traceback" not in answer.body
        return answer

    def order(self, **changes: object) -> Any:
        """A new order."""
        answer = self.post("/orders", {**ORDER, "reference": f"A-{Order.objects.count() + 1001}", **changes})
        assert answer.status == 201, answer.body
        return answer.json

    def ask(self, order: Any = None, **body: object) -> Any:
        """A new payment request."""
        order = order or self.order()
        answer = self.post(f"/orders/{order['id']}/payment-requests", body)
        assert answer.status == 201, answer.body
        return answer.json

    def paid(self, amount: int | None = None, **body: object) -> tuple[Any, Payment]:
        """A request of which a friend paid `amount` (all of it), and the payment."""
        asked = self.ask(**body)
        payment = shop.hold(PaymentRequest.objects.get(public_id=asked["id"]), amount)
        return asked, shop.succeed(payment)


def ledger() -> tuple[object, ...]:
    """All that a call could have moved. Equal before and after: nothing did."""
    models = (Order, OrderLine, PaymentRequest, Payment, Refund, Event, StoredAnswer)
    return tuple(list(model.objects.order_by("pk").values()) for model in models)


def fields(answer: Answer) -> dict[str, str]:
    """The fields at fault, and why."""
    return {error["field"]: error["code"] for error in answer["errors"]}
