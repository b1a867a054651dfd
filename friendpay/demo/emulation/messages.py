"""What an emulator hears and says: HTTP requests with the bytes that were signed untouched, answers, and routes."""

import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlsplit


class Request:
    """One HTTP request, with the bytes that were signed untouched."""

    def __init__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        self.method = method
        self.target = target  # path and query exactly as on the request line
        self.headers = headers  # names in lower case
        self.body = body
        self.path = urlsplit(target).path
        self.operation = f"{method} {self.path}"  # what `Fault.only` is looked for in; a handler may name it better
        self.commits = True  # a handler of a route that commits says False when this call changed nothing

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


class Response:
    def __init__(self, status: int, body: bytes = b"", content_type: str = "", **headers: str) -> None:
        self.status = status
        self.body = body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if content_type:
            self.headers["Content-Type"] = content_type


def as_json(value: object, status: int = 200) -> Response:
    return Response(status, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), "application/json")


def redirect(url: str) -> Response:
    return Response(302, Location=url)


Handler = Callable[..., Response]


def route(method: str, pattern: str, *, commits: bool = False) -> Callable[[Handler], Handler]:
    """Serve `method` on `pattern`; each `{name}` is one path segment and an argument of the handler.

    `commits`: the call changes something, so that "hang after commit" and "500 after commit" can strike it.
    """
    expression = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern) + r"\Z")

    def mark(handler: Handler) -> Handler:
        handler.__dict__["route"] = (method, expression, commits)
        return handler

    return mark
