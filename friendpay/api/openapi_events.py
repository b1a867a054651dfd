"""Events in the OpenAPI description: one `webhooks:` entry a type, each with the schema of its `data`."""

from typing import Any

from friendpay.api.examples import BODIES
from orders.event_data import EndpointData, EventData, OrderData, OrderRefundData
from orders.events import TYPES as TYPES
from payments.settlement.event_data import (
    DeclinedData,
    DisputeData,
    PaymentData,
    RefundData,
    ReportedData,
    RequestData,
    ThankedData,
)

_BY_TYPE: dict[str, type[EventData]] = {
    "order.refunded": OrderRefundData,
    "order.refund_reopened": OrderRefundData,
    "payment.disputed": DisputeData,
    "payment.dispute_won": DisputeData,
    "payment.dispute_lost": DisputeData,
    "payment_request.declined": DeclinedData,
    "payment_request.reported": ReportedData,
    "payment_request.thanked": ThankedData,
}
_BY_OBJECT: dict[str, type[EventData]] = {
    "order": OrderData,
    "payment_request": RequestData,
    "payment": PaymentData,
    "refund": RefundData,
    "webhook_endpoint": EndpointData,
}


def data_of(type: str) -> type[EventData]:
    """What an event of this type carries as `data`."""
    return _BY_TYPE.get(type) or _BY_OBJECT[type.partition(".")[0]]


def example(type: str) -> dict[str, Any]:
    """An event of this type as it is told, made of the examples of the API's bodies."""
    thing, what = type.split(".")
    body = _THINGS[thing] | _SAID
    data = {name: body[name] for name in data_of(type).model_fields}
    if "status" in data and what in _STATUSES.get(thing, ()):
        data["status"] = what
    request = None if thing in ("order", "webhook_endpoint") else BODIES["PaymentRequestOut"]["id"]
    order = None if thing == "webhook_endpoint" else BODIES["OrderOut"]["id"]
    told = BODIES["EventOut"] | {"type": type, "object": data["id"], "order": order, "payment_request": request}
    return told | {"data": data, "timestamp": told["created_at"]}


_THINGS: dict[str, dict[str, Any]] = {
    "order": BODIES["OrderOut"],
    "payment_request": BODIES["PaymentRequestOut"],
    "payment": BODIES["PaymentOut"],
    "refund": BODIES["RefundOut"],
    "webhook_endpoint": BODIES["EndpointOut"],
}
_SAID: dict[str, Any] = {
    "buyer_id": "customer-17",
    "reports": 3,
    "refund": BODIES["RefundOut"]["id"],
    "refund_amount": BODIES["RefundOut"]["amount"],
    "words": "Enjoy it!",
    "choice": "",
    "name": "Mei",
    "dispute": "dp_b8RzMv3XkN6tWq2YdJ7hPcGs",
    "dispute_status": "open",
    "disputed": 9000,
    "dispute_currency": "CNY",
    "dispute_reason": "fraudulent",
}
"""What an event tells besides the thing itself."""

_STATUSES = {
    "order": ("paid", "expired", "cancelled"),
    "payment_request": ("paid", "expired", "cancelled"),
    "payment": ("succeeded", "failed", "cancelled"),
    "refund": ("requested", "submitted", "succeeded", "failed", "withdrawn", "returned_elsewhere"),
}


def describe(schema: dict[str, Any]) -> None:
    """Add every type of event to the description."""
    schemas = schema["components"]["schemas"]
    for kind in {data_of(type) for type in TYPES}:
        told = kind.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
        schemas |= told.pop("$defs", {}) | {kind.__name__: told}
    schema["webhooks"] = {type: {"post": _message(type)} for type in TYPES}


def _message(type: str) -> dict[str, Any]:
    own = {
        "properties": {
            "type": {"const": type},
            "data": {"$ref": f"#/components/schemas/{data_of(type).__name__}"},
            "timestamp": {"type": "string", "format": "date-time", "description": "The same as created_at."},
        },
        "required": ["timestamp"],
    }
    schema = {"allOf": [{"$ref": "#/components/schemas/EventOut"}, own]}
    body = {"schema": schema, "example": example(type)}
    return {
        "operationId": f"hear_{type.replace('.', '_')}",
        "summary": type,
        "tags": ["Webhooks"],
        "security": [],
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": {"2XX": {"description": "You have it. Anything else, and it comes again."}},
    }
