"""The shop's own server: it is told by webhooks, as badly as servers are, and writes down what it heard."""

import asyncio
import base64
import hashlib
import hmac
import json
import random
import time
from collections import Counter
from contextlib import suppress

from bench.people import History

TOLD_OF = ("order.paid", "order.cancelled", "payment.succeeded", "refund.succeeded")
FAILS = {"refuses": 0.05, "hangs up": 0.02, "forgets to answer": 0.01}
PATIENCE = 15  # seconds friendpay waits for an answer


class Receiver:
    """Hears webhooks on loopback. While `failing` it refuses some, hangs up, or does not answer."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.failing = True
        self.secret = b""
        self.faults: Counter[str] = Counter()
        self.heard = 0
        self._server: asyncio.Server | None = None

    async def listen(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Take connections; the address to be called at, which is on loopback wherever friendpay runs."""
        self._server = await asyncio.start_server(self._serve, host, port)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hooks"

    def close(self) -> None:
        if self._server:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):  # or the end of everything
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:]
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head if line)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            status = self._note(headers, body)
            fault = self._fault()
            if fault == "forgets to answer":
                await asyncio.sleep(PATIENCE + 1)
            if not fault or fault == "refuses":
                writer.write(f"HTTP/1.1 {500 if fault else status} -\r\nContent-Length: 0\r\n".encode())
                writer.write(b"Connection: close\r\n\r\n")
                await writer.drain()
        writer.close()

    def _fault(self) -> str:
        for name, often in FAILS.items():
            if self.failing and random.random() < often:
                self.faults[name] += 1
                return name
        return ""

    def _note(self, headers: dict[str, str], body: bytes) -> int:
        """What was heard goes into the history, and whether it was signed for us: 204, or 401."""
        about = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + body
        signature = base64.b64encode(hmac.digest(self.secret, about, hashlib.sha256)).decode()
        signed = f"v1,{signature}" in headers.get("webhook-signature", "").split()
        self.heard += 1
        told = {"webhook": headers.get("webhook-id"), "said": json.loads(body), "signed": signed}
        self._history.note("shop", "hear", time.monotonic(), 204 if signed else 401, **told)
        return 204 if signed else 401
