"""HTTP calls to a merchant's address, which may be anybody's (SSRF): nothing inside our own network is ever reached, no
redirect is followed, and neither time nor memory can be taken from us.

requests-hardened resolves the name once, refuses private addresses and pins the one it found. What it leaves open is
closed here: scheme, port and form of the address, some addresses, the size of an answer, and the time of it all.
"""

import ipaddress
import logging
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, TypeVar

import requests
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, ReadTimeoutError

from friendpay.kit import env, limits, ssrf
from friendpay.kit.errors import Refused

logger = logging.getLogger(__name__)


_FORM = re.compile(r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(:(?P<port>\d{1,5}))?(?=[/?]|$)", re.I)
# The last part of a name begins with a letter: 2130706433, 0x7f000001 and 127.1 are addresses in disguise.
_NAME = re.compile(r"([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]", re.I)

Error = Literal["", "blocked", "unresolved", "unreachable", "tls", "timeout", "broken", "internal"]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Answer:
    """What came of a call: the status and the beginning of an answer, and a word for what went wrong, if any did."""

    status: int | None = None
    milliseconds: int = 0
    error: Error = ""
    body: bytes = b""
    is_cut: bool = False  # whether there may be more of it
    kind: str = ""  # its content type
    location: str = ""

    @property
    def accepted(self) -> bool:
        return not self.error and self.status is not None and 200 <= self.status < 300


def check(url: str) -> None:
    """Refused unless it is an address that may be called, as far as it can be told without resolving its name."""
    parts = _FORM.match(url)
    if parts is None or re.search(r"[^!-~]|[\\#@]", url):
        raise _no(_("Write a plain web address such as https://shop.example/webhooks."))
    host, port = parts["host"].lower().strip("[]"), int(parts["port"] or 443)
    address = ssrf.literal(host)
    if settings.WEBHOOK_ALLOW_LOOPBACK and (host == "localhost" or (address and ssrf.is_loopback(address))):
        return
    if parts["scheme"].lower() != "https":
        raise _no(_("The address must begin with https://."))
    if port not in limits.WEBHOOK_PORTS:
        raise _no(_("Only the ports 443 and 8443 are called."))
    if not ssrf.is_public(address) if address else (env.is_local(host) or not _NAME.fullmatch(host)):
        raise _no(_("Only public addresses are called."))


def send(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """POST `body`; comes back with what came of it within WEBHOOK_SECONDS, never raises, and reads 64 KiB at most."""
    request = requests.Request("POST", url, headers=_HEADERS | headers, data=body)
    answer = _call(url, request, limits.WEBHOOK_SECONDS, limits.WEBHOOK_ANSWER_BYTES)
    return replace(answer, body=answer.body[: limits.WEBHOOK_KEPT_BYTES])


def fetch(url: str, headers: dict[str, str], seconds: float, most: int) -> Answer:
    """GET the whole of it, `most` bytes within so many seconds; never raises. A redirect is an answer as any other."""
    return _call(url, requests.Request("GET", url, headers=_IDENTITY | headers), seconds, most)


def _call(url: str, call: requests.Request, seconds: float, most: int) -> Answer:
    began = time.monotonic()
    _own.ends_at, _own.bytes_left = began + seconds, most + limits.WEBHOOK_ANSWER_BYTES
    answer = Answer()
    try:
        check(url)
        # An adapter alone, without a session: no redirects, no cookies, no proxies, no .netrc.
        with closing(_Adapter(is_https_proto=url.lower().startswith("https:"))) as adapter:
            response = adapter.send(call.prepare(), stream=True)
            told = {"kind": response.headers.get("content-type", ""), "location": response.headers.get("location", "")}
            answer = Answer(response.status_code, **told)
            answer = replace(answer, body=response.raw.read(most, decode_content=False))
            if len(answer.body) == most:
                answer = replace(answer, is_cut=True)
            elif response.raw.length_remaining:
                answer = replace(answer, error="broken")
            response.raw.close()
    except (Refused, InvalidIPAddress):
        answer = replace(answer, error="blocked")
    except Exception as failure:  # whatever a stranger's server made of it
        answer = replace(answer, error=_word(failure))
        logger.info("a call of %s failed: %r", url, failure)
    return replace(answer, milliseconds=int((time.monotonic() - began) * 1000))


_IDENTITY = {"accept-encoding": "identity"}
_HEADERS = _IDENTITY | {
    "content-type": "application/json",
    "user-agent": "friendpay-webhooks",
}
_own = threading.local()  # of the thread that calls: when its time is over, and how many bytes it may still read


def _no(message: object) -> Refused:
    return Refused("url_not_allowed", message, field="url", status=422)  # type: ignore[arg-type]


def _word(failure: Exception) -> Error:
    if isinstance(failure, TimeoutError | requests.Timeout | ReadTimeoutError):
        return "timeout"
    if isinstance(failure, requests.exceptions.SSLError):
        return "tls"
    if isinstance(failure.__cause__, socket.gaierror):
        return "unresolved"
    if isinstance(failure, requests.ConnectionError):
        return "unreachable"
    return "broken" if isinstance(failure, requests.RequestException | HTTPError) else "internal"


def _left() -> float:
    left: float = _own.ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time is over")
    return left


def _in_time(call: Callable[[], Result]) -> Result:
    """What `call` gives, made on a thread that is left behind when the time is over: nothing interrupts a resolver."""
    result: Future[Result] = Future()

    def run() -> None:
        try:
            result.set_result(call())
        except Exception as error:
            result.set_exception(error)

    threading.Thread(target=run, name="resolve", daemon=True).start()
    return result.result(_left())


class _Socket(socket.socket):
    """A socket whose every act ends by its thread's deadline; timeouts of single acts could be drawn out for ever."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(_left())
        count: int = super().recv_into(*args, **kwargs)
        _own.bytes_left -= count
        if _own.bytes_left < 0:
            raise OSError("the answer is too long")
        return count

    def send(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(_left())
        return super().send(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(_left())
        super().sendall(*args, **kwargs)


class _TlsSocket(_Socket, ssl.SSLSocket):
    def do_handshake(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(_left())
        super().do_handshake(*args, **kwargs)


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        self.timeout = _left()
        return _Socket(fileno=super()._new_conn().detach())


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading the authorities takes a tenth of a second."""
    context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    context.sslsocket_class = _TlsSocket
    return context


class _Adapter(IPFilterAdapter):
    """The library's adapter with its gaps closed."""

    def __init__(self, *, is_https_proto: bool) -> None:
        super().__init__(is_https_proto=is_https_proto, allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """The context knows whom to trust."""

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        resolve = super().build_connection_pool_key_attributes
        place, manner = _in_time(lambda: resolve(*args, **kwargs))
        address = ipaddress.ip_address(place["host"].strip("[]"))
        if not ssrf.may_call(address, loopback=settings.WEBHOOK_ALLOW_LOOPBACK):
            raise InvalidIPAddress(address)
        if place["scheme"] == "https":
            manner["ssl_context"] = _tls()
        return place, manner
