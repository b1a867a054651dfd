"""The support desk's pages of orders."""

from orders.admin import api_call, delivery, event, key, merchant, order, webhook  # noqa: F401  # importing registers
