"""What stands around a page, learned from answers of the ordinary path: its status, headers and language.

A page may be drawn without Django's handler and middleware, which take longer than drawing it. No header's rule is
written a second time for that: what is sent is what they themselves put around an equal page, for a request that is
equal in all they look at. Of an answer that they give differently each time nothing is learned. The same holds for what
is no page and sets no cookie, and has a tag instead (`tagged`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from secrets import token_hex
from types import SimpleNamespace
from typing import Any, NamedTuple, Self

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import CSRF_ALLOWED_CHARS, CSRF_SECRET_LENGTH
from django.middleware.gzip import GZipMiddleware
from django.utils import translation
from django.utils.text import compress_string

from friendpay.kit import limits
from friendpay.kit.pages import SAID

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]

_VARIES = {"accept-encoding", "accept-language", "cookie", "user-agent"}
_LENGTH, _SET, _COOKIE = b"content-length", b"set-cookie", f" {settings.CSRF_COOKIE_NAME}=".encode()
_TAG = b"etag"


class Asked(NamedTuple):
    """All of a request that decides what stands around a page, but its address: what Vary names, and where we are. Of
    cookies it is the chosen language. `policy` is the page's own header, or says what else sets pages apart; `day` lets
    a cookie's dates be renewed.
    """

    scheme: str
    host: str
    agent: str
    languages: str
    encodings: str
    chosen: str
    policy: str
    day: date

    @classmethod
    def of(cls, environ: Mapping[str, Any], cookies: Mapping[str, str], policy: str, day: date) -> Self | None:
        """None where a request brings something else that changes its answer, or is too long to be remembered."""
        if environ["QUERY_STRING"] or environ["CONTENT_LENGTH"] != "0" or SAID in cookies:
            return None
        told = [
            environ.get(f"HTTP_{name}", "") for name in ("HOST", "USER_AGENT", "ACCEPT_LANGUAGE", "ACCEPT_ENCODING")
        ]
        chosen = cookies.get(settings.LANGUAGE_COOKIE_NAME, "")
        if sum(map(len, told)) + len(chosen) > limits.FRAME_CHARACTERS:
            return None
        host, agent, languages, encodings = told
        return cls(environ["wsgi.url_scheme"], host, agent, languages, encodings, chosen, policy, day)


@dataclass(frozen=True)
class _Frame:
    headers: tuple[tuple[bytes, bytes], ...]  # b"" where the content's length goes, its tag, and the cookie
    language: str
    compressed: bool
    cookie: bytes = field(compare=False)  # what follows the visitor's secret; a date is in it

    def around(self, content: bytes, own: dict[bytes, bytes]) -> Answer:
        own[_LENGTH] = str(len(content)).encode()
        return 200, [(name, value or own[name]) for name, value in self.headers], content


class Frames:
    """What was learned in this process."""

    def __init__(self) -> None:
        self._seen: dict[Asked, _Frame] = {}
        self._known: dict[Asked, _Frame] = {}

    def answer(self, asked: Asked, cookies: Mapping[str, str], drawn: Callable[[HttpRequest], str]) -> Answer | None:
        """The page for this visitor, `drawn` in the language that is spoken; None where nothing was learned for it."""
        frame, secret = self._known.get(asked), _secret_among(cookies)
        if frame is None or secret is None:
            return None
        request: Any = SimpleNamespace(
            META={"CSRF_COOKIE": secret}
        )  # all of a request that Django's `get_token` looks at
        with translation.override(frame.language):
            content = drawn(request).encode()
        if frame.compressed:
            content = compress_string(content, max_random_bytes=GZipMiddleware.max_random_bytes)
        return frame.around(content, {_SET: _COOKIE + secret.encode() + frame.cookie})

    def tagged(self, asked: Asked, content: bytes, tag: str) -> Answer | None:
        """The same around what has a tag and is no page."""
        frame = self._known.get(asked)
        return frame.around(content, {_TAG: tag.encode()}) if frame else None

    def learn(self, asked: Asked, answer: Answer, secret: str = "") -> None:
        """From an answer of the ordinary path, whose CSRF cookie holds this secret, or which has a tag and no cookie:
        what two in a row agree in.
        """
        frame = _frame(answer, secret)
        if frame and self._seen.get(asked) == frame:
            self._known[asked] = frame
        elif frame:
            self._seen[asked] = frame
        for kept in (self._seen, self._known):
            if len(kept) > limits.FRAMES_KEPT:
                kept.clear()


def _frame(answer: Answer, secret: str) -> _Frame | None:
    """None where an answer differs by more than can be put in anew."""
    status, headers, _content = answer
    told = dict(headers)
    vary = {name.strip() for name in told.get(b"vary", b"*").decode().lower().split(",")}
    cookies, compressed = [value for name, value in headers if name == _SET], told.get(b"content-encoding") == b"gzip"
    own = _COOKIE + secret.encode()
    page = len(cookies) == 1 and cookies[0].startswith(own)
    tagged = not cookies and not compressed and _TAG in told
    if status != 200 or vary - _VARIES or not (page if secret else tagged):
        return None
    return _Frame(
        tuple((name, b"" if name in (_LENGTH, _SET, _TAG) else value) for name, value in headers),
        told[b"content-language"].decode(),
        compressed,
        cookies[0].removeprefix(own) if page else b"",
    )


def _secret_among(cookies: Mapping[str, str]) -> str | None:
    """The visitor's CSRF secret, a new one for whoever has none; None for one of an unusual form."""
    kept = cookies.get(settings.CSRF_COOKIE_NAME)
    if kept is None:
        return token_hex(CSRF_SECRET_LENGTH // 2)
    return kept if len(kept) == CSRF_SECRET_LENGTH and set(kept) <= set(CSRF_ALLOWED_CHARS) else None
