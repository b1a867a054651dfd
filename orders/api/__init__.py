"""API calls of orders, events and webhooks."""
