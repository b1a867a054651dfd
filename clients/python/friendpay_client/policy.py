"""One call: what is sent, when it is repeated, and what its answer means. Knows nothing of how bytes travel."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from friendpay_client.errors import ApiError, NoAnswer

BASE_URL = "http://127.0.0.1:8000"
TIMEOUT = 30.0
RETRIES = 4
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
_AGAIN = (408, 429, 500, 502, 503, 504)


def http_options(key: str, base_url: str, timeout: float) -> dict[str, Any]:
    """How both kinds of httpx's clients are made."""
    headers = {"Authorization": f"Bearer {key}", "User-Agent": "friendpay-client-python/0.1.0"}
    return {"base_url": f"{base_url.rstrip('/')}/api/v1", "headers": headers, "timeout": timeout}


@dataclass
class Call:
    """A call, tried up to `retries` times more. A POST has one Idempotency-Key for all its tries, so that it does its
    work once, even where the first answer was lost after the server had done it.
    """

    method: str
    path: str
    query: dict[str, Any]
    body: dict[str, Any] | None
    retries: int
    idempotency_key: str | None = None
    tries: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.method == "POST" and self.idempotency_key is None:
            self.idempotency_key = str(uuid.uuid4())
        self.query = dict(_flat(self.query))
        if self.body is not None:
            self.body = {name: value for name, value in self.body.items() if value is not None}

    @property
    def request(self) -> dict[str, Any]:
        """For `httpx.Client.request`."""
        headers = {"Idempotency-Key": self.idempotency_key} if self.idempotency_key else {}
        sent = {"json": self.body} if self.body is not None else {}
        return {"method": self.method, "url": self.path, "params": self.query, "headers": headers, **sent}

    def after_failure(self, error: httpx.TransportError) -> float:
        """Seconds until the next try. Raises NoAnswer where there is none."""
        self.tries += 1
        if self.tries > self.retries:
            raise NoAnswer(f"{self.method} {self.path}: {error!r}", self.idempotency_key) from error
        return self._pause()

    def after(self, response: httpx.Response) -> float | None:
        """Seconds until the next try; None where this answer stands."""
        self.tries += 1
        busy = response.status_code == 409 and _problem(response).get("code") == "idempotency_key_in_use"
        if self.tries > self.retries or not (busy or response.status_code in _AGAIN):
            return None
        return min(max(_retry_after(response), self._pause()), _LONGEST_WAIT)

    def answer(self, response: httpx.Response) -> Any:
        """What the API said. Raises ApiError where it refused."""
        gone = self.method == "DELETE" and self.tries > 1 and response.status_code == 404  # an earlier try did it
        if response.status_code == 204 or gone:
            return None
        if response.is_success:
            return response.json()
        raise ApiError(
            response.status_code,
            _problem(response),
            request_id=response.headers.get("request-id") or response.headers.get("x-request-id") or "",
            retry_after=_retry_after(response),
        )

    def _pause(self) -> float:
        """Longer each time, and never the same for everybody."""
        pause: float = min(_FIRST_WAIT * 2 ** (self.tries - 1), _LONGEST_WAIT) * random.uniform(0.5, 1)
        return pause


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        problem = response.json()
    except ValueError:
        return {}  # of something in between, not of the API
    return problem if isinstance(problem, dict) else {}


def _retry_after(response: httpx.Response) -> float:
    said = response.headers.get("retry-after", "")
    return float(said) if said.isdecimal() else 0.0


def _flat(query: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """`metadata={"table": "7"}` is asked as `metadata[table]=7`."""
    for name, value in query.items():
        if isinstance(value, dict):
            yield from ((f"{name}[{key}]", its) for key, its in value.items())
        elif value is not None:
            yield name, value
