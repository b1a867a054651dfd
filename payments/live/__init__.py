"""WebSockets: pages that follow a request."""
