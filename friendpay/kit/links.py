"""Addresses that carry a token and are by themselves the right to use them (capability URLs): the one table of their
prefixes. Whoever adds a route with a token adds its prefix here; a test walks all routes.
"""

OF_A_REQUEST = ("p", "checkout", "pay", "r")
"""The friend's page, the buyer's, the code to scan, the receipt: what messengers preview, and see nothing of."""

PREFIXES = (*OF_A_REQUEST, "mail", "sandbox")
"""All of them: what the log cuts short (`friendpay.logs`)."""
