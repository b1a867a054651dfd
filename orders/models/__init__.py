"""The tables of the shop's side."""

from orders.models.access import Access
from orders.models.adjustment import Adjustment, AdjustmentKind
from orders.models.api_call import ApiCall
from orders.models.delivery import DeliveryNote
from orders.models.event import Event
from orders.models.idempotency import StoredAnswer
from orders.models.membership import Membership
from orders.models.merchant import ApiKey, Logo, Merchant
from orders.models.order import Order, OrderLine
from orders.models.pairing import Pairing
from orders.models.picture import Picture, PictureFile
from orders.models.webhook import WebhookAttempt, WebhookDelivery, WebhookEndpoint

__all__ = [
    "Access",
    "Adjustment",
    "AdjustmentKind",
    "ApiCall",
    "ApiKey",
    "DeliveryNote",
    "Event",
    "Logo",
    "Membership",
    "Merchant",
    "Order",
    "OrderLine",
    "Pairing",
    "Picture",
    "PictureFile",
    "StoredAnswer",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
]
