"""The client of friendpay's API: `Friendpay`, `AsyncFriendpay` for the event loop, and `webhooks.verify`."""

from friendpay_client import money, types, webhooks
from friendpay_client.client import AsyncFriendpay, Friendpay
from friendpay_client.errors import ApiError, FriendpayError, NoAnswer
from friendpay_client.webhooks import WebhookRefused

__all__ = [
    "ApiError",
    "AsyncFriendpay",
    "Friendpay",
    "FriendpayError",
    "NoAnswer",
    "WebhookRefused",
    "money",
    "types",
    "webhooks",
]
