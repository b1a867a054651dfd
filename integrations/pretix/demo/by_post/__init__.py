"""Tickets by post for 6.00: pretix itself has no shipping, other plugins bring it."""
