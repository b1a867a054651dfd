"""Events in the OpenAPI description: one `webhooks:` entry a type, each with the schema of its `data`."""

from typing import Any

from orders.event_data import EndpointData, EventData, OrderData, OrderRefundData
from orders.events import TYPES
from payments.settlement.event_data import DeclinedData, DisputeData, PaymentData, RefundData, RequestData, ThankedData

_BY_TYPE: dict[str, type[EventData]] = {
    "order.refunded": OrderRefundData,
    "order.refund_reopened": OrderRefundData,
    "payment.disputed": DisputeData,
    "payment.dispute_won": DisputeData,
    "payment.dispute_lost": DisputeData,
    "payment_request.declined": DeclinedData,
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
    body = {"schema": {"allOf": [{"$ref": "#/components/schemas/EventOut"}, own]}}
    return {
        "operationId": f"hear_{type.replace('.', '_')}",
        "summary": type,
        "tags": ["Webhooks"],
        "security": [],
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": {"2XX": {"description": "You have it. Anything else, and it comes again."}},
    }
