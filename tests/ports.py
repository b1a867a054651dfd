"""Ports for servers that tests start."""

import socket
from contextlib import suppress
from secrets import randbelow

_FIRST, _MANY = 20_000, 12_000
"""Below those that a system gives to whoever asks for any port, as each connection does: it stays free meanwhile."""


def free_port() -> int:
    """Where nobody listens now; whoever is to may take seconds to come."""
    while True:
        port = _FIRST + randbelow(_MANY)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
