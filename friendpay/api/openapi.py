"""The OpenAPI description, completed: what every operation may answer, and how one answer leads to the next call."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from ninja.openapi.schema import OpenAPISchema

from friendpay.api import openapi_events
from friendpay.api.examples import BODIES
from friendpay.api.problems import CODES, FIELD_CODES, MEDIA_TYPE, WORDS, page_of
from orders.api import idempotency

INTRODUCTION = """\
Ask somebody else to pay: create an order, send the buyer to its `checkout_url`, or ask a friend yourself with a payment
request; then read, or be told by webhooks, how it went. Amounts are whole numbers of the currency's minor unit, times
are RFC 3339 in UTC, and unknown fields are refused."""

CONFLICT = {
    "code": "request_open",
    "detail": "This order has an open payment request already. Cancel it first.",
}
_INVALID = [{"field": "lines.0.quantity", "code": "wrong_type", "message": "Input should be a valid integer"}]
_NAMES = {
    400: "Malformed",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    408: "Timeout",
    409: "Conflict",
    413: "TooLarge",
    415: "NotJson",
    422: "Invalid",
    429: "TooManyRequests",
    500: "ServerError",
    503: "Overloaded",
}


def _one_of(codes: Iterable[str]) -> dict[str, Any]:
    """All codes there are; a client must bear others, since there may be more one day."""
    return {"anyOf": [{"type": "string", "enum": sorted(set(codes))}, {"type": "string"}]}


_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details. `code` is for programs and stays the same; `detail` is for people.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "Where the code is explained."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": _one_of(CODES),
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "This very call in the request log, for who has a key."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": "string", "description": "Such as lines.0.quantity."},
                    "code": _one_of((*FIELD_CODES, *CODES)),
                    "message": {"type": "string"},
                },
            },
        },
    },
}

_HEADERS: dict[str, Any] = {
    "Request-Id": {"description": "Name it when you ask about this call.", "example": "req_Rt8KbWyHm3PfJd7sQz2XcVn5"},
    "RateLimit": {"description": "Calls left, and seconds until all are there again.", "example": '"key";r=997;t=10'},
    "RateLimit-Policy": {"description": "Calls allowed in a window of seconds.", "example": '"key";q=1000;w=10'},
    "Retry-After": {"description": "Seconds to wait.", "example": "10"},
    "Idempotent-Replayed": {"description": "true: this is the stored answer of an earlier call.", "example": "true"},
}

_KEY_HEADER: dict[str, Any] = {
    "name": idempotency.HEADER,
    "in": "header",
    "required": False,
    "description": "Makes the call safe to repeat: the same key and body give the same answer for a day. Use a UUID.",
    "schema": {"type": "string", "pattern": idempotency.FORM},
}

WITH_BODY = ("post", "patch")

NOT_KEPT = ("begin_pairing", "simulate_payment_request")
"""POSTs whose answer is not kept for a repeat: nobody's yet, or a test's."""

_LEADS: dict[str, dict[str, str]] = {
    "OrderOut": {"order_id": "id"},
    "NewOrderOut": {"order_id": "id"},
    "OrderPage": {"order_id": "data/0/id"},
    "PaymentRequestOut": {"request_id": "id", "order_id": "order", "payment_id": "payments/0/id"},
    "PaymentRequestPage": {"request_id": "data/0/id", "payment_id": "data/0/payments/0/id"},
    "PaymentOut": {"payment_id": "id", "request_id": "payment_request", "order_id": "order"},
    "PaymentPage": {"payment_id": "data/0/id", "request_id": "data/0/payment_request", "order_id": "data/0/order"},
    "RefundPage": {"refund_id": "data/0/id", "payment_id": "data/0/payment"},
    "RefundOut": {"refund_id": "id", "payment_id": "payment"},
    "RefundsOut": {"refund_id": "refunds/0/id"},
    "EndpointOut": {"endpoint_id": "id"},
    "EndpointSecretOut": {"endpoint_id": "id"},
    "EndpointPage": {"endpoint_id": "data/0/id"},
    "PairingOut": {"pairing_id": "id"},
    "ApiCallOut": {"call_id": "id"},
    "ApiCallPage": {"call_id": "data/0/id"},
    "DeliveryOut": {"delivery_id": "id", "endpoint_id": "endpoint"},
    "DeliveryPage": {"delivery_id": "data/0/id", "endpoint_id": "data/0/endpoint"},
}
"""What an answer names: which parameter of other calls is where in it."""


def complete(schema: OpenAPISchema) -> OpenAPISchema:
    """Add the problems, headers and links to what the routes say of themselves."""
    operations = {
        (address, method): operation
        for address, methods in schema["paths"].items()
        for method, operation in methods.items()
    }
    for (address, method), operation in operations.items():
        operation["summary"], _, operation["description"] = operation["description"].partition("\n\n")
        for parameter in operation["parameters"]:
            _without_null(parameter["schema"])
        responses = operation["responses"] = {str(status): said for status, said in operation["responses"].items()}
        for status, said in responses.items():
            said["headers"] = _header_refs("Request-Id", "RateLimit", "RateLimit-Policy")
            if method == "post" and operation["operationId"] not in NOT_KEPT:
                said["headers"] |= _header_refs("Idempotent-Replayed")
            if method == "get" or status == "201":
                said["links"] = _links(said, operations)
        for number in _problems_of(address, method, operation):
            responses[str(number)] = {"$ref": f"#/components/responses/{_NAMES[number]}"}
        if method == "post" and operation["operationId"] not in NOT_KEPT:
            operation["parameters"].append({"$ref": f"#/components/parameters/{idempotency.HEADER}"})
        if method in WITH_BODY:
            operation["requestBody"]["content"]["application/json"]["schema"].pop("default", None)
    schema["components"] |= {
        "responses": {_NAMES[status]: _problem(status) for status in _NAMES},
        "headers": {name: {"schema": {"type": "string"}, **said} for name, said in _HEADERS.items()},
        "parameters": {idempotency.HEADER: _KEY_HEADER},
    }
    schema["components"]["schemas"]["Problem"] = _PROBLEM
    openapi_events.describe(schema)
    for name, example in BODIES.items():
        schema["components"]["schemas"][name]["examples"] = [example]
    return schema


def _without_null(schema: dict[str, Any]) -> None:
    """A parameter of an address is there or not; it cannot be null."""
    for choice in schema.pop("anyOf", ()):
        if choice != {"type": "null"}:
            schema |= choice


def _problems_of(address: str, method: str, operation: dict[str, Any]) -> list[int]:
    statuses = {401, 403, 422, 429, 500, 503}
    if "{" in address:
        statuses.add(404)
    if method in WITH_BODY:
        statuses |= {400, 408, 413, 415}
    if method == "post":
        statuses.add(409)
    return sorted(statuses)


def _problem(status: int) -> dict[str, Any]:
    code, detail = WORDS.get(status, (CONFLICT["code"], CONFLICT["detail"]))
    example: dict[str, Any] = {"type": page_of(code), "title": HTTPStatus(status).phrase, "status": status}
    example |= {"code": code, "detail": str(detail)} | ({"errors": _INVALID} if status == 422 else {})
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}}
    said = {"description": str(detail), "content": content}
    names = ("Request-Id", "Retry-After") if status in (429, 503) else ("Request-Id",)
    return said | {"headers": _header_refs(*names)}


def _header_refs(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _links(said: dict[str, Any], operations: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    """From an answer to every call on what it names."""
    answer = said["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    links = {}
    for (address, _method), operation in operations.items():
        for name, place in _LEADS.get(answer, {}).items():
            if f"{{{name}}}" in address:
                name_of_call = operation["operationId"]
                links[name_of_call] = {"operationId": name_of_call, "parameters": {name: f"$response.body#/{place}"}}
    return links
