"""Addresses that carry a token and are by themselves the right to use them (capability URLs): the one table of their
prefixes. Whoever adds a route with a token adds its prefix here; a test walks all routes.
"""

import re

OF_A_REQUEST = ("p", "checkout", "pay", "r")
"""The friend's page, the buyer's, the code to scan, the receipt: what messengers preview, and see nothing of."""

PREFIXES = (*OF_A_REQUEST, "mail", "sandbox")
"""All of them: what the log cuts short (`friendpay.logs`)."""


def way_back(path: str) -> str:
    """The page that an address below it belongs to, "" where there is none above it."""
    found = re.match(rf"(/(?:{'|'.join(OF_A_REQUEST)})/[-\w]+/).", path, re.ASCII)
    return found[1] if found else ""
