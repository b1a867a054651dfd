"""API calls of requests, payments and refunds."""
