"""The shop's side: merchants, orders, events, webhooks. It knows nothing of payments."""
