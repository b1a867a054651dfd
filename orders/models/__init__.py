from orders.models.event import Event
from orders.models.idempotency import StoredAnswer
from orders.models.merchant import ApiKey, Merchant
from orders.models.order import Order, OrderLine
from orders.models.webhook import WebhookAttempt, WebhookDelivery, WebhookEndpoint

__all__ = [
    "ApiKey",
    "Event",
    "Merchant",
    "Order",
    "OrderLine",
    "StoredAnswer",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
]
